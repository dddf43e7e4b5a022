// The summary of a month on one page: what was decided, what was refused, what was out of the ordinary. It must never count a record that
// its reader may not see.
import { isReview } from '../review.ts';
import { textOf } from '../reading/row.ts';
import { reviewOf } from '../record/review-record.ts';
import { purgedPlaces } from '../record/purged.ts';
import { formatTimestamp } from '../time.ts';
import { monthOf } from './period.ts';
import { createRefusals } from './refusals.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, ReportRow, SealedPeriod, Want } from './report.ts';
import { count, listed, ranked, timelineOf } from './tables.ts';

const TOP = 15;
const MOST_NAMES = 50_000;

export const month: ReportDefinition = {
  name: 'month',
  title: 'The month in short',
  about:
    'One page: decisions, denials by rule, walls, emergency accesses, refused tokens, purges, policy changes, seals.',
  params: { month: 'required' },
  views: ['log'],
  ask({ month: text = '' }, now) {
    const period = monthOf(text, now);
    return { asked: { month: text }, period, build: (context) => build(context, period) };
  },
};

interface Counted {
  allowed: number;
  denied: number;
  readonly people: Set<string>;
  readonly matters: Set<string>;
  readonly byRule: Map<string, number>;
  readonly walls: Map<string, number>;
  readonly systems: Map<string, number>;
  assisted: number;
  toReview: number;
  grants: number;
}

interface Beside {
  readonly reviews: Map<string, number>;
  approvals: number;
  readings: number;
  exports: number;
  purges: number;
  purged: number;
  readonly policies: Map<string, { readonly first: number; readonly commit: string | null; loads: number }>;
}

function* build({ now }: ReportContext, period: Period): Generator<Want, ReportDraft, void> {
  const counted: Counted = {
    allowed: 0,
    denied: 0,
    people: new Set(),
    matters: new Set(),
    byRule: new Map(),
    walls: new Map(),
    systems: new Map(),
    assisted: 0,
    toReview: 0,
    grants: 0,
  };
  const beside: Beside = {
    reviews: new Map(),
    approvals: 0,
    readings: 0,
    exports: 0,
    purges: 0,
    purged: 0,
    policies: new Map(),
  };
  const timeline = timelineOf({ from: period.from, to: Math.max(period.from + 1, Math.min(period.to, now)) }, [
    'allowed',
    'denied',
  ]);
  const refusals = createRefusals(period);
  let sealed: SealedPeriod | null = null;
  for (const kind of ['refused', 'approval', 'read', 'purge', 'policy_loaded']) {
    yield {
      want: 'rows',
      search: { filter: { kind }, ...period },
      each: (row) => (kind === 'refused' ? refusals.add(row) : addBeside(beside, kind, row)),
    };
  }
  yield { want: 'checkpoints', period, give: (given) => void (sealed = given) };
  yield {
    want: 'rows',
    search: { filter: { kind: 'decision' }, ...period },
    each(row) {
      timeline.add(row.at, Number(row.found.outcome !== 'allow'));
      addDecision(counted, row);
    },
  };
  const isWhole = counted.people.size < MOST_NAMES && counted.matters.size < MOST_NAMES && refusals.isWhole;
  const isOver = period.to <= now;
  return {
    is_complete: isWhole,
    notes: [
      ...(isOver ? [] : ['The month is not over.']),
      ...(isWhole ? [] : [`More than ${number(MOST_NAMES)} people or matters: not all of them are counted.`]),
      ...refusals.notes(),
    ],
    sections: [
      {
        heading: 'Decisions',
        facts: decisionFacts(counted),
        chart: timeline.chart('Decisions of each day', 'decisions'),
      },
      top('Denials by what decided them', 'Decided by', 'denials', counted.byRule),
      top('Walls that were hit', 'Wall', 'denials', counted.walls),
      top('Decisions by system', 'System', 'decisions', counted.systems),
      { heading: 'Out of the ordinary', facts: besideFacts(counted, beside, refusals.total) },
      policyChanges(beside),
      { heading: 'Seals', facts: sealFacts(sealed) },
    ],
  };
}

function addDecision(counted: Counted, { found }: ReportRow): void {
  const isDenied = found.outcome !== 'allow';
  if (isDenied) counted.denied += 1;
  else counted.allowed += 1;
  add(counted.people, found.subject.id);
  add(counted.matters, found.matter);
  count(counted.systems, found.source_system ?? 'not stated');
  if (found.subject.actor !== null) counted.assisted += 1;
  if ((found.grants ?? []).length > 0) counted.grants += 1;
  if ((found.obligations ?? []).some(isReview)) counted.toReview += 1;
  if (!isDenied) return;
  for (const rule of found.decided_by ?? []) count(counted.byRule, rule);
  for (const wall of found.walls ?? []) count(counted.walls, wall);
}

