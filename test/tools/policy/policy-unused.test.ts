// Rights that nobody used, over real logs: what is found, what cannot be judged, and that the patch takes away nothing that was used.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { decide } from '../../../src/core/decide.ts';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import { createDatabase as openDatabase } from '../../../src/io/db/database.ts';
import { createUseReader, type UseRow } from '../../../src/io/reports/read-use.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { DecisionRequest } from '../../../src/model/decision.ts';
import { judgeRights } from '../../../tools/policy/unused/judge.ts';
import { propose } from '../../../tools/policy/unused/proposal.ts';
import { rightsOf } from '../../../tools/policy/unused/rights.ts';
import { createTally } from '../../../tools/policy/unused/tally.ts';
import { runTestCase } from '../../../src/core/run-tests.ts';
import { verb } from '../../../tools/policy/policy-unused.ts';
import { copyPolicies, REPOSITORY } from '../../cli/privity.ts';
import { runVerb } from '../../helpers/run-verb.ts';
import { madeDecision } from '../../helpers/log-rows.ts';
import { asks, compiled, smallFiles, sourceFiles, starterFiles, starterPolicies } from '../../helpers/policies.ts';
import { runs } from '../../helpers/runs.ts';
import { STARTER_CASES, starterRequests } from '../../helpers/starter-requests.ts';
import { createUsedLog, DAY, isRecordable, type UsedLog } from '../../helpers/used-log.ts';

interface Right {
  readonly kind: string;
  readonly state: string;
  readonly right: string;
  readonly names: readonly string[];
  readonly file: string;
  readonly line: number;
  readonly why: string | null;
  readonly emergency: boolean;
  readonly proposed: boolean;
}

interface Said {
  readonly complete: boolean;
  readonly judged_from: string;
  readonly limits: readonly { readonly why: string }[];
  readonly rights: readonly Right[];
  readonly patch: string | null;
  readonly failing_tests: readonly { readonly id: string }[];
}

const NOW = Date.now();

async function folder(t: Test): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'privity-unused-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function writtenFirm(t: Test, files: Readonly<Record<string, unknown>>): Promise<string> {
  const made = await folder(t);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(made, 'policies', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path.join(made, 'policies');
}

const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runVerb(verb, words, { folder: REPOSITORY, env });

async function unused(log: UsedLog, policies: string, ...words: string[]): Promise<Said> {
  const { code, out, err } = await run([policies, '--since', '90d', '--format', 'json', ...words], log.env);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as Said;
}

function gitApply(where: string, patch: string): void {
  const { status, stderr } = spawnSync('git', ['apply', '--verbose', '-'], { cwd: where, input: patch });
  if (status !== 0) throw new Error(`${String(stderr)}\n${patch}`);
}

const find = (said: Said, kind: string, right: string) =>
  said.rights.filter((one) => one.kind === kind && one.right === right);

