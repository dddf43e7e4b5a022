// The journal on a disk: order, files, restarts, bounds, one process a folder, and what a crash or somebody leaves behind.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Journal, openJournal } from '../../../../src/io/log/spool/journal.ts';
import type { SealedBatch } from '../../../../src/io/log/writer-chain.ts';
import { cannotMount, scratch, smallFileSystem } from '../../../helpers/launch.ts';
import { firstLine, spawnNode } from '../../../helpers/processes.ts';
import { batchMaker, essence } from './batches.ts';

const MAX = 2 ** 20;
const ALL = { entries: Infinity, bytes: Infinity };
const ONE = { entries: 1, bytes: 1 };
const HOLDER = fileURLToPath(new URL('holder.ts', import.meta.url));

async function open(t: Test, folder: string, max = MAX): Promise<Journal> {
  const { journal } = await openJournal(folder, max);
  t.teardown(() => journal.close());
  return journal;
}

async function fill(journal: Journal, batches: readonly SealedBatch[]): Promise<void> {
  for (const batch of batches) if ((await journal.append(batch)).fate !== 'safe') throw new Error('not safe');
}

/** Everything, one by one, in order; it is dropped. */
async function drain(journal: Journal): Promise<readonly ReturnType<typeof essence>[]> {
  const taken = [];
  for (let next = await journal.next(ONE); next !== null; next = await journal.next(ONE)) {
    taken.push(essence(next.batch));
    await journal.drop(1);
  }
  return taken;
}

async function journals(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.journal')).toSorted();
}

t.test('first in, first out, over restarts and files; nothing is left', async (t) => {
  const folder = await scratch(t);
  const make = batchMaker();
  const batches = Array.from({ length: 40 }, (_, index) => make(1 + (index % 3), 'x'.repeat(5_000)));
  const journal = await open(t, folder);
  await fill(journal, batches.slice(0, 25));
  t.ok((await journals(folder)).length > 2);
  for (const name of await journals(folder)) t.equal((await stat(path.join(folder, name))).mode & 0o777, 0o600);
  t.match(journal.state(), { batches: 25, maxBytes: MAX, oldestAt: batches[0]?.records[0]?.at, failure: null });
  await journal.drop(3);
  await journal.close();

  const again = await open(t, folder);
  const left = again.state().batches;
  t.ok(left >= 22 && left <= 25, 'what was taken out with its whole file is gone; the rest is taken out once more');
  await fill(again, batches.slice(25));
  t.strictSame(await drain(again), batches.slice(25 - left).map(essence));
  t.strictSame(await journals(folder), []);
  t.match(again.state(), { batches: 0, entries: 0, bytes: 0, oldestAt: null });
  t.equal(await again.next(ALL), null);
  const fresh = make();
  await fill(again, [fresh]);
  t.strictSame(await drain(again), [essence(fresh)]);
});

t.test('many batches at once, of one writer and within bounds', async (t) => {
  const journal = await open(t, await scratch(t));
  const [one, other] = [batchMaker(), batchMaker()];
  const batches = [one(3), one(3), one(3), other(2), other(1)];
  await fill(journal, batches);
  const taken: number[][] = [];
  for (let next = await journal.next({ entries: 7, bytes: MAX }); next !== null;) {
    taken.push([next.batches, next.batch.records.length]);
    await journal.drop(next.batches);
    next = await journal.next({ entries: 7, bytes: MAX });
  }
  t.strictSame(taken, [[2, 6], [1, 3], [2, 3]]); // prettier-ignore
});

t.test('an entry that was not finished is cut off, wherever it ends', async (t) => {
  const make = batchMaker();
  const [first, second] = [make(), make(2)];
  const folder = await scratch(t);
  const journal = await open(t, folder);
  await fill(journal, [first]);
  const whole = journal.state().bytes;
  await fill(journal, [second]);
  await journal.close();
  const [name = ''] = await journals(folder);
  const bytes = await readFile(path.join(folder, name));
  for (let end = whole + 1; end < bytes.length; end += 97) {
    await writeFile(path.join(folder, name), bytes.subarray(0, end));
    const opened = await openJournal(folder, MAX);
    t.equal(opened.cutBytes, end - whole);
    t.strictSame(essence((await opened.journal.next(ALL))?.batch ?? second), essence(first));
    await opened.journal.close();
  }
  // After a power cut the file may be as long as it should be, with nothing in it.
  await writeFile(path.join(folder, name), Buffer.concat([bytes.subarray(0, whole), Buffer.alloc(500)]));
  const opened = await open(t, folder);
  await fill(opened, [second]);
  t.strictSame(await drain(opened), [first, second].map(essence));
});

