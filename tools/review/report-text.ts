// The report on a review in words for auditors: Markdown, and the same lines for a terminal. It must never leave out a right that was revoked and
// is still in force.
import { count, printable } from '../../src/cli/shell/text.ts';
import type { ReviewedRight } from '../../src/model/access-review.ts';
import type { Compared, Pair } from './compare.ts';
import type { Reviewable } from './reviewable.ts';

export interface Section {
  readonly heading: string;
  /** What it means. */
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function summaryLines({ review, stillInForce, overdue }: Compared): readonly string[] {
  const { id, scope, started_at, due, revision, window, rights, closed_at, closed_by } = review;
  const decided = rights.filter(({ state }) => state === 'decided');
  const of = (decision: string): string =>
    `${decided.filter((one) => one.decision === decision).length.toLocaleString('en-US')} ${decision}`;
  const used =
    window === null
      ? 'Use was not read from the log.'
      : `Use was read from the log from ${window.from} to ${window.to}` +
        (window.judged_from === window.from
          ? '; the log was whole.'
          : `; the log was whole from ${window.judged_from} on.`);
  return [
    `Access review ${id}: ${count(rights.length, 'right')} of the kind ${scope}, started at ${started_at}, due ${due}, ` +
      (closed_at === undefined ? 'not closed.' : `closed at ${closed_at} by ${closed_by}.`),
    `Decided: ${decided.length.toLocaleString('en-US')} of ${rights.length.toLocaleString('en-US')} (${['keep', 'revoke', 'change'].map(of).join(', ')})${overdue.length === 0 ? '' : `; ${overdue.length.toLocaleString('en-US')} overdue`}.`,
    `Policy set at the start: ${revision}.`,
    used,
    ...(stillInForce.length === 0 ? [] : [`REVOKED BUT STILL IN FORCE: ${count(stillInForce.length, 'right')}.`]),
  ];
}

export function sectionsOf(compared: Compared): readonly Section[] {
  const { review, progress, stillInForce, notChanged, changedSince, cameLater, gone, overdue } = compared;
  const all: readonly Section[] = [
    {
      heading: 'Revoked but still in force',
      note: 'Somebody decided that these rights end; the folder still gives them.',
      columns: ['Right', 'Who', 'What', 'Decided by', 'At', 'Reason', 'Now at'],
      rows: stillInForce.map((pair) => [...decidedCells(pair.reviewed), pair.now.source]),
    },
    {
      heading: 'Progress',
      note: 'By proposed reviewer.',
      columns: ['Reviewer', 'Rights', 'Decided', 'Overdue'],
      rows: progress.map((one) => [
        one.reviewer ?? 'nobody proposed',
        String(one.rights),
        String(one.decided),
        String(one.overdue),
      ]),
    },
    {
      heading: 'Overdue',
      note: `Not decided by ${review.due}.`,
      columns: ['Right', 'Who', 'What', 'Proposed reviewer'],
      rows: overdue.map((one) => [one.id, whose(one), one.right, one.proposed_reviewer ?? '']),
    },
    {
      heading: 'To be changed, and not changed',
      note: 'Somebody decided that these rights change; they say what they said.',
      columns: ['Right', 'Who', 'What', 'Decided by', 'At', 'Reason', 'Now at'],
      rows: notChanged.map((pair) => [...decidedCells(pair.reviewed), pair.now.source]),
    },
    {
      heading: 'Changed after their review',
      note: 'What was decided was decided about other words.',
      columns: ['Right', 'Who', 'Then', 'Now', 'Now at'],
      rows: changedSince.map(({ reviewed, now }: Pair) => [
        reviewed.id,
        whose(reviewed),
        reviewed.right,
        now.right,
        now.source,
      ]),
    },
    {
      heading: 'Came after the start',
      note: 'Nobody was asked about these rights.',
      columns: ['Right', 'Who', 'What', 'At'],
      rows: cameLater.map((one) => [one.id, one.holder ?? roleWords(one.role), one.right, one.source]),
    },
    {
      heading: 'Gone',
      note: 'Not in the folder any more, without a decision to revoke.',
      columns: ['Right', 'Who', 'What'],
      rows: gone.map((one) => [one.id, whose(one), one.right]),
    },
    {
      heading: 'Decisions',
      note: 'As the file has them. Who recorded them is told by the signed commits of the file.',
      columns: ['Right', 'Who', 'What', 'Decided by', 'At', 'Reason', 'Decision', 'Uses', 'Last used'],
      rows: review.rights
        .filter(({ state }) => state === 'decided')
        .map((one) => [...decidedCells(one), one.decision ?? '', usesOf(one), one.last_used ?? '']),
    },
  ];
  return all.filter(({ rows }) => rows.length > 0);
}

function decidedCells(one: ReviewedRight): readonly string[] {
  return [one.id, whose(one), one.right, one.reviewer ?? '', one.reviewed_at ?? '', one.reason ?? ''];
}

function whose(one: Pick<ReviewedRight, 'holder'> & { readonly role?: string }): string {
  return one.holder ?? roleWords(one.role ?? null);
}

function roleWords(role: string | null): string {
  return role === null ? 'everybody' : `everybody with the role ${role}`;
}

function usesOf({ uses }: ReviewedRight): string {
  return uses === null ? 'not recorded' : String(uses);
}

export function markdownOf(compared: Compared): string {
  const [title = '', ...lines] = summaryLines(compared);
  const parts = sectionsOf(compared).flatMap(({ heading, note, columns, rows }) => [
    `## ${heading}`,
    note,
    [row(columns), row(columns.map(() => '---')), ...rows.map((cells) => row(cells.map(cell)))].join('\n'),
  ]);
  return `${[`# ${cell(title)}`, ...lines.map(cell), ...parts].join('\n\n')}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** No word of a file is markup of the report. */
function cell(text: string): string {
  return printable(text).replaceAll(/[\\`*_{}[\]<>#|~&]/g, '\\$&');
}

/** One row for each right, decided or not, and for what came later (RFC 4180). A cell that a spreadsheet would reckon is made text. */
export function csvOf({ review, stillInForce, changedSince, notChanged, cameLater, overdue, gone }: Compared): string {
  const idsIn = (pairs: readonly Pair[]): ReadonlySet<string> => new Set(pairs.map(({ reviewed }) => reviewed.id));
  const [still, changed, unchanged] = [idsIn(stillInForce), idsIn(changedSince), idsIn(notChanged)];
  const [late, away] = [new Set(overdue), new Set(gone)];
  const standing = (one: ReviewedRight): string => {
    if (still.has(one.id)) return 'revoked but still in force';
    if (unchanged.has(one.id)) return 'to be changed, not changed';
    if (changed.has(one.id)) return 'changed after its review';
    if (late.has(one)) return 'overdue';
    return away.has(one) ? 'gone' : '';
  };
  const head = [
    'review',
    'right',
    'holder',
    'role',
    'what',
    'uses',
    'last_used',
    'proposed_reviewer',
    'state',
    'decision',
    'reviewer',
    'reviewed_at',
    'reason',
    'standing',
  ];
  const rows = review.rights.map((one) => [
    review.id,
    one.id,
    one.holder ?? '',
    one.role ?? '',
    one.right,
    one.uses === null ? '' : String(one.uses),
    one.last_used ?? '',
    one.proposed_reviewer ?? '',
    one.state,
    one.decision ?? '',
    one.reviewer ?? '',
    one.reviewed_at ?? '',
    one.reason ?? '',
    standing(one),
  ]);
  const later = cameLater.map((one: Reviewable) => [
    review.id,
    one.id,
    one.holder ?? '',
    one.role ?? '',
    one.right,
    '',
    '',
    one.proposedReviewer ?? '',
    '',
    '',
    '',
    '',
    '',
    'came after the start',
  ]);
  return [head, ...rows, ...later].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
