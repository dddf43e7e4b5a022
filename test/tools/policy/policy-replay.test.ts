// `privity policy replay` over what a real service recorded: whom a change would have let in or shut out, why, and what cannot be told.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { verb } from '../../../tools/policy/policy-replay.ts';
import { uuidv7 } from '../../../src/core/record/uuid.ts';
import { NO_COLUMNS } from '../../../src/model/record.ts';
import { privity } from '../../cli/privity.ts';
import { document, OFFICE, STARTER, startApp } from '../../helpers/app.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { startRecorder } from '../../helpers/recorder.ts';
import { runVerb } from '../../helpers/run-verb.ts';

type Json = Readonly<Record<string, unknown>>;

interface Group {
  readonly direction: string;
  readonly cause: string;
  readonly field: string | null;
  readonly decided_by: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly source: string | null;
  readonly matter: string | null;
  readonly subject: string | null;
  readonly merged: string | null;
  readonly actions: readonly string[];
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly example: string;
}

interface Said {
  readonly records: number;
  readonly same: number;
  readonly flipped_records: number;
  readonly newly_allowed: number;
  readonly newly_denied: number;
  readonly not_judged: number;
  readonly not_judged_because: readonly { readonly reason: string; readonly what: string; readonly count: number }[];
  readonly groups: readonly Group[];
}

const { urls, superuserUrl } = await createDatabase(t);
const rig = await startApp(t, { urls });
const env = { DATABASE_READER_URL: urls.reader };
const superuser = await connect(t, superuserUrl);
const folder = await mkdtemp(path.join(tmpdir(), 'privity-replay-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

const replay = (policies: string, ...words: string[]) =>
  runVerb(verb, ['--policies', policies, ...words], { folder, env });

async function judged(policies: string, ...words: string[]): Promise<Said> {
  const { out, err } = await replay(policies, '--format', 'json', ...words);
  if (out === '') throw new Error(err);
  return JSON.parse(out) as Said;
}

/** The policies that the service has, with other files laid over them. */
async function candidate(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const place = path.join(folder, name);
  await cp(rig.policiesDir, place, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(place, file)), { recursive: true });
    await writeFile(path.join(place, file), text);
  }
  return name;
}

const starter = (file: string): Promise<string> => readFile(path.join(STARTER, file), 'utf8');

function rule(text: string): string {
  return `version: 1\nrules:\n  - id: tried\n    title: Tried\n    owner: security-officer\n    review_by: 2030-01-01\n${text}`;
}

async function ask(person: string, question: Json, url = '/v1/authorize'): Promise<string> {
  const { status, body } = await rig.ask(person, { context: OFFICE, ...question }, { path: url });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return String(body.context?.['evaluation_id']);
}

const read = { action: { name: 'read' } };
/** Of another matter, on whose team u-park is not. */
const elsewhere = (id: string) => document(id, { matter_id: 'M-1003', matter_status: 'open' });
const lind = await ask('u-lind', { ...read, resource: document('D-1') });
await ask('u-lind', { action: { name: 'list' }, resource: document('D-1') });
const park = await ask('u-park', { ...read, resource: elsewhere('D-2') });
await ask('u-park', { ...read, resource: elsewhere('D-3') });
await ask('u-voss', { ...read, resource: document('D-4') });
await ask('u-park', { resource: document('D-5') }, '/v1/authorize/fields');
const decided = 6;
await rig.inject({
  method: 'POST',
  url: '/v1/filter',
  headers: { authorization: `Bearer ${rig.callerToken('dms')}`, 'content-type': 'application/json' },
  payload: JSON.stringify({
    subject_token: rig.subjectToken('u-lind'),
    action: { name: 'list' },
    resource: { type: 'document' },
    context: OFFICE,
    target: 'ucast',
    columns: { id: 'id' },
  }),
});
const filters = await rig.count('filter');

t.test('under the same set nothing flips, and what is no single decision is counted', async (t) => {
  const same = await judged(rig.policiesDir);
  t.match(same, { records: decided + filters, same: decided, newly_allowed: 0, newly_denied: 0, groups: [] });
  t.equal(same.not_judged, filters);
  t.match(same.not_judged_because, filters === 0 ? [] : [{ reason: 'not_a_decision', what: 'list filters' }]);
  const { code, out } = await replay(rig.policiesDir, '--fail-on', 'any');
  t.equal(code, 0, out);
  t.match(out, /6 same/);
});

