// `privity review record`: writes what somebody decided about rights into the file of the review. It must never let anybody decide about a right
// of their own, nor change a word that it did not come to change.
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { needsReason, reasonWords, type LoadedReview } from '../../src/core/access-review.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { nearest } from '../../src/core/suggest.ts';
import { formatTimestamp } from '../../src/core/time.ts';
import { isTestFile, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { count, printable } from '../../src/cli/shell/text.ts';
import { UsageError, type Arguments, type Verb } from '../../src/cli/shell/verb.ts';
import { RIGHT_DECISIONS, type AccessReview, type ReviewedRight } from '../../src/model/access-review.ts';
import { applyEdits, type Edit } from '../policy/unused/cut.ts';
import { openYaml, type YamlText } from '../policy/unused/yaml-text.ts';
import { findReview } from './find-review.ts';
import { quoted } from './review-file.ts';

export const verb: Verb = {
  about: [
    'Decides about one or more rights of a review: keep, revoke or change. Who and when go into the file; comments and everything ' +
      'else stay as they are. Revoking and changing need a reason, and so does keeping what nobody used. Nobody decides about a ' +
      'right of their own. The policy itself is not changed: take revoked rights away by a change of the policy.',
    'With `--close` and no rights it closes a review in which everything is decided; after that nothing can be recorded in it.',
  ],
  operands: {
    usage: 'REVIEW [RIGHT…]',
    min: 1,
    max: Infinity,
    help: 'id of the review, and of the rights, as its file has them',
  },
  options: {
    reviewer: { value: 'ID', help: 'who decided' },
    decision: { value: 'DECISION', choices: RIGHT_DECISIONS, help: 'what was decided' },
    reason: { value: 'TEXT', help: 'why; auditors read it' },
    again: { help: 'decide once more about what was decided; git keeps the earlier decision' },
    close: { help: 'close the review' },
    policies: POLICIES_OPTION,
  },
  examples: [
    {
      command: 'privity review record 2026-q4-grants grant:G-1 --reviewer u-okafor --decision keep',
      does: 'the grant stays',
    },
    {
      command:
        'privity review record 2026-q4-grants grant:G-5 grant:G-7 --reviewer u-okafor --decision revoke --reason "The cover is over."',
      does: 'two go',
    },
  ],
  async run(shell, args) {
    const [id = '', ...ids] = args.operands;
    const reviewer = args.text('reviewer');
    if (reviewer === undefined) throw new UsageError('who decided?', 'give `--reviewer`');
    const folder = await readFolder(shell, args);
    const { review, file } = findReview(shell, folder, id);
    if (review.closed_at !== undefined) {
      throw new UsageError(
        `the review \`${id}\` was closed at ${review.closed_at} by ${review.closed_by}`,
        'start another one',
      );
    }
    const set = requireSet(shell, { ...folder, files: folder.files.filter((one) => !isTestFile(one)) });
    checkReviewer(set, reviewer);
    const at = formatTimestamp(shell.now());
    const changes = args.isOn('close')
      ? closing(review, ids, reviewer, at)
      : deciding({ review, file }, ids, set, args, reviewer, at);
    const place = path.join(folder.folder, file.path);
    await change(shell, place, file.bytes, changes);
    shell.out.line(
      args.isOn('close') ? `closed ${id}: ${place}` : `recorded ${count(ids.length, 'decision')} in ${place}`,
    );
    const open = review.rights.filter((one) => one.state === 'open' && !ids.includes(one.id)).length;
    if (!args.isOn('close'))
      shell.out.line(
        open === 0
          ? `Everything is decided: close it with \`--close\`, and commit it.`
          : `${count(open, 'right')} still open. Commit the file: git says who recorded it.`,
      );
    return 0;
  },
};

type Change = (text: YamlText) => readonly Edit[] | null;

function checkReviewer({ data }: PolicySet, reviewer: string): void {
  const known = new Set([...data.directory.keys(), ...data.people.keys()]);
  if (known.size > 0 && !known.has(reviewer)) {
    const near = nearest(reviewer, known);
    throw new UsageError(
      `\`${reviewer}\` is nobody whom data/ knows`,
      near === undefined ? 'a reviewer is a person of the directory' : `did you mean \`${near}\`?`,
    );
  }
  const status =
    data.people.get(reviewer)?.find((one) => one.path === 'subject.employee_status')?.value ??
    data.directory.get(reviewer)?.['employee_status'];
  if (status === 'terminated' || status === 'suspended') {
    throw new UsageError(`\`${reviewer}\` cannot review: the directory says \`${status}\``);
  }
}

function closing({ rights }: AccessReview, ids: readonly string[], reviewer: string, at: string): Change {
  if (ids.length > 0) throw new UsageError('`--close` takes no rights', 'decide them first, then close');
  const open = rights.filter(({ state }) => state === 'open').map((one) => one.id);
  if (open.length > 0) {
    throw new UsageError(
      `${count(open.length, 'right')} ${open.length === 1 ? 'is' : 'are'} still open`,
      'decide them first',
      open.slice(0, 20).map(printable),
    );
  }
  return (text) => text.addMembers(['review'], [`closed_at: ${quoted(at)}`, `closed_by: ${quoted(reviewer)}`]);
}

function deciding(
  { review }: LoadedReview,
  ids: readonly string[],
  set: PolicySet,
  args: Arguments,
  reviewer: string,
  at: string,
): Change {
  const decision = RIGHT_DECISIONS.find((one) => one === args.text('decision'));
  if (decision === undefined)
    throw new UsageError('what was decided?', `give \`--decision\`: ${RIGHT_DECISIONS.join(', ')}`);
  if (ids.length === 0) throw new UsageError('which rights?', 'name them behind the review');
  const reason = args.text('reason')?.trim();
  if (reason === '' || (reason?.length ?? 0) > 2_000)
    throw new UsageError('the reason has no words, or more than 2,000 characters');
  const known = new Map(review.rights.map((one, index) => [one.id, { one, index }]));
  const mistakes: string[] = [];
  const changes = [...new Set(ids)].flatMap((id): readonly Change[] => {
    const found = known.get(id);
    if (found === undefined) {
      const near = nearest(id, known.keys());
      mistakes.push(`${id}: this review has no such right${near === undefined ? '' : `; did you mean \`${near}\`?`}`);
      return [];
    }
    const { one, index } = found;
    const mistake = mistakeIn(one, set, reviewer, decision, reason, args.isOn('again'));
    if (mistake !== null) mistakes.push(`${id}: ${mistake}`);
    const said = { reviewer, reviewed_at: at, decision, ...(reason === undefined ? {} : { reason }) };
    return [(text) => decided(text, ['review', 'rights', index], one, said)];
  });
  if (mistakes.length > 0) throw new UsageError('nothing was recorded', undefined, mistakes.map(printable));
  return (text) => {
    const edits = changes.map((one) => one(text));
    return edits.some((one) => one === null) ? null : edits.flatMap((one) => one ?? []);
  };
}

function mistakeIn(
  right: ReviewedRight,
  set: PolicySet,
  reviewer: string,
  decision: string,
  reason: string | undefined,
  again: boolean,
): string | null {
  if (right.holder === reviewer) return `\`${reviewer}\` has this right, and may not review it`;
  const roles = set.data.directory.get(reviewer)?.['roles'];
  if (right.holder === null && right.role !== undefined && Array.isArray(roles) && roles.includes(right.role)) {
    return `\`${reviewer}\` has the role ${right.role}, and may not review what it gives`;
  }
  if (right.state === 'decided' && !again)
    return `decided at ${right.reviewed_at} by ${right.reviewer}; \`--again\` decides once more`;
  return reason === undefined && needsReason(right, decision) ? `${reasonWords(decision)}: give \`--reason\`` : null;
}

function decided(
  text: YamlText,
  place: readonly (string | number)[],
  right: ReviewedRight,
  said: Readonly<Record<string, string>>,
): readonly Edit[] | null {
  const lines: string[] = [];
  const edits: (readonly Edit[] | null)[] = [];
  if (right.state === 'open') edits.push(text.replaceValue([...place, 'state'], 'decided'));
  const words = {
    ...said,
    ...(right.reason !== undefined && said['reason'] === undefined ? { reason: 'none given' } : {}),
  };
  for (const [name, value] of Object.entries(words)) {
    const written = name === 'decision' ? value : quoted(value);
    if (Object.hasOwn(right, name)) edits.push(text.replaceValue([...place, name], written));
    else lines.push(`${name}: ${written}`);
  }
  if (lines.length > 0) edits.push(text.addMembers(place, lines));
  return edits.some((one) => one === null) ? null : edits.flatMap((one) => one ?? []);
}

/** Whole or not at all, and only if the file is still what was read. */
async function change(shell: Shell, place: string, read: Uint8Array, changes: Change): Promise<void> {
  const file = path.resolve(shell.folder, place);
  const bytes = await readFile(file);
  if (!bytes.equals(read)) throw new UsageError(`\`${place}\` was changed just now`, 'try again');
  const text = bytes.toString('utf8');
  const opened = openYaml(text);
  const edits = opened === null ? null : changes(opened);
  if (edits === null)
    throw new UsageError(
      `\`${place}\` is written in a way that this command cannot change`,
      'write its maps over several lines, as `privity review start` does',
    );
  const part = `${file}.part`;
  await writeFile(part, applyEdits(text, edits), { flag: 'wx' });
  await rename(part, file);
}
