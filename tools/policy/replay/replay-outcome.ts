// A replay in the shape that reports for machines are made of. It must never pass a change that was to fail, nor hide what was not judged.
import path from 'node:path';
import type { Level, Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { count } from '../../../src/cli/shell/text.ts';
import { BECAUSE, DIRECTIONS, failsOn, headline, number, sawNothing, share, type Replayed } from './report.ts';
import { WHY } from './replay-text.ts';
import { type Group, type NotJudged, rulesOf } from './tally.ts';

const CODES = { newly_allowed: 'newly-allowed', newly_denied: 'newly-denied' } as const;
const WORDS = { newly_allowed: 'would be let in', newly_denied: 'would be shut out' } as const;
const NOT_JUDGED = 'not-judged';
const MEANINGS: ReadonlyMap<string, string> = new Map([
  [CODES.newly_allowed, 'A request that was denied would be allowed under the candidate.'],
  [CODES.newly_denied, 'A request that was allowed would be denied under the candidate.'],
  [NOT_JUDGED, 'The record does not hold what would have to be known to decide it again.'],
  ['same', 'Requests that are decided as they were.'],
]);
const MOST_ROWS = 20;

export function replayOutcome(replayed: Replayed): Outcome {
  const { candidate, tally } = replayed;
  const groups = tally.groups();
  const items = [
    ...groups.map((group) => itemOf(replayed, group)),
    ...tally.reasons().map(notJudged),
    ...(sawNothing(replayed) ? [nothingSeen()] : []),
    ...(tally.same > 0 || groups.length === 0 ? [sameItem(tally.same)] : []),
  ];
  return {
    tool: 'policy replay',
    subject: candidate.name,
    revision: candidate.set.revision,
    items,
    failsOn: 'error',
    codes: MEANINGS,
    summary: headline(replayed),
    markdown: markdownOf(replayed, groups),
  };
}

function itemOf({ candidate, failOn }: Replayed, group: Group): OutcomeItem {
  const { direction, cause, matter, subject, coarse, actions, count: times, first, last, example } = group;
  const who = coarse === 'no' ? `${subject ?? 'nobody'} on ${matter ?? 'no matter'}` : 'several people';
  const level: Level = failsOn(failOn, direction) ? 'error' : direction === 'newly_allowed' ? 'warning' : 'note';
  const [place = null] = group.source?.split(' ') ?? [];
  const [file = null, line = null] = place?.split(':') ?? [];
  return {
    name: [CODES[direction], cause, rulesOf(group), subject ?? '-', matter ?? '-', coarse].join(' '),
    code: CODES[direction],
    status: 'failed',
    level,
    file: file === null ? null : path.join(candidate.folder, file),
    line: line === null ? null : Number(line),
    column: null,
    message: `${who} ${WORDS[direction]}: ${count(times, 'request')} (${[...actions].sort().join(', ')}), ${rulesOf(group)}`,
    details: [BECAUSE[cause], `from ${first} to ${last}, such as ${example}`],
    hint: `see one in full with \`privity audit show ${example}\``,
    accepted: null,
  };
}

function notJudged({ reason, what, count: times, example }: NotJudged): OutcomeItem {
  return {
    ...sameItem(0),
    name: `${NOT_JUDGED} ${reason} ${what}`,
    code: NOT_JUDGED,
    status: 'skipped',
    level: 'note',
    message: `${count(times, 'request')} could not be judged: ${WHY[reason]}: ${what}`,
    details: example === null ? [] : [`such as ${example}`],
  };
}

function nothingSeen(): OutcomeItem {
  return {
    ...sameItem(0),
    name: 'nothing judged',
    code: NOT_JUDGED,
    status: 'unreadable',
    level: 'error',
    message: 'None of the recorded requests could be judged, so this says nothing about the change.',
    hint: 'choose a later range, or see the reasons',
  };
}

function sameItem(same: number): OutcomeItem {
  return {
    name: 'same',
    code: 'same',
    status: 'passed',
    level: 'note',
    file: null,
    line: null,
    column: null,
    message: `${count(same, 'request')} would be decided as they were.`,
    details: [],
    hint: null,
    accepted: null,
  };
}

/** What a reader of a pull request wants first: how many, by which rules, and how much was not seen. */
function markdownOf({ tally, data }: Replayed, groups: readonly Group[]): readonly string[] {
  const lines = [
    `Decided with ${data === 'candidate' ? 'the data of the candidate' : 'the data of the time'}. ` +
      `Could not be judged: **${number(tally.notJudged)}** (${share(tally.notJudged, tally.records)}).`,
  ];
  for (const direction of DIRECTIONS) {
    const own = groups.filter((group) => group.direction === direction);
    if (own.length === 0) continue;
    const rows = [...Map.groupBy(own, (group) => `${rulesOf(group)}\u0000${group.cause}`).values()].map((same) => ({
      rules: same[0] === undefined ? '' : rulesOf(same[0]),
      cause: same[0]?.cause ?? 'rules',
      requests: same.reduce((sum, group) => sum + group.count, 0),
      people: new Set(same.map(({ subject }) => subject)).size,
      matters: new Set(same.map(({ matter }) => matter)).size,
    }));
    const title = direction === 'newly_allowed' ? 'Newly allowed' : 'Newly denied';
    lines.push('', `**${title}: ${number(tally.flips[direction])}**`, '');
    lines.push('| Requests | People | Matters | Decided by | Because |', '| ---: | ---: | ---: | --- | --- |');
    const shown = rows.toSorted((a, b) => b.requests - a.requests).slice(0, MOST_ROWS);
    for (const { requests, people, matters, rules, cause } of shown) {
      const cells = [number(requests), number(people), number(matters), code(rules), BECAUSE[cause]];
      lines.push(`| ${cells.join(' | ')} |`);
    }
    if (rows.length > MOST_ROWS) lines.push('', `… and ${count(rows.length - MOST_ROWS, 'more change')} of rules.`);
  }
  return lines;
}

/** Rule names are slugs, but a record may say anything. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`|\r\n]/g, ' ')}\``;
}