function add(names: Set<string>, name: string | null): void {
  if (name !== null && names.size < MOST_NAMES) names.add(name);
}

function addBeside(beside: Beside, kind: string, row: ReportRow): void {
  const { record, found, at } = row;
  if (kind === 'approval') {
    const review = reviewOf(record);
    if (review !== null) count(beside.reviews, review.outcome);
    else if (found.outcome === 'allow' && record['review'] === undefined) beside.approvals += 1;
  } else if (kind === 'read') {
    const read: unknown = record['read'];
    const isExport = typeof read === 'object' && read !== null && Reflect.get(read, 'what') === 'export';
    if (!isExport) beside.readings += 1;
    else if (typeof Reflect.get(read, 'export') !== 'string') beside.exports += 1;
  } else if (kind === 'purge') {
    beside.purges += 1;
    for (const { from, to } of purgedPlaces(record) ?? []) beside.purged += to - from + 1;
  } else {
    const policy: unknown = record['policy'];
    const commit = typeof policy === 'object' && policy !== null ? textOf(Reflect.get(policy, 'commit')) : null;
    const revision = found.revision ?? '';
    const known = beside.policies.get(revision);
    if (known === undefined) beside.policies.set(revision, { first: at, commit, loads: 1 });
    else known.loads += 1;
  }
}

function decisionFacts({ allowed, denied, people, matters, assisted, grants }: Counted) {
  const total = allowed + denied;
  const share = total === 0 ? '' : ` (${Math.round((denied / total) * 1_000) / 10} %)`;
  return [
    { label: 'Decisions', value: number(total) },
    { label: 'Allowed', value: number(allowed) },
    { label: 'Denied', value: number(denied) + share },
    { label: 'People', value: number(people.size) },
    { label: 'Matters', value: number(matters.size) },
    { label: 'Through an AI assistant', value: number(assisted) },
    { label: 'By a grant', value: number(grants) },
  ];
}

function besideFacts({ toReview }: Counted, beside: Beside, refused: number) {
  const reviews = ranked(beside.reviews).map(([outcome, times]) => `${number(times)} ${outcome}`);
  return [
    { label: 'Accesses to be reviewed, such as emergency accesses', value: number(toReview) },
    { label: 'Reviews recorded', value: reviews.join(', ') || '0' },
    { label: 'Refused tokens', value: number(refused) },
    { label: 'Approvals of a second person', value: number(beside.approvals) },
    { label: 'Readings of the log and of policies', value: number(beside.readings) },
    { label: 'Exports of the log', value: number(beside.exports) },
    { label: 'Purge records', value: number(beside.purges) },
    { label: 'Records whose payload was purged', value: number(beside.purged) },
  ];
}

function policyChanges({ policies }: Beside) {
  const table = listed(
    { first: 'First loaded', revision: 'Policy set', commit: 'Git commit', loads: 'Times loaded' },
    200,
  );
  for (const [revision, { first, commit, loads }] of policies)
    table.add(formatTimestamp(first), revision, commit, loads);
  const note = table.note('policy sets');
  return { heading: 'Policy sets loaded', ...(note === null ? {} : { note }), table: table.table() };
}

function sealFacts(sealed: SealedPeriod | null) {
  if (sealed === null) return [];
  const { checkpoints, last, records } = sealed;
  return [
    { label: 'Checkpoints signed', value: number(checkpoints) },
    { label: 'Records that came under a checkpoint', value: number(records) },
    {
      label: 'The last checkpoint',
      value:
        last === null
          ? 'none: nothing is sealed'
          : `${number(last.size)} records, ${formatTimestamp(last.at)}, root ${last.root}`,
    },
  ];
}

function top(heading: string, name: string, unit: string, counts: ReadonlyMap<string, number>) {
  const all = ranked(counts);
  const table = listed({ name, count: 'Count' });
  for (const [one, times] of all.slice(0, TOP)) table.add(one, times);
  const points = all.slice(0, TOP).map(([label, value]) => ({ label, values: [value] }));
  return {
    heading,
    ...(all.length > TOP ? { note: `The ${TOP} most frequent of ${number(all.length)}.` } : {}),
    chart: { kind: 'bars' as const, label: heading, unit, series: [unit], points },
    table: table.table(),
  };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
