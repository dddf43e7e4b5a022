// Folders and git revisions are compared, in words and in effect; whoever reviews a change sees whom it lets in, and CI fails where it was told to.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { privity } from '../../cli/privity.ts';
import { compiled, smallFiles, type Files } from '../../helpers/policies.ts';
import { mkdir } from 'node:fs/promises';

const RULES = `version: 1
rules:
  # Whoever works on a matter.
  - id: team
    title: The team
    owner: general-counsel
    effect: allow
    roles: [lawyer]
    actions: [read, edit]
    resources: [content]
    when: { $is: on_the_team }
  - id: clerks
    effect: allow
    roles: [clerk]
    actions: [list]
    resources: [matter]
    when: { $is: internal }
`;

async function folderOf(t: Test, files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-diff-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeAll(path.join(folder, 'policies'), files);
  return folder;
}

async function writeAll(folder: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const place = path.join(folder, name);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const base: Files = { ...smallFiles([]), 'rules/rules.yaml': RULES, 'tests/t.yaml': 'tests: []\n' };
const edit = (from: string, to: string): Files => ({
  ...base,
  'rules/rules.yaml': RULES.replace(from, () => to),
});
const wider = edit('roles: [lawyer]', 'roles: [lawyer, clerk]');

function repository(folder: string): (...words: readonly string[]) => void {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words: readonly string[]): void =>
    void execFileSync('git', words, { cwd: folder, env, stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'u-lind');
  git('config', 'user.email', 'u-lind@firm.example');
  git('add', '.');
  git('commit', '-qm', 'policies');
  return git;
}

interface Said {
  readonly verdict: string;
  readonly newly_allowed: {
    readonly verdict: string;
    readonly examples: readonly { readonly test: string; readonly because_of: { readonly id: string } }[];
  };
  readonly newly_denied: { readonly verdict: string; readonly basis: string };
  readonly changes: readonly {
    readonly kind: string;
    readonly id: string;
    readonly what: string;
    readonly decides: boolean;
    readonly lines: readonly string[];
  }[];
  readonly moved: number;
  readonly rewritten_files: readonly string[];
}

t.test('a revision and the working folder, two revisions, a revision with a folder', async (t) => {
  const cwd = await folderOf(t, base);
  const git = repository(cwd);
  await writeAll(path.join(cwd, 'policies'), wider);
  const working = await privity(['policy', 'diff', '--fail-on', 'wider'], { cwd });
  t.equal(working.code, 1, working.err);
  t.match(
    working.out,
    /^rule team changed, rules\/rules\.yaml:4\n {4}who: Partner or Associate → Partner, Associate or Clerk$/m,
  );
  t.match(working.out, /^WIDER: something is newly allowed, nothing is newly denied\n {2}HEAD → policies$/m);
  t.match(working.out, /newly denied: nothing, for every request and whatever data both sides have alike/);
  t.match(working.out, /\(clerk\) may now (read|edit) (document|note) \S+/);
  t.match(working.out, /before: denied by default-deny; now: allowed by team/);
  git('commit', '-qam', 'clerks work on matters');
  const revisions = await privity(['policy', 'diff', 'HEAD~1', 'main:policies', '--format', 'json'], { cwd });
  t.equal(revisions.code, 0, revisions.err);
  const { verdict, newly_allowed: allowed, newly_denied: denied } = JSON.parse(revisions.out) as Said;
  t.same([verdict, allowed.verdict, denied.verdict, denied.basis], ['wider', 'possible', 'impossible', 'any']);
  t.equal(allowed.examples[0]?.because_of.id, 'team');
  t.equal((await privity(['policy', 'diff', '--fail-on', 'any'], { cwd })).code, 0, 'nothing has changed since');

  // The example is a test that passes under the new policies and fails under the old ones.
  await writeFile(path.join(cwd, 'policies', 'tests', 't.yaml'), `tests:\n${allowed.examples[0]?.test ?? ''}\n`);
  t.equal((await privity(['policy', 'test'], { cwd })).code, 0);
  git('checkout', '-q', 'HEAD~1', '--', 'policies/rules');
  t.equal((await privity(['policy', 'test'], { cwd })).code, 1);
});

t.test('what was moved, reordered or commented is no change', async (t) => {
  const folder = await folderOf(t, base);
  const [head = '', team = '', clerks = ''] = RULES.split(/(?=^ {2}# |^ {2}- id: clerks)/m);
  const header = head.replace('rules:\n', 'rules:\n');
  await writeAll(path.join(folder, 'moved'), {
    ...base,
    'rules/rules.yaml': `${header}${clerks}`,
    'rules/team.yaml': `# Another file.\n${header}${team.replace('[read, edit]', '[edit, read]')}`,
    'firm.yaml': `# Words.\n${String(base['firm.yaml'])}`,
  });
  const { code, out, err } = await privity(
    ['policy', 'diff', 'policies', 'moved', '--fail-on', 'any', '--format', 'json'],
    { cwd: folder },
  );
  t.equal(code, 0, err);
  const { verdict, changes, moved, rewritten_files: rewritten } = JSON.parse(out) as Said;
  t.equal(verdict, 'equivalent');
  t.same(changes, []);
  t.equal(moved, 1);
  t.same(rewritten, ['firm.yaml', 'rules/rules.yaml']);
  const pretty = await privity(['policy', 'diff', 'policies', 'moved'], { cwd: folder });
  t.match(
    pretty.out,
    /^No rule, wall, word or entry of data was added, removed or changed\.\n1 entry moved to another file/,
  );
});

t.test('every kind of change is told in words', async (t) => {
  const folder = await folderOf(t, {
    ...base,
    'walls/walls.yaml':
      'walls:\n  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ann], memo: old }\n',
    'lockdown.yaml': 'version: 1\npeople: [u-eve]\n',
  });
  const firm = String(base['firm.yaml'])
    .replace('lawyer: [partner, associate]', 'lawyer: [partner]')
    .replace('mfa: { subject.amr: { $has: mfa } }', 'mfa: { subject.amr: { $has: hwk } }')
    .replace('from: "07:00"', 'from: "08:00"')
    .replace('pages: { type: number, default: 1 }', 'pages: { type: number, default: 2 }')
    .replace('partner: Partner', 'partner: Senior partner');
  await writeAll(path.join(folder, 'now'), {
    'firm.yaml': firm,
    'data/data.yaml': String(base['data/data.yaml'])
      .replace('team: [u-ann, u-ben]', 'team: [u-ann, u-eve]')
      .replace('sharing: [C-1]', 'sharing: [C-2]')
      .replace('  - { id: G-2,', '  - { id: G-3,'),
    'rules/rules.yaml': RULES.replace('owner: general-counsel', 'owner: security-officer')
      .replace('when: { $is: internal }', 'when: { subject.user_type: external }')
      .concat('  - { id: nobody, effect: deny, actions: any, resources: any, when: { resource.sealed: true } }\n'),
    'walls/walls.yaml':
      'walls:\n  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ben], memo: new }\n',
    'data/people.yaml': 'people:\n  - { id: u-ann, directory: { floor: 2 } }\nassistants: { u-ben: [u-ann] }\n',
  });
  const { out, err } = await privity(['policy', 'diff', 'policies', 'now', '--format', 'json', '--examples', '1'], {
    cwd: folder,
  });
  const { changes } = JSON.parse(out === '' ? `{"changes":["${err}"]}` : out) as Said;
  const told = changes.map(
    ({ kind, id, what, decides, lines }) =>
      `${kind} ${id} ${what}${decides ? '' : ' (for readers)'}: ${lines.join(' | ')}`,
  );
  t.matchOnly(told, [
    'rule team changed (for readers): no effect on decisions: owner',
    'rule clerks changed: condition: internal → subject.user_type is external',
    'rule nobody added: must not: anyone; any action; anything, when resource.sealed is true',
    'wall W-1 changed: excluded_people: + u-ben, − u-ann | memo: old → new (no effect on decisions)',
    'lockdown people: u-eve removed: u-eve',
    'term mfa changed: meaning: subject.amr includes mfa → subject.amr includes hwk | no rule reads it',
    'group of roles lawyer changed: − associate | rules that name it: team',
    'attribute resource.pages changed: default: 1 → 2',
    'role partner changed (for readers): title: Partner → Senior partner',
    'calendar office_hours changed: from: 07:00 → 08:00',
    'matter M-1 changed: team: + u-eve, − u-ben',
    /^grant G-2 removed: granted_to: u-dan/,
    /^grant G-3 added: granted_to: u-dan/,
    /^person u-ann added/,
    'assistant u-ben added: u-ann',
    'consent sharing changed: + C-2, − C-1',
  ]);
});

t.test('a side that does not load is told with all its mistakes', async (t) => {
  const folder = await folderOf(t, base);
  await writeAll(path.join(folder, 'broken'), {
    ...base,
    'rules/rules.yaml': RULES.replace('[lawyer]', '[lawyr]').replace('[matter]', '[mater]'),
  });
  await writeAll(path.join(folder, 'worse'), { ...base, 'firm.yaml': 'version: [' });
  const { code, err, out } = await privity(['policy', 'diff', 'broken', 'worse'], { cwd: folder });
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, /broken\/rules\/rules\.yaml:8:\d+ .*lawyr/);
  t.match(err, /broken\/rules\/rules\.yaml:16:\d+ .*mater/);
  t.match(err, /worse\/firm\.yaml:1:/);
  t.match(err, /broken does not load: 2 errors; worse does not load/);
  t.notMatch(err, /^ +at /m);
  const github = await privity(['policy', 'diff', 'policies', 'broken', '--format', 'github'], { cwd: folder });
  t.equal(github.code, 2);
  t.match(github.out, /^::error .*file=broken\/rules\/rules\.yaml,line=8/m);
  for (const [old, why] of [
    ['./nowhere', /there is no folder/],
    ['nowhere', /neither a folder nor a revision/],
  ] as const) {
    const missing = await privity(['policy', 'diff', old], { cwd: folder });
    t.equal(missing.code, 2);
    t.match(missing.err, why);
  }
});

t.test('reports for machines, and the page of a pull request', async (t) => {
  const folder = await folderOf(t, base);
  await writeAll(path.join(folder, 'now'), wider);
  const page = path.join(folder, 'summary.md');
  const words = ['policy', 'diff', 'policies', 'now', '--examples', '2', '--fail-on', 'wider', '--format'];
  const github = await privity([...words, 'github'], { cwd: folder, env: { GITHUB_STEP_SUMMARY: page } });
  t.equal(github.code, 1, github.err);
  t.match(github.out, /^::error .*file=now\/rules\/rules\.yaml,line=4.*may now/m);
  const markdown = await readFile(page, 'utf8');
  t.match(markdown, /### Newly allowed/);
  t.match(markdown, /\| Who \| What \| When \| Before \| Now \| Because of \|/);
  t.match(markdown, /### Newly denied\n\nnewly denied&#58; nothing/);
  t.match(markdown, /### What changed\n\n- \*\*rule team\*\* changed/);
  const sarif = await privity([...words, 'sarif'], { cwd: folder });
  t.match(JSON.parse(sarif.out), { runs: [{ results: [{ ruleId: 'newly-allowed', level: 'error' }] }] });
});

t.test('the example firm of these tests loads', (t) => {
  t.equal(compiled(base).rules.length, 2);
  t.end();
});
