// The summary page of a CI step, in Markdown. It must never be larger than it may be, nor be cut without saying so.
import { byLevel, fails, isFound, placeOf } from './judge.ts';
import { markdownText } from './markdown.ts';
import type { Outcome, OutcomeItem } from './outcome.ts';

const LONGEST_CELL = 1_000;

/** @param limit in bytes; nothing is returned where not even the heading fits */
export function summaryPage(outcome: Outcome, limit: number): string {
  const found = byLevel(outcome.items.filter(isFound));
  const accepted = outcome.items.filter((item) => item.accepted !== null && item.status !== 'passed');
  const verdict = outcome.items.some((item) => fails(item, outcome)) ? '❌' : '✅';
  const head = [
    `## ${verdict} privity ${markdownText(outcome.tool)} ${markdownText(outcome.subject)}`,
    '',
    markdownText(cut(outcome.summary)),
    '',
  ];
  const lines = [...outcome.markdown, ...(outcome.markdown.length > 0 ? [''] : [])];
  const table = found.length === 0 ? [] : ['|  | Where | What | What to do |', '| --- | --- | --- | --- |'];
  const reasons = accepted.length === 0 ? [] : ['', '| Accepted | Where | Reason |', '| --- | --- | --- |'];
  return fitting(
    [...head, ...lines, ...table, ...found.map(rowOf), ...reasons, ...accepted.map(acceptedRow), ''],
    limit,
  );
}

function rowOf(item: OutcomeItem): string {
  const what: string[] = [];
  let room = LONGEST_CELL;
  for (const line of [item.message, ...item.details]) {
    what.push(room > 0 ? markdownText(cut(line, room)) : '…');
    if (room <= 0) break;
    room -= line.length;
  }
  return row([item.level, markdownText(placeOf(item)), what.join('<br>'), markdownText(cut(item.hint ?? ''))]);
}

function acceptedRow(item: OutcomeItem): string {
  return row([markdownText(cut(item.message)), markdownText(placeOf(item)), markdownText(cut(item.accepted ?? ''))]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cut(text: string, length = LONGEST_CELL): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()} …`;
}

function fitting(lines: readonly string[], limit: number): string {
  const sizes = lines.map((line) => Buffer.byteLength(line) + 1);
  if (sizes.reduce((sum, size) => sum + size, 0) <= limit) return lines.map((line) => `${line}\n`).join('');
  const closing = (left: number): string =>
    `\n**This page is cut: ${left} more lines do not fit. The log of the step has a line about each finding.**\n`;
  let room = limit - Buffer.byteLength(closing(lines.length));
  let kept = 0;
  for (const size of sizes) {
    if (size > room) break;
    room -= size;
    kept++;
  }
  if (kept === 0) return '';
  return `${lines
    .slice(0, kept)
    .map((line) => `${line}\n`)
    .join('')}${closing(lines.length - kept)}`;
}
