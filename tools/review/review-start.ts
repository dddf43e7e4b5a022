// `privity review start`: lists the rights of a kind with their use, for somebody to decide on each. It must never overwrite a review.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatTimestamp } from '../../src/core/time.ts';
import { isTestFile, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import { count } from '../../src/cli/shell/text.ts';
import { UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { REVIEW_SCOPES, type ReviewedRight } from '../../src/model/access-review.ts';
import type { Looked } from '../policy/unused/look.ts';
import { lookAtUse } from '../policy/unused/look.ts';
import { openLog } from '../policy/unused/open-log.ts';
import { sinceWhen } from '../policy/unused/window.ts';
import { holdersIn, reviewableRights, type Reviewable } from './reviewable.ts';
import { MOST_RIGHTS, reviewText } from './review-file.ts';

const DAY_MS = 86_400_000;
const DUE_DAYS = 30;

export const verb: Verb = {
  about: [
    'Writes policies/reviews/<id>.yaml with one entry for each right of a kind: whose it is, what it lets them do, how often the ' +
      'log shows it was used, who should decide. The file is evidence: commit it. It is no part of the policy set, so no ' +
      'revision changes.',
    'Needs DATABASE_READER_URL, unless `--without-log`.',
  ],
  options: {
    scope: { value: 'KIND', choices: REVIEW_SCOPES, help: 'which rights' },
    since: { value: 'TIME', help: 'use since when: `90d`, `P90D`, a day or an instant; otherwise 90d' },
    id: { value: 'ID', help: 'name of the review; otherwise made of the day and the kind' },
    due: { value: 'DAY', help: `until when it has to be done; otherwise in ${DUE_DAYS} days` },
    reviewer: { value: 'ID', help: 'only rights for which this person or owner is proposed as the reviewer' },
    'without-log': { help: 'say nothing about use' },
    policies: POLICIES_OPTION,
  },
  examples: [
    { command: 'privity review start --scope grants --since 90d', does: 'every grant, with its use' },
    { command: 'privity review start --scope teams --reviewer u-okafor', does: 'the teams of one attorney’s matters' },
  ],
  async run(shell, args) {
    const scope = REVIEW_SCOPES.find((one) => one === args.text('scope'));
    if (scope === undefined)
      throw new UsageError('which rights?', `write \`--scope\` with one of ${REVIEW_SCOPES.join(', ')}`);
    const now = shell.now();
    const from = sinceWhen(args.text('since') ?? '90d', now);
    const today = formatTimestamp(now).slice(0, 10);
    const id = args.text('id') ?? `${today}-${scope}`;
    if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(id)) {
      throw new UsageError(`\`${id}\` cannot name a review`, 'lower-case letters, digits, - _ .');
    }
    const due = args.text('due') ?? formatTimestamp(now + DUE_DAYS * DAY_MS).slice(0, 10);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(due)) throw new UsageError(`\`--due ${due}\` is no day`, 'such as 2027-06-30');
    const folder = await readFolder(shell, args);
    const files = folder.files.filter((file) => !isTestFile(file));
    const set = requireSet(shell, { ...folder, files });
    const only = args.text('reviewer');
    const rights = reviewableRights(set, files, scope).filter(
      ({ proposedReviewer }) => only === undefined || proposedReviewer === only,
    );
    if (rights.length === 0) {
      const whose = only === undefined ? '' : ` that \`${only}\` would review`;
      throw new UsageError(`${folder.folder} has no rights of the kind \`${scope}\`${whose}`);
    }
    if (rights.length > MOST_RIGHTS) {
      throw new UsageError(
        `${count(rights.length, 'right')} are too many for one review`,
        `start one for each reviewer with \`--reviewer\`; a review has at most ${MOST_RIGHTS.toLocaleString('en-US')}`,
      );
    }
    let looked: Looked | null = null;
    if (!args.isOn('without-log')) {
      const log = openLog('privity review start');
      try {
        const onProgress = (text: string): void => shell.progress.show(text);
        looked = await lookAtUse(log, set, files, { from, now, holders: holdersIn(rights, scope), onProgress });
      } finally {
        shell.progress.clear();
        await log.close();
      }
    }
    const text = reviewText({
      id,
      scope,
      started_at: formatTimestamp(now),
      due,
      ...(only === undefined ? {} : { only_reviewer: only }),
      revision: set.revision,
      commit: folder.commit,
      window:
        looked === null
          ? null
          : { from: formatTimestamp(from), to: formatTimestamp(now), judged_from: formatTimestamp(looked.judgedFrom) },
      rights: rights.map((right) => openRight(right, looked)),
    });
    const file = path.join(folder.folder, 'reviews', `${id}.yaml`);
    const absolute = path.resolve(shell.folder, file);
    await mkdir(path.dirname(absolute), { recursive: true });
    await writeFile(absolute, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST'
        ? new UsageError(`\`${file}\` is there already`, 'name another with `--id`')
        : error;
    });
    const nobody = rights.filter(({ proposedReviewer }) => proposedReviewer === null).length;
    shell.out.line(
      `wrote ${file}: ${count(rights.length, 'right')} to decide until ${due}${nobody === 0 ? '' : `, ${nobody.toLocaleString('en-US')} without a proposed reviewer`}`,
    );
    for (const { why } of looked?.limits.slice(0, 3) ?? []) shell.out.line(`use is not whole: ${why}`);
    shell.out.line('Commit it, and decide with `privity review record`.');
    return 0;
  },
};

function openRight(
  { id, holder, role, right, source, hash, proposedReviewer, use }: Reviewable,
  looked: Looked | null,
): ReviewedRight {
  const used = looked === null ? null : use(looked);
  return {
    id,
    holder,
    ...(role === null ? {} : { role }),
    right,
    source,
    hash,
    uses: used?.count ?? null,
    last_used: used === null || used.last === null ? null : formatTimestamp(used.last),
    proposed_reviewer: proposedReviewer,
    state: 'open',
  };
}
