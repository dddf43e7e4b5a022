// The report on people who have left or are suspended: what was decided about them after their end. It must never take somebody's end to
// be earlier than policy data says it was.
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp, parseTimestamp } from '../time.ts';
import { periodOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, Want } from './report.ts';
import { listed, type ListedTable } from './tables.ts';

const STATUS = 'employee_status';
const UNTIL = 'employed_until';
const LEFT: ReadonlySet<unknown> = new Set(['terminated', 'suspended']);
const OTHERWISE_DAYS = 90;
/** People whose records are looked for one after the other. */
const MOST_PEOPLE = 2_000;
/** Policy sets that are looked at to find out since when somebody counts as having left. */
const MOST_SETS = 40;

interface Leaver {
  readonly id: string;
  readonly status: string;
  /** Milliseconds since 1970; null until it is found. */
  end: number | null;
  how: string;
  allowed: number;
  denied: number;
  last: number | null;
}

export const leavers: ReportDefinition = {
  name: 'leavers',
  title: 'People who have left, and what was decided after',
  about: 'Who has left or is suspended by policy data, since when, and every decision about them after that.',
  params: { from: 'optional', to: 'optional', subject: 'optional' },
  views: ['log'],
  ask(words, now) {
    const period = periodOf(words, now, { otherwiseDays: OTHERWISE_DAYS });
    const { subject } = words;
    const asked = subject === undefined ? {} : { subject };
    return { asked, period, build: (context) => build(context, subject ?? null, period) };
  },
};

function* build(context: ReportContext, only: string | null, period: Period): Generator<Want, ReportDraft, void> {
  const notes: string[] = [];
  const all = leaversOf(context.set, context.now).filter(({ id }) => only === null || id === only);
  const people = all.slice(0, MOST_PEOPLE);
  if (people.length < all.length) {
    notes.push(
      `Of ${all.length} people who have left only the first ${MOST_PEOPLE} are looked at: name one by \`subject\`.`,
    );
  }
  const undated = people.filter(({ end }) => end === null);
  const areSetsWhole = undated.length === 0 || (yield* findEnds(undated, period, notes));
  const decisions = listed({
    at: 'Time',
    id: 'Record',
    kind: 'Kind',
    person: 'Person',
    end: 'Left',
    outcome: 'Outcome',
    action: 'Did',
    resource: 'To',
    matter: 'Matter',
    client: 'Client',
    system: 'System',
    rules: 'Decided by',
  });
  for (const one of people) yield* recordsOf(one, period, decisions);
  const note = decisions.note('records');
  if (note !== null) notes.push(note);
  notes.push(
    `Left means: policy data gives the person \`${STATUS}\` terminated or suspended, or an \`${UNTIL}\` that is over. Where no ` +
      `\`${UNTIL}\` is given, the end is when the first policy set that says so was loaded.`,
    'A person of whom policy data says nothing (any more) is not here.',
  );
  return draft(people, decisions, notes, areSetsWhole && people.length === all.length && decisions.isWhole);
}

/** By what policy data says now; ordered by id. */
function leaversOf(set: PolicySet, now: number): Leaver[] {
  const found: Leaver[] = [];
  for (const id of new Set([...set.data.people.keys(), ...set.data.directory.keys()])) {
    const status = valueOf(set, id, STATUS);
    const until = instantOf(valueOf(set, id, UNTIL));
    const isOver = until !== null && until <= now;
    if (!LEFT.has(status) && !isOver) continue;
    const said = typeof status === 'string' ? status : 'not stated';
    found.push({ id, status: said, end: until, how: until === null ? '' : UNTIL, allowed: 0, denied: 0, last: null });
  }
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function hasLeft(set: PolicySet, id: string): boolean {
  return LEFT.has(valueOf(set, id, STATUS));
}

/** What counts for decisions, or else what the directory says. */
function valueOf({ data }: PolicySet, id: string, name: string): unknown {
  const onFile = data.people.get(id)?.find(({ path }) => path === `subject.${name}`);
  return onFile === undefined ? data.directory.get(id)?.[name] : onFile.value;
}

function instantOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (parseTimestamp(value) ?? null) : null;
}

interface Loaded {
  readonly revision: string;
  readonly at: number;
}

