// PostgreSQL is there and answers, but does not take records: locked, read-only, out of connections, or not durable. Not ready
// meanwhile (in spool mode: ready, and answering from the journal), with a code that says why; nobody is answered on the strength of
// a commit that is none.
import t from 'tap';
import { startBare } from '../helpers/bare-postgres.ts';
import { isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { modes } from '../helpers/modes.ts';
import { connect, startPrivatePostgres } from '../helpers/postgres.ts';
import { startProxy } from '../helpers/proxy.ts';

const ROUNDS = isLong ? 10 : 1;

t.setTimeout(LIMIT_MS);
// Most of the time is spent waiting.
t.jobs = 2;

for (const mode of modes(true))
  t.test(`locked, read-only, out of connections, without fsync (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const postgres = await startPrivatePostgres(t);
    await postgres.stop();
    const { folder, superuserUrl } = postgres;
    // The embedded server insists on fsync; an operator's does not.
    const start = (settings: Readonly<Record<string, string>> = {}) =>
      startBare(t, { folder, superuserUrl, settings: { max_connections: '30', ...settings } });
    let server = await start();
    const proxy = await startProxy(t, postgres.urls.writer, 'write_batch');
    const urls = { writer: proxy.url(postgres.urls.writer), reader: proxy.url(postgres.urls.reader) };
    const run = await startFaultRun(t, { urls, superuserUrl, mode });
    const admin = await connect(t, superuserUrl);
    const set = async (setting: string): Promise<void> => {
      await admin.query(`alter system ${setting}`);
      await admin.query('select pg_reload_conf()');
    };

    for (let round = 0; round < ROUNDS; round++) {
      await run.suffer('a lock on `decisions` that is held for long', {
        inject: async () => {
          await admin.query('begin');
          await admin.query('lock table decisions in access exclusive mode');
        },
        heal: () => admin.query('rollback'),
        problems: ['database_stalled', 'database_unreachable'],
        logged: { msg: 'recorder', code: 'connection_lost' },
      });

      await run.suffer('a database that has become read-only', {
        inject: () => set('set default_transaction_read_only = on'),
        heal: async () => {
          await admin.query('set default_transaction_read_only = off');
          await set('reset default_transaction_read_only');
        },
        problems: ['database_refuses'],
        logged: { msg: 'recorder', code: 'database_refuses', cause: '25006' },
      });

      const others: Awaited<ReturnType<typeof connect>>[] = [];
      await run.suffer('all connections taken by others', {
        inject: async () => {
          proxy.cut(true);
          for (let isFull = false; !isFull;) {
            const other = await connect(t, postgres.urls.reader).catch(() => null);
            isFull = other === null;
            if (other !== null) others.push(other);
          }
          proxy.restore();
        },
        heal: () => Promise.all(others.map((other) => other.end())),
        problems: ['database_unreachable'],
        logged: { msg: 'recorder', code: 'cannot_connect', cause: '53300' },
      });

      await run.suffer('fsync turned off while connected', {
        inject: () => set('set fsync = off'),
        heal: () => set('reset fsync'),
        problems: ['database_unreachable'],
        logged: { msg: 'recorder', code: 'cannot_connect', cause: 'fsync_off' },
      });
    }

    await admin.end();
    const restart = async (settings?: Readonly<Record<string, string>>): Promise<void> => {
      await server.stop();
      server = await start(settings);
    };
    await run.suffer('a restart without fsync', {
      inject: () => restart({ fsync: 'off' }),
      heal: () => restart(),
      problems: ['database_unreachable'],
      logged: { msg: 'recorder', code: 'cannot_connect', cause: 'fsync_off' },
    });
    await run.conclude();
  });
