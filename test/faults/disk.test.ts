// No room to write: nothing the service answers needs a disk, and a log that cannot be written, because the disk is full or its reader
// has stopped or is gone, costs log lines at most. It shows in readiness and metrics, and is over when the cause is.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { signal } from '../../src/io/db/processes.ts';
import { type FaultRun, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { cannotMount, has, launch, type Launch, logReader, logToFile, smallFileSystem } from '../helpers/launch.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { PATIENT, whenReadiness } from '../helpers/service.ts';

t.setTimeout(LIMIT_MS);

async function startWith(t: Test, how: Launch, environment: Readonly<Record<string, string>> = {}): Promise<FaultRun> {
  t.setTimeout(LIMIT_MS);
  const { urls, superuserUrl } = await createDatabase(t);
  return startFaultRun(t, { urls, superuserUrl, environment, program: launch({ limits: PATIENT, ...how }) });
}

async function metric(run: FaultRun, line: string): Promise<boolean> {
  const text = await (await fetch(`${run.service.url}/metrics`)).text();
  return text.split('\n').includes(line);
}

const isDegraded = (found: { readonly degraded: readonly string[] } | null): boolean =>
  found?.degraded.includes('log_not_written') === true;

t.test(
  'not one byte may be written to any file',
  { skip: has('prlimit') ? false : 'prlimit (util-linux) is not here' },
  async (t) => {
    const run = await startWith(t, { by: ['prlimit', '--fsize=0:0'] });
    await run.calm();
    t.strictSame(run.failures(), [], 'everybody is answered');
    await run.conclude();
  },
);

t.test('the log is a file on a full file system', { skip: await cannotMount() }, async (t) => {
  const dir = await smallFileSystem(t, '512k');
  const run = await startWith(
    t,
    { shell: logToFile(path.join(dir, 'log')) },
    // Whatever else somebody may believe to be writable.
    { HOME: dir, TMPDIR: dir },
  );
  await run.calm();
  const filler = path.join(dir, 'filler');
  await writeFile(filler, Buffer.alloc(1024 * 1024)).catch((error: NodeJS.ErrnoException) => {
    t.equal(error.code, 'ENOSPC', 'the file system is full');
  });
  await run.calm();
  await whenReadiness(run.service, 'degraded', isDegraded);
  t.ok(await metric(run, 'privity_degraded{code="log_not_written"} 1'), 'metric');
  await run.calm(100);
  t.strictSame(run.failures(), [], 'everybody is answered');
  await rm(filler);
  await whenReadiness(run.service, 'well again', (found) => found !== null && !isDegraded(found));
  t.strictSame(run.failures(), []);
  await run.conclude();
});

for (const blow of ['SIGSTOP', 'SIGKILL'] as const) {
  const isGone = blow === 'SIGKILL';
  t.test(`the reader of the log ${isGone ? 'ends' : 'stops reading, and comes back'}`, async (t) => {
    const reader = await logReader(t);
    const run = await startWith(t, { shell: reader.shell });
    await run.calm();
    const pid = await reader.pid();
    process.kill(pid, blow);
    t.teardown(() => signal(pid, 'SIGCONT'));
    // A pipe holds 64 KiB.
    await run.calm(400);
    await whenReadiness(run.service, 'degraded', isDegraded);
    await run.calm(100);
    t.strictSame(run.failures(), [], 'everybody is answered');
    if (!isGone) {
      process.kill(pid, 'SIGCONT');
      await whenReadiness(run.service, 'well again', (found) => found !== null && !isDegraded(found));
    }
    await run.conclude();
  });
}

t.test('the reader of the log has stopped, and the service is to end', async (t) => {
  const reader = await logReader(t);
  const run = await startWith(t, { shell: reader.shell });
  await run.calm();
  const pid = await reader.pid();
  process.kill(pid, 'SIGSTOP');
  await run.calm(400);
  await whenReadiness(run.service, 'degraded', isDegraded);
  await run.load.stop();
  run.service.signal('SIGTERM');
  // Its output stays open as long as the reader lives.
  while (run.service.isRunning()) await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(pid, 'SIGCONT');
  t.strictSame(await run.service.ended, { code: 0, signal: null }, 'it ends, in order');
});
