// `privity policy test`: the given scenarios pass; what fails is shown with what differed; nothing unreadable passes.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { copyPolicies, privity } from './privity.ts';

interface Case {
  readonly id: string;
  readonly source: string;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly expected_rules: string[] | null;
  readonly actual_rules: string[];
  readonly passed: boolean;
  readonly problems: string[];
}

interface Report {
  readonly cases: Case[];
  readonly passed: number;
  readonly failed: number;
  readonly unreadable: number;
  readonly errors: { file: string; line: number }[];
}

const CASES = `tests:
  - id: right
    now: '2026-03-10T14:00:00Z'
    claims: { sub: u-voss, roles: [partner], user_type: internal, employee_status: active, contract_type: permanent }
    action: list
    resource: { type: matter, id: M-1001, properties: { client_id: C-100 } }
    context: { source_system: dms, network_zone: office }
    expect: deny
    decided_by: [lateral-hire-screen]
  - id: wrong
    why: Somebody thinks that the screen is gone.
    now: '2026-03-10T14:00:00Z'
    claims: { sub: u-voss, roles: [partner], user_type: internal, employee_status: active, contract_type: permanent }
    action: list
    resource: { type: matter, id: M-1001, properties: { client_id: C-100 } }
    context: { source_system: dms, network_zone: office }
    expect: allow
    decided_by: [team-lawyers]
`;
const MISSHAPEN = `  - id: misshapen
    now: '2026-03-10T14:00:00Z'
    clams: { sub: u-voss }
    action: list
    resource: { type: matter, id: M-1001 }
    expect: maybe
  - 42
`;

t.test('the cases of the folder', async (t) => {
  const { code, out, err } = await privity(['policy', 'test']);
  t.equal(code, 0);
  t.equal(err, '');
  t.match(out, /^✓ policies\/tests\/walls\.yaml {2}\d+ cases$/m);
  t.match(out, /^\d+ passed, 0 failed/m);
});

t.test('the given scenarios, as JSON: decision and rules', async (t) => {
  const files = ['walls', 'working-rights', 'base-checks', 'contradictions', 'fail-closed'].map(
    (name) => `policies/tests/${name}.yaml`,
  );
  const { code, out } = await privity(['policy', 'test', ...files, '--policies', 'policies', '--format', 'json']);
  const report: Report = JSON.parse(out);
  t.equal(code, 0);
  t.equal(report.failed, 0);
  t.equal(report.cases.length, report.passed);
  t.match(report.cases[0], { source: /^policies\/tests\/walls\.yaml:\d+$/ });
  for (const { id, expected, actual, expected_rules: wanted, actual_rules: got } of report.cases) {
    t.equal(actual, expected, id);
    if (wanted !== null) t.same([...got].sort(), [...wanted].sort(), id);
    t.ok(got.length > 0, `${id} says what decided`);
  }
  const names = new Set(report.cases.flatMap(({ actual_rules: rules }) => rules));
  for (const name of ['default-deny', 'attribute-missing', 'exclusion-wall']) t.ok(names.has(name), name);
});

t.test('files are run instead of the folder’s; what differs is shown', async (t) => {
  const file = path.join(t.testdir({ 'cases.yaml': CASES }), 'cases.yaml');
  const pretty = await privity(['policy', 'test', file]);
  t.equal(pretty.code, 1);
  t.match(pretty.out, `✗ wrong  ${file}:10`);
  t.match(pretty.out, 'Somebody thinks that the screen is gone.');
  t.match(pretty.out, 'expected allow, got deny by lateral-hire-screen');
  t.match(pretty.out, /wall lateral-hire-screen {2}walls\/walls\.yaml:\d+/);
  t.match(
    pretty.out,
    /allow team-lawyers {2}rules\/matter-teams\.yaml:\d+|did not apply: allow team-lawyers {2}rules\/matter-teams\.yaml:\d+/,
  );
  t.match(pretty.out, /^1 passed, 1 failed/m);

  const json = await privity(['policy', 'test', '--format', 'json', file]);
  const report: Report = JSON.parse(json.out);
  t.equal(json.code, 1);
  t.match(report, { passed: 1, failed: 1, unreadable: 0 });
  t.match(report.cases[1], {
    id: 'wrong',
    expected: 'allow',
    actual: 'deny',
    expected_rules: ['team-lawyers'],
    actual_rules: ['lateral-hire-screen'],
    passed: false,
  });
});