/** @returns whether all policy sets of the period could be looked at */
function* findEnds(people: readonly Leaver[], period: Period, notes: string[]): Generator<Want, boolean, void> {
  const loads: Loaded[] = [];
  const filter = { kind: 'policy_loaded' };
  const add = (revision: string | null | undefined, at: number): void => {
    if (typeof revision === 'string' && loads.at(-1)?.revision !== revision) loads.push({ revision, at });
  };
  yield {
    want: 'rows',
    search: { filter, order: 'newest', to: period.from },
    each({ found, at }) {
      add(found.revision, at);
      return 'enough';
    },
  };
  const before = loads.length;
  yield { want: 'rows', search: { filter, ...period }, each: ({ found, at }) => add(found.revision, at) };
  const seen = loads.slice(-MOST_SETS);
  let isWhole = seen.length === loads.length;
  if (!isWhole)
    notes.push(`Only the last ${MOST_SETS} of ${loads.length} policy sets of the period were looked at for ends.`);
  for (const [index, { revision, at }] of seen.entries()) {
    const isBefore = index === 0 && before === 1 && seen.length === loads.length;
    yield {
      want: 'policies',
      revision,
      give(set, problem) {
        if (set === null) {
          isWhole = false;
          notes.push(`Ends may be earlier than shown: ${problem}.`);
          return;
        }
        for (const one of people) {
          if (!hasLeft(set, one.id)) one.end = null;
          else if (one.end === null) {
            one.end = at;
            one.how = isBefore ? 'a policy set from before the period' : `policy set ${revision}`;
          }
        }
      },
    };
  }
  for (const one of people) {
    if (one.end !== null) continue;
    one.end = period.from;
    one.how = 'not known: counted from the beginning of the period';
  }
  return isWhole;
}

function* recordsOf(one: Leaver, period: Period, decisions: ListedTable): Generator<Want, void, void> {
  const from = Math.max(one.end ?? period.from, period.from);
  if (from >= period.to) return;
  yield {
    want: 'rows',
    search: { filter: { subject: one.id }, from, to: period.to },
    each({ id, at, found }) {
      if (found.outcome === 'allow') one.allowed += 1;
      else one.denied += 1;
      one.last = at;
      decisions.add(
        found.at,
        id,
        found.kind ?? null,
        one.id,
        one.end === null ? null : formatTimestamp(one.end),
        found.outcome,
        found.action,
        `${found.resource.type ?? ''} ${found.resource.id ?? ''}`.trim(),
        found.matter,
        found.client,
        found.source_system,
        (found.decided_by ?? []).join(' '),
      );
    },
  };
}

function draft(
  people: readonly Leaver[],
  decisions: ListedTable,
  notes: readonly string[],
  isComplete: boolean,
): ReportDraft {
  const active = people.filter(({ allowed, denied }) => allowed + denied > 0);
  const table = listed({
    person: 'Person',
    status: 'Status',
    end: 'Left',
    how: 'Known from',
    allowed: 'Allowed after',
    denied: 'Denied after',
    last: 'Last record',
  });
  for (const { id, status, end, how, allowed, denied, last } of people) {
    table.add(
      id,
      status,
      end === null ? null : formatTimestamp(end),
      how,
      allowed,
      denied,
      last === null ? null : formatTimestamp(last),
    );
  }
  const sum = (of: (one: Leaver) => number): string =>
    people.reduce((total, one) => total + of(one), 0).toLocaleString('en-US');
  return {
    is_complete: isComplete,
    notes: [...notes],
    sections: [
      {
        heading: 'In short',
        facts: [
          { label: 'People who have left or are suspended', value: people.length.toLocaleString('en-US') },
          { label: 'With records after their end', value: active.length.toLocaleString('en-US') },
          { label: 'Allowed after their end', value: sum(({ allowed }) => allowed) },
          { label: 'Denied after their end', value: sum(({ denied }) => denied) },
        ],
        chart: {
          kind: 'bars',
          label: 'Records after the end, by person',
          unit: 'records',
          series: ['allowed', 'denied'],
          points: active
            .toSorted((a, b) => b.allowed - a.allowed || b.denied - a.denied || (a.id < b.id ? -1 : 1))
            .map(({ id, allowed, denied }) => ({ label: id, values: [allowed, denied] })),
        },
      },
      { heading: 'People', table: table.table() },
      { heading: 'Records after their end', table: decisions.table() },
    ],
  };
}
