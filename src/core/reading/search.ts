// Makes a question to the log of what a query string says, or says what is wrong with it. It must never coerce a value, nor let pass a
// filter that nothing can match or that asks about what its view does not show.
import { PrivityError } from '../../model/errors.ts';
import type { RecordColumns, RecordKind } from '../../model/record.ts';
import type { Order, View } from '../../model/search.ts';
import { COLUMN_PATHS } from '../record/columns.ts';
import { formatTimestamp, parseTimestamp } from '../time.ts';

/** The column that each filter is about. */
export const FILTER_COLUMNS = {
  subject: 'subject_id',
  actor: 'actor_id',
  caller: 'caller',
  matter: 'matter_id',
  client: 'client_id',
  resource_type: 'resource_type',
  resource_id: 'resource_id',
  action: 'action',
  kind: 'kind',
  outcome: 'outcome',
  rule: 'decided_by',
  wall: 'walls',
  grant: 'grants',
  revision: 'revision',
  obligation: 'obligations',
} as const satisfies Readonly<Record<string, keyof RecordColumns | 'kind'>>;

export type FilterName = keyof typeof FILTER_COLUMNS;
export const FILTERS = Object.keys(FILTER_COLUMNS) as readonly FilterName[];

export interface Search {
  readonly view: View;
  readonly order: Order;
  readonly filter: Readonly<Partial<Record<FilterName, string>>>;
  /** Milliseconds since 1970: from inclusive, to exclusive. */
  readonly from: number | null;
  readonly to: number | null;
}

/** As a validated query string has it. */
export type SearchWords = Readonly<
  { view?: View; order?: Order; kind?: RecordKind; from?: string; to?: string } & Partial<Record<FilterName, string>>
>;

/** What an access report shows, and may therefore be asked for: a count by wall or rule would tell what it leaves out. */
const IN_REPORTS: ReadonlySet<FilterName> = new Set([
  'subject',
  'actor',
  'matter',
  'client',
  'resource_type',
  'resource_id',
  'action',
  'outcome',
]);
const LONGEST_BYTES = 256;
const DAY = 86_400_000;
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** @throws PrivityError `malformed_request` that points to the parameter */
export function parseSearch(words: SearchWords, now: number): Search {
  const { view = 'log', order = 'newest' } = words;
  const filter: Partial<Record<FilterName, string>> = {};
  for (const name of FILTERS) {
    const value = words[name];
    if (value !== undefined) filter[name] = textOf(name, value);
  }
  if (view === 'access_report') checkReport(filter);
  else checkKind(filter, words.kind);
  const from = instantOf('from', words.from);
  const to = instantOf('to', words.to);
  if (from !== null && from > now + DAY) throw wrong('from', 'lies in the future');
  if (from !== null && to !== null && from >= to) throw wrong('to', 'must be later than `from`');
  return { view, order, filter: view === 'access_report' ? { ...filter, kind: 'decision' } : filter, from, to };
}

/** As records of readings keep it. */
export function askedOf({ view, order, filter, from, to }: Search): Readonly<Record<string, unknown>> {
  return {
    filter: {
      ...filter,
      ...(from === null ? {} : { from: formatTimestamp(from) }),
      ...(to === null ? {} : { to: formatTimestamp(to) }),
    },
    order,
    view,
  };
}

function textOf(name: FilterName, value: string): string {
  if (!value.isWellFormed() || value.includes('\u0000')) throw wrong(name, 'is no text that a record can hold');
  if (Buffer.byteLength(value) > LONGEST_BYTES) throw wrong(name, `is longer than ${LONGEST_BYTES} bytes`);
  return value;
}

function checkReport(filter: Search['filter']): void {
  if (filter.matter === undefined) throw wrong('matter', 'an access report is about one matter: name it');
  for (const name of FILTERS) {
    if (filter[name] === undefined || IN_REPORTS.has(name)) continue;
    throw wrong(name, 'an access report does not show this, and cannot be asked for it');
  }
}

/** Records of some kinds have no subject, no matter and so on, whatever is looked for. */
function checkKind(filter: Search['filter'], kind: RecordKind | undefined): void {
  if (kind === undefined) return;
  for (const name of FILTERS) {
    const column = FILTER_COLUMNS[name];
    if (filter[name] === undefined || column === 'kind' || COLUMN_PATHS[kind][column] !== undefined) continue;
    throw wrong(name, `records of the kind \`${kind}\` have none`);
  }
}

/** Whole milliseconds, as records have them: rounding up keeps both "not before" and "before". */
function instantOf(name: 'from' | 'to', text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseTimestamp(text);
  if (ms === undefined) {
    throw wrong(name, 'must be an instant like 2026-03-10T14:00:00Z (RFC 3339; in a URL write + as %2B)');
  }
  if (ms < EARLIEST || ms >= LATEST) throw wrong(name, 'is not in the years 2000 to 2199');
  return Math.ceil(ms);
}

export function wrong(name: string, detail: string): PrivityError {
  return new PrivityError('malformed_request', { detail: `\`${name}\` ${detail}`, pointer: `/${name}` });
}
