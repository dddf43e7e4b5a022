// Access reviews from start to report: what is listed, who may decide, what the file keeps, and what auditors read.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { isReviewFile } from '../../../src/core/access-review.ts';
import { revisionOf } from '../../../src/core/compile.ts';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import type { AccessReview } from '../../../src/model/access-review.ts';
import { verb as checkVerb } from '../../../src/cli/policy-check.ts';
import { verb as recordVerb } from '../../../tools/review/review-record.ts';
import { verb as reportVerb } from '../../../tools/review/review-report.ts';
import { verb as startVerb } from '../../../tools/review/review-start.ts';
import { copyPolicies, REPOSITORY } from '../../cli/privity.ts';
import { asks, compiled, smallFiles } from '../../helpers/policies.ts';
import { runVerb } from '../../helpers/run-verb.ts';
import { createUsedLog, DAY } from '../../helpers/used-log.ts';

const NOW = Date.now();

const RULES = `  - { id: team, title: Team, owner: gc, effect: allow, roles: [lawyer], actions: [look], resources: [content], when: { $is: on_the_team } }
  - { id: reports, effect: allow, actions: [read], resources: [report] }
  - { id: by-grant, effect: allow, actions: any, resources: [content], when: { $is: granted } }
`;

const SMALL = {
  ...smallFiles(RULES),
  'walls/walls.yaml': {
    walls: [{ id: 'W-1', kind: 'inclusion', matter_id: 'M-2', included_people: ['u-cat', 'u-dan'] }],
  },
  'data/people.yaml': {
    people: ['u-ann', 'u-ben', 'u-cat', 'u-dan', 'u-eve'].map((id) => ({
      id,
      directory: { roles: [id === 'u-eve' ? 'analyst' : 'partner'], user_type: 'internal' },
    })),
  },
};

async function firm(t: Test): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'privity-review-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(SMALL)) {
    const file = path.join(made, 'policies', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path.join(made, 'policies');
}

const VERBS = { start: startVerb, record: recordVerb, report: reportVerb } as const;

const run = (policies: string, env: Readonly<Record<string, string>>, verb: keyof typeof VERBS, ...words: string[]) =>
  runVerb(VERBS[verb], [...words, '--policies', policies], { folder: REPOSITORY, env });

const check = (policies: string) => runVerb(checkVerb, [policies], { folder: REPOSITORY, env: {} });

const readReview = (policies: string, id: string) => readFile(path.join(policies, 'reviews', `${id}.yaml`), 'utf8');

interface Reported {
  readonly review: AccessReview;
  readonly progress: readonly object[];
  readonly revoked_still_in_force: readonly { readonly id: string }[];
  readonly to_be_changed: readonly { readonly id: string }[];
  readonly changed_after_review: readonly { readonly id: string }[];
  readonly came_after_start: readonly { readonly id: string }[];
  readonly overdue: readonly string[];
}

async function reported(
  policies: string,
  id: string,
): Promise<{ readonly code: number | null; readonly report: Reported }> {
  const { code, out, err } = await run(policies, {}, 'report', id, '--format', 'json');
  if (code === 2) throw new Error(err);
  return { code, report: JSON.parse(out) as Reported };
}

