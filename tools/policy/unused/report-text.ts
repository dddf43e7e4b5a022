// What nobody used, for people: by what can be done about it, each with its place in a file. It must never let a list look whole that is cut.
import path from 'node:path';
import type { Output } from '../../../src/cli/shell/shell.ts';
import { count, printable, table } from '../../../src/cli/shell/text.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { sourceOf } from '../../../src/core/report.ts';
import { formatTimestamp } from '../../../src/core/time.ts';
import type { Finding } from './judge.ts';
import type { Looked } from './look.ts';
import type { Proposal } from './proposal.ts';

export interface Look {
  /** As the user named it. */
  readonly folder: string;
  readonly set: PolicySet;
  readonly looked: Looked;
  readonly findings: readonly Finding[];
  /** The log is whole for the window that was asked for. */
  readonly isWhole: boolean;
  /** Null: nothing may be proposed. */
  readonly proposal: Proposal | null;
  readonly proposed: ReadonlySet<Finding>;
  readonly patchFile: string | null;
  /** Where the patch is applied. */
  readonly place: string;
}

const MOST = 40;
/** A firm at work leaves records every day. */
const QUIET_MS = 3 * 86_400_000;

export const KIND_WORDS: Readonly<Record<Finding['kind'], string>> = {
  rule: 'rule',
  case: 'case of a rule',
  roles_of_rule: 'roles of a rule',
  actions_of_rule: 'actions of a rule',
  resources_of_rule: 'types of a rule',
  role: 'role',
  grant: 'grant',
  actions_of_grant: 'actions of a grant',
  membership: 'place on a team',
  deny: 'deny',
};

interface Group {
  readonly heading: string;
  readonly has: (finding: Finding) => boolean;
}

const GROUPS: readonly Group[] = [
  {
    heading: 'Nobody used',
    has: ({ state, isEmergency, kind }) => state === 'unused' && !isEmergency && kind !== 'role',
  },
  { heading: 'Roles through which nobody was let in', has: ({ state, kind }) => state === 'unused' && kind === 'role' },
  {
    heading: 'Nobody used, and kept for emergencies',
    has: ({ state, isEmergency }) => state === 'unused' && isEmergency,
  },
  { heading: 'Used, and never needed alone', has: ({ state }) => state === 'never_alone' },
  { heading: 'Too new to judge', has: ({ state }) => state === 'too_new' },
  { heading: 'Cannot be judged', has: ({ state }) => state === 'not_judged' },
  {
    heading: 'Denies that decided no request; they are never proposed for removal',
    has: ({ state }) => state === 'never_decided',
  },
];

export function showLook(out: Output, look: Look): void {
  const { looked, findings, folder } = look;
  out.line(summaryOf(look));
  for (const { why } of looked.limits.slice(0, 5)) out.line(`${out.paint('yellow', 'not whole')}  ${printable(why)}`);
  for (const note of notesOf(look)) out.line(note);
  for (const { heading, has } of GROUPS) {
    const group = findings.filter(has);
    if (group.length === 0) continue;
    out.line();
    out.line(out.paint('bold', heading));
    const rows = group
      .slice(0, MOST)
      .map((one) => [KIND_WORDS[one.kind], path.join(folder, sourceOf(one.place)), said(one)]);
    for (const line of table(
      rows.map((row) => row.map(printable)),
      '  ',
    ))
      out.line(line);
    if (group.length > MOST)
      out.line(`  … and ${count(group.length - MOST, 'more', 'more')}: \`--format json\` lists all of them`);
  }
  showProposal(out, look);
}

/** The right, what of it, and what else there is to know. */
function said({ right, names, kind, why, state, count: used, last }: Finding): string {
  const what = names.length === 0 || kind === 'membership' ? right : `${right}: ${names.join(', ')}`;
  const parts = [
    ...(state === 'never_alone'
      ? [`${used.toLocaleString('en-US')} times, the last at ${formatTimestamp(last ?? 0)}`]
      : []),
    ...(why === null ? [] : [why]),
  ];
  return parts.length === 0 ? what : `${what} (${parts.join('; ')})`;
}

export function summaryOf({ looked, findings }: Look): string {
  const { rights, records, tally, from, now } = looked;
  const of = [
    count(rights.allows.size, 'allow rule'),
    count(rights.grants.size, 'grant'),
    count(rights.memberships.size, 'place on teams', 'places on teams'),
  ].join(', ');
  const seen = `${count(records, 'record')}, ${count(tally.allowed, 'allow')}, from ${formatTimestamp(from)} to ${formatTimestamp(now)}`;
  const unused = findings.filter(({ state }) => state === 'unused').length;
  return `${of}; ${seen}: ${unused === 0 ? 'all of it was used, or cannot be judged' : `${unused.toLocaleString('en-US')} unused`}`;
}

/** What a reader must know to read the list rightly. */
export function notesOf({ looked, isWhole }: Look): readonly string[] {
  const { judgedFrom, tally, now, last } = looked;
  return [
    ...(last === null || now - last < QUIET_MS
      ? []
      : [`The last record is of ${formatTimestamp(last)}: make sure that this is the log in use.`]),
    ...(isWhole ? [] : [notWholeWords(judgedFrom, now)]),
    ...(tally.lists === 0
      ? []
      : [
          `${count(tally.lists, 'list filter or search', 'list filters and searches')} do not say which rule let a row in: ` +
            'every rule that may have counts as used; grants and places on teams do not.',
        ]),
  ];
}

function notWholeWords(judgedFrom: number, now: number): string {
  const time = formatTimestamp(judgedFrom);
  if (judgedFrom >= now) return 'The log cannot tell what was used, so nothing is proposed.';
  return (
    `What follows was not used since ${time}; before that the log cannot tell, so nothing is proposed. ` +
    `\`--since ${time}\` asks about the part that is whole.`
  );
}

function showProposal(out: Output, { proposal, patchFile, place }: Look): void {
  if (proposal === null) return;
  out.line();
  for (const { right, kind, place: where } of proposal.byHand) {
    out.line(`change by hand  ${printable(`${KIND_WORDS[kind]} ${right}, ${sourceOf(where)}`)}`);
  }
  if (proposal.patch === '') {
    out.line('There is nothing to propose.');
    return;
  }
  for (const { id, source, problems } of proposal.failing) {
    out.line(`${out.paint('yellow', 'test fails then')}  ${printable(`${id} (${source}): ${problems.join('; ')}`)}`);
  }
  const tests =
    proposal.failing.length === 0
      ? 'all tests of the folder still pass'
      : `${count(proposal.failing.length, 'test')} of the folder would fail: somebody wanted that right`;
  out.line(`The folder loads with the patch; ${tests}.`);
  out.line(`Apply it in ${printable(place)} with \`git apply\`, and run \`privity policy test\`.`);
  if (patchFile === null) {
    out.line();
    out.write(proposal.patch);
  } else out.line(`It is in ${printable(patchFile)}.`);
}