t.test('anything else that is not as it was written stops the start', async (t) => {
  const make = batchMaker();
  const folder = await scratch(t);
  const journal = await open(t, folder);
  await fill(
    journal,
    Array.from({ length: 30 }, () => make(1, 'x'.repeat(5_000))),
  );
  await journal.close();
  const names = await journals(folder);
  t.ok(names.length >= 3);
  const [first = '', middle = ''] = names;
  const away = path.join(folder, 'away');
  const refused = async (name: string, injure: (file: string) => Promise<void>, words: RegExp): Promise<void> => {
    const file = path.join(folder, name);
    await copyFile(file, away);
    await injure(file);
    await t.rejects(openJournal(folder, MAX), words);
    await copyFile(away, file);
  };
  for (const at of [0, 4, 5, 7, 9, 41, 43, 44, 60, 700, 4_000]) {
    await refused(
      first,
      async (file) => {
        const bytes = await readFile(file);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
      new RegExp(`damaged in .*${first} at byte 0; answers were given on what it held`),
    );
  }
  await refused(middle, async (file) => writeFile(file, (await readFile(file)).subarray(0, -1)), /damaged/);
  await refused(middle, (file) => rm(file), /entries \d+ to \d+ of the journal are missing before/);
  const opened = await open(t, folder);
  t.equal((await drain(opened)).length, 30, 'put back, all of it is there');
});

t.test('full is full, and over when the database has taken some', async (t) => {
  const folder = await scratch(t);
  const journal = await open(t, folder);
  const make = batchMaker();
  let count = 0;
  for (; (await journal.append(make(1, 'x'.repeat(20_000)))).fate === 'safe';) count++;
  t.ok(journal.state().bytes <= MAX);
  t.match(journal.state(), { batches: count, failure: 'full' });
  await journal.probe();
  t.equal(journal.state().failure, 'full', 'time does not help');
  await journal.drop(count >> 1);
  t.equal(journal.state().failure, null);
  t.match(await journal.append(batchMaker()()), { fate: 'safe' });
});

t.test('one process for each folder, and it ends with the process', async (t) => {
  const folder = await scratch(t);
  const holder = spawnNode([HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.equal(await firstLine(holder), 'open');
  await t.rejects(openJournal(folder, MAX), /another process uses .*; every process needs a folder of its own/);
  const other = spawnNode([HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.match(await firstLine(other), /another process uses/);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const journal = await open(t, folder);
  await t.rejects(openJournal(folder, MAX), /another process uses/, 'nor twice in one');
  await fill(journal, [batchMaker()()]);
  const third = spawnNode([HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.match(await firstLine(third), /another process uses/, 'the second attempt has not given the lock away');
});

t.test('a folder that is not there, or cannot be written', async (t) => {
  const folder = await scratch(t);
  await t.rejects(openJournal(path.join(folder, 'none'), MAX), { code: 'ENOENT' });
  await writeFile(path.join(folder, 'file'), '');
  await t.rejects(openJournal(path.join(folder, 'file'), MAX), /is not a folder/);
});

t.test(
  'a disk without space: nothing is lost, and it goes on when there is some',
  { skip: await cannotMount() },
  async (t) => {
    const folder = await smallFileSystem(t, '512k');
    const journal = await open(t, folder, 64 * MAX);
    const make = batchMaker();
    const batches = Array.from({ length: 5 }, () => make(1, 'x'.repeat(10_000)));
    await fill(journal, batches);
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${folder}/ballast bs=1k 2>/dev/null || true`]);
    t.match(await journal.append(make(1, 'x'.repeat(10_000))), { fate: 'absent', code: 'ENOSPC' });
    await journal.probe();
    t.equal(journal.state().failure, 'ENOSPC');
    await rm(path.join(folder, 'ballast'));
    await journal.probe();
    t.equal(journal.state().failure, null);
    await journal.close();
    const again = await openJournal(folder, MAX);
    t.teardown(() => again.journal.close());
    t.equal(again.cutBytes, 0, 'what did not fit was taken back');
    t.strictSame(await drain(again.journal), batches.map(essence));
  },
);