t.test('the starter pack and a log: the patch applies, loads, and takes away nothing that was used', async (t) => {
  const log = await createUsedLog(t);
  const made = await folder(t);
  const policies = await copyPolicies(made);
  const { files, commit } = await readPolicyFolder(policies);
  const set = compiled(files.filter(({ path: name }) => !name.startsWith('tests/')));
  await log.load(set, NOW - 100 * DAY);
  const random = fc.sample(starterRequests(3), { numRuns: 120, seed: 7 }).filter(isRecordable);
  const requests = [...STARTER_CASES.filter((_, index) => index % 3 !== 0), ...random];
  const decisions = await log.decide(set, requests, NOW - 50 * DAY);
  t.equal(commit, null);

  const said = await unused(log, policies);
  t.equal(said.complete, true);
  const usedIds = new Set(decisions.flatMap(({ outcome, decidedBy }) => (outcome === 'allow' ? decidedBy : [])));
  const allows = set.rules.filter(({ effect }) => effect === 'allow').map(({ id }) => id);
  t.same(
    said.rights
      .filter(({ kind, state }) => kind === 'rule' && state === 'unused')
      .map(({ right }) => right)
      .toSorted(),
    allows.filter((id) => !usedIds.has(id)).toSorted(),
    'rules by which nothing was allowed',
  );
  const decided = new Set(decisions.flatMap(({ outcome, decidedBy }) => (outcome === 'deny' ? decidedBy : [])));
  t.same(
    said.rights
      .filter(({ kind }) => kind === 'deny')
      .map(({ right }) => right)
      .toSorted(),
    set.rules
      .filter(({ id, effect }) => effect === 'deny' && !decided.has(id))
      .map(({ id }) => id)
      .toSorted(),
    'denies that decided nothing',
  );
  t.ok(said.rights.every(({ kind, proposed }) => kind !== 'deny' || !proposed));
  t.notMatch(said.patch, /walls\//, 'walls are left alone');
  const seen = new Set(
    decisions.flatMap(({ outcome, matter }, index) =>
      outcome === 'allow' ? [`${requests[index]?.subject.id} on ${matter}`] : [],
    ),
  );
  for (const { right } of said.rights.filter(({ kind }) => kind === 'membership')) t.notOk(seen.has(right), right);
  t.ok(find(said, 'membership', 'u-dietz on M-1001').length + find(said, 'membership', 'u-khan on M-2001').length > 0);

  gitApply(made, said.patch ?? '');
  const after = compiled(
    (await readPolicyFolder(policies)).files.filter(({ path: name }) => !name.startsWith('tests/')),
  );
  const lost = requests.filter(
    (request, index) => decisions[index]?.outcome === 'allow' && decide(after, request).outcome !== 'allow',
  );
  t.same(lost, [], 'every allowed request is still allowed');
  const won = requests.filter(
    (request, index) => decisions[index]?.outcome === 'deny' && decide(after, request).outcome === 'allow',
  );
  t.same(won, [], 'and nothing else is');
  const matters = await readFile(path.join(policies, 'data', 'matters.yaml'), 'utf8');
  t.match(matters, /# The status of a matter \(intake, open, closed\) is not kept here/, 'comments stay');
  const failing = files.some(({ path: name }) => name.startsWith('tests/')) ? compiled(files).tests : [];
  const failed = failing.filter(({ test }) => !runTestCase(after, test).passed).map(({ test }) => test.id);
  t.same(said.failing_tests.map(({ id }) => id).toSorted(), failed.toSorted(), 'the tests that it said would fail do');
  t.ok(failed.length > 0);
});

t.test('what is used only for emergencies stays, unless somebody asks for it', async (t) => {
  const log = await createUsedLog(t);
  const policies = await copyPolicies(await folder(t));
  await log.load(starterPolicies(), NOW - 100 * DAY);
  await log.decide(starterPolicies(), [], NOW - 50 * DAY);
  await log.put(madeDecision(NOW - 99 * DAY), madeDecision(NOW - 1000));
  const said = await unused(log, policies, '--only', 'rules');
  t.match(find(said, 'rule', 'break-glass'), [{ state: 'unused', emergency: true, proposed: false }]);
  t.match(find(said, 'rule', 'reviewers-of-accesses'), [{ emergency: true, proposed: false }]);
  t.match(find(said, 'role', 'auditor'), [{ state: 'unused', proposed: false }]);
  t.notMatch(said.patch, /^-.*break-glass/m);
  const more = await unused(log, policies, '--only', 'rules', '--include-emergency');
  t.match(find(more, 'rule', 'break-glass'), [{ proposed: true }]);
  t.match(more.patch, /^-  - id: break-glass$/m);
  const failing = await run([policies, '--since', '90d', '--fail-on', 'unused', '--format', 'tap'], log.env);
  t.equal(failing.code, 1, failing.err);
  t.match(failing.out, /not ok .*unused/);
});

const RULES = `  - { id: team, effect: allow, roles: [lawyer, clerk], actions: [look, edit], resources: [content], when: { $is: on_the_team } }
  - { id: same, effect: allow, actions: [read], resources: [document], when: { $is: on_the_team } }
  - id: cases
    effect: allow
    resources: [report] # one type
    cases:
      # the first stays
      - { actions: [read] }
      - actions: [export] # nobody
        roles: [analyst]
  - { id: by-grant, effect: allow, actions: any, resources: [content], when: { $is: granted } }
  - { id: never, effect: deny, actions: [export], resources: [note] }
`;

const SMALL = smallFiles(RULES);

t.test('parts of rules and grants, and what is too new', async (t) => {
  const log = await createUsedLog(t);
  const before = compiled({
    ...SMALL,
    'rules/rules.yaml': `version: 1\nrules:\n${RULES.replace('[look, edit]', '[look]')}`,
  });
  const set = compiled(SMALL);
  await log.load(before, NOW - 100 * DAY);
  await log.load(set, NOW - 95 * DAY);
  const questions: readonly DecisionRequest[] = [
    asks({ action: 'read' }),
    asks({ subject: { id: 'u-ben', roles: ['associate'] }, type: 'note', action: 'list' }),
    asks({ type: 'report', id: 'R-1', properties: { matter_id: null, client_id: null } }),
    asks({ subject: { id: 'u-dan', roles: ['clerk'] } }),
  ];
  const decisions = await log.decide(set, questions, NOW - 60 * DAY);
  t.same(
    decisions.map(({ outcome }) => outcome),
    ['allow', 'allow', 'allow', 'allow'],
  );
  const policies = await writtenFirm(t, SMALL);
  const said = await unused(log, policies);
  t.match(find(said, 'roles_of_rule', 'team'), [{ names: ['clerk'] }]);
  t.match(find(said, 'actions_of_rule', 'team'), [{ names: ['edit'] }]);
  t.match(find(said, 'rule', 'same'), [{ state: 'never_alone', why: /together with team/, proposed: false }]);
  t.match(find(said, 'case', 'cases'), [{ names: ['case 2'], proposed: true }]);
  t.match(find(said, 'deny', 'never'), [{ state: 'never_decided', proposed: false }]);
  gitApply(path.dirname(policies), said.patch ?? '');
  const narrowed = await readFile(path.join(policies, 'rules', 'rules.yaml'), 'utf8');
  t.match(narrowed, 'roles: [lawyer], actions: [look], resources: [content]');
  t.match(
    narrowed,
    '    resources: [report] # one type\n    cases:\n      # the first stays\n      - { actions: [read] }\n  - {',
  );
  const after = compiled((await readPolicyFolder(policies)).files);
  for (const one of questions) t.equal(decide(after, one).outcome, 'allow');

  const young = compiled({
    ...SMALL,
    'rules/rules.yaml': `version: 1\nrules:\n${RULES.replace('[export] # nobody', '[export, edit] # nobody')}`,
    'data/more.yaml': {
      matters: [{ id: 'M-3', client_id: 'C-3', team: ['u-new'] }],
      grants: [{ id: 'G-3', granted_to: 'u-new', matter_id: 'M-3', actions: ['read'], approved_by: 'u-ann' }],
    },
  });
  await log.load(young, NOW - 10 * DAY);
  const again = await unused(
    log,
    await writtenFirm(
      t,
      Object.fromEntries(young.files.map(({ path: name, bytes }) => [name, Buffer.from(bytes).toString()])),
    ),
  );
  t.match(find(again, 'rule', 'cases'), [{ state: 'too_new', why: /in force as it stands since/, proposed: false }]);
  t.match(find(again, 'membership', 'u-new on M-3'), [{ state: 'too_new' }]);
  t.match(find(again, 'grant', 'G-3'), [{ state: 'too_new' }]);
  t.match(find(again, 'roles_of_rule', 'team'), [{ state: 'unused' }], 'others are as old as they were');
  const draft = {
    ...SMALL,
    'rules/draft.yaml': 'version: 1\nrules:\n  - { id: draft, effect: allow, actions: [read], resources: [wall] }\n',
  };
  t.match(find(await unused(log, await writtenFirm(t, draft)), 'rule', 'draft'), [
    { state: 'too_new', why: /no policy set/ },
  ]);
});

t.test('where the log is not whole it says up to where it can judge, and proposes nothing', async (t) => {
  const log = await createUsedLog(t);
  const set = compiled(SMALL);
  const policies = await writtenFirm(t, SMALL);
  t.match(await unused(log, policies), { complete: false, patch: null, limits: [{ why: 'the log holds no record' }] });
  const older = madeDecision(NOW - 99 * DAY);
  await log.load(set, NOW - 80 * DAY);
  const quiet = await run([policies, '--since', '70d'], log.env);
  t.match(quiet.out, /not whole {2}the log holds no record since .*\nThe log cannot tell what was used/);
  const late = await unused(log, policies);
  t.match(late, { complete: false, patch: null, limits: [{ why: /^the log begins at/ }] });
  t.equal(late.judged_from, new Date(NOW - 80 * DAY).toISOString());
  t.ok(late.rights.every(({ proposed }) => !proposed));

  await log.put(older);
  const [first, gone, last] = [40, 39, 38].map((days) => madeDecision(NOW - days * DAY));
  if (first === undefined || gone === undefined || last === undefined) throw new Error('nothing made');
  await log.put(first, last);
  const gap = await unused(log, policies);
  t.match(gap, { complete: false, patch: null, limits: [{ why: /of the writer .* are not there$/ }] });
  t.equal(gap.judged_from, new Date(last.at).toISOString());
  await log.put(gone);
  t.equal((await unused(log, policies)).complete, true);

  const purge = madeDecision(NOW - 5 * DAY);
  const ids = { from: older.id, to: madeDecision(NOW - 30 * DAY).id };
  await log.put({ ...purge, said: { ...purge.said, kind: 'purge', ids, scope: 'retention', purged: {} } });
  const purged = await unused(log, policies);
  t.match(
    purged.limits.map(({ why }) => why).find((why) => why.includes('removed')),
    /removed \(retention, purge record/,
  );
  t.equal(purged.patch, null);
  const pretty = await run([policies, '--since', '90d'], log.env);
  t.match(pretty.out, /The last record is of .*: make sure that this is the log in use\.\n/);
  t.match(pretty.out, /before that the log cannot tell, so nothing is proposed/);
});

t.test('lists, rows and names of every kind', async (t) => {
  const log = await createUsedLog(t);
  const hostile = ['u "quoted"', "u-o'neil", 'u #5', 'u-ünï', '- u', '[x]', 'u: v'];
  const csv = (cell: string): string => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const files = {
    ...SMALL,
    'data/data.yaml': 'consents: { sharing: [C-1] }\n',
    'data/matters.csv': `id,client_id,team,practice_group\r\nM-1,C-1,${csv(`u-ann; ${hostile.join('; ')}; u-ben`)},tax\r\n"M-2",C-2,u-gone,\r\n`,
    'data/matters-old files.ndjson': `${JSON.stringify({ id: 'M-8', client_id: 'C-8', team: ['u-x', ...hostile] })}\n\n${JSON.stringify({ id: 'M-9', client_id: 'C-9' })}`,
    'data/blocks.yaml': `# people by hand\nmatters:\n  - id: M-5\n    client_id: C-5\n    team: # of five\n      # partners\n      - u-ann # first\n      ${hostile.map((one) => `- ${JSON.stringify(one)}`).join('\n      ')}\n  - { id: M-6, client_id: C-6, team: [u-ann, # stays\n      "u-ben"] }\n`,
    'data/grants.csv': `id,granted_to,matter_id,actions,approved_by\nG-1,u-dan,M-1,read;list,u-ann\nG-2,u-dan,M-5,list,u-ann\n`,
    'data/people.json': JSON.stringify(
      { matters: [{ id: 'M-7', client_id: 'C-7', team: ['u-ann', 'u-seven'] }] },
      null,
      2,
    ),
  };
  const set = compiled(files);
  await log.load(set, NOW - 100 * DAY);
  const at = (matter: string, id = 'u-ann') =>
    asks({
      subject: { id, roles: ['partner'] },
      properties: { matter_id: matter, client_id: matter.replace('M', 'C') },
    });
  const questions = [
    at('M-1'),
    at('M-1', 'u "quoted"'),
    at('M-5'),
    at('M-6'),
    at('M-7'),
    at('M-1', 'u-dan'),
    at('M-8', 'u #5'),
  ];
  const decisions = await log.decide(set, questions, NOW - 40 * DAY);
  t.ok(decisions.every(({ outcome }) => outcome === 'allow'));
  const policies = await writtenFirm(t, files);
  const said = await unused(log, policies);
  gitApply(path.dirname(policies), said.patch ?? '');
  const text = (name: string) => readFile(path.join(policies, 'data', name), 'utf8');
  t.equal(
    await text('matters.csv'),
    'id,client_id,team,practice_group\r\nM-1,C-1,"u-ann; u ""quoted""",tax\r\n"M-2",C-2,,\r\n',
  );
  t.equal(await text('grants.csv'), 'id,granted_to,matter_id,actions,approved_by\nG-1,u-dan,M-1,read,u-ann\n');
  t.equal(
    await text('matters-old files.ndjson'),
    `${JSON.stringify({ id: 'M-8', client_id: 'C-8', team: ['u #5'] })}\n\n${JSON.stringify({ id: 'M-9', client_id: 'C-9' })}`,
  );
  t.match(
    await text('blocks.yaml'),
    /# people by hand\n[^]*team: # of five\n {6}# partners\n {6}- u-ann # first\n  - \{ id: M-6, client_id: C-6, team: \[u-ann # stays\n\s*\] \}\n$/,
  );
  t.same(JSON.parse(await text('people.json')), { matters: [{ id: 'M-7', client_id: 'C-7', team: ['u-ann'] }] });
  const after = compiled((await readPolicyFolder(policies)).files);
  for (const one of questions) t.equal(decide(after, one).outcome, 'allow');
  t.same(
    (await unused(log, policies)).rights.filter(({ kind, proposed }) => kind === 'membership' && proposed),
    [],
  );
});

t.test('list filters count as use of every rule that they may rest on, hints of none', async (t) => {
  const log = await createUsedLog(t);
  const set = compiled(SMALL);
  const policies = await writtenFirm(t, SMALL);
  await log.load(set, NOW - 100 * DAY);
  const filter = madeDecision(NOW - 20 * DAY, {
    subject: { id: 'u-ann', actor: null, attributes: { roles: ['partner'] } },
  });
  const said = {
    ...filter.said,
    outcome: null,
    decided_by: [],
    resource: { type: 'document', id: null, properties: {} },
  };
  await log.put({ ...filter, said: { ...said, kind: 'filter', action: 'edit' } });
  const hint = madeDecision(NOW - 19 * DAY);
  await log.put({
    ...hint,
    said: {
      ...said,
      id: hint.id,
      seq: hint.said['seq'],
      kind: 'search',
      action: null,
      resource: { type: null, id: null },
    },
  });
  const found = await unused(log, policies);
  t.same(find(found, 'rule', 'team'), []);
  t.match(find(found, 'actions_of_rule', 'team'), [{ names: ['read', 'list'] }]);
  t.match(find(found, 'rule', 'same'), [{ state: 'unused' }]);
  t.match(find(found, 'membership', 'u-ann on M-1'), [{ state: 'unused' }]);
});

t.test('the database is read in pieces of bounded size, with the same sums', async (t) => {
  const log = await createUsedLog(t);
  await log.decide(
    compiled(SMALL),
    Array.from({ length: 57 }, (_, index) => asks({ action: index % 2 === 0 ? 'read' : 'list' })),
    NOW - DAY,
  );
  const { queries, close } = openDatabase({
    url: log.env['DATABASE_READER_URL'] ?? '',
    applicationName: 'test',
    max: 1,
    onError: () => undefined,
  });
  t.teardown(close);
  for (const most of [10, 57, 1000]) {
    const sums = new Map<string, number>();
    let records = 0;
    for await (const piece of createUseReader(queries, most).pieces(NOW - 2 * DAY)) {
      t.ok(piece.records <= most && piece.uses.length <= most);
      records += piece.records;
      for (const { action, count } of piece.uses) sums.set(action ?? '', (sums.get(action ?? '') ?? 0) + count);
    }
    t.equal(records, 57);
    t.same(Object.fromEntries(sums), { list: 28, read: 29 });
  }
});

t.test('an export does as well, with git for the age of rights', async (t) => {
  const log = await createUsedLog(t);
  const policies = await writtenFirm(t, SMALL);
  const where = path.dirname(policies);
  const git = (...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync(
      'git',
      ['-c', 'user.name=u-lind', '-c', 'user.email=u-lind@firm.example', ...words],
      {
        cwd: where,
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'first');
  const set = compiled(SMALL);
  const young = String(SMALL['data/data.yaml']).replace('team: [u-ann, u-ben]', 'team: [u-ann, u-ben, u-new]');
  const loaded = (at: number, revision: string) =>
    log.put({
      ...madeDecision(at, {
        kind: 'policy_loaded',
        policy: { revision, commit: git('rev-parse', 'HEAD'), engine: '1' },
      }),
    });
  await loaded(NOW - 100 * DAY, set.revision);
  await log.decide(set, [asks({ action: 'read' }), asks({ action: 'list' })], NOW - 40 * DAY);
  await writeFile(path.join(policies, 'data', 'data.yaml'), young);
  git('commit', '-qam', 'second');
  await loaded(NOW - 20 * DAY, compiled({ ...SMALL, 'data/data.yaml': young }).revision);
  const file = path.join(where, 'log.ndjson');
  const { rows } = await log.superuser.query<{ line: string }>(
    `select convert_from(bytes, 'UTF8') as line from decisions order by id desc`,
  );
  await writeFile(file, rows.map(({ line }) => `${line}\n`).join(''));

  const { out, err } = await run([policies, '--since', '90d', '--format', 'json', '--export', file]);
  if (out === '') throw new Error(err);
  const said = JSON.parse(out) as Said & { readonly until: string };
  t.equal(said.complete, true, JSON.stringify(said.limits));
  t.equal(said.until, new Date(NOW - 20 * DAY).toISOString(), 'it ends where the export ends');
  t.match(find(said, 'membership', 'u-ben on M-1'), [{ state: 'unused', proposed: true }]);
  t.match(find(said, 'membership', 'u-new on M-1'), [{ state: 'too_new', proposed: false }]);
  t.match(find(said, 'actions_of_rule', 'team'), [{ names: ['edit'] }]);
  gitApply(where, said.patch ?? '');

  await writeFile(
    file,
    rows
      .filter((_, index) => index !== 1)
      .map(({ line }) => `${line}\n`)
      .join(''),
  );
  const holed = await run([policies, '--since', '90d', '--format', 'json', '--export', file]);
  t.match(JSON.parse(holed.out), { complete: false, patch: null, limits: [{ why: /are not there$/ }] });
  await writeFile(file, 'at,id,kind\n');
  t.match(await run([policies, '--since', '90d', '--export', file]), { code: 2, err: /CSV export/ });
  t.match(await run([policies, '--since', '90d', '--export', `${file}.gone`]), { code: 2, err: /there is no file/ });
});

t.test('wrong words are explained', async (t) => {
  t.match(await run([]), { code: 2, err: /since when\?/ });
  t.match(await run(['--since', 'soon']), { code: 2, err: /is no time[^]*90d/ });
  t.match(await run(['--since', '2999-01-01']), { code: 2, err: /not over yet/ });
  t.match(await run(['--since', '90d']), { code: 2, err: /DATABASE_READER_URL is not set/ });
});

/** The narrower policies decide every request as before. */
function narrowedAlike(set: PolicySet, files: readonly SourceFile[], requests: readonly DecisionRequest[]): void {
  const rights = rightsOf(set, files);
  const tally = createTally(rights);
  const decisions = requests.map((request) => decide(set, request));
  for (const [index, request] of requests.entries()) {
    const decision = decisions[index];
    if (decision !== undefined) tally.add(rowOf(request, decision));
  }
  const findings = judgeRights({ rights, tally, since: new Map(), from: 0, now: NOW });
  const proposed = findings.filter(({ state, kind }) => state === 'unused' && kind !== 'role');
  const { set: after, byHand } = propose(set, files, proposed, 'policies');
  if (byHand.length > 0) throw new Error('something was left to do by hand');
  for (const [index, request] of requests.entries()) {
    const was = decisions[index]?.outcome;
    if (decide(after ?? set, request).outcome !== was) throw new Error(`${was}: ${JSON.stringify(request)}`);
  }
}

t.test('property: whatever the traffic of the starter pack, its narrower policies decide it alike', async () => {
  const files = starterFiles().filter(({ path: name }) => !name.startsWith('tests/'));
  fc.assert(
    fc.property(fc.array(starterRequests(3), { minLength: 1, maxLength: 40 }), (requests) =>
      narrowedAlike(starterPolicies(), files, requests),
    ),
    runs(6, 200),
  );
});

const ENTANGLED = `  - { id: lawyers, effect: allow, roles: [lawyer, clerk, analyst], actions: [look, edit], resources: [content], when: { $is: on_the_team } }
  - { id: anybody, effect: allow, roles: [analyst, lawyer], actions: { except: [export] }, resources: any }
  - { id: team-only, effect: deny, actions: any, resources: [note], unless: { $is: on_the_team } }
  - id: cases
    effect: allow
    roles: [lawyer, clerk]
    actions: [read, list, export]
    cases:
      - { roles: [partner, clerk], resources: [content, report] }
      - { roles: [associate, clerk], actions: [export, list], resources: any }
  - { id: by-grant, effect: allow, actions: any, resources: [content], when: { $is: granted } }
`;

t.test('property: so do those of a small firm whose rules lean on each other', async () => {
  const files = sourceFiles(smallFiles(ENTANGLED));
  const set = compiled(files);
  const request = fc
    .record({
      id: fc.constantFrom('u-ann', 'u-ben', 'u-cat', 'u-dan'),
      roles: fc
        .subarray(['analyst', 'clerk', 'associate', 'partner'])
        .chain((some) => fc.shuffledSubarray(some, { minLength: some.length })),
      action: fc.constantFrom('read', 'list', 'edit', 'export', 'shred'),
      type: fc.constantFrom('document', 'note', 'report', 'wall', 'cloud'),
      matter: fc.constantFrom('1', '2'),
    })
    .map(({ id, roles, action, type, matter }) =>
      asks({
        subject: { id, roles },
        action,
        type,
        properties: { matter_id: `M-${matter}`, client_id: `C-${matter}` },
      }),
    );
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 6 }), (requests) => narrowedAlike(set, files, requests)),
    runs(250, 20_000),
  );
});

function rowOf(
  request: DecisionRequest,
  { outcome, decidedBy, grants, matter, onFile }: ReturnType<typeof decide>,
): UseRow {
  const roles: unknown = request.subject.attributes['roles'];
  const stated = Array.isArray(roles) ? roles.filter((one) => typeof one === 'string') : null;
  return {
    kind: 'decision',
    outcome,
    decidedBy,
    grants,
    matter,
    action: request.action,
    type: request.resource.type,
    subject: request.subject.id,
    roles: onFile.includes('subject.roles') ? null : stated,
    fields: [],
    count: 1,
    last: request.now,
  };
}
