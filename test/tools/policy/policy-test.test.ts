// `privity policy test --coverage` and `--mutate`: the starter pack's rules and walls are exercised in full and nearly every change of it is noticed;
// where a case is taken away, it is told what nobody looks at any more.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { verb } from '../../../tools/policy/policy-test.ts';
import { copyPolicies, REPOSITORY } from '../../cli/privity.ts';
import { runVerb } from '../../helpers/run-verb.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const run = (words: readonly string[], folder = REPOSITORY): ReturnType<typeof runVerb> =>
  runVerb(verb, words, { folder, env: { GITHUB_STEP_SUMMARY: '' } });

interface Report {
  readonly passed: number;
  readonly coverage: {
    readonly totals: Record<string, { exercised: number; open: number; unreachable: number; percent: number | null }>;
    readonly parts: readonly {
      kind: string;
      of: string;
      wanted: { what: string; state: string; why: string | null }[];
    }[];
  };
  readonly mutation: {
    readonly totals: { killed: number; survived: number; equivalent: number; percent: number };
    readonly changes: readonly { fate: string; of: string; what: string; proof: string | null; hint: string | null }[];
  };
}

/** The small firm without one of its cases. */
async function smallFirmWithout(t: Test, id: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(path.join(REPOSITORY, 'examples', 'small-firm'), path.join(folder, 'policies'), { recursive: true });
  const file = path.join(folder, 'policies', 'tests', 'tests.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(new RegExp(` {2}- id: ${id}\\n(?: {4}.*\\n)+`), ''));
  return folder;
}

const doc = await readFile(path.join(REPOSITORY, 'docs', 'policy-tools.md'), 'utf8');
const block = (info: string): string => doc.split(`\`\`\`${info}\n`)[1]?.split('\n```')[0] ?? '';
const wordsOf = (command: string): readonly string[] => command.trim().split(' ').slice(3);

/** Lines of an example in the docs, spaces apart, in the order in which they are printed. */
function shows(t: Test, out: string, example: string): void {
  const printed = out.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
  let from = 0;
  for (const line of example.trim().split('\n')) {
    if (line === '…') continue;
    const found = printed.indexOf(line.replaceAll(/ +/g, ' '), from);
    t.ok(found >= 0, line);
    from = found < 0 ? from : found;
  }
}

t.test('the starter pack: rules, cases and walls are exercised in full, and changes of it are noticed', async (t) => {
  const part = isLong ? [] : ['--sample', '160', '--seed', '20260310'];
  const words = [...wordsOf(block('sh cover')), '--mutate', ...part];
  const threshold = words.indexOf('--threshold') + 1;
  t.equal(words[threshold], 'rules=100,branches=100,walls=100');
  const { code, out, err } = await run(words.with(threshold, `${words[threshold]},conditions=90,mutants=95`));
  t.equal(code, 0, err);
  shows(t, out, block('text cover'));
  t.match(out, /^\d truths can never come about and are not counted:\n {2}\d+ × /m);
  t.match(out, isLong ? /^in all +9\d\d / : /^in all +1[56]\d /m);
});

t.test('the starter pack: a case that is taken away is told as the docs show it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const policies = await copyPolicies(folder);
  const file = path.join(policies, 'tests', 'outside-the-firm.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/ {2}- id: share-by-sftp\n(?: {4}.*\n)+/, ''));
  const { code, out } = await run(wordsOf(block('sh mutate')), folder);
  t.equal(code, 1);
  shows(t, out, block('text mutate'));
});

t.test('the same seed tries the same changes, another one others', async (t) => {
  const tried = async (seed: string): Promise<readonly string[]> => {
    const words = [
      '--mutate',
      '--policies',
      'examples/small-firm',
      '--sample',
      '8',
      '--format',
      'json',
      '--seed',
      seed,
    ];
    const { changes } = (JSON.parse((await run(words)).out) as Report).mutation;
    return changes.map(({ of, what }) => `${of} ${what}`);
  };
  const [first, again, other] = [await tried('1'), await tried('1'), await tried('2')];
  t.equal(first.length, 8);
  t.same(again, first);
  t.not(other.join(), first.join());
});

t.test('the small firm is tested in full', async (t) => {
  const words = ['--coverage', '--mutate', '--threshold', 'rules=100,walls=100,mutants=100', '--format', 'json'];
  const { code, out } = await run([...words, '--policies', 'examples/small-firm']);
  t.equal(code, 0, out);
  const { passed, coverage, mutation } = JSON.parse(out) as Report;
  t.equal(passed, 15);
  t.match(coverage.totals, { rules: { open: 0, percent: 100 }, walls: { open: 0, percent: 100 } });
  t.ok(coverage.parts.some(({ of, wanted }) => of === 'team-lawyers' && wanted.length === 3));
  t.same(mutation.totals, { killed: 24, survived: 0, equivalent: 0, percent: 100 });
  t.ok(mutation.changes.every(({ fate, proof, hint }) => fate === 'killed' && proof === null && hint === null));
});

t.test('a case that is missing is named by what nobody looks at any more', async (t) => {
  const folder = await smallFirmWithout(t, 'final-stays');
  const covered = await run(['--coverage', '--threshold', 'rules=100'], folder);
  t.equal(covered.code, 1);
  t.match(covered.out, /policies\/rules\/rules\.yaml:22 {2}final-documents never true/);
  t.match(covered.out, /policies\/rules\/rules\.yaml:28 {2}final-documents: "resource\.final is true" never true/);
  t.match(covered.out, /rules: 91\.6 % of the 100 % that `--threshold` asks for/);
});

t.test('a change that no case notices is named, with a case that would', async (t) => {
  const folder = await smallFirmWithout(t, 'team-lawyer-sends');
  const { code, out } = await run(['--mutate', '--threshold', 'mutants=95', '--only', 'team-lawyers'], folder);
  t.equal(code, 1);
  t.match(out, /policies\/rules\/rules\.yaml:18 {2}team-lawyers: actions: without `share`/);
  t.match(out, /write a case like `[a-z-]+` \(policies\/tests\/tests\.yaml:\d+\) with\s+the action\s+`share`/);
  t.match(out, /and\s+what\s+comes\s+out:\s+allow\s+by\s+team-lawyers/);
  t.match(out, /mutants: \d+(\.\d)? % of the 95 % that `--threshold` asks for/);
});

t.test('for machines: what is open is a note, a threshold that is missed an error', async (t) => {
  const folder = await smallFirmWithout(t, 'team-lawyer-sends');
  const words = ['--coverage', '--mutate', '--threshold', 'conditions=100,mutants=99', '--format', 'sarif'];
  const { code, out } = await run(words, folder);
  t.equal(code, 1);
  const { runs } = JSON.parse(out) as { runs: { results: { ruleId: string; level: string }[] }[] };
  const levels = new Set(runs[0]?.results.map(({ ruleId, level }) => `${ruleId} ${level}`));
  t.same(
    [...levels].toSorted(),
    ['change-not-noticed note', 'coverage-threshold error', 'mutation-threshold error', 'not-exercised note'], // prettier-ignore
  );
  const tap = await run(['--mutate', '--threshold', 'mutants=99', '--format', 'tap'], folder);
  t.equal(tap.code, 1);
  t.match(tap.out, /not ok \d+ - .*threshold mutants/);
});

t.test('nothing is changed while a case fails', async (t) => {
  const folder = await smallFirmWithout(t, 'none');
  const file = path.join(folder, 'policies', 'tests', 'tests.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('expect: allow', 'expect: deny'));
  const { code, out, err } = await run(['--mutate'], folder);
  t.equal(code, 1);
  t.match(out, /1 failed/);
  t.match(err, /every case must pass first/);
});

t.test('wrong usage is told', async (t) => {
  const says = async (words: readonly string[], expected: RegExp): Promise<void> => {
    const { code, err } = await run([...words, '--policies', 'examples/small-firm']);
    t.equal(code, 2, words.join(' '));
    t.match(err, expected);
  };
  await says(['--threshold', 'rules=100'], /of what\?\nadd `--coverage` or `--mutate`/);
  await says(['--coverage', '--threshold', 'rule=100'], /no threshold for `rule`/);
  await says(['--coverage', '--threshold', 'mutants=95'], /no threshold for `mutants`/);
  await says(['--coverage', '--threshold', 'rules=many'], /`rules=many` is no threshold in per cent/);
  await says(['--coverage', '--threshold', 'rules=101'], /no threshold in per cent/);
  await says(['--sample', '5'], /belongs to `--mutate`/);
  await says(['--mutate', '--sample', 'few'], /`few` is no whole number/);
  await says(['--mutate', '--only', 'nobody'], /nothing can be changed in `nobody`/);
});
