// The report on refused tokens and probing: who was refused at the door, and whose questions are unlike their own past. It must never call
// somebody guilty: it says what stands out, by which measure, and from what.
import { formatTimestamp } from '../time.ts';
import { createHabits, HABIT_RULES, PAST_DAYS, type Habits } from './habits.ts';
import { DAY, periodOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, Want } from './report.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { listed, ranked, timelineOf, type Timeline } from './tables.ts';

const OTHERWISE_DAYS = 7;
const MOST_DAYS = 92;
const WORKING_HOURS = 'working_hours';

export const probing: ReportDefinition = {
  name: 'probing',
  title: 'Refused tokens and unusual questions',
  about:
    'Who was refused at the door, and whose questions were unlike their own past: spikes, denials, new matters, odd hours.',
  params: { from: 'optional', to: 'optional', subject: 'optional', caller: 'optional' },
  views: ['log'],
  ask(words, now) {
    const period = periodOf(words, now, { otherwiseDays: OTHERWISE_DAYS, mostDays: MOST_DAYS });
    const { subject, caller } = words;
    const asked = { ...(subject === undefined ? {} : { subject }), ...(caller === undefined ? {} : { caller }) };
    return { asked, period, build: (context) => build(context, asked, period) };
  },
};

function* build(
  { set }: ReportContext,
  asked: { readonly subject?: string; readonly caller?: string },
  period: Period,
): Generator<Want, ReportDraft, void> {
  const contains = set.firm.calendars.get(WORKING_HOURS);
  const habits = createHabits(period, contains === undefined ? null : (at) => !contains(at));
  const timeline = timelineOf(period, ['allowed', 'denied']);
  const past = period.from - PAST_DAYS * DAY;
  yield {
    want: 'rows',
    search: { filter: { ...asked, kind: 'decision' }, from: past, to: period.to },
    each({ at, found }) {
      const isDenied = found.outcome !== 'allow';
      habits.add(found.subject.id ?? '', at, isDenied, found.matter);
      if (at >= period.from) timeline.add(at, Number(isDenied));
    },
  };
  const refusals = createRefusals(period);
  const { subject, caller } = asked;
  if (subject === undefined) {
    yield {
      want: 'rows',
      search: { filter: { kind: 'refused', ...(caller === undefined ? {} : { caller }) }, from: past, to: period.to },
      each: (row) => refusals.add(row),
    };
  }
  return draft(habits, refusals, timeline, subject !== undefined, contains !== undefined);
}

function draft(
  habits: Habits,
  refusals: Refusals,
  timeline: Timeline,
  isOfOne: boolean,
  hasCalendar: boolean,
): ReportDraft {
  const unusual = listed({
    person: 'Person',
    what: 'What',
    from: 'Beginning',
    count: 'Count',
    usual: 'Median of the past',
    limit: 'More than this stands out',
    past: 'Hours or days of the past',
    compared: 'Compared with',
  });
  const people = new Map<string, number>();
  for (const one of habits.unusual()) {
    people.set(one.person, (people.get(one.person) ?? 0) + 1);
    const { usual } = one;
    unusual.add(
      one.person,
      one.habit,
      formatTimestamp(one.at),
      one.count,
      usual.median,
      tidy(usual.limit),
      usual.of,
      one.comparedWith,
    );
  }
  const matters = listed({ at: 'First time', person: 'Person', matter: 'Matter', outcome: 'Outcome' });
  for (const one of habits.newMatters()) {
    matters.add(formatTimestamp(one.at), one.person, one.matter, one.isDenied ? 'deny' : 'allow');
  }
  const notes = [unusual.note('findings'), matters.note('first-time matters')].filter((one) => one !== null);
  if (habits.leftOut > 0) {
    notes.push(
      `${habits.leftOut.toLocaleString('en-US')} records are left out: too many people or matters. Ask for one person.`,
    );
  }
  return {
    is_complete: notes.length === 0 && refusals.isWhole,
    notes: [
      ...notes,
      ...refusals.notes(),
      `How it is measured: the ${PAST_DAYS} days before the period are the past. Of the hours (or days) in which a person asked for ` +
        'anything, the median is what is usual; the median distance from it (MAD), times 1.4826, is one deviation. What is more than ' +
        `six deviations above the median stands out, and no less than ${leastWords()}. One wild day in the past changes neither.`,
      'Whoever has too short a past is compared with the medians of everybody that this report is about.',
      ...(hasCalendar ? [] : [`firm.yaml has no calendar \`${WORKING_HOURS}\`: odd hours are not looked at.`]),
      ...(isOfOne ? ['A refused token is nobody’s: they are left out of a report about one person.'] : []),
      'What stands out is a reason to ask, not a proof. Somebody who goes slowly does not stand out.',
    ],
    sections: [
      {
        heading: 'In short',
        facts: [
          { label: 'People with decisions', value: habits.people.toLocaleString('en-US') },
          { label: 'Hours and days that stand out', value: unusual.count.toLocaleString('en-US') },
          { label: 'First-time matters', value: matters.count.toLocaleString('en-US') },
          ...refusals.facts(),
        ],
        chart: timeline.chart('Decisions over time', 'decisions'),
      },
      {
        heading: 'What stands out',
        note: 'Largest first, measured by how far it is above the limit.',
        chart: {
          kind: 'bars',
          label: 'Hours and days that stand out, by person',
          unit: 'findings',
          series: ['findings'],
          points: ranked(people).map(([label, value]) => ({ label, values: [value] })),
        },
        table: unusual.table(),
      },
      { heading: 'Matters somebody touched for the first time', table: matters.table() },
      ...(isOfOne ? [] : refusals.sections()),
    ],
  };
}

function leastWords(): string {
  return Object.entries(HABIT_RULES)
    .map(([habit, { leastLimit }]) => `${leastLimit} ${habit}`)
    .join(', ');
}

function tidy(value: number): number {
  return Math.round(value * 10) / 10;
}
