// `privity policy check --strict`: the starter pack and the example are clean, careless ones are not; every format says the same.
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { copyPolicies, privity, REPOSITORY } from '../../cli/privity.ts';
import { runVerb } from '../../helpers/run-verb.ts';
import { cleanFiles } from '../../helpers/strict.ts';
import { verb } from '../../../tools/policy/policy-check.ts';

interface Report {
  readonly strict: boolean;
  readonly fail_on: string;
  readonly passed: boolean;
  readonly loads: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  readonly accepted: number;
  readonly findings: readonly {
    readonly level: string;
    readonly code: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly item: string | null;
    readonly why: string | null;
    readonly accepted: { readonly reason: string; readonly until: string | null; readonly source: string } | null;
  }[];
}

/** A careless rule beside those of the starter pack. */
const CARELESS = `version: 1
rules:
  - id: billing-sees-notes
    effect: allow
    subjects: [internal]
    roles: [billing]
    actions: any
    resources: [note]
`;

/** Before the next review of any rule of the starter pack is due. */
const NOW = Date.parse('2026-11-01T00:00:00Z');
/** What a CI system may have set around these tests. */
const NO_CI = { GITHUB_STEP_SUMMARY: '', GITHUB_WORKSPACE: '' };

const check = (words: readonly string[], env: Readonly<Record<string, string>> = {}, folder = REPOSITORY) =>
  runVerb(verb, words, { folder, env: { ...NO_CI, ...env }, now: NOW });
const strict = (...words: string[]) => check(['--strict', ...words]);

t.test('the starter pack is clean, each acceptance has a reason', async (t) => {
  const markdown = await readFile(path.join(REPOSITORY, 'docs', 'policy-tools.md'), 'utf8');
  const [, command = ''] = /```sh check\nprivity policy check (.*)\n```/.exec(markdown) ?? [];
  const { code, out, err } = await check([...command.split(' '), '--format', 'json']);
  const report: Report = JSON.parse(out);
  t.equal(code, 0, err);
  t.match(report, { strict: true, fail_on: 'warning', passed: true, loads: true, errors: 0, warnings: 0, notes: 0 });
  t.equal(report.accepted, report.findings.length);
  t.ok(report.findings.length > 20);
  for (const { code: found, accepted } of report.findings) t.ok((accepted?.reason.length ?? 0) > 10, found);
  t.match(
    report.findings.find(({ item }) => item === 'G-2'),
    {
      level: 'warning',
      code: 'void-grant',
      file: 'data/grants.yaml',
      line: 17,
      column: 5,
      accepted: { until: null, source: /^firm\.yaml:\d+$/ },
    },
  );
});

t.test('the small example is clean', async (t) => {
  const { code, out } = await strict('examples/small-firm');
  t.equal(code, 0, out);
  t.match(
    out,
    /^good {2}examples\/small-firm: 4 rules, .* 0 errors, 0 warnings, 0 notes, 3 accepted with a reason; sha256:/,
  );
});

t.test('a careless rule: what, why, what to do; and the least that fails', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'careless.yaml'), CARELESS);
  const { code, out } = await strict(folder);
  t.equal(code, 1);
  const at = path.join(folder, 'rules/careless.yaml');
  t.equal(
    out.slice(0, out.indexOf('to mend')),
    `warning ${at}:3:5 billing-sees-notes: the rule has no condition about a matter, a client or a time — add a condition such as \`$is: on_the_team\`, or a date [unbounded-allow]
  Whoever has the role has the right on every matter of every client, for ever.
warning ${at}:3:5 billing-sees-notes: the rule has no owner — write \`owner:\` with the office that answers for it [no-owner]
  Nobody can say whether it is still right.
warning ${at}:3:5 billing-sees-notes: the rule has no date for its next review — write \`review_by:\` [no-review-date]
  Rights that nobody looks at again outlive their reason.
warning ${at}:3:5 billing-sees-notes: no test case is decided by the rule — add one to tests/ that it decides [untested-rule]
  It can be broken or removed and all tests still pass.
warning ${at}:7:5 billing-sees-notes: the rule allows any action, future ones included — list the actions, or name a group [wildcard-in-allow]
  What is added to firm.yaml later is allowed at once, without anybody deciding so.
`,
  );
  t.match(out, /^to mend {2}.*0 errors, 5 warnings, 0 notes, \d+ accepted with a reason; sha256:/m);
  t.equal((await strict(folder, '--fail-on', 'error')).code, 0, 'warnings do not fail where only errors do');
  const plain = await check([folder]);
  t.equal(plain.code, 0, 'without --strict it is as before');
  t.match(plain.out, /^finding .* G-2: .*\n(finding .*\n)+good /);
  t.notMatch(plain.out, 'careless.yaml');
  const all = await check([folder, '--fail-on', 'warning']);
  t.equal(all.code, 1, 'the findings of every check can fail it as well');
  t.match(all.out, /\[void-grant\]/);
});

