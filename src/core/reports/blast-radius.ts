// The report on what an account, a system, a device or a token touched in a period. It must never call untouched what the records do
// not hold: where they cannot tell, it says so.
import type { ReportSection, ReportWords } from '../../model/audit-report.ts';
import type { PolicySet } from '../policy-set.ts';
import { wrong } from '../reading/search.ts';
import { formatTimestamp } from '../time.ts';
import { NONE } from '../truth.ts';
import { periodOf } from './period.ts';
import { objectIn, textIn } from './plain.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, ReportRow, Want } from './report.ts';
import { createTally, type Tally } from './tally.ts';
import { timelineOf, type Timeline } from './tables.ts';

type Traces = Pick<ReportWords, 'account' | 'caller' | 'device' | 'token'>;

export const blastRadius: ReportDefinition = {
  name: 'blast-radius',
  title: 'Blast radius',
  about:
    'What an account, a system, a device or a token touched in a period: matters, clients, documents, jurisdictions.',
  params: {
    account: 'optional',
    caller: 'optional',
    device: 'optional',
    token: 'optional',
    from: 'optional',
    to: 'optional',
  },
  views: ['log'],
  ask(words, now) {
    const { account, caller, device, token } = words;
    const traces: Record<string, string> = {};
    for (const [name, value] of Object.entries({ account, caller, device, token }))
      if (value !== undefined) traces[name] = value;
    if (Object.keys(traces).length === 0)
      throw wrong('account', 'is missing: name an account, a caller, a device or a token');
    const period = periodOf(words, now, { otherwiseDays: 30 });
    return { asked: traces, period, build: (context) => build(traces, period, context) };
  },
};

/** What firms call a device, and a place, in their dictionaries. */
const DEVICE = /(^|_)device(_?(id|serial|name))?$/;
const JURISDICTION = /(^|_)(jurisdiction|region|country)(_|$)/;

interface Counts {
  readonly matters: Tally;
  readonly clients: Tally;
  readonly resources: Tally;
  readonly jurisdictions: Tally;
  readonly actions: Tally;
  readonly rules: Tally;
  readonly tokens: Tally;
  readonly accounts: Tally;
  readonly systems: Tally;
  readonly days: Timeline;
  rows: number;
  allowed: number;
  first: number;
  last: number;
}

function* build(traces: Traces, period: Period, { set }: ReportContext): Generator<Want, ReportDraft, void> {
  const names = recordedNames(set);
  const counts: Counts = {
    matters: createTally(),
    clients: createTally(),
    resources: createTally(),
    jurisdictions: createTally(),
    actions: createTally(),
    rules: createTally(),
    tokens: createTally(),
    accounts: createTally(),
    systems: createTally(),
    days: timelineOf(period, ['allowed', 'denied']),
    rows: 0,
    allowed: 0,
    first: Infinity,
    last: -Infinity,
  };
  const { account, caller } = traces;
  const byCaller = caller === undefined ? {} : { caller };
  // An account is somebody's, or that of an AI assistant that acts for others.
  const filters =
    account === undefined
      ? [byCaller]
      : [
          { ...byCaller, subject: account },
          { ...byCaller, actor: account },
        ];
  for (const filter of filters) {
    yield {
      want: 'rows',
      search: { filter, ...period },
      each(row) {
        const isTwice = 'actor' in filter && row.found.subject.id === account;
        if (isTwice || row.found.outcome === null || !bears(row, traces, names.devices)) return 'passed';
        countRow(counts, row, set, names.jurisdictions);
        return undefined;
      },
    };
  }
  const tables = sectionsOf(counts, names);
  const left = Math.max(counts.matters.left, counts.clients.left, counts.resources.left);
  const notes = [
    ...notRecorded(traces, names),
    ...(left > 0 ? [`${left} records are about more names than are held: they are counted, but not by name.`] : []),
    ...tables.flatMap(({ note }) => note ?? []),
  ];
  const isBlind = traces.device !== undefined && names.devices.length === 0;
  return {
    sections: [inShort(traces, counts), ...tables.map(({ section }) => section)],
    notes,
    is_complete: !isBlind && left === 0 && tables.every(({ note }) => note === null),
  };
}

interface Names {
  /** Paths of attributes that records hold because some rule reads them. */
  readonly devices: readonly string[];
  readonly jurisdictions: readonly string[];
}

function recordedNames({ recorded }: PolicySet): Names {
  const named = (pattern: RegExp): readonly string[] =>
    recorded.filter(({ name, freeText }) => !freeText && pattern.test(name)).map(({ path }) => path);
  return { devices: named(DEVICE), jurisdictions: named(JURISDICTION) };
}

/** The value of an attribute as the record holds it. */
function stated({ record }: ReportRow, path: string): string | null {
  const [namespace = '', ...rest] = path.split('.');
  const name = rest.join('.');
  if (namespace === 'subject') return textIn(objectIn(objectIn(record, 'subject'), 'attributes'), name);
  if (namespace === 'resource') return textIn(objectIn(objectIn(record, 'resource'), 'properties'), name);
  return textIn(objectIn(record, namespace), name);
}

function bears(row: ReportRow, { token, device }: Traces, devices: readonly string[]): boolean {
  if (token !== undefined && textIn(objectIn(row.record, 'subject'), 'token_id') !== token) return false;
  return device === undefined || devices.some((path) => stated(row, path) === device);
}

