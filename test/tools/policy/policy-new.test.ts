// Walls, grants and rules are added with their tests, or not at all: by answers, by options, through a pipe.
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { runTestCase } from '../../../src/core/run-tests.ts';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { verb } from '../../../tools/policy/policy-new.ts';
import { verb as fmt } from '../../../tools/policy/policy-fmt.ts';
import { type Ended, privity, REPOSITORY } from '../../cli/privity.ts';
import { makeFolder } from '../../io/policies/folder.ts';
import { compiled } from '../../helpers/policies.ts';
import { runVerb } from '../../helpers/run-verb.ts';

const NOW = '2026-03-10T10:00:00Z';

async function firm(t: Test, of = 'examples/small-firm'): Promise<string> {
  const folder = await makeFolder(t);
  await cp(path.join(REPOSITORY, of), path.join(folder, 'policies'), { recursive: true });
  return folder;
}

function add(folder: string, words: readonly string[], input = ''): Promise<Ended> {
  return runVerb(verb, [...words, '--policies', 'policies'], { folder, input, now: NOW });
}

async function load(folder: string): Promise<PolicySet> {
  return compiled((await readPolicyFolder(path.join(folder, 'policies'))).files);
}

async function contents(folder: string): Promise<string> {
  const { files } = await readPolicyFolder(path.join(folder, 'policies'));
  return files.map(({ path: name, bytes }) => `${name}\n${Buffer.from(bytes).toString('utf8')}`).join('\n');
}

/** All cases hold, and of the new ones one fails as soon as the entry is taken away. */
async function isNoticed(
  t: Test,
  folder: string,
  fresh: RegExp,
  without: (text: string) => string,
  file: string,
): Promise<void> {
  const set = await load(folder);
  const cases = set.tests.filter(({ test }) => fresh.test(test.id));
  t.ok(cases.length >= 2, `${cases.length} new cases`);
  t.same(
    set.tests.filter(({ test }) => !runTestCase(set, test).passed).map(({ test }) => test.id),
    [],
  );
  const place = path.join(folder, 'policies', file);
  await writeFile(place, without(await readFile(place, 'utf8')));
  const gone = await load(folder);
  t.ok(
    cases.some(({ test }) => !runTestCase(gone, test).passed),
    'a new case notices that the entry is gone',
  );
}

t.test('a wall by options: its file, its tests, in style', async (t) => {
  const folder = await firm(t);
  const words = [
    'wall',
    '--matter',
    'M-3',
    '--excluded',
    'l-hart',
    '--reason',
    'former_client',
    '--until',
    '2027-01-01',
    '--defaults',
  ];
  const before = await contents(folder);
  const dry = await add(folder, [...words, '--dry-run']);
  t.equal(dry.code, 0, dry.err);
  t.equal(await contents(folder), before);
  const { code, out, err } = await add(folder, [...words, '--yes']);
  t.equal(code, 0, err);
  t.match(out, /wrote policies\/walls\/walls\.yaml\nwrote policies\/tests\/walls\.yaml/);
  t.match(
    await readFile(path.join(folder, 'policies/walls/walls.yaml'), 'utf8'),
    /\n {2}- id: W-2\n {4}kind: exclusion\n {4}reason: former_client\n {4}matter_id: M-3\n {4}excluded_people: \[l-hart\]\n {4}valid_from: '2026-03-10T00:00:00Z'\n {4}valid_until: '2027-01-01T00:00:00Z'\n$/,
  );
  const tests = (await load(folder)).tests
    .map(({ test }) => `${test.id} ${test.expect}`)
    .filter((one) => one.startsWith('w-2'));
  t.same(tests, ['w-2-keeps-out deny', 'w-2-leaves-alone allow', 'w-2-before allow', 'w-2-after allow']);
  t.equal((await runVerb(fmt, ['--check', 'policies'], { folder })).code, 0);
  await isNoticed(t, folder, /^w-2/, (text) => text.slice(0, text.indexOf('  - id: W-2')), 'walls/walls.yaml');
});