t.test('a rule that is wider lets people in, by rule, matter and person', async (t) => {
  const wider = await candidate('wider', {
    'rules/tried.yaml': rule(
      '    effect: allow\n    subjects: [internal]\n    actions: [read]\n    resources: [content]\n    when: { resource.matter_status: open }\n',
    ),
  });
  const said = await judged(wider);
  t.match(said, { newly_denied: 0, flipped_records: said.newly_allowed });
  const [group] = said.groups;
  t.strictSame(
    said.groups.map(({ subject, matter, count, cause }) => [subject, matter, count, cause]),
    [['u-park', 'M-1003', 2, 'rules']],
  );
  t.match(group, {
    direction: 'newly_allowed',
    decided_by: { before: ['default-deny'], after: ['tried'] },
    source: 'rules/tried.yaml:3',
    actions: ['read'],
    example: park,
  });
  t.ok((group?.first ?? '') < (group?.last ?? ''), 'two instants');
  t.equal((await replay(wider, '--fail-on', 'allow')).code, 1);
  t.equal((await replay(wider, '--fail-on', 'deny')).code, 0);
  t.equal((await replay(wider)).code, 0);
});

t.test('a rule that is narrower, and a wall, shut people out', async (t) => {
  const narrower = await candidate('narrower', {
    'rules/tried.yaml': rule(
      '    effect: deny\n    subjects: [internal]\n    actions: [list]\n    resources: [content]\n    when: { context.network_zone: office }\n',
    ),
    'walls/tried.yaml':
      'walls:\n  - id: W-TRIED\n    kind: exclusion\n    reason: former_client\n    matter_id: M-1001\n    excluded_people: [u-lind]\n    valid_from: "2020-01-01T00:00:00Z"\n',
  });
  const { groups, newly_allowed: allowed } = await judged(narrower, '--subject', 'u-lind');
  t.equal(allowed, 0);
  t.strictSame(
    groups.map(({ direction, decided_by: { before, after }, actions, count }) => [
      direction,
      before,
      after,
      actions.join(),
      count,
    ]),
    [
      ['newly_denied', ['team-lawyers'], ['exclusion-wall'], 'read', 1],
      ['newly_denied', ['team-lawyers'], ['exclusion-wall', 'tried'], 'list', 1],
    ],
  );
  t.ok(groups.some(({ source, example }) => source === 'walls/tried.yaml:2' && example === lind));
});

t.test(
  'what flips only because data has changed since is told apart, and is not there with the data of the time',
  async (t) => {
    const data = await starter('data/matters.yaml');
    const drifted = await candidate('drifted', { 'data/matters.yaml': data.replaceAll('u-lind, ', '') });
    const said = await judged(drifted);
    t.match(said, { newly_allowed: 0, newly_denied: 2 });
    t.ok(said.groups.every(({ cause, subject }) => cause === 'data' && subject === 'u-lind'));
    t.match((await replay(drifted)).out, /NEWLY DENIED 2 only because data on file has changed/);
    const then = await judged(drifted, '--data', 'recorded');
    t.match(then, { same: decided, newly_allowed: 0, newly_denied: 0 });
  },
);

t.test('what turns on an attribute that no record holds is not judged, and everything else is', async (t) => {
  const firm = await starter('firm.yaml');
  const declared = firm.replace(
    '    confidentiality:\n',
    '    embargo:\n      title: Embargo\n      type: boolean\n      default: false\n    confidentiality:\n',
  );
  t.not(declared, firm);
  const reading = await candidate('reading', {
    'firm.yaml': declared,
    'rules/tried.yaml': rule(
      '    effect: deny\n    subjects: [internal]\n    actions: [list]\n    resources: [content]\n    when: { resource.embargo: true }\n',
    ),
  });
  const said = await judged(reading);
  t.match(said, { same: decided - 1, newly_allowed: 0, newly_denied: 0, not_judged: 1 + filters });
  t.match(
    said.not_judged_because.find(({ reason }) => reason === 'attribute_not_recorded'),
    { count: 1, what: /resource\.embargo/ },
  );
  const only = await replay(reading, '--matter', 'M-1001', '--subject', 'u-lind');
  t.match(only.out, /1 could not be judged \(50\.0 %\)/);
  t.match(
    only.out,
    /NOT JUDGED 1\n +1 +it turns on what the record does not hold: the candidate reads resource\.embargo/,
  );
});

