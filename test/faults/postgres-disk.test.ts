// PostgreSQL's disk is full, under the tables or under the write-ahead log, or its fsync fails: whatever was answered is there
// afterwards, nothing is answered meanwhile (but from the journal, in spool mode), and the service is back when the database is.
import path from 'node:path';
import t, { type Test } from 'tap';
import {
  type BareServer,
  buildBadDisk,
  cannotCompile,
  cannotMount,
  fillDisk,
  putOnSmallDisk,
  startBare,
} from '../helpers/bare-postgres.ts';
import { isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { modes } from '../helpers/modes.ts';
import { connect, startPrivatePostgres } from '../helpers/postgres.ts';

const ROUNDS = isLong ? 5 : 1;

t.setTimeout(LIMIT_MS);
// Most of the time is spent waiting for servers.
t.jobs = 3;

interface Prepared {
  readonly folder: string;
  readonly superuserUrl: string;
  readonly urls: Awaited<ReturnType<typeof startPrivatePostgres>>['urls'];
}

/** A server's folder and URLs; it does not run. */
async function prepare(t: Test): Promise<Prepared> {
  const { folder, superuserUrl, urls, stop } = await startPrivatePostgres(t);
  await stop();
  return { folder: path.join(folder, 'data'), superuserUrl, urls };
}

const noMount = cannotMount();
const noCompiler = cannotCompile();

for (const mode of modes()) {
  t.test(`no space left for the tables (${mode})`, { buffered: true, skip: noMount ?? false }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { folder, superuserUrl, urls } = await prepare(t);
    const tables = path.join(folder, 'base');
    await putOnSmallDisk(t, tables, 160);
    await startBare(t, { folder: path.dirname(folder), superuserUrl });
    const run = await startFaultRun(t, { urls, superuserUrl, mode });
    for (let round = 0; round < ROUNDS; round++) {
      let disk: ReturnType<typeof fillDisk> | undefined;
      await run.suffer('a full disk', {
        inject: async () => (disk = fillDisk(tables)),
        heal: async () => disk?.free(),
        problems: ['database_refuses'],
        logged: { msg: 'recorder', code: 'database_refuses', cause: '53100' },
      });
    }
    await run.conclude();
  });

  t.test(`no space left for the write-ahead log (${mode})`, { buffered: true, skip: noMount ?? false }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { folder, superuserUrl, urls } = await prepare(t);
    const log = path.join(folder, 'pg_wal');
    await putOnSmallDisk(t, log, 96);
    const settings = { min_wal_size: '32MB', max_wal_size: '32MB', wal_recycle: 'off' };
    const start = () => startBare(t, { folder: path.dirname(folder), superuserUrl, settings });
    let server: BareServer = await start();
    const run = await startFaultRun(t, { urls, superuserUrl, mode });
    for (let round = 0; round < ROUNDS; round++) {
      let disk: ReturnType<typeof fillDisk> | undefined;
      await run.suffer('a full disk', {
        inject: async () => {
          disk = fillDisk(log);
          // What is left of this segment would last for a while.
          const admin = await connect(t, superuserUrl);
          for (let count = 0; count < 4; count++) await admin.query('select pg_switch_wal()').catch(() => undefined);
        },
        heal: async () => {
          disk?.free();
          if (!(await server.isBack())) server = await start();
        },
        problems: ['database_unreachable', 'database_stalled', 'database_refuses'],
        logged: { msg: 'recorder', code: /connection_lost|database_refuses/ },
      });
    }
    await run.conclude();
  });

  t.test(`fsync fails (${mode})`, { buffered: true, skip: noCompiler ?? false }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { folder, superuserUrl, urls } = await prepare(t);
    const disk = await buildBadDisk(path.dirname(folder));
    const { environment } = disk;
    // As under a supervisor: it ends with a panic, rather than recover on a disk that is still bad.
    const settings = { restart_after_crash: 'off' };
    const start = () => startBare(t, { folder: path.dirname(folder), superuserUrl, environment, settings });
    let server: BareServer = await start();
    const run = await startFaultRun(t, { urls, superuserUrl, mode });
    for (let round = 0; round < ROUNDS; round++) {
      await run.suffer('a disk gone bad', {
        inject: disk.spoil,
        heal: async () => {
          disk.mend();
          await server.exited;
          server = await start();
        },
        problems: ['database_unreachable', 'database_stalled'],
        logged: { msg: 'recorder', code: 'connection_lost' },
      });
    }
    await run.conclude();
  });
}
