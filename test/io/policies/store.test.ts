import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { compileInSteps } from '../../../src/core/compile.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { folderSource } from '../../../src/io/policies/read.ts';
import { runInSlices } from '../../../src/io/policies/slices.ts';
import { createPolicyStore, type LoadOutcome, type PolicyStoreDeps } from '../../../src/io/policies/store.ts';
import { fill, makeFolder, swapLink, type Contents } from './folder.ts';

const FIRM = `version: 1
roles: { partner: Partner }
actions: { read: Read }
resource_types: { document: Document }
source_systems: [dms]
attributes: {}
`;
const rule = (id: string) => `version: 1
rules:
  - { id: ${id}, title: Rule, owner: gc, review_by: 2030-01-01, controls: [], effect: allow, actions: any, resources: any }
`;
const GOOD: Contents = {
  'firm.yaml': FIRM,
  'rules/a.yaml': rule('first'),
  'lockdown.yaml': 'version: 1\npeople: [u-1]\n',
};
const BROKEN_RULE = 'version: 1\nrules: [{ id: x, efect: allow }]\n';

type Test = Parameters<typeof makeFolder>[0];

async function setUp(t: Test, contents: Contents, overrides: Partial<PolicyStoreDeps<PolicySet>> = {}) {
  const dir = await makeFolder(t, contents);
  const activated: PolicySet[] = [];
  const store = createPolicyStore<PolicySet>({
    source: folderSource(dir),
    compile: (files, options) => runInSlices(compileInSteps(files, options)),
    activate: async (set) => void activated.push(set),
    ...overrides,
  });
  return { dir, store, activated };
}

const rules = ({ rules }: PolicySet) => rules.map(({ id }) => id);
const people = ({ lockdown }: PolicySet) => [...lockdown.people];
const messages = ({ diagnostics }: LoadOutcome) =>
  diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);

t.test('nothing is in force before the first load, and a bad first load changes nothing', async (t) => {
  const { dir, store, activated } = await setUp(t, { ...GOOD, 'rules/a.yaml': BROKEN_RULE });
  t.throws(() => store.current(), { name: 'PrivityError', code: 'no_policies' });
  t.strictSame(store.state(), { revision: null, commit: null, since: null, loading: false, failure: null });
  const outcome = await store.load();
  t.match(outcome, { result: 'failed', revision: null, failure: { step: 'compile' } });
  t.match(messages(outcome), [/^rules\/a.yaml:2:\d+ x: unknown member `efect` .* did you mean `effect`\?$/]);
  t.throws(() => store.current(), { code: 'no_policies' });
  t.match(store.state(), { revision: null, failure: { diagnostics: outcome.diagnostics } });
  await fill(dir, GOOD);
  const good = await store.load();
  t.match(good, { result: 'activated', failure: null, commit: null });
  t.strictSame(activated, [store.current()]);
  t.strictSame(rules(store.current()), ['first']);
  t.match(store.state(), { revision: good.revision, failure: null, loading: false });
});

t.test('a broken reload keeps the last good set and stays visible', async (t) => {
  const { dir, store, activated } = await setUp(t, GOOD);
  await store.load();
  const before = store.current();
  await fill(dir, { 'rules/a.yaml': 'rules: [' });
  t.match(await store.load(), { result: 'failed', revision: before.revision, failure: { step: 'compile' } });
  t.equal(store.current(), before);
  t.match(store.state(), { revision: before.revision, failure: { step: 'compile' } });
  t.equal(activated.length, 1);
  await fill(dir, GOOD);
  t.match(await store.load(), { result: 'unchanged', failure: null });
  t.equal(activated.length, 1);
  t.equal(store.state().failure, null);
});

t.test('tests change without a new activation', async (t) => {
  const { dir, store, activated } = await setUp(t, GOOD);
  await store.load();
  await fill(dir, { 'tests/a.yaml': 'tests: []\n' });
  t.match(await store.load(), { result: 'unchanged' });
  t.equal(activated.length, 1);
});

t.test('a new lockdown takes effect although the rest is broken, as a set of its own', async (t) => {
  const { dir, store, activated } = await setUp(t, GOOD);
  await store.load();
  const before = store.current();
  await fill(dir, {
    'rules/a.yaml': BROKEN_RULE,
    'rules/b.yaml': rule('second'),
    'lockdown.yaml': 'version: 1\npeople: [u-1, u-2]\n',
  });
  const outcome = await store.load();
  t.match(outcome, { result: 'partly', commit: null, failure: { step: 'compile' } });
  t.match(messages(outcome), [/^rules\/a.yaml/]);
  t.not(outcome.revision, before.revision);
  t.strictSame(activated, [before, store.current()]);
  t.strictSame(people(store.current()), ['u-1', 'u-2']);
  t.strictSame(rules(store.current()), ['first']);
  t.match(await store.load(), { result: 'failed', revision: outcome.revision });
  t.equal(activated.length, 2);
  await fill(dir, { 'lockdown.yaml': 'version: 1\npeople: []\n' });
  t.match(await store.load(), { result: 'partly' });
  t.strictSame(people(store.current()), []);
  await fill(dir, { 'rules/a.yaml': rule('third') });
  t.match(await store.load(), { result: 'activated', failure: null });
  t.strictSame(rules(store.current()), ['third', 'second']);
});

