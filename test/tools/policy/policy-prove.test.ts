// Statements about the starter policies are proven; broken ones are refuted by an example that fails as a policy test.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { copyPolicies, privity, REPOSITORY } from '../../cli/privity.ts';
import { spawnSync } from 'node:child_process';

interface Said {
  readonly statements: readonly {
    readonly id: string;
    readonly verdict: string;
    readonly example: { readonly decided_by: readonly string[]; readonly claims: object } | null;
  }[];
}

async function folderWith(t: Test, statements: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-prove-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const policies = await copyPolicies(folder);
  await writeFile(path.join(policies, 'invariants', 'more.yaml'), `version: 1\ninvariants:\n${statements}`);
  return policies;
}

t.test('the starter policies keep what their invariants state', async (t) => {
  const { code, out } = await privity(['policy', 'prove', '--format', 'json']);
  const { statements } = JSON.parse(out) as Said;
  t.ok(statements.length >= 9);
  t.same(
    statements.filter(({ verdict }) => verdict !== 'proven').map(({ id, verdict }) => `${id} ${verdict}`),
    ['behind-a-wall-nothing-is-allowed holds'],
  );
  t.equal(code, 0);
});

t.test('what does not hold is refuted by an example that fails as a test', async (t) => {
  const policies = await folderWith(
    t,
    `  - id: no-emergencies
    title: A reason for an emergency opens nothing
    never: { actions: [read], resources: [document], when: { context.break_glass_reason: { $exists: true } } }
  - id: permanent-staff-by-day
    title: Permanent staff reads documents in working hours only
    allowed: { subjects: [internal], actions: [read], resources: [document], when: { subject.contract_type: permanent } }
    requires: { now: { $during: working_hours } }
  - id: temporary-staff-by-day
    title: Temporary staff reads documents in working hours only
    allowed: { actions: [read], resources: [document], when: { subject.contract_type: temp } }
    requires: { now: { $during: working_hours } }
`,
  );
  const { code, out, err } = await privity(['policy', 'prove', policies]);
  t.equal(code, 1, err);
  t.match(out, /REFUTED {2}A reason for an emergency opens nothing/);
  t.match(out, /REFUTED {2}Permanent staff/);
  t.match(out, /proven {3}Temporary staff/);
  const examples = out.split('\n').filter((line) => /^ {2}(- |  )\w+:/.test(line));
  t.equal(examples.filter((line) => line.startsWith('  - id:')).length, 2);
  await writeFile(path.join(policies, 'tests', 'examples.yaml'), `tests:\n${examples.join('\n')}\n`);
  const tested = await privity(['policy', 'test', '--policies', policies]);
  t.equal(tested.code, 1);
  t.match(tested.out, /2 failed/);
  t.match(tested.out, /not-no-emergencies/);
  t.match(tested.out, /not-permanent-staff-by-day/);

  const only = ['policy', 'prove', policies, '--only', 'no-emergencies', '--format'];
  const annotated = await privity([...only, 'github']);
  t.equal(annotated.code, 1);
  t.match(
    annotated.out,
    /^::error file=[^,]*invariants\/more\.yaml,line=3,title=no-emergencies::does not hold: A reason for an emergency/m,
  );
  const junit = await privity([...only, 'junit']);
  t.match(junit.out, /<testcase [^>]*name="no-emergencies"[^>]*>\s*<failure message="does not hold: /);
  t.match(junit.out, /break_glass_reason/, 'with the example');
});

t.test('mistakes in statements are told with their place', async (t) => {
  const policies = await folderWith(
    t,
    `  - id: unclear
    title: Says both
    never: { actions: any, resources: any }
    requires: { $is: internal }
  - id: misspelt
    title: Names a role that there is not
    never: { roles: [it_admn], actions: any, resources: any }
`,
  );
  const { code, err } = await privity(['policy', 'prove', policies]);
  t.equal(code, 2);
  t.match(err, /more\.yaml:3:/);
  t.match(err, /`unclear` must say either/);
  t.match(err, /did you mean `it_admin`/);
  t.match((await privity(['policy', 'prove', '--only', 'nothing'])).err, /no statement is named `nothing`/);
});

t.test('the program of the service says where the tool is', async (t) => {
  const { stderr, status } = spawnSync(process.execPath, ['src/cli/main.ts', 'policy', 'prove'], { cwd: REPOSITORY });
  t.equal(status, 2);
  t.match(String(stderr), /is not part of this program\n.*from a checkout/);
  t.match(await readFile(path.join(REPOSITORY, 'Dockerfile'), 'utf8'), /^(?!.*COPY tools)/s);
});
