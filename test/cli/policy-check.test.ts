// `privity policy check`: every mistake at once, each with its place and how to mend it.
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { copyPolicies, privity } from './privity.ts';

interface Report {
  readonly loads: boolean;
  readonly revision: string | null;
  readonly errors: number;
  readonly findings: number;
  readonly contains: Record<string, number> | null;
  readonly diagnostics: { file: string; line: number; column: number; severity: string; code: string }[];
}

const MISTAKES = `version: 1
rules:
  - id: reading
    effect: allow
    roles: [partnr]
    actions: [read, downlod]
    resources: [content]
    when: { resource.matter_statsu: open }
  - id: copying
    effect: deny
    actions: [copy_out]
    resources: [content]
    when:
      resource.confidentiality: { $gte: confidental }
      resource.privileged: { $equals: true }
  - id: reading
    effect: allow
    actions: any
    resources: any
    when: { $is: on_the_taem }
`;

t.test('a good folder: findings are reported, exit code 0', async (t) => {
  const { code, out, err } = await privity(['policy', 'check']);
  t.equal(code, 0);
  t.equal(err, '');
  t.match(out, /^finding policies\/data\/grants\.yaml:\d+:\d+ G-2: a grant approved by the person who receives it/m);
  const summary = out.trimEnd().split('\n').at(-1);
  t.match(summary, /^good {2}policies: \d+ rules, 7 walls, .* 0 errors, \d+ findings; sha256:[0-9a-f]{12}$/);
});

t.test('several mistakes at once', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'mistakes.yaml'), MISTAKES);
  await appendFile(path.join(folder, 'walls', 'walls.yaml'), '\n  - { id: W-NEW, kind: exclusoin }\n');
  const { code, out } = await privity(['policy', 'check', folder]);
  const at = (place: string) => out.split('\n').find((line) => line.includes(`${folder}/${place}`)) ?? '';
  t.equal(code, 1);
  t.match(at('rules/mistakes.yaml:5:13'), /error .* reading: .*`partnr`.* did you mean `partner`\?/);
  t.match(at('rules/mistakes.yaml:6:21'), /`downlod`.*did you mean `download`\?/);
  t.match(at('rules/mistakes.yaml:8:'), /`resource\.matter_statsu`.*did you mean `resource\.matter_status`\?/);
  t.match(at('rules/mistakes.yaml:14:'), /copying: .*confidental.*did you mean `confidential`\?/);
  t.match(at('rules/mistakes.yaml:15:'), /copying: .*\$equals/);
  t.match(at('rules/mistakes.yaml:16:'), /there is already a rule `reading` at rules\/mistakes\.yaml:3/);
  t.match(at('rules/mistakes.yaml:20:'), /`on_the_taem`.*did you mean `on_the_team`\?/);
  t.match(at('walls/walls.yaml:'), /W-NEW: .*exclusoin/);
  t.match(out, / {2}5 \| {5}roles: \[partnr\]\n {4}\| {13}\^/, 'the line itself, and where in it');
  t.match(out.trimEnd().split('\n').at(-1), /^refused .*: \d+ errors, \d+ findings$/);
});

t.test('as JSON', async (t) => {
  const folder = await copyPolicies(t.testdir());
  const good = await privity(['policy', 'check', '--policies', folder, '--format', 'json']);
  const report: Report = JSON.parse(good.out);
  t.equal(good.code, 0);
  t.match(report, { loads: true, errors: 0, revision: /^sha256:[0-9a-f]{64}$/, contains: { walls: 7 } });
  t.equal(report.findings, report.diagnostics.length);

  await writeFile(path.join(folder, 'rules', 'mistakes.yaml'), MISTAKES);
  const bad = await privity(['policy', 'check', '--policies', folder, '--format', 'json']);
  const refused: Report = JSON.parse(bad.out);
  t.equal(bad.code, 1);
  t.match(refused, { loads: false, revision: null, contains: null });
  t.ok(refused.errors >= 7);
  const unknown = refused.diagnostics.find(({ line, file }) => file === 'rules/mistakes.yaml' && line === 5);
  t.match(unknown, { severity: 'error', code: 'unknown-role', column: 13 });
});

t.test('text that is no YAML, and what a terminal would take as an order', async (t) => {
  const folder = await copyPolicies(t.testdir());
  await writeFile(path.join(folder, 'rules', 'broken.yaml'), 'version: 1\nrules: [\n');
  await writeFile(
    path.join(folder, 'rules', 'orders.yaml'),
    'version: 1\nrules: [{ id: "a\\e[31mb", effect: allow }]\n',
  );
  const { code, out } = await privity(['policy', 'check', folder]);
  t.equal(code, 1);
  t.match(out, /rules\/broken\.yaml:\d+:\d+/);
  t.match(out, /rules\/orders\.yaml:2:\d+/);
  t.notOk(out.includes('\u001b'), 'control characters are shown, not sent');
});

t.test('a misshapen test case is a mistake of the folder', async (t) => {
  const folder = await copyPolicies(t.testdir());
  const file = path.join(folder, 'tests', 'walls.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('expect: allow', 'expect: allowed'));
  const { code, out } = await privity(['policy', 'check', folder]);
  t.equal(code, 1);
  t.match(out, /tests\/walls\.yaml:\d+:\d+/);
});

t.test('folders that are not there, or lack the vocabulary', async (t) => {
  const nowhere = await privity(['policy', 'check', '/nowhere/at/all']);
  t.equal(nowhere.code, 2);
  t.match(nowhere.err, 'there is no folder `/nowhere/at/all`');

  const folder = await copyPolicies(t.testdir());
  await rm(path.join(folder, 'firm.yaml'));
  const without = await privity(['policy', 'check', folder]);
  t.equal(without.code, 1);
  t.match(without.out, 'the policies folder has no firm.yaml');

  const twice = await privity(['policy', 'check', folder, '--policies', folder]);
  t.equal(twice.code, 2);
  t.match(twice.err, 'the folder is given twice');
});

t.test('POLICIES_DIR names the folder', async (t) => {
  const folder = await copyPolicies(t.testdir());
  const { code, out } = await privity(['policy', 'check'], { env: { POLICIES_DIR: folder } });
  t.equal(code, 0);
  t.match(out, `good  ${folder}: `);
});