t.test('a misshapen case is an error and hides no other', async (t) => {
  const file = path.join(t.testdir({ 'cases.yaml': CASES + MISSHAPEN }), 'cases.yaml');
  const json = await privity(['policy', 'test', '--format', 'json', file]);
  const report: Report = JSON.parse(json.out);
  t.equal(json.code, 2);
  t.match(report, { passed: 1, failed: 1, unreadable: 2 });
  const misshapen = report.cases.find(({ id }) => id === 'misshapen');
  t.match(misshapen, { actual: null, passed: false });
  t.match(misshapen?.problems.join('\n'), /clams.*did you mean `claims`/);
  t.match(misshapen?.problems.join('\n'), /maybe/);

  const pretty = await privity(['policy', 'test', file]);
  t.equal(pretty.code, 2);
  t.match(pretty.out, `✗ misshapen  ${file}:19`);
  t.match(pretty.out, /^1 passed, 1 failed, 2 unreadable/m);
});

t.test('text that no case may hold belongs to its case', async (t) => {
  const file = path.join(t.testdir({ 'cases.yaml': CASES.replace('action: list', 'action: *list') }), 'cases.yaml');
  const { code, out } = await privity(['policy', 'test', '--format', 'json', file]);
  const report: Report = JSON.parse(out);
  t.equal(code, 2);
  t.match(report, { passed: 0, failed: 1, unreadable: 1, errors: [] });
  t.match(report.cases[0]?.problems[0], `${file}:5:`);
});

t.test('files nobody can read', async (t) => {
  const folder = t.testdir({ 'broken.yaml': 'tests: [\n', 'other.yaml': 'rules: []\n', 'empty.yaml': 'tests: []\n' });
  const missing = await privity(['policy', 'test', path.join(folder, 'none.yaml')]);
  t.equal(missing.code, 2);
  t.match(missing.err, /none\.yaml` cannot be read\n {2}there is no such file/);
  const broken = await privity(['policy', 'test', path.join(folder, 'broken.yaml')]);
  t.equal(broken.code, 2);
  t.match(broken.out, /broken\.yaml:\d+:\d+/);
  const other = await privity(['policy', 'test', path.join(folder, 'other.yaml')]);
  t.equal(other.code, 2);
  t.match(other.out, /other\.yaml:1:1.*tests/);
  const empty = await privity(['policy', 'test', path.join(folder, 'empty.yaml')]);
  t.equal(empty.code, 2);
  t.match(empty.err, 'there is no test case in');
});

t.test('policies that do not load: nothing is run', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'bad.yaml'), 'version: 1\nrules: [{ id: x, effect: permit }]\n');
  const { code, out, err } = await privity(['policy', 'test', '--policies', folder, '--format', 'json']);
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, /rules\/bad\.yaml:2:\d+/);
  t.match(err, 'does not load');
});

t.test('JUnit XML and TAP', async (t) => {
  const odd = CASES.replace('id: wrong', 'id: "wrong <&> # \\\\ one"');
  const file = path.join(t.testdir({ 'cases.yaml': odd }), 'cases.yaml');
  const junit = await privity(['policy', 'test', '--format', 'junit', file]);
  t.equal(junit.code, 1);
  t.match(junit.out, '<testsuites name="privity policy test" tests="2" failures="1" errors="0">');
  t.match(junit.out, 'name="wrong &lt;&amp;&gt; # \\ one"');
  t.match(junit.out, '<failure message="expected allow, got deny by lateral-hire-screen">');
  const tap = await privity(['policy', 'test', '--format', 'tap', file]);
  t.equal(tap.code, 1);
  t.match(tap.out, /^TAP version 14\n1\.\.2\nok 1 - right\nnot ok 2 - wrong <&> \\# \\\\ one\n {2}---\n/);
});

t.test('the same id twice is remarked upon', async (t) => {
  const file = path.join(t.testdir({ 'cases.yaml': CASES.replace('id: wrong', 'id: right') }), 'cases.yaml');
  const { err } = await privity(['policy', 'test', file]);
  t.match(err, `\`right\` names ${file}:2 and ${file}:10`);
});
