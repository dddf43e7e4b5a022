// The report on accesses that somebody has to look at afterwards, emergency accesses first of all: each use, its reviews, what is overdue.
// It must never call reviewed what no record of a review says.
import type { ReportWords } from '../../model/audit-report.ts';
import type { ReviewState } from '../../model/reviews.ts';
import { reviewOf, type GivenReview } from '../record/review-record.ts';
import { isReview, reviewDue, reviewState } from '../review.ts';
import { formatTimestamp } from '../time.ts';
import { periodOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, ReportRow, Want } from './report.ts';
import { LISTED_MOST } from './report.ts';
import { median } from './spread.ts';
import { count, listed, ranked, timelineOf } from './tables.ts';

interface Access {
  readonly row: ReportRow;
  readonly due: number;
  readonly reviews: GivenReview[];
}

const OTHERWISE_DAYS = 90;
const HOUR = 3_600_000;
const STATES: readonly ReviewState[] = ['done', 'follow_up', 'open'];

export const breakGlass: ReportDefinition = {
  name: 'break-glass',
  title: 'Emergency accesses and their reviews',
  about:
    'Who used emergency access (or another access that has to be reviewed), for what, and who has looked at it since.',
  params: { from: 'optional', to: 'optional', matter: 'optional', subject: 'optional' },
  views: ['log'],
  ask(words, now) {
    const period = periodOf(words, now, { otherwiseDays: OTHERWISE_DAYS });
    const { matter, subject } = words;
    const asked = { ...(matter === undefined ? {} : { matter }), ...(subject === undefined ? {} : { subject }) };
    return {
      asked,
      period,
      ...(matter === undefined ? {} : { matter }),
      build: (context) => build(context, asked, period),
    };
  },
};

type Narrowed = Pick<ReportWords, 'matter' | 'subject'>;

function* build(context: ReportContext, narrowed: Narrowed, period: Period): Generator<Want, ReportDraft, void> {
  const accesses = new Map<string, Access>();
  let leftOut = 0;
  for (const code of [...context.set.firm.obligations.keys()].filter(isReview)) {
    const filter = { ...narrowed, obligation: code };
    yield {
      want: 'rows',
      search: { filter, ...period },
      each(row) {
        if (accesses.has(row.id)) return;
        if (accesses.size < LISTED_MOST) accesses.set(row.id, accessOf(row));
        else leftOut += 1;
      },
    };
  }
  const { matter } = narrowed;
  yield {
    want: 'rows',
    search: {
      filter: { ...(matter === undefined ? {} : { matter }), kind: 'approval', action: 'review', outcome: 'allow' },
      from: period.from,
      order: 'oldest',
    },
    each({ record }) {
      const review = reviewOf(record);
      const access = review === null ? undefined : accesses.get(review.of);
      if (review === null || access === undefined) return 'passed';
      access.reviews.push(review);
      return undefined;
    },
  };
  return draft(
    [...accesses.values()].toSorted((a, b) => a.row.at - b.row.at),
    leftOut,
    context.now,
    period,
  );
}

function accessOf(row: ReportRow): Access {
  return { row, due: reviewDue(row.found.obligations ?? [], row.at) ?? row.at, reviews: [] };
}

function draft(accesses: readonly Access[], leftOut: number, now: number, period: Period): ReportDraft {
  const people = new Map<string, number>();
  const timeline = timelineOf(period, STATES);
  const uses = listed({
    at: 'Time',
    id: 'Access',
    person: 'Person',
    assistant: 'AI assistant',
    action: 'Did',
    resource: 'To',
    matter: 'Matter',
    client: 'Client',
    rules: 'Allowed by',
    due: 'Review due',
    state: 'Review',
    hours: 'Hours to the first review',
    by: 'Reviewed by',
  });
  const reviews = listed({
    at: 'Time',
    id: 'Review',
    access: 'Access',
    person: 'Whose access',
    by: 'Reviewer',
    outcome: 'Found',
    reason: 'Reason',
  });
  const hours: number[] = [];
  const states: Record<ReviewState | 'overdue' | 'late', number> = {
    open: 0,
    follow_up: 0,
    done: 0,
    overdue: 0,
    late: 0,
  };
  for (const { row, due, reviews: given } of accesses) {
    const { found } = row;
    const person = found.subject.id ?? '';
    const state = reviewState(given);
    const [first] = given;
    const isOverdue = first === undefined && due < now;
    const waited = first === undefined ? null : (first.at - row.at) / HOUR;
    if (waited !== null) hours.push(waited);
    states[state] += 1;
    if (isOverdue) states.overdue += 1;
    if (first !== undefined && first.at > due) states.late += 1;
    count(people, person);
    timeline.add(row.at, STATES.indexOf(state));
    uses.add(
      found.at,
      row.id,
      person,
      found.subject.actor,
      found.action,
      `${found.resource.type ?? ''} ${found.resource.id ?? ''}`.trim(),
      found.matter,
      found.client,
      (found.decided_by ?? []).join(' '),
      formatTimestamp(due),
      isOverdue ? 'overdue' : state,
      waited === null ? null : rounded(waited),
      [...new Set(given.map(({ by }) => by))].join(' '),
    );
    for (const one of given) {
      reviews.add(formatTimestamp(one.at), one.id, row.id, person, one.by, one.outcome, one.reason);
    }
  }
  const middle = median(hours);
  return {
    is_complete: leftOut === 0 && reviews.isWhole,
    notes: [
      ...(leftOut === 0
        ? []
        : [`${leftOut.toLocaleString('en-US')} further accesses are not listed: ask for a shorter period.`]),
      ...[reviews.note('reviews')].filter((note) => note !== null),
      'An access is listed when its record carries an obligation `review:…` that firm.yaml still declares.',
      'An access or review whose payload was purged is not here: an access then looks as if nobody had reviewed it.',
    ],
    sections: [
      {
        heading: 'In short',
        facts: [
          { label: 'Accesses to be reviewed', value: number(accesses.length) },
          { label: 'People', value: number(people.size) },
          { label: 'Reviewed', value: number(states.done) },
          { label: 'Looked at, something is still to be done', value: number(states.follow_up) },
          { label: 'Nobody has looked at', value: number(states.open) },
          { label: 'Of these overdue', value: number(states.overdue) },
          { label: 'Reviewed late', value: number(states.late) },
          { label: 'Median time to the first review', value: middle === null ? 'none yet' : `${rounded(middle)} h` },
          {
            label: 'Longest time',
            value: hours.length === 0 ? 'none yet' : `${rounded(hours.reduce((a, b) => Math.max(a, b)))} h`,
          },
        ],
        chart: timeline.chart('Accesses by how far their review has got', 'accesses'),
      },
      {
        heading: 'By person',
        chart: {
          kind: 'bars',
          label: 'Accesses of each person',
          unit: 'accesses',
          series: ['accesses'],
          points: ranked(people).map(([label, value]) => ({ label, values: [value] })),
        },
      },
      { heading: 'Accesses', table: uses.table() },
      { heading: 'Reviews', note: 'Oldest access first. No review replaces another.', table: reviews.table() },
    ],
  };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function rounded(hours: number): number {
  return Math.round(hours * 10) / 10;
}