t.test('a review of grants, from start to close', async (t) => {
  const log = await createUsedLog(t);
  const set = compiled(SMALL);
  const policies = await firm(t);
  await log.load(set, NOW - 100 * DAY);
  const granted = asks({ subject: { id: 'u-dan', roles: ['clerk'] } });
  await log.decide(set, [granted, granted], NOW - 9 * DAY);
  const before = await readPolicyFolder(policies);
  const started = await run(policies, log.env, 'start', '--scope', 'grants', '--since', '90d', '--id', 'q4');
  t.match(started, { code: 0, err: '', out: /wrote .*reviews\/q4\.yaml: 2 rights to decide until/ });
  const after = await readPolicyFolder(policies);
  t.equal(after.files.filter(isReviewFile).length, 1);
  t.equal(revisionOf(after.files), revisionOf(before.files), 'the revision stays');
  t.match(await run(policies, log.env, 'start', '--scope', 'grants', '--id', 'q4'), {
    code: 2,
    err: /is there already/,
  });

  const file = path.join(policies, 'reviews', 'q4.yaml');
  const text = await readReview(policies, 'q4');
  t.match(text, /id: "grant:G-1"[^]*holder: "u-dan"[^]*proposed_reviewer: "u-ann"[^]*uses: 2\n {6}state: open/);
  await writeFile(
    file,
    text.replace('  rights:', '  # asked by the committee\n  rights:').replace(/state: open$/m, 'state: open # soon'),
  );

  const record = (...words: string[]) => run(policies, {}, 'record', 'q4', ...words);
  const by = ['--reviewer', 'u-ann', '--decision'];
  t.match(await record('grant:G-1', '--reviewer', 'u-dan', '--decision', 'keep'), {
    code: 2,
    err: /nothing was recorded\n.*grant:G-1: `u-dan` has this right, and may not review it/,
  });
  t.match(await record('grant:G-9', 'grant:G-1', ...by, 'keep'), {
    code: 2,
    err: /grant:G-9: .*no such right; did you mean `grant:G-/,
  });
  t.match(await record('grant:G-1', ...by, 'revoke'), { code: 2, err: /`revoke` needs a reason/ });
  t.match(await record('grant:G-1', '--reviewer', 'u-anm', '--decision', 'keep'), {
    code: 2,
    err: /did you mean `u-ann`/,
  });
  t.match(await record('grant:G-1', '--reviewer', 'u-ann'), { code: 2, err: /what was decided\?/ });
  t.match(await run(policies, {}, 'record', 'q5', 'x', ...by, 'keep'), { code: 2, err: /no review `q5`/ });
  t.match(await record('--close', '--reviewer', 'u-ann'), { code: 2, err: /2 rights are still open/ });
  t.equal((await readReview(policies, 'q4')).includes('decided'), false, 'refused is unwritten');

  const reason = 'Cover is "over": #1\nsee: [minutes]';
  t.match(await record('grant:G-1', ...by, 'revoke', '--reason', reason), {
    code: 0,
    out: /recorded 1 decision[^]*1 right still open/,
  });
  const unusedGrant = await record('grant:G-2', ...by, 'keep');
  t.equal(unusedGrant.code, 0, 'G-2 was used as well: its conditions name no action');
  t.match(await record('grant:G-2', ...by, 'keep'), { code: 2, err: /`--again` decides once more/ });
  t.match(await record('grant:G-2', ...by, 'change', '--reason', 'Only in May.', '--again'), { code: 0 });
  const decided = await readReview(policies, 'q4');
  t.match(decided, '  # asked by the committee\n  rights:');
  t.match(decided, 'state: decided # soon\n      reviewer: "u-ann"\n');
  t.equal(decided.match(/decision: /g)?.length, 2);

  const { code, report } = await reported(policies, 'q4');
  t.equal(code, 1, 'a revoked right is still in force');
  t.match(report.revoked_still_in_force, [{ id: 'grant:G-1', reviewer: 'u-ann' }]);
  t.match(report.to_be_changed, [{ id: 'grant:G-2' }]);
  t.equal(report.review.rights[0]?.reason, reason);
  t.match(report.progress, [{ reviewer: 'u-ann', rights: 2, decided: 2, overdue: 0 }]);
  const markdown = await run(policies, {}, 'report', 'q4', '--format', 'markdown');
  t.match(markdown, {
    code: 1,
    out: /REVOKED BUT STILL IN FORCE: 1 right\.\n[^]*## Revoked but still in force\n[^]*\| grant:G-1 \|/,
  });
  t.match(await run(policies, {}, 'report', 'q4', '--format', 'csv'), {
    code: 1,
    out: /\r\nq4,grant:G-1,u-dan,[^]*revoked but still in force\r\n/,
  });
  t.match(await run(policies, {}, 'report', 'q4'), { code: 1, out: /To be changed, and not changed/ });

  t.match(await record('--close', '--reviewer', 'u-ann'), { code: 0, out: /closed q4/ });
  t.match(await record('grant:G-2', ...by, 'keep', '--again'), { code: 2, err: /was closed at .* by u-ann/ });
  t.match(await check(policies), { code: 0 });

  const data = path.join(policies, 'data', 'data.yaml');
  const grants = await readFile(data, 'utf8');
  await writeFile(data, grants.replace(/ {2}- \{ id: G-1,.*\n/, '').replace('id: G-2,', 'id: G-3,'));
  const later = await reported(policies, 'q4');
  t.equal(later.code, 0);
  t.match(later.report, { revoked_still_in_force: [], came_after_start: [{ id: 'grant:G-3' }], to_be_changed: [] });
});

t.test('every kind of right has its holder, its reviewer and its use', async (t) => {
  const log = await createUsedLog(t);
  const set = compiled(SMALL);
  const policies = await firm(t);
  await log.load(set, NOW - 100 * DAY);
  await log.decide(set, [asks({}), asks({ subject: { id: 'u-ben', roles: ['partner'] } })], NOW - 9 * DAY);
  const rightsOf = async (scope: string, ...words: string[]): Promise<AccessReview['rights']> => {
    const started = await run(policies, log.env, 'start', '--scope', scope, '--id', `of-${scope}`, ...words);
    if (started.code !== 0) throw new Error(started.err);
    return (await reported(policies, `of-${scope}`)).report.review.rights;
  };
  t.match(await rightsOf('rules'), [
    { id: 'rule:team:partner', holder: null, role: 'partner', proposed_reviewer: 'gc', uses: 2 },
    { id: 'rule:team:associate', uses: 0, last_used: null },
    { id: 'rule:reports', right: 'reports, whatever the role' },
    { id: 'rule:by-grant' },
  ]);
  const roles = await rightsOf('roles');
  t.match(
    roles.map(({ id, uses }) => `${id} ${uses}`),
    [
      ...[
        'role:partner:u-ann 1',
        'role:partner:u-ben 1',
        'role:partner:u-cat 0',
        'role:partner:u-dan 0',
        'role:analyst:u-eve 0',
      ],
    ],
  );
  t.match(await rightsOf('teams', '--reviewer', 'u-ann'), [
    { id: 'team:M-1:u-ben', proposed_reviewer: 'u-ann', uses: 1 },
  ]);
  t.match((await reported(policies, 'of-teams')).report.came_after_start, [], 'rights of others did not come later');
  t.match(await rightsOf('walls', '--without-log'), [
    { id: 'wall:W-1:included:u-cat', holder: 'u-cat', uses: null },
    { id: 'wall:W-1:included:u-dan' },
  ]);
  const own = await run(
    policies,
    {},
    'record',
    'of-rules',
    'rule:team:partner',
    '--reviewer',
    'u-ann',
    '--decision',
    'keep',
  );
  t.match(own, { code: 2, err: /`u-ann` has the role partner, and may not review what it gives/ });
  const kept = ['of-rules', 'rule:team:partner', '--reviewer', 'u-eve', '--decision', 'keep'];
  t.match(await run(policies, {}, 'record', ...kept), { code: 0 });
  t.match(
    await run(policies, {}, 'record', 'of-rules', 'rule:team:associate', '--reviewer', 'u-eve', '--decision', 'keep'),
    {
      code: 2,
      err: /nobody used this right: keeping it needs a reason/,
    },
  );
  const firmFile = path.join(policies, 'firm.yaml');
  const words = await readFile(firmFile, 'utf8');
  await writeFile(firmFile, words.replace('look: [read, list]', 'look: [read, list, edit]'));
  t.match((await reported(policies, 'of-rules')).report.changed_after_review, [{ id: 'rule:team:partner' }]);
});

t.test('what is wrong in reviews is found with its place, and stops nothing else', async (t) => {
  const policies = await firm(t);
  const review = (rights: string): string => `version: 1
review:
  id: bad
  scope: grants
  started_at: '2026-01-01T00:00:00Z'
  due: '2026-01-31'
  revision: 'sha256:0'
  commit: null
  window: null
  closed_at: yesterday
  rights:
${rights}`;
  const right = (id: string, more: string): string =>
    `    - { id: '${id}', holder: u-dan, right: r, source: s, hash: 'sha256:${'0'.repeat(64)}', uses: 0, last_used: null, proposed_reviewer: null, ${more} }\n`;
  await mkdir(path.join(policies, 'reviews'));
  const file = path.join(policies, 'reviews', 'bad.yaml');
  await writeFile(
    file,
    review(
      right('a', 'state: open, reviewer: u-ann') +
        right('a', "state: decided, reviewer: u-dan, reviewed_at: '2026-01-02T00:00:00Z', decision: revoke") +
        right('b', 'state: decided, reviewer: u-ann'),
    ),
  );
  const { code, out } = await check(policies);
  t.equal(code, 1);
  for (const said of [
    /bad\.yaml:10:\d+ .*`yesterday` is no RFC 3339 instant/,
    /bad\.yaml:10:\d+ .*a closed review says when, and by whom/,
    /bad\.yaml:12:\d+ a: a right that is open has no reviewer/,
    /bad\.yaml:13:\d+ a: the right `a` is there already/,
    /bad\.yaml:13:\d+ a: `u-dan` has this right, and cannot review it/,
    /bad\.yaml:13:\d+ a: `revoke` needs a reason/,
    /bad\.yaml:14:\d+ b: a decision says who, when and what/,
  ]) {
    t.match(out, said);
  }
  t.match(await run(policies, {}, 'report', 'bad'), {
    code: 2,
    err: /bad\.yaml:10[^]*no review `bad` is as it should be/,
  });
  for (const broken of ['review: [', 'review: 1\nreview: 2\n', '']) {
    await writeFile(file, broken);
    t.match(await check(policies), { code: 1, out: /bad\.yaml:1/ });
    t.ok(compiled((await readPolicyFolder(policies)).files), 'the service loads the folder all the same');
  }
  t.match(await run(policies, {}, 'start'), { code: 2, err: /which rights\?/ });
  t.match(await run(policies, {}, 'start', '--scope', 'grants', '--id', '../x'), {
    code: 2,
    err: /cannot name a review/,
  });
});

t.test('the starter pack can be reviewed', async (t) => {
  const made = await mkdtemp(path.join(tmpdir(), 'privity-review-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  const policies = await copyPolicies(made);
  const { out, code } = await run(policies, {}, 'start', '--scope', 'teams', '--without-log', '--due', '2026-01-31');
  t.match({ out, code }, { code: 0, out: /without a proposed reviewer/ });
  const id = `${new Date().toISOString().slice(0, 10)}-teams`;
  const { code: ended, report } = await reported(policies, id);
  t.equal(ended, 0);
  t.equal(report.overdue.length, report.review.rights.length, 'all of it is overdue');
});