t.test('a broken lockdown keeps the last good one and does not hold up the rest', async (t) => {
  const { dir, store } = await setUp(t, GOOD);
  await store.load();
  for (const [turn, lockdown] of ['version: 1\npeople: u-9\n', 'people: [u-9', '', 'version: 2\n'].entries()) {
    await fill(dir, { 'rules/a.yaml': rule(`turn-${turn}`), 'lockdown.yaml': lockdown });
    const outcome = await store.load();
    t.match(outcome, { result: 'partly', failure: { step: 'compile' } });
    t.ok(messages(outcome).every((message) => message.startsWith('lockdown.yaml:')));
    t.strictSame(people(store.current()), ['u-1']);
    t.strictSame(rules(store.current()), [`turn-${turn}`]);
  }
  await rm(join(dir, 'lockdown.yaml'));
  await symlink('/etc/hostname', join(dir, 'lockdown.yaml'));
  await fill(dir, { 'rules/a.yaml': rule('linked') });
  t.match(await store.load(), { result: 'partly' });
  t.strictSame(people(store.current()), ['u-1']);
  t.strictSame(rules(store.current()), ['linked']);
});

t.test('when both are broken nothing changes, and an absent lockdown lifts nothing beside a broken rest', async (t) => {
  const { dir, store } = await setUp(t, GOOD);
  await store.load();
  const before = store.current();
  await fill(dir, { 'rules/a.yaml': BROKEN_RULE, 'lockdown.yaml': 'people: [' });
  t.match(await store.load(), { result: 'failed' });
  t.equal(store.current(), before);
  await rm(join(dir, 'lockdown.yaml'));
  t.match(await store.load(), { result: 'failed' });
  t.equal(store.current(), before);
  await rm(dir, { recursive: true });
  t.match(await store.load(), { result: 'failed', failure: { step: 'read' } });
  t.equal(store.current(), before);
  await fill(dir, { 'firm.yaml': FIRM, 'rules/a.yaml': rule('second') });
  t.match(await store.load(), { result: 'activated' });
  t.strictSame(people(store.current()), [], 'removed in a good set');
});

t.test('a set that cannot be recorded does not go into force', async (t) => {
  let away = true;
  const cause = new Error('database is away');
  const { dir, store } = await setUp(t, GOOD, {
    activate: async () => {
      if (away) throw cause;
    },
  });
  t.match(await store.load(), { result: 'failed', failure: { step: 'activate', cause } });
  t.throws(() => store.current(), { code: 'no_policies' });
  away = false;
  await store.load();
  const before = store.current();
  away = true;
  await fill(dir, { 'lockdown.yaml': 'version: 1\npeople: [u-7]\n', 'rules/a.yaml': BROKEN_RULE });
  t.match(await store.load(), { result: 'failed', failure: { step: 'activate', cause } });
  t.equal(store.current(), before);
});

t.test('the set goes into force only after it was recorded, and the old one answers until then', async (t) => {
  const { promise: recorded, resolve: record } = Promise.withResolvers<void>();
  const seen: (string | null)[] = [];
  const { dir, store } = await setUp(t, GOOD, {
    activate: async (set) => {
      seen.push(store.state().revision);
      if (rules(set)[0] === 'second') await recorded;
    },
  });
  await store.load();
  const before = store.current();
  await fill(dir, { 'rules/a.yaml': rule('second') });
  const loading = store.load();
  t.equal(store.state().loading, true);
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  t.equal(store.current(), before);
  record();
  await loading;
  t.strictSame(rules(store.current()), ['second']);
  t.strictSame(seen, [null, before.revision]);
});

t.test('one load at a time; requests meanwhile are met by one more', async (t) => {
  let [now, most, reads] = [0, 0, 0];
  const told: LoadOutcome[] = [];
  const base = await makeFolder(t, GOOD);
  const source = folderSource(base);
  const { store } = await setUp(t, GOOD, {
    onLoad: (outcome) => told.push(outcome),
    source: {
      ...source,
      async read() {
        reads++;
        most = Math.max(most, ++now);
        const snapshot = await source.read();
        now--;
        return snapshot;
      },
    },
  });
  const first = store.load();
  const later = [store.load(), store.load(), store.load()];
  t.equal((await first).result, 'activated');
  t.strictSame(
    (await Promise.all(later)).map(({ result }) => result),
    ['unchanged', 'unchanged', 'unchanged'],
  );
  t.strictSame([reads, most, told.length], [2, 1, 2]);
  t.equal((await store.load()).result, 'unchanged');
  t.equal(reads, 3);
});

t.test('swapped folders: what is in force is always one version, whole', async (t) => {
  const base = await makeFolder(t);
  const version = (name: string): Contents =>
    Object.fromEntries([
      ['firm.yaml', FIRM],
      ...Array.from({ length: 8 }, (_, n) => [`rules/r${n}.yaml`, rule(`${name}-${n}`)]),
    ]);
  await fill(join(base, 'a'), version('a'));
  await fill(join(base, 'b'), version('b'));
  await symlink('a', join(base, 'current'));
  const { store } = await setUp(t, {}, { source: folderSource(join(base, 'current')) });
  await store.load();
  let storming = true;
  const storm = (async () => {
    for (let turn = 0; storming; turn++) {
      await swapLink(join(base, 'current'), turn % 2 === 0 ? 'b' : 'a');
      // Long enough for some readings to find a quiet moment.
      for (let pause = 0; pause < turn % 40; pause++) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let round = 0; round < 10; round++) {
    await store.load();
    const ids = rules(store.current());
    t.equal(ids.length, 8);
    t.equal(new Set(ids.map((id) => id.slice(0, 1))).size, 1);
  }
  storming = false;
  await storm;
});
