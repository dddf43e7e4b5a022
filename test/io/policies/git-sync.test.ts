// Policies as git-sync publishes them: a folder for each commit, named by its id, and a link that is swapped in one step, after which the
// old folder goes. Every set is of one commit, and says which.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { readPolicyFolder, folderSource } from '../../../src/io/policies/read.ts';
import { createPolicyStore } from '../../../src/io/policies/store.ts';
import { until } from '../../helpers/recorder.ts';
import { fill, git, makeFolder, swapLink } from './folder.ts';

const commitOf = (number: number): string => number.toString(16).padStart(40, '0');
const contents = (number: number) => ({
  'firm.yaml': `number: ${number}\n`,
  'rules/a.yaml': `number: ${number}\n`,
  'walls/b.yaml': `number: ${number}\n`,
});

async function publish(root: string, number: number): Promise<void> {
  await fill(path.join(root, '.worktrees', commitOf(number), 'policies'), contents(number));
  await swapLink(path.join(root, 'current'), path.join('.worktrees', commitOf(number)));
  await rm(path.join(root, '.worktrees', commitOf(number - 1)), { recursive: true, force: true });
}

t.test('each swap is one new set, with the commit of its folder', async (t) => {
  const root = await makeFolder(t);
  await publish(root, 1);
  const sets: { revision: string; commit: string | null }[] = [];
  const store = createPolicyStore({
    source: folderSource(path.join(root, 'current', 'policies')),
    compile: (files, { commit }) => {
      const numbers = new Set(files.map(({ value }) => JSON.stringify(value)));
      return {
        set: { revision: `${files.length} files, ${numbers.size} numbers, ${[...numbers][0]}`, commit },
        diagnostics: [],
      };
    },
    activate: async (set) => void sets.push(set),
  });
  await store.load();
  const stop = store.watch({ loose: false, everyMs: 5 });
  t.teardown(stop);
  const last = 30;
  for (let number = 2; number <= last; number++) {
    await publish(root, number);
    if (number % 3 === 0) await until('it is in force', () => store.state().commit === commitOf(number));
  }
  await until('the last is in force', () => store.state().commit === commitOf(last));
  t.equal(store.state().failure, null);
  t.ok(sets.length >= last / 3, `${sets.length} sets`);
  for (const { revision, commit } of sets) {
    t.match(revision, '3 files, 1 numbers', 'never a mixture');
    t.match(revision, `{"number":${Number.parseInt(String(commit), 16)}}`, 'and it is the commit’s own');
  }
});

t.test('git, where there is any, has the last word', async (t) => {
  const root = await makeFolder(t);
  const dir = path.join(root, '.worktrees', commitOf(7));
  await fill(dir, contents(7));
  t.match(await readPolicyFolder(dir), { commit: commitOf(7) }, 'without a repository the name of the folder counts');
  git(dir, 'init', '--quiet');
  git(dir, 'add', '.');
  git(dir, 'commit', '--quiet', '--message', 'x');
  t.match(await readPolicyFolder(dir), { commit: git(dir, 'rev-parse', 'HEAD').trim() });
  await fill(dir, { 'firm.yaml': 'number: 8\n' });
  t.match(await readPolicyFolder(dir), { commit: null }, 'files that are not the commit’s have none');
});

t.test('other folders are no commits, whatever they are called', async (t) => {
  const root = await makeFolder(t);
  for (const name of [commitOf(7), `.worktrees/${commitOf(7)}0`, '.worktrees/main', `x.worktrees/${commitOf(7)}`]) {
    await mkdir(path.join(root, name), { recursive: true });
    await fill(path.join(root, name), contents(7));
    t.match(await readPolicyFolder(path.join(root, name)), { commit: null }, name);
  }
});
