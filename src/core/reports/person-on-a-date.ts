// The report on one person and one day: which matters they could reach by the policies of that day, and what they did. It must never
// stand in another policy set for one that was not kept.
import type { ReportChart, ReportSection } from '../../model/audit-report.ts';
import type { PolicySet } from '../policy-set.ts';
import { formatTimestamp } from '../time.ts';
import { followDay, type DaySet } from './day-sets.ts';
import { createDoings } from './doings.ts';
import { dayOf } from './period.ts';
import { inWords, matterPairs, somebody, standingOf, turningPoints } from './reach.ts';
import {
  PAUSE,
  type Period,
  type ReportContext,
  type ReportDefinition,
  type ReportDraft,
  type ReportRow,
  type Want,
} from './report.ts';
import { count, listed, rankedBars, timelineOf } from './tables.ts';

const ACTION = 'read';
const MOST_INSTANTS = 24;

interface Asked {
  readonly subject: string;
  readonly action: string;
  readonly type: string | null;
  readonly day: Period;
}

export const personOnADate: ReportDefinition = {
  name: 'person-on-a-date',
  title: 'What a person could and did reach on a day',
  about:
    'Which matters somebody could reach on a day, by the policy sets in force on that day, and everything they asked for.',
  params: { subject: 'required', date: 'required', action: 'optional', resource_type: 'optional' },
  views: ['log'],
  ask({ subject = '', date = '', action = ACTION, resource_type: type }, now) {
    const day = dayOf(date, now);
    return {
      asked: { subject, date, action, ...(type === undefined ? {} : { resource_type: type }) },
      period: day,
      build: (context) => build({ subject, action, type: type ?? null, day }, context),
    };
  },
};

interface Could {
  readonly client: string;
  readonly can: Map<string, Set<string>>;
  readonly rules: Set<string>;
}

function* build(asked: Asked, context: ReportContext): Generator<Want, ReportDraft, void> {
  const { subject, day, action } = asked;
  const doings = createDoings();
  const byMatter = new Map<string, ReturnType<typeof createDoings>>();
  const hours = timelineOf(day, ['allowed', 'denied']);
  const did = listed({
    at: 'Time',
    action: 'Action',
    resource: 'Resource',
    matter: 'Matter',
    outcome: 'Outcome',
    why: 'Decided by',
    system: 'System',
    record: 'Record',
  });
  const revisions = new Set<string>();
  const reached = new Set<string>();
  yield {
    want: 'rows',
    search: { filter: { subject, kind: 'decision' }, ...day },
    each(row) {
      const { found, at } = row;
      doings.add(row);
      hours.add(at, found.outcome === 'allow' ? 0 : 1);
      const matter = found.matter ?? '(no matter)';
      let own = byMatter.get(matter);
      if (own === undefined) byMatter.set(matter, (own = createDoings()));
      own.add(row);
      if (found.outcome === 'allow' && found.action === action && found.matter !== null && isAsked(asked, row))
        reached.add(found.matter);
      if (typeof found.revision === 'string') revisions.add(found.revision);
      did.add(...cellsOf(row));
    },
  };
  const { sets, notes } = yield* followDay(day, revisions);
  const could = new Map<string, Could>();
  for (const one of sets) if (one.set !== null) yield* judge(asked, one.set, one, could);
  const told = new Map([...could].filter(([matter, { client }]) => context.shows(matter, client)));

  const surprises = [...reached].filter((matter) => !told.has(matter)).toSorted();
  const isJudged = sets.length > 0 && sets.every(({ set }) => set !== null);
  const table = couldTable(told, byMatter);
  const inDirectory = sets.some(({ set }) => set !== null && somebody(set, subject).isKnown);
  const more = [
    ...(isJudged && inDirectory ? [HOW] : []),
    ...(inDirectory || sets.length === 0
      ? []
      : [`The policies of that day do not know ${subject}: everything about them is left open.`]),
    ...[did.note('decisions'), table.note('matters')].filter((one) => one !== null),
  ];
  const sections: ReportSection[] = [
    {
      heading: 'In short',
      facts: [
        {
          label: `matters they could ${action}`,
          value: sets.some(({ set }) => set !== null) ? String(told.size) : 'cannot be told',
        },
        {
          label: 'matters they were let in to',
          value: String(
            [...byMatter.entries()].filter(([matter, own]) => matter !== '(no matter)' && own.allowed > 0).length,
          ),
        },
        { label: 'decisions', value: `${doings.allowed} allowed, ${doings.denied} denied` },
      ],
    },
    { heading: 'Policy sets of that day', table: setsTable(sets) },
    { heading: 'What they could reach', chart: byRule(told), table: table.table() },
    { heading: 'What they did', chart: hours.chart('Decisions by hour', 'decisions'), table: did.table() },
    ...(surprises.length === 0 || !isJudged
      ? []
      : [
          {
            heading: 'Let in, and not expected',
            note: `They were let in to these matters, which by this reckoning they could not ${action}. Look at the records: the policy set that decided is named there.`,
            table: { columns: [{ name: 'matter', label: 'Matter' }], rows: surprises.map((matter) => [matter]) },
          },
        ]),
  ];
  return { sections, notes: [...notes, ...more], is_complete: isJudged && did.isWhole && table.isWhole };
}

