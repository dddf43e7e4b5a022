// The filters of the log as options of verbs. It must never decide what a filter means: the service does.
import { FILTERS } from '../../core/reading/search.ts';
import { ORDERS } from '../../model/search.ts';
import { RECORD_KINDS } from '../../model/record.ts';
import type { Arguments, OptionSpec } from '../shell/verb.ts';
import type { Query } from './api-client.ts';

const HELP: Readonly<Record<string, OptionSpec>> = {
  subject: { value: 'ID', help: 'whom the record is about' },
  actor: { value: 'ID', help: 'the AI assistant that acted for them' },
  caller: { value: 'ID', help: 'the system that asked' },
  matter: { value: 'ID', help: 'matter' },
  client: { value: 'ID', help: 'client' },
  'resource-type': { value: 'TYPE', help: 'type of the resource' },
  'resource-id': { value: 'ID', help: 'the resource' },
  action: { value: 'NAME', help: 'action' },
  kind: { value: 'KIND', choices: RECORD_KINDS, help: 'kind of record' },
  outcome: { value: 'OUTCOME', choices: ['allow', 'deny'], help: 'outcome' },
  rule: { value: 'ID', help: 'a rule that decided' },
  wall: { value: 'ID', help: 'a wall that applied' },
  grant: { value: 'ID', help: 'a grant that was used' },
  revision: { value: 'REVISION', help: 'policy set in force' },
  obligation: { value: 'CODE', help: 'an obligation or alert, such as review:24h' },
};

export const FILTER_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...HELP,
  from: { value: 'TIME', help: 'not before: 2026-03-10, or 2026-03-10T14:00:00Z' },
  to: { value: 'TIME', help: 'before' },
  order: { value: 'ORDER', choices: ORDERS, help: 'which first; otherwise newest' },
  report: { help: 'the access report of the matter, for those who may read that and not the log' },
};

export function queryOf(args: Arguments): Query {
  return {
    ...Object.fromEntries(FILTERS.map((name) => [name, args.text(name.replace('_', '-'))])),
    from: instantOf(args.text('from')),
    to: instantOf(args.text('to')),
    order: args.text('order'),
    ...(args.isOn('report') ? { view: 'access_report' } : {}),
  };
}

/** A day stands for its beginning, in UTC. */
function instantOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
}