t.test('fields flip on their own', async (t) => {
  const rules = await starter('rules/billing-and-time.yaml');
  const unmasked = await candidate('unmasked', {
    'rules/billing-and-time.yaml': rules.replace(
      'when: { resource.field: billing_rate }',
      'when: { resource.field: billing_rate, resource.pii: true }',
    ),
  });
  const { groups } = await judged(unmasked);
  t.strictSame(
    groups.map(({ direction, field, subject, decided_by: { before } }) => [direction, field, subject, before]),
    [['newly_allowed', 'billing_rate', 'u-park', ['billing-rate-field']]],
  );
});

t.test('an export gives what the database gives, as a file, packed and from standard input', async (t) => {
  const { body } = await rig.inject({
    method: 'GET',
    url: '/v1/decisions/export?format=ndjson',
    headers: { authorization: `Bearer ${rig.personToken('u-audley', { azp: 'privity-log-review' })}` },
  });
  await writeFile(path.join(folder, 'log.ndjson'), body);
  await writeFile(path.join(folder, 'log.ndjson.gz'), gzipSync(body));
  const essence = ({ groups, records, same, not_judged: lacking }: Said, skip: number) => ({
    // Only the database has the data of the time.
    groups: groups.map((group) => ({ ...group, cause: null })),
    records: records - skip,
    same: same - skip,
    lacking,
  });
  // The export's own reading is in the database by now.
  const readings = await rig.count('read');
  const expected = essence(await judged('wider'), readings);
  const own = body.split('\n').filter((line) => line.includes('"kind":"read"')).length;
  for (const file of ['log.ndjson', 'log.ndjson.gz']) {
    t.strictSame(essence(await judged('wider', '--export', file), own), expected, file);
  }
  const made = await privity(['audit', 'verification-export', '--out', path.join(folder, 'whole.ndjson')], {
    env: { DATABASE_URL: urls.reader, ...env },
  });
  t.equal(made.code, 0, made.err);
  t.strictSame(essence(await judged('wider', '--export', 'whole.ndjson'), readings), expected, 'verification export');
  const piped = await privity(['policy', 'replay', '--policies', 'wider', '--export', '-', '--format', 'json'], {
    cwd: folder,
    input: body,
  });
  const said = JSON.parse(piped.out) as Said;
  t.strictSame(essence(said, own), expected, 'standard input');
  t.equal(said.groups[0]?.cause, 'unknown', 'without a database or a repository nobody knows the data of the time');
});