t.test('answers through a pipe; a slip is asked again with the nearest right spelling', async (t) => {
  const folder = await firm(t);
  const answers = [
    '',
    'M-33',
    'M-3',
    'l-hort',
    '?',
    'l-hart',
    'board_seat',
    '2026-03-10',
    '2025-01-01',
    '2026-12-31',
    '',
    '',
    'yes',
  ];
  const { code, out, err } = await add(folder, ['wall'], `${answers.join('\n')}\n`);
  t.equal(code, 0, err);
  t.match(err, /`M-33` is not known here; did you mean `M-3`\?/);
  t.match(err, /`l-hort` is not known here; did you mean `l-hart`\?/);
  t.match(err, /^ {2}l-moss {2}lawyer$/m);
  t.match(err, /2025-01-01 is past: an end must be still to come/);
  t.match(err, /> \[W-2\]/);
  t.match(out, /wrote policies\/walls\/walls\.yaml/);
});

t.test('without an answer, or unconfirmed, nothing is written', async (t) => {
  const folder = await firm(t);
  const before = await contents(folder);
  const ended = await add(folder, ['wall', '--matter', 'M-3']);
  t.equal(ended.code, 2);
  t.match(ended.err, /there is no answer to “Whom does it keep out\?”\ngive `--excluded`/);
  const words = ['wall', '--matter', 'M-3', '--excluded', 'l-hart', '--defaults'];
  t.match((await add(folder, words)).err, /no answer to “Write this\?”/);
  t.match((await add(folder, words, 'no\n')).out, /nothing was written/);
  t.match(
    (await add(folder, ['wall', '--matter', 'M-33', '--defaults'])).err,
    /`--matter M-33`: `M-33` is not known here\ndid you mean `M-3`\?/,
  );
  t.match((await add(folder, ['wall', '--to', 'l-hart'])).err, /`--to` means nothing for a wall/);
  t.match((await add(folder, ['wal'])).err, /did you mean `wall`\?/);
  t.match((await add(folder, [...words, '--id', 'W-1', '--yes'])).err, /there is already a `W-1`/);
  t.equal(await contents(folder), before);
});

t.test('a wall that changes nothing is not added, nor one that breaks a test unless that is meant', async (t) => {
  const folder = await firm(t);
  const before = await contents(folder);
  const again = await add(folder, ['wall', '--matter', 'M-2', '--excluded', 'l-moss', '--defaults', '--yes']);
  t.equal(again.code, 1);
  t.match(again.err, /no request was found that the wall decides: those it names are kept out already/);
  const words = ['wall', '--matter', 'M-1', '--excluded', 'l-reed', '--from', '2026-03-01', '--defaults', '--yes'];
  const broken = await add(folder, words);
  t.equal(broken.code, 1);
  t.match(broken.err, /would fail tests\/tests\.yaml:\d+ team-lawyer-edits/);
  t.equal(await contents(folder), before);
  t.equal((await add(folder, [...words, '--although-tests-fail'])).code, 0);
});

t.test('inclusion walls and opposing teams', async (t) => {
  const folder = await firm(t);
  const inclusion = await add(folder, [
    'wall',
    '--kind',
    'inclusion',
    '--matter',
    'M-3',
    '--included',
    'l-rook,a-dove',
    '--acknowledged',
    'l-rook',
    '--defaults',
    '--although-tests-fail',
    '--yes',
  ]);
  t.equal(inclusion.code, 0, inclusion.err);
  const opposing = await add(folder, [
    'wall',
    '--kind',
    'opposing',
    '--people',
    'l-wren',
    '--matters',
    'M-2',
    '--other-people',
    'l-reed',
    '--other-matters',
    'M-1',
    '--defaults',
    '--although-tests-fail',
    '--yes',
  ]);
  t.equal(opposing.code, 0, opposing.err);
  const { tests } = await load(folder);
  t.match(tests.find(({ test }) => test.id === 'w-2-keeps-out')?.test.decided_by, ['inclusion-wall']);
  t.match(tests.find(({ test }) => test.id === 'w-3-keeps-out')?.test.decided_by, ['opposing-teams']);
});