t.test('mistakes and what is careless, in one run', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'careless.yaml'), CARELESS);
  await appendFile(path.join(folder, 'tests', 'walls.yaml'), '\n  - 42\n');
  const { code, out } = await strict(folder);
  t.equal(code, 1);
  t.match(out, /^error .*tests\/walls\.yaml:\d+:\d+/m);
  t.match(out, /careless\.yaml:3:5 .* \[no-owner\]/);
  t.match(out, /^refused {2}.*does not load: 1 error, 4 warnings/m);
  await rm(path.join(folder, 'firm.yaml'));
  const without = await strict(folder, '--format', 'github');
  t.equal(without.code, 1);
  t.match(without.out, /^::error file=.*firm\.yaml,line=1,col=1,title=no-firm/m);
});

t.test('JUnit, TAP, SARIF and GitHub say the same; GitHub also on its page', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'careless.yaml'), CARELESS);
  const junit = await strict(folder, '--format', 'junit');
  const tap = await strict(folder, '--format', 'tap');
  const sarif = await strict(folder, '--format', 'sarif');
  const page = path.join(path.dirname(folder), 'page.md');
  await writeFile(page, 'what was there before\n');
  const github = await check(['--strict', folder, '--format', 'github'], {
    GITHUB_STEP_SUMMARY: page,
    GITHUB_WORKSPACE: path.dirname(folder),
  });
  t.strictSame([junit.code, tap.code, sarif.code, github.code], [1, 1, 1, 1]);
  t.match(junit.out, 'failures="5" errors="0"');
  t.equal(tap.out.split('\n').filter((line) => line.startsWith('not ok ')).length, 5);
  const log = JSON.parse(sarif.out) as { runs: { results: { suppressions?: unknown }[] }[] };
  const results = log.runs[0]?.results ?? [];
  t.equal(results.filter(({ suppressions }) => suppressions === undefined).length, 5);
  t.ok(results.some(({ suppressions }) => suppressions !== undefined));
  t.equal(
    github.out.split('\n').filter((line) => line.startsWith('::warning file=policies/rules/careless.yaml,')).length,
    5,
  );
  const written = await readFile(page, 'utf8');
  t.match(written, /^what was there before\n## ❌ privity policy check /);
  t.equal(written.split('\n').filter((line) => line.startsWith('| warning |')).length, 5);
});

t.test('ids that would break a format break none', async (t) => {
  const folder = t.testdir();
  const hostile = 'G|<script>]]>::error::\n##[error]x,y:%0A`';
  const grants = `grants: [{ id: ${JSON.stringify(hostile)}, granted_to: u-ann, matter_id: M-1, actions: [read], approved_by: u-ben }]\n`;
  const files = { ...cleanFiles(), 'data/grants.yaml': grants };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, String(text));
  }
  const outputs = new Map<string, string>();
  for (const format of ['pretty', 'junit', 'tap', 'sarif', 'github']) {
    const { code, out } = await strict(folder, '--format', format);
    t.equal(code, 1, out);
    outputs.set(format, out);
  }
  t.equal(outputs.get('pretty')?.trimEnd().split('\n').length, 3);
  t.notMatch(outputs.get('junit'), /<script|\]\]>/);
  t.equal(
    outputs
      .get('tap')
      ?.split('\n')
      .filter((line) => /^(not )?ok /.test(line)).length,
    5,
  );
  t.match(JSON.parse(outputs.get('sarif') ?? ''), { runs: [{ results: [{ ruleId: 'void-grant' }] }] });
  t.equal(
    outputs
      .get('github')
      ?.split('\n')
      .filter((line) => /^\s*::|##\[/.test(line)).length,
    1,
  );
});

t.test('the example of the docs is found as the docs say', async (t) => {
  const markdown = await readFile(path.join(REPOSITORY, 'docs', 'policy-tools.md'), 'utf8');
  const [, name = '', yaml = ''] = /```yaml (rules\/example-archive\S*)\n([\s\S]*?)```/.exec(markdown) ?? [];
  const [, said = ''] = /```text strict\n([\s\S]*?)```/.exec(markdown) ?? [];
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, name), yaml.replace(/^ {4}accept:\n(?: {6}.*\n)+/m, ''));
  const { code, out } = await check(['--strict', 'policies'], {}, path.dirname(folder));
  t.equal(code, 1);
  t.equal(out.slice(0, out.indexOf('to mend')), said);
  const [, testName = '', test = ''] = /```yaml (tests\/example-archive\S*)\n([\s\S]*?)```/.exec(markdown) ?? [];
  await writeFile(path.join(folder, name), yaml);
  await writeFile(path.join(folder, testName), test);
  t.equal((await strict(folder)).code, 0, 'with the acceptance and the test of the docs it is clean');
});

t.test('usage', async (t) => {
  const { code, err } = await strict('--fail-on', 'warnings');
  t.equal(code, 2);
  t.match(err, /did you mean `warning`\?/);
  const help = await privity(['policy', 'check', '--help']);
  t.match(help.out, /--strict/);
});
