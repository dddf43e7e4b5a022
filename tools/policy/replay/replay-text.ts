// Says in words and in JSON what a replay found. It must never let what a record says act on a terminal, nor leave out what was not judged.
import { count, printable, table } from '../../../src/cli/shell/text.ts';
import type { Output } from '../../../src/cli/shell/shell.ts';
import { BECAUSE, CAUSES, DIRECTIONS, headline, number, type Replayed } from './report.ts';
import { type About, type Flip, type Group, type NotJudged, rulesOf } from './tally.ts';

const MOST_SHOWN = 100;
const TITLES = { newly_allowed: 'NEWLY ALLOWED', newly_denied: 'NEWLY DENIED' } as const;
export const WHY = {
  attribute_not_recorded: 'it turns on what the record does not hold',
  payload_purged: 'purged',
  data_not_kept: 'the data of the time is not to be had',
  not_a_decision: 'no single decision',
  other_engine: 'decided by another engine',
  other_version: 'records of another version',
  unreadable: 'unreadable',
} as const;

export function showReplay(out: Output, replayed: Replayed): void {
  const { candidate, data, tally, seconds, isFiltered } = replayed;
  const whose = data === 'candidate' ? 'its own data' : 'the data of the time';
  out.line(`${printable(candidate.name)} (${candidate.set.revision.slice(0, 19)}) decides again, with ${whose}`);
  out.line(out.paint('bold', headline(replayed)));
  const groups = tally.groups();
  for (const direction of DIRECTIONS) {
    for (const cause of CAUSES) {
      const own = groups.filter((group) => group.direction === direction && group.cause === cause);
      if (own.length === 0) continue;
      const title = `${TITLES[direction]} ${number(tally.causes[direction][cause])}`;
      out.line(`\n${out.paint(direction === 'newly_allowed' ? 'red' : 'yellow', title)} ${BECAUSE[cause]}`);
      showGroups(out, own);
    }
  }
  const reasons = tally.reasons();
  if (reasons.length > 0) out.line(`\n${out.paint('yellow', `NOT JUDGED ${number(tally.notJudged)}`)}`);
  for (const line of table(reasons.map(reasonCells), '  ')) out.line(line);
  if (isFiltered && reasons.some(({ reason }) => reason === 'payload_purged')) {
    out.line('  what was purged is counted whoever it was about: nothing says that any more');
  }
  const rate = Math.round(tally.records / Math.max(seconds, 0.001));
  out.line(out.paint('dim', `\n${number(rate)} a second`));
}

function showGroups(out: Output, groups: readonly Group[]): void {
  const byRules = [...Map.groupBy(groups.slice(0, MOST_SHOWN), rulesOf)];
  for (const [rules, own] of byRules) {
    const source = own[0]?.source ?? null;
    out.line(`  ${printable(rules === ' → ' ? 'other rules' : rules)}${source === null ? '' : `  ${source}`}`);
    for (const line of table(own.map(groupCells), '    ')) out.line(line);
  }
  const more = groups.length - MOST_SHOWN;
  if (more > 0) out.line(`  and ${count(more, 'more group')}: \`--format json\` has all`);
}

function groupCells({ count: times, matter, subject, coarse, actions, first, last, example }: Group): string[] {
  const when = first === last ? first : `${first} to ${last}`;
  return [
    number(times),
    coarse === 'no' ? printable(matter ?? 'no matter') : 'several matters',
    coarse === 'no' ? printable(subject ?? 'nobody') : 'several people',
    printable([...actions].sort().join(', ')),
    printable(when),
    `such as ${printable(example)}`,
  ];
}

function reasonCells({ reason, what, count: times, example }: NotJudged): string[] {
  const words = `${WHY[reason]}: ${printable(what)}`;
  return [number(times), example === null ? words : `${words}, such as ${printable(example)}`];
}

/** One change of one record, on a line of its own. */
export function flipJson(about: About, flip: Flip): string {
  return JSON.stringify({ flip: { evaluation_id: about.id, ...withoutId(about), ...changeJson(flip) } });
}

export function summaryJson(replayed: Replayed): string {
  return JSON.stringify({ summary: totals(replayed) });
}

export function replayJson(replayed: Replayed): string {
  const groups = replayed.tally.groups().map((group) => ({
    ...changeJson(group),
    matter: group.matter,
    subject: group.subject,
    merged: group.coarse === 'no' ? null : group.coarse,
    actions: [...group.actions].sort(),
    count: group.count,
    first: group.first,
    last: group.last,
    example: group.example,
  }));
  return JSON.stringify({ ...totals(replayed), groups }, null, 2);
}

function totals({ candidate, source, data, tally, seconds }: Replayed) {
  const { records, same, otherReasons, flipped, notJudged, flips, causes } = tally;
  return {
    candidate: { name: candidate.name, revision: candidate.set.revision, commit: candidate.set.commit },
    source,
    data,
    records,
    same,
    same_for_other_reasons: otherReasons,
    flipped_records: flipped,
    ...flips,
    causes,
    not_judged: notJudged,
    not_judged_because: tally.reasons(),
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

function withoutId({ at, subject, matter, action }: About) {
  return { at, subject, matter, action };
}

function changeJson({ direction, cause, field, before, after, source }: Omit<Flip, 'matter'>) {
  return { direction, cause, field, decided_by: { before, after }, source };
}