t.test('a candidate may be a git revision, and the data of the time the commit that records name', async (t) => {
  const repository = path.join(folder, 'repository');
  const policies = path.join(repository, 'policies');
  await cp(rig.policiesDir, policies, { recursive: true });
  const git = (...words: string[]): string => {
    const who = ['-c', 'user.name=tests', '-c', 'user.email=tests@firm.example'];
    const { stdout, stderr, status } = spawnSync('git', ['-C', repository, ...who, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'before');
  const commit = git('rev-parse', 'HEAD');
  git('switch', '--quiet', '-c', 'drift');
  const data = await starter('data/matters.yaml');
  await writeFile(path.join(policies, 'data', 'matters.yaml'), data.replaceAll('u-lind, ', ''));
  git('commit', '--quiet', '-am', 'after');
  git('switch', '--quiet', 'main');
  const lines = (await readFile(path.join(folder, 'log.ndjson'), 'utf8')).replaceAll(
    '"commit":null',
    `"commit":"${commit}"`,
  );
  await writeFile(path.join(folder, 'committed.ndjson'), lines);
  const words = ['--policies', 'drift', '--export', 'committed.ndjson', '--format', 'json'];
  const { out, err } = await runVerb(verb, words, { folder, env: { POLICIES_DIR: policies } });
  t.not(out, '', err);
  const said = JSON.parse(out) as Said;
  t.match(said, { newly_denied: 2, newly_allowed: 0 });
  t.strictSame([...new Set(said.groups.map(({ cause }) => cause))], ['data']);
});

t.test('files that hold no requests, and broken lines, are told', async (t) => {
  const put = async (name: string, text: string): Promise<string[]> => {
    await writeFile(path.join(folder, name), text);
    return ['--export', name];
  };
  t.match(await replay('wider', ...(await put('a.csv', 'at,id,outcome\n'))), { code: 2, err: /is a CSV export/ });
  t.match(await replay('wider', ...(await put('o.ndjson', '{"class_uid":6003}\n'))), { code: 2, err: /OCSF/ });
  t.match(await replay('wider', '--export', 'none.ndjson'), { code: 2, err: /there is no file `none.ndjson`/ });
  t.match(await replay('nowhere'), { code: 2, err: /`nowhere` is neither a folder nor a git revision/ });
  const lines = (await readFile(path.join(folder, 'log.ndjson'), 'utf8')).trimEnd().split('\n');
  const [line = ''] = lines.filter((one) => one.includes('"kind":"decision"'));
  const broken = await put(
    'broken.ndjson',
    [line, line.slice(0, 300), line.replace('"engine":"1"', '"engine":"0"'), ''].join('\n'),
  );
  const said = await judged('wider', ...broken);
  t.match(said, { records: 3, not_judged: 2 });
  t.strictSame(said.not_judged_because.map(({ reason }) => reason).toSorted(), ['other_engine', 'unreadable']);
  const none = await put('none.ndjson', line.replace('"engine":"1"', '"engine":"0"'));
  t.equal((await replay('wider', '--fail-on', 'allow', ...none)).code, 1, 'nothing judged is no good news');
});

t.test('groups beyond the bound are merged and counted', async (t) => {
  const open = await candidate('open', {
    'rules/tried.yaml': rule(
      '    effect: deny\n    subjects: [internal]\n    actions: any\n    resources: [content]\n',
    ),
  });
  const all = await judged(open);
  t.ok(all.groups.length > 1);
  const few = await judged(open, '--groups', '1');
  t.equal(few.newly_denied, all.newly_denied);
  t.equal(
    few.groups.reduce((sum, { count }) => sum + count, 0),
    all.newly_denied,
  );
  t.equal(few.groups.filter(({ merged }) => merged === null).length, 1);
  t.ok(few.groups.some(({ merged, subject, matter }) => merged === 'people' && subject === null && matter === null));
  const nobody = await replay(open, '--groups', '0');
  t.notMatch(nobody.out, /u-lind|M-1001/, 'only rules are named');
});

t.test('every format says it', async (t) => {
  const lines = (await replay('wider', '--format', 'ndjson')).out.trim().split('\n');
  t.equal(lines.length, 3);
  t.match(JSON.parse(lines[0] ?? ''), { flip: { evaluation_id: park, direction: 'newly_allowed', subject: 'u-park' } });
  t.match(JSON.parse(lines.at(-1) ?? ''), { summary: { newly_allowed: 2 } });
  for (const format of ['junit', 'tap', 'sarif', 'github']) {
    const { code, out } = await replay('wider', '--format', format, '--fail-on', 'allow');
    t.equal(code, 1, format);
    t.match(out, /newly.allowed/i, format);
    t.match(out, /tried\.yaml/, format);
  }
  const page = path.join(folder, 'summary.md');
  await runVerb(verb, ['--policies', 'wider', '--format', 'github'], {
    folder,
    env: { ...env, GITHUB_STEP_SUMMARY: page },
  });
  t.match(await readFile(page, 'utf8'), /Newly allowed: 2[^]*\| 2 \| 1 \| 1 \| `default-deny → tried` \|/);
});

t.test('what was purged is counted as not judged', async (t) => {
  const { rows } = await superuser.query<{ writer: string; seq: number }>(
    'select writer, seq from decisions where id = $1',
    [park],
  );
  const [place] = rows;
  if (place === undefined) throw new Error('the record is gone');
  const recorder = startRecorder(t, urls.writer);
  const id = uuidv7(Date.now());
  const purged = { [place.writer]: [[Number(place.seq), Number(place.seq)]] };
  await recorder.append([{ kind: 'purge', id, at: Date.now(), body: { purged }, columns: NO_COLUMNS }]);
  await superuser.query('set session_replication_role = replica');
  await superuser.query('delete from decisions where id = $1', [park]);
  const said = await judged('wider');
  t.match(said, { newly_allowed: 1 });
  t.match(
    said.not_judged_because.find(({ reason }) => reason === 'payload_purged'),
    { count: 1 },
  );
});
