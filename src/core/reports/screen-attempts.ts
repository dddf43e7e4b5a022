// Finds what people tried while a wall screened them. It must never leave an attempt out because it was let in, or was stopped by
// something else.
import type { ReportChart } from '../../model/audit-report.ts';
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp } from '../time.ts';
import { createDoings } from './doings.ts';
import { LISTED_MOST, type Period, type ReportRow, type Want } from './report.ts';
import { listed, timelineOf, type ListedTable } from './tables.ts';
import type { WallEntry, WallHistory } from './wall-history.ts';

export interface Attempts {
  readonly table: ListedTable;
  readonly byPerson: ReportChart;
  readonly days: ReportChart;
  readonly stopped: number;
  readonly otherwise: number;
  readonly letIn: number;
  readonly letInAfter: number;
}

export interface ScreenDeps {
  readonly wall: string;
  readonly history: WallHistory;
  readonly set: PolicySet;
  readonly period: Period;
}

export function createScreen({ wall, history, set, period }: ScreenDeps) {
  const { versions } = history;
  const entries = versions.flatMap(({ entry }) => (entry === null ? [] : [entry]));
  const isInclusion = entries.at(-1)?.kind === 'inclusion';
  const table = listed({
    at: 'Time',
    person: 'Person',
    screened: 'Screened as',
    system: 'System',
    action: 'Action',
    resource: 'Resource',
    matter: 'Matter',
    outcome: 'Outcome',
    record: 'Record',
  });
  const doings = createDoings();
  const days = timelineOf(period, ['let in', 'denied']);
  const lines: { readonly at: number; readonly cells: readonly (string | null)[] }[] = [];
  let unlisted = 0;
  const counts = { stopped: 0, otherwise: 0, letIn: 0, letInAfter: 0 };

  /** The wall as policies said it then; before it was first loaded, as it was loaded first, for it may begin earlier. */
  function versionAt(at: number): { readonly entry: WallEntry | null; readonly isLoaded: boolean } {
    const version = versions.findLast((one) => one.at <= at);
    if (version !== undefined) return { entry: version.entry, isLoaded: true };
    return { entry: entries[0] ?? null, isLoaded: false };
  }

  function screenedAs(
    { people, included, released, kind }: WallEntry,
    person: string,
    matter: string | null,
  ): string | null {
    if (kind === 'inclusion') return included.has(person) ? null : 'not included';
    if (kind === 'opposing') return people.has(person) ? sideOf(person, matter, entries) : null;
    if (people.has(person)) return 'named';
    const whose = (set.data.assistants.get(person) ?? []).filter((one) => people.has(one));
    return whose.length === 0 || released.has(person) ? null : `assists ${whose.join(', ')}`;
  }

  function look(row: ReportRow): void {
    const { matter, client, walls, subject } = row.found;
    const person = subject.id ?? '';
    const { entry, isLoaded } = versionAt(row.at);
    const isStopped = walls?.includes(wall) === true;
    if (
      !isStopped &&
      (entry === null || row.at < entry.from || row.at >= entry.until || !isCovered(entry, set, matter, client))
    )
      return;
    const as = entry === null ? 'named' : screenedAs(entry, person, matter);
    if (!isStopped && as === null) return;
    doings.add(row);
    days.add(row.at, row.found.outcome === 'allow' ? 0 : 1);
    const isAllowed = row.found.outcome === 'allow';
    if (isAllowed) {
      counts.letIn += 1;
      if (isLoaded) counts.letInAfter += 1;
    } else counts[isStopped ? 'stopped' : 'otherwise'] += 1;
    if (lines.length < LISTED_MOST) {
      lines.push({ at: row.at, cells: cellsOf(row, as ?? 'included, not acknowledged', isStopped, isLoaded) });
    } else unlisted += 1;
  }

  function people(): readonly string[] {
    const named = new Set(entries.flatMap((entry) => [...entry.people]));
    for (const [assistant, assisted] of set.data.assistants) {
      if (assisted.some((person) => named.has(person))) named.add(assistant);
    }
    return [...named].toSorted();
  }

  return {
    *wants(): Generator<Want, void, void> {
      if (period.from >= period.to) return;
      if (isInclusion) {
        for (const matter of new Set(entries.flatMap(({ matters }) => matters))) {
          yield { want: 'rows', search: { filter: { matter }, ...period }, each: look };
        }
        return;
      }
      for (const subject of people()) yield { want: 'rows', search: { filter: { subject }, ...period }, each: look };
    },
    found(): Attempts {
      for (const { cells } of lines.toSorted((a, b) => a.at - b.at)) table.add(...cells);
      for (; unlisted > 0; unlisted -= 1) table.add();
      return {
        table,
        byPerson: doings.chart('Attempts by screened people', 30),
        days: days.chart('Attempts over time', 'attempts'),
        ...counts,
      };
    },
  };
}

/** Of opposing teams only the matters of the other side count. */
function sideOf(person: string, matter: string | null, entries: readonly WallEntry[]): string | null {
  for (const { sides } of entries) {
    const own = sides.findIndex(({ people }) => people.includes(person));
    const [first, second] = sides;
    const other = own === 0 ? second : first;
    if (own >= 0 && matter !== null && other?.matters.includes(matter) === true) return `side ${own + 1}`;
  }
  return null;
}

/** As walls cover: the matter, or the client asked for, or the client of the matter on file. */
function isCovered(
  { matters, clients }: WallEntry,
  { data }: PolicySet,
  matter: string | null,
  client: string | null,
): boolean {
  if (matter !== null && matters.includes(matter)) return true;
  const onFile = matter === null ? undefined : data.matters.get(matter)?.clientId;
  return clients.some((one) => one === client || one === onFile);
}

function cellsOf(
  { id, at, found }: ReportRow,
  as: string,
  isStopped: boolean,
  isLoaded: boolean,
): readonly (string | null)[] {
  const { subject, source_system: system, action, resource, matter, outcome } = found;
  const word =
    outcome === 'allow'
      ? isLoaded
        ? 'LET IN'
        : 'LET IN, before the wall was loaded'
      : isStopped
        ? 'stopped by the wall'
        : 'denied, not by this wall';
  const who = subject.actor === null ? subject.id : `${subject.id ?? ''} via ${subject.actor}`;
  const what = [resource.type, resource.id].filter((one) => one !== null).join(' ');
  return [formatTimestamp(at), who, as, system, action, what, matter, word, id];
}