const HOW =
  'What the directory of that day says of the person is believed; everything that a request says (device, network, second factor, the ' +
  'document itself) is left open: what is not listed was out of reach, what is listed was within reach in some circumstances. Judged at ' +
  'both ends and at noon of the time each set was in force, and whenever a wall or one of their grants began or ended, 24 times at most.';

function isAsked({ type }: Asked, { found }: ReportRow): boolean {
  return type === null || found.resource.type === type;
}

/** Adds what the set lets them do at any of the instants. */
function* judge(asked: Asked, set: PolicySet, span: Period, could: Map<string, Could>): Generator<Want, void, void> {
  const { subject, action, type } = asked;
  const person = somebody(set, subject);
  const pairs = matterPairs(set, { action, ...(type === null ? {} : { type }) });
  const noon = Math.floor(span.from / 86_400_000) * 86_400_000 + 43_200_000;
  const turns = [
    span.from,
    span.to - 1,
    ...(noon > span.from && noon < span.to ? [noon] : []),
    ...turningPoints(set, subject, span),
  ];
  const at = [...new Set(turns)].slice(0, MOST_INSTANTS);
  for (const now of at) {
    for (const [matter, { clientId }] of set.data.matters) {
      const reach = standingOf(set, person, matter, now).reach(pairs);
      if (reach.can.size > 0) {
        let known = could.get(matter);
        if (known === undefined) could.set(matter, (known = { client: clientId, can: new Map(), rules: new Set() }));
        for (const [name, actions] of reach.can)
          known.can.set(name, new Set([...(known.can.get(name) ?? []), ...actions]));
        for (const rule of reach.rules) known.rules.add(rule);
      }
      yield PAUSE;
    }
  }
}

function couldTable(could: ReadonlyMap<string, Could>, byMatter: ReadonlyMap<string, ReturnType<typeof createDoings>>) {
  const table = listed({
    matter: 'Matter',
    client: 'Client',
    could: 'Could',
    rules: 'By these rules',
    allowed: 'Did (allowed)',
    denied: 'Was denied',
  });
  for (const [matter, { client, can, rules }] of [...could].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const actions = new Map([...can].map(([type, list]) => [type, [...list]] as const));
    const own = byMatter.get(matter);
    table.add(
      matter,
      client,
      inWords({ can: actions }),
      [...rules].toSorted().join(', '),
      own?.allowed ?? 0,
      own?.denied ?? 0,
    );
  }
  return table;
}

/** A rule for emergencies opens nearly everything: matters that only it opens must not hide the others. */
function byRule(could: ReadonlyMap<string, Could>): ReportChart {
  const matters = new Map<string, number>();
  for (const { rules } of could.values()) for (const rule of rules) count(matters, rule);
  return rankedBars('Matters that each rule opens, or would under the right circumstances', 'matters', matters);
}

function setsTable(sets: readonly DaySet[]): NonNullable<ReportSection['table']> {
  const table = listed({ from: 'From', to: 'Until', revision: 'Policy set', commit: 'Commit', state: 'Can it be had' });
  for (const { from, to, revision, set, commit, problem } of sets) {
    table.add(formatTimestamp(from), formatTimestamp(to), revision, commit, set === null ? `no: ${problem}` : 'yes');
  }
  return table.table();
}

function cellsOf({ id, at, found }: ReportRow): readonly (string | null)[] {
  const { action, resource, matter, outcome, decided_by: rules, source_system: system } = found;
  const what = [resource.type, resource.id].filter((one) => one !== null).join(' ');
  return [formatTimestamp(at), action, what, matter, outcome, rules?.join(', ') ?? null, system, id];
}