function countRow(counts: Counts, row: ReportRow, { data }: PolicySet, places: readonly string[]): void {
  const { found, at } = row;
  const { matter, client, resource, action, subject } = found;
  const isAllowed = found.outcome === 'allow';
  const event = { at, isAllowed, action };
  counts.rows += 1;
  counts.allowed += Number(isAllowed);
  counts.first = Math.min(counts.first, at);
  counts.last = Math.max(counts.last, at);
  counts.days.add(at, isAllowed ? 0 : 1);
  counts.actions.add(action ?? '(none)', { ...event, action: null });
  if (matter !== null) {
    const facts = data.matters.get(matter);
    const responsible = facts === undefined || facts.responsible === NONE ? null : facts.responsible;
    counts.matters.add(matter, { ...event, beside: [facts?.clientId ?? client, responsible] });
  }
  if (client !== null) counts.clients.add(client, event);
  if (resource.id !== null) {
    const key = `${resource.type ?? ''} ${resource.id}`;
    counts.resources.add(key, { ...event, beside: [matter] });
  }
  for (const path of places) {
    const place = stated(row, path);
    if (place !== null) counts.jurisdictions.add(place, { ...event, beside: [path] });
  }
  for (const rule of found.decided_by ?? []) counts.rules.add(rule, event);
  const token = textIn(objectIn(row.record, 'subject'), 'token_id');
  counts.tokens.add(token ?? '(none)', { ...event, beside: [textIn(objectIn(row.record, 'subject'), 'issuer')] });
  counts.accounts.add(subject.id ?? '(nobody)', event);
  counts.systems.add(found.source_system ?? found.caller ?? '(none)', event);
}

function inShort(traces: Traces, counts: Counts): ReportSection {
  const { rows, allowed, matters, clients, resources, jurisdictions, first, last } = counts;
  const touched = (tally: Tally): string => {
    const reached = [...tally.names.values()].filter((one) => one.allowed > 0).length;
    return `${reached} reached, ${tally.names.size - reached} only tried`;
  };
  return {
    heading: 'In short',
    facts: [
      ...Object.entries(traces).map(([label, value]) => ({ label, value })),
      { label: 'decisions', value: `${allowed} allowed, ${rows - allowed} denied` },
      { label: 'matters', value: touched(matters) },
      { label: 'clients', value: touched(clients) },
      { label: 'documents and other resources', value: touched(resources) },
      { label: 'jurisdictions', value: [...jurisdictions.names.keys()].toSorted().join(', ') || 'none recorded' },
      ...(rows === 0
        ? []
        : [{ label: 'first and last', value: `${formatTimestamp(first)}, ${formatTimestamp(last)}` }]),
    ],
  };
}

function sectionsOf(counts: Counts, { jurisdictions }: Names) {
  const part = (
    heading: string,
    tally: Tally,
    columns: Readonly<Record<string, string>>,
    what: string,
    note?: string,
  ) => {
    const table = tally.table(columns);
    const section: ReportSection = { heading, ...(note === undefined ? {} : { note }), table: table.table() };
    return { section, note: table.note(what) };
  };
  const matters = part(
    'Matters',
    counts.matters,
    { matter: 'Matter', client: 'Client', responsible: 'Responsible' },
    'matters',
  );
  matters.section.chart = counts.matters.chart('Decisions by matter', 'decisions');
  const places =
    jurisdictions.length === 0
      ? 'No attribute that rules read says where anything is.'
      : `As stated in ${jurisdictions.join(', ')}.`;
  return [
    { section: { heading: 'When', chart: counts.days.chart('Decisions over time', 'decisions') }, note: null },
    matters,
    part('Clients', counts.clients, { client: 'Client' }, 'clients'),
    part('Jurisdictions', counts.jurisdictions, { place: 'Place', attribute: 'Stated in' }, 'jurisdictions', places),
    part('Actions', counts.actions, { action: 'Action' }, 'actions'),
    part('Documents and other resources', counts.resources, { resource: 'Resource', matter: 'Matter' }, 'resources'),
    part('Accounts', counts.accounts, { account: 'Account' }, 'accounts'),
    part('Systems', counts.systems, { system: 'System' }, 'systems'),
    part('Tokens', counts.tokens, { token: 'Token', issuer: 'Issuer' }, 'tokens'),
    part('Rules that decided', counts.rules, { rule: 'Rule' }, 'rules'),
  ];
}

function notRecorded({ token, device, account }: Traces, { devices }: Names): readonly string[] {
  const said = [
    'Records hold what was asked and answered, not what a system then gave out, nor text, titles or names.',
  ];
  if (device !== undefined) {
    said.push(
      devices.length === 0
        ? 'Records do not tell devices apart: no rule of the policies reads an attribute such as `device_id`, and what no rule reads is ' +
            'not recorded. Whether a device is managed may be recorded; which one it was is not. Ask for the account or the token instead.'
        : `Devices are told apart by ${devices.join(', ')}, as the calling system stated it; records made before a rule read it have none.`,
    );
  }
  if (token !== undefined) {
    said.push(
      'A token is found by its id (`jti`). Tokens without one, and requests for which a system vouched, name none.',
    );
  }
  if ((token !== undefined || device !== undefined) && account === undefined) {
    said.push(
      'No index leads to a token or a device: every record of the period is looked at. Naming the account as well is faster.',
    );
  }
  return said;
}
