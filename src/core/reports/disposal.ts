// The certificate of what purges have removed from the log: how much, why, who agreed, and what still proves it. It must never say more of
// what was removed than the purge records do, nor name a held matter that the reader may not see.
import type { ReportSection } from '../../model/audit-report.ts';
import { purgedPlaces } from '../record/purged.ts';
import { isObject, type JsonObject } from '../recorded-request.ts';
import { timeOfId } from '../reading/resume.ts';
import { textOf, textsOf } from '../reading/row.ts';
import { formatTimestamp } from '../time.ts';
import { periodOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, ReportRow, Want } from './report.ts';
import { listed } from './tables.ts';

const OTHERWISE_DAYS = 365;
/** Requests that one certificate lists; each may have many records. */
const MOST_REQUESTS = 500;

interface Purge {
  readonly id: string;
  readonly first: JsonObject;
  readonly at: number;
  readonly ids: string[];
  records: number;
  ranges: number;
  committed: number;
  sealed: number;
  from: number;
  to: number;
}

export const disposal: ReportDefinition = {
  name: 'disposal',
  title: 'Certificate of disposal',
  about: 'What purges have removed from the log, why, who agreed, and what still proves that nothing else is gone.',
  params: { from: 'optional', to: 'optional' },
  views: ['log'],
  ask(words, now) {
    const period = periodOf(words, now, { otherwiseDays: OTHERWISE_DAYS });
    return { asked: {}, period, build: (context) => build(context, period) };
  },
};

function* build(context: ReportContext, period: Period): Generator<Want, ReportDraft, void> {
  const purges = new Map<string, Purge>();
  let leftOut = 0;
  yield {
    want: 'rows',
    search: { filter: { kind: 'purge' }, ...period },
    each(row) {
      const request = isObject(row.record['request']) ? row.record['request'] : {};
      const id = textOf(request['id']) ?? row.id;
      const known = purges.get(id);
      if (known === undefined && purges.size === MOST_REQUESTS) {
        leftOut += 1;
        return;
      }
      const purge = known ?? begun(id, row);
      purges.set(id, purge);
      addPart(purge, row);
    },
  };
  for (const purge of purges.values()) {
    for (const id of purge.ids) {
      yield {
        want: 'proofs',
        purge: id,
        give({ committed, sealed }) {
          purge.committed += committed;
          purge.sealed += sealed;
        },
      };
    }
  }
  return draft(context, [...purges.values()], leftOut);
}

function begun(id: string, { at, record }: ReportRow): Purge {
  const counted = { records: 0, ranges: 0, committed: 0, sealed: 0, from: Number.MAX_SAFE_INTEGER, to: 0 };
  // The places are many: they are counted, not kept.
  const { purged: _places, ...first } = record;
  return { id, first, at, ids: [], ...counted };
}

function addPart(purge: Purge, { id, record }: ReportRow): void {
  const places = purgedPlaces(record) ?? [];
  const ids = isObject(record['ids']) ? record['ids'] : {};
  const [from, to] = [textOf(ids['from']), textOf(ids['to'])];
  purge.ids.push(id);
  purge.ranges += places.length;
  for (const range of places) purge.records += range.to - range.from + 1;
  if (from !== null) purge.from = Math.min(purge.from, timeOfId(from));
  if (to !== null) purge.to = Math.max(purge.to, timeOfId(to));
}

function draft(context: ReportContext, purges: readonly Purge[], leftOut: number): ReportDraft {
  const total = (of: (one: Purge) => number): string =>
    purges.reduce((sum, one) => sum + of(one), 0).toLocaleString('en-US');
  const table = listed({
    at: 'Time',
    request: 'Request',
    scope: 'Why',
    records: 'Records removed',
    committed: 'Hashes kept',
    sealed: 'Under a checkpoint',
    oldest: 'Oldest removed',
    newest: 'Newest removed',
    requester: 'Requested by',
    approvers: 'Approved by',
  });
  for (const one of purges) {
    const { first } = one;
    table.add(
      formatTimestamp(one.at),
      one.id,
      textOf(first['scope']),
      one.records,
      one.committed,
      one.sealed,
      one.to === 0 ? null : formatTimestamp(one.from),
      one.to === 0 ? null : formatTimestamp(one.to),
      textOf(first['requester']),
      approvers(first)
        .map(({ by }) => by)
        .join(' '),
    );
  }
  return {
    is_complete: leftOut === 0,
    notes: [
      ...(leftOut === 0
        ? []
        : [`Purge records of further requests are left out (${leftOut}): ask for a shorter period.`]),
      'Which matters and people the removed records were about is not kept anywhere: that is what was removed. The hashes say nothing of ' +
        'it. `privity audit search --matter ID --order oldest` shows what is left of a matter.',
      'That the hashes kept are those that were sealed, and that nothing else is gone, is shown by `privity audit verify`.',
      'Approvers are proven by tokens; the requester is a stated name. Backups from before a purge still hold what it removed.',
    ],
    sections: [
      {
        heading: 'In short',
        facts: [
          { label: 'Purges', value: purges.length.toLocaleString('en-US') },
          { label: 'Records whose payload was removed', value: total(({ records }) => records) },
          { label: 'Their hashes that are still kept', value: total(({ committed }) => committed) },
          { label: 'Of these under a checkpoint', value: total(({ sealed }) => sealed) },
        ],
      },
      { heading: 'Purges', table: table.table() },
      ...purges.map((one) => certificate(context, one)),
      ...(purges.length === 0
        ? []
        : [
            {
              heading: 'Confirmation',
              signature: 'I have compared this certificate with the requests and approvals on file.',
            },
          ]),
    ],
  };
}

function certificate(context: ReportContext, { id, first, ids, ranges }: Purge): ReportSection {
  const request = isObject(first['request']) ? first['request'] : {};
  const policy = isObject(first['policy']) ? first['policy'] : {};
  const held = isObject(first['held']) ? first['held'] : {};
  const matters = textsOf(held['matters']).filter((matter) => context.shows(matter, null));
  const clients = textsOf(held['clients']).filter((client) => context.shows(null, client));
  const table = listed({ by: 'Approved by', roles: 'In the role', approval: 'Approval' });
  for (const one of approvers(first)) table.add(one.by, one.roles.join(' '), one.id);
  return {
    heading: `Purge ${id}`,
    facts: [
      { label: 'Reason', value: textOf(first['reason']) ?? 'not recorded' },
      { label: 'Retention ended by', value: textOf(request['as_of']) ?? 'not recorded' },
      { label: 'Only what was recorded before', value: textOf(request['before']) ?? 'not recorded' },
      { label: 'Hash of the request', value: textOf(request['hash']) ?? 'not recorded' },
      { label: 'Policy set', value: textOf(policy['revision']) ?? 'not recorded' },
      {
        label: 'Purge records',
        value: `${ids.length}, naming ${ranges.toLocaleString('en-US')} ranges: ${ids.slice(0, 20).join(' ')}`,
      },
      { label: 'Matters on hold then, which stayed', value: matters.join(' ') || 'none that you may see' },
      { label: 'Clients on hold then, which stayed', value: clients.join(' ') || 'none that you may see' },
    ],
    table: table.table(),
  };
}

interface Approver {
  readonly by: string;
  readonly id: string;
  readonly roles: readonly string[];
}

function approvers({ approvals }: JsonObject): readonly Approver[] {
  if (!Array.isArray(approvals)) return [];
  return approvals.filter(isObject).map((one) => ({
    by: textOf(one['by']) ?? '',
    id: textOf(one['id']) ?? '',
    roles: textsOf(one['roles']),
  }));
}