t.test(
  'a grant of the starter pack: opens, ends, is for nobody else; never approved by its receiver',
  { timeout: 300_000 },
  async (t) => {
    const folder = await firm(t, 'policies');
    // Only what is asked about here: the whole pack is tested elsewhere.
    for (const name of await readdir(path.join(folder, 'policies/tests')))
      if (name !== 'working-rights.yaml') await rm(path.join(folder, 'policies/tests', name));
    const words = [
      'grant',
      '--to',
      'u-nash',
      '--matter',
      'M-5001',
      '--actions',
      'read,list',
      '--reason',
      'holiday cover',
      '--defaults',
      '--yes',
    ];
    t.match(
      (await add(folder, [...words, '--until', '2026-04-01', '--approved-by', 'u-nash'])).err,
      /u-nash receives it: somebody else must approve it/,
    );
    t.match((await add(folder, [...words, '--approved-by', 'u-okafor'])).err, /no answer to “Until when\?”/);
    t.match(
      (await add(folder, [...words, '--until', '2026-03-09', '--approved-by', 'u-okafor'])).err,
      /2026-03-09 is past/,
    );
    const known = await add(folder, [
      'grant',
      '--to',
      'u-okafor',
      '--matter',
      'M-5001',
      '--actions',
      'read',
      '--reason',
      'x',
      '--until',
      '2026-04-01',
      '--approved-by',
      'u-gray',
      '--defaults',
      '--yes',
    ]);
    t.match(known.err, /u-okafor may do this on M-5001 already/);
    const { code, err } = await add(folder, [...words, '--until', '2026-04-01', '--approved-by', 'u-okafor']);
    t.equal(code, 0, err);
    const tests = (await load(folder)).tests
      .map(({ test }) => `${test.id} ${test.expect}`)
      .filter((one) => one.startsWith('g-9'));
    t.same(tests, ['g-9-opens allow', 'g-9-after deny', 'g-9-not-for-others deny']);
    await isNoticed(t, folder, /^g-9/, (text) => text.replace(/ {2}- id: G-9\n(?: {4}.*\n)+/, ''), 'data/grants.yaml');
  },
);

t.test('rules, with a case inside and one just outside', async (t) => {
  const folder = await firm(t);
  const words = [
    'rule',
    '--owner',
    'general-counsel',
    '--actions',
    'read',
    '--resources',
    'document',
    '--defaults',
    '--yes',
  ];
  const bad = await add(folder, [
    ...words,
    '--id',
    'x',
    '--title',
    'x',
    '--effect',
    'deny',
    '--when',
    'resource.finl: true',
  ]);
  t.match(bad.err, /`resource\.finl` is no attribute that firm\.yaml knows; did you mean `resource\.final`\?/);
  const deny = await add(folder, [
    ...words,
    '--id',
    'assistants-keep-off-finals',
    '--title',
    'Assistants never read finals',
    '--effect',
    'deny',
    '--roles',
    'assistant',
    '--when',
    'resource.final: true',
  ]);
  t.equal(deny.code, 0, deny.err);
  const allow = await add(folder, [
    ...words,
    '--id',
    'lawyers-read-all',
    '--title',
    'Lawyers read everything',
    '--effect',
    'allow',
    '--roles',
    'lawyer',
    '--file',
    'rules/more.yaml',
    '--although-tests-fail',
  ]);
  t.equal(allow.code, 0, allow.err);
  const set = await load(folder);
  const said = set.tests
    .filter(({ test }) => /^(assistants|lawyers)-/.test(test.id))
    .map(({ test, source }) => `${source.split(':')[0] ?? ''} ${test.id} ${test.expect}`);
  t.same(said.toSorted(), [
    'tests/more.yaml lawyers-read-all-allows allow',
    'tests/more.yaml lawyers-read-all-leaves-alone deny',
    'tests/rules.yaml assistants-keep-off-finals-leaves-alone allow',
    'tests/rules.yaml assistants-keep-off-finals-refuses deny',
  ]);
  t.match(
    await readFile(path.join(folder, 'policies/rules/rules.yaml'), 'utf8'),
    /\n\n {2}- id: assistants-keep-off-finals\n[^]* {4}when: \{ resource\.final: true \}\n$/,
  );
  t.equal((await runVerb(fmt, ['--check', 'policies'], { folder })).code, 0);
});

t.test('as a program, through a real pipe', async (t) => {
  const folder = await firm(t);
  const answers = '\nM-3\nl-hart\nboard_seat\n\n\n\n\nyes\n';
  const { code, out, err } = await privity(['policy', 'new', 'wall'], { cwd: folder, input: answers });
  t.equal(code, 0, err);
  t.match(out, /wrote policies\/tests\/walls\.yaml/);
});
