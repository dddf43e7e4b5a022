import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { folderSource } from '../../../src/io/policies/read.ts';
import { createPolicyStore, type Loaded, type LoadOutcome } from '../../../src/io/policies/store.ts';
import type { PolicySource } from '../../../src/io/policies/snapshot.ts';
import { fill, makeFolder, swapLink } from './folder.ts';

type Test = Parameters<typeof makeFolder>[0];
interface Set extends Loaded {
  readonly name: string;
}

/** A store whose set is what firm.yaml names; every look of the watcher is counted. */
function setUp(t: Test, dir: string, loose: boolean, activate: () => Promise<void> = async () => {}) {
  const source = folderSource(dir);
  const outcomes: LoadOutcome[] = [];
  let looks = 0;
  const counted: PolicySource = {
    read: () => source.read(),
    fingerprint: (mode) => source.fingerprint(mode).finally(() => looks++),
    isWhole: (before, now) => source.isWhole(before, now),
  };
  const store = createPolicyStore<Set>({
    source: counted,
    activate,
    onLoad: (outcome) => outcomes.push(outcome),
    compile: (files) => {
      const firm = files.find(({ path }) => path === 'firm.yaml');
      const name = (firm?.value as { name?: string } | undefined)?.name;
      return {
        set: name === undefined ? null : { revision: name, commit: null, name },
        diagnostics: firm?.problems ?? [],
      };
    },
  });
  const watch = () => t.teardown(store.watch({ loose, everyMs: 5 }));
  const moreLooks = async (count: number) => {
    const until = looks + count;
    while (looks < until) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const name = async (wanted: string) => {
    while (store.state().revision !== wanted) await new Promise((resolve) => setTimeout(resolve, 2));
    return store.current().name;
  };
  return { store, outcomes, watch, moreLooks, name };
}

t.test('published: a swapped link is loaded, a changed file is not', async (t) => {
  const base = await makeFolder(t, { 'a/firm.yaml': 'name: a\n', 'b/firm.yaml': 'name: b\n' });
  await symlink('a', join(base, 'current'));
  const { store, outcomes, watch, moreLooks, name } = setUp(t, join(base, 'current'), false);
  await store.load();
  watch();
  await moreLooks(3);
  t.equal(outcomes.length, 1, 'what was loaded is no news');
  await fill(base, { 'a/firm.yaml': 'name: changed\n' });
  await moreLooks(5);
  t.equal(store.current().name, 'a');
  await swapLink(join(base, 'current'), 'b');
  t.equal(await name('b'), 'b');
  await swapLink(join(base, 'current'), 'a');
  t.equal(await name('changed'), 'changed');
  t.strictSame(
    outcomes.map(({ result }) => result),
    ['activated', 'activated', 'activated'],
  );
});

t.test('loose: any changed file is loaded once the folder is quiet', async (t) => {
  const base = await makeFolder(t, { 'firm.yaml': 'name: a\n' });
  const { store, outcomes, watch, moreLooks, name } = setUp(t, base, true);
  await store.load();
  watch();
  await fill(base, { 'firm.yaml': 'name: b\n' });
  t.equal(await name('b'), 'b');
  await fill(base, { 'firm.yaml': 'name: [\n' });
  while (store.state().failure === null) await moreLooks(1);
  t.equal(store.current().name, 'b');
  const loads = outcomes.length;
  await moreLooks(6);
  t.equal(outcomes.length, loads, 'a broken set is not tried again until something changes');
  await fill(base, { 'firm.yaml': 'name: c\n' });
  t.equal(await name('c'), 'c');
  t.equal(store.state().failure, null);
});

t.test('what may mend itself is tried again, with growing patience', async (t) => {
  const base = await makeFolder(t, { 'firm.yaml': 'name: a\n' });
  let refusals = 3;
  const { store, outcomes, watch, name } = setUp(t, base, false, async () => {
    if (refusals-- > 0) throw new Error('database is away');
  });
  await store.load();
  watch();
  t.equal(await name('a'), 'a');
  t.strictSame(
    outcomes.map(({ result }) => result),
    ['failed', 'failed', 'failed', 'activated'],
  );
});

t.test('a folder that vanishes and comes back', async (t) => {
  const base = await makeFolder(t, { 'p/firm.yaml': 'name: a\n' });
  const { store, outcomes, watch, moreLooks, name } = setUp(t, join(base, 'p'), false);
  await store.load();
  watch();
  await rename(join(base, 'p'), join(base, 'gone'));
  while (store.state().failure?.step !== 'read') await moreLooks(1);
  t.equal(store.current().name, 'a');
  await rm(join(base, 'gone'), { recursive: true });
  await fill(join(base, 'p'), { 'firm.yaml': 'name: b\n' });
  t.equal(await name('b'), 'b');
  t.equal(outcomes.at(-1)?.failure, null);
});

t.test('a folder that is put in the place of another is loaded when it is whole', async (t) => {
  const base = await makeFolder(t, { 'p/firm.yaml': 'name: a\n' });
  const { store, outcomes, watch, moreLooks, name } = setUp(t, join(base, 'p'), false);
  await store.load();
  watch();
  await moreLooks(2);
  await rename(join(base, 'p'), join(base, 'gone'));
  // As a slow copy would: it goes on for longer than two looks take, and half of it is a set.
  await fill(join(base, 'p'), { 'firm.yaml': 'name: half\n' });
  for (let part = 0; part < 10; part++) {
    await fill(join(base, 'p'), { [`rules/${part}.yaml`]: 'version: 1\n' });
    await moreLooks(1);
  }
  await fill(join(base, 'p'), { 'firm.yaml': 'name: whole\n' });
  t.equal(await name('whole'), 'whole');
  t.strictSame(
    outcomes.filter(({ result }) => result === 'activated').map(({ revision }) => revision),
    ['a', 'whole'],
  );
});

t.test('stopped means no more looks', async (t) => {
  const base = await makeFolder(t, { 'firm.yaml': 'name: a\n' });
  const { store, outcomes } = setUp(t, base, true);
  const stop = store.watch({ loose: true, everyMs: 1 });
  stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.strictSame(outcomes, []);
  t.equal(store.state().revision, null);
});
