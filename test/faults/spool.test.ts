// Spool mode, the whole service, beside what every test of PostgreSQL's faults asks of it: what only the database can do; the journal's
// own disk bad, full or taken; a stop in the middle. Afterwards every answer has its record, once.
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { buildBadDisk, cannotCompile } from '../helpers/bare-postgres.ts';
import { type FaultRun, HASTY, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { cannotMount, scratch, smallFileSystem } from '../helpers/launch.ts';
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { startProxy } from '../helpers/proxy.ts';
import { until } from '../helpers/recorder.ts';
import { startService, whenReadiness, whenReady } from '../helpers/service.ts';
import { judge } from '../service/judge.ts';
import { readServiceLog } from '../service/log.ts';

t.setTimeout(LIMIT_MS);
// Most of the time is spent waiting.
t.jobs = 3;

/** Nobody is to be sent away, however slow the machine is. */
const LIMITS = { ...HASTY, deadlineMs: 30_000, spoolAfterMs: 500 };
const noMount = await cannotMount();
const noCompiler = cannotCompile() ?? false;

interface SpoolRun extends FaultRun {
  readonly urls: TestDatabase['urls'];
  readonly superuserUrl: string;
  /** Cuts the database off. */
  leave(): void;
  back(): void;
}

async function setUp(t: Test, folder: string, environment: Readonly<Record<string, string>> = {}): Promise<SpoolRun> {
  t.setTimeout(LIMIT_MS);
  const database = await createDatabase(t);
  const { urls, superuserUrl } = database;
  const proxy = await startProxy(t, urls.writer, 'write_batch');
  const cuttable = { writer: proxy.url(urls.writer), reader: proxy.url(urls.reader) };
  const settings = { AUDIT_ON_FAILURE: 'spool', SPOOL_DIR: folder, ...environment };
  const run = await startFaultRun(t, { urls: cuttable, superuserUrl, environment: settings, limits: LIMITS });
  await run.calm();
  return { ...run, urls, superuserUrl, leave: () => proxy.cut(true), back: proxy.restore };
}

t.test('no other set of policies comes into force while the database is away', { buffered: true }, async (t) => {
  const run = await setUp(t, await scratch(t));
  run.leave();
  await run.calm();
  await run.publish({ 'data/late.yaml': JSON.stringify({ matters: [] }) }, { waits: false });
  await until('refused', () => run.lines({ msg: 'policies not loaded' }).length > 0);
  await run.calm();
  run.back();
  await run.drained();
  await run.calm();
  await run.conclude();
});

t.test(
  'told to stop while PostgreSQL is away: in order; the next process brings the rest in',
  { buffered: true },
  async (t) => {
    const folder = await scratch(t);
    const run = await setUp(t, folder, { SHUTDOWN_TIMEOUT: '2s' });
    run.leave();
    await run.calm(60);
    run.service.signal('SIGTERM');
    t.strictSame(await run.service.ended, { code: 0, signal: null });
    await run.load.stop();
    t.equal(run.lines({ code: 'spool_not_empty', level: 'warn' }).length, 1, 'the log says what is left');
    t.ok((await readdir(folder)).some((name) => name.endsWith('.journal')));
    run.back();
    const environment = { AUDIT_ON_FAILURE: 'spool', SPOOL_DIR: folder };
    const next = await startService(t, { urls: run.urls, firm: run.firm, environment });
    t.match(
      next.log.filter(({ code }) => code === 'spool_found'),
      [{ level: 'warn' }],
    );
    await whenReadiness(next, 'drained', (found) => found?.degraded.includes('spooling') === false);
    await t.rejects(startService(t, { urls: run.urls, firm: run.firm, environment }), /another process uses/);
    await next.kill();
    const log = await readServiceLog(run.superuserUrl, run.firm.certifier);
    t.strictSame(judge(run.load.exchanges, log), []);
    const [first] = log.writers;
    t.equal(log.records.findLast(({ writer }) => writer === first)?.kind, 'writer_closed', 'its chain is closed');
  },
);

t.test('a journal that is damaged: no start, and words that say where', { buffered: true }, async (t) => {
  const folder = await scratch(t);
  const run = await setUp(t, folder);
  run.leave();
  await run.calm(60);
  await run.load.stop();
  await run.service.kill();
  const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.journal'));
  await writeFile(path.join(folder, name), 'XXXX', { flag: 'r+' });
  run.back();
  const environment = { AUDIT_ON_FAILURE: 'spool', SPOOL_DIR: folder };
  const start = startService(t, { urls: run.urls, firm: run.firm, environment });
  await t.rejects(start, /SPOOL_DIR: the journal is damaged in .* at byte 0; answers were given on what it held/);
});

t.test('the disk of the journal is full as well', { buffered: true, skip: noMount }, async (t) => {
  const folder = await smallFileSystem(t, '512k');
  const run = await setUp(t, folder);
  run.leave();
  const gone = await whenReadiness(run.service, 'not ready', (found) => found?.status === 503);
  t.ok(gone.problems.includes('spool_failed'), gone.problems.join(' '));
  t.ok(run.lines({ code: 'spool_failed', cause: 'ENOSPC', level: 'error' }).length > 0);
  run.back();
  await whenReady(run.service);
  await run.drained();
  await run.calm();
  await run.conclude();
});

t.test('fsync of the journal fails: nobody is answered on it', { buffered: true, skip: noCompiler }, async (t) => {
  const folder = await scratch(t);
  const disk = await buildBadDisk(await scratch(t));
  const run = await setUp(t, folder, disk.environment);
  run.leave();
  await whenReadiness(run.service, 'spooling', (found) => found?.degraded.includes('spooling') === true);
  await run.calm(40);
  await disk.spoil();
  const gone = await whenReadiness(run.service, 'not ready', (found) => found?.status === 503);
  t.ok(gone.problems.includes('spool_failed'), gone.problems.join(' '));
  t.equal(run.lines({ code: 'spool_failed', cause: 'EIO' }).length, 1);
  disk.mend();
  const away = run.load.exchanges.length;
  await until('requesters are told', () => run.refusals(away).length > 10);
  t.strictSame((await run.service.readiness())?.status, 503, 'what comes after it is not to be relied on either');
  run.back();
  await whenReady(run.service);
  await run.drained();
  await run.calm();
  run.leave();
  await run.calm(40);
  run.back();
  await run.drained();
  await run.conclude();
  await rm(folder, { recursive: true });
});
