// What stands between the service and PostgreSQL fails: connections that end or go silent in every phase of the protocol, latency,
// administrators who cancel and terminate. Nobody is answered without a record, and the service finds its way back by itself.
// In spool mode what gets stuck on the way is answered from the journal.
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HASTY, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { type Mode, modes } from '../helpers/modes.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { FAULTS, startProxy, WAY_FAULTS } from '../helpers/proxy.ts';
import { PATIENT } from '../helpers/service.ts';

const ROUNDS = isLong ? 20 : 1;
/** Enough for what is slow, on a machine that is slow itself. */
const ROOMY_MS = 5_000;
const BLOWS = isLong ? 2_000 : 60;

t.setTimeout(LIMIT_MS);
// Most of the time is spent waiting for time limits.
t.jobs = 4;

async function setUp(t: Test, mode: Mode, limits?: typeof PATIENT) {
  const database = await createDatabase(t);
  const proxy = await startProxy(t, database.urls.writer, 'write_batch');
  const urls = { writer: proxy.url(database.urls.writer), reader: proxy.url(database.urls.reader) };
  const run = await startFaultRun(t, { urls, superuserUrl: database.superuserUrl, mode, ...(limits && { limits }) });
  const admin = await connect(t, database.superuserUrl);
  return { proxy, run, admin };
}

for (const mode of modes()) {
  t.test(
    `a connection that ends in any phase: startup, authentication, setup, prepare, bind, execute, commit (${mode})`,
    { buffered: true },
    async (t) => {
      t.setTimeout(LIMIT_MS);
      const { proxy, run } = await setUp(t, mode, PATIENT);
      const phases = [...WAY_FAULTS, ...FAULTS].filter((fault) => fault.startsWith('cut_'));
      for (const phase of Array.from({ length: ROUNDS }, () => phases).flat()) {
        await run.calm(5);
        const injured = proxy.injureNext(phase);
        // A new connection goes through all of them.
        proxy.cut();
        await injured;
        await run.calm(15);
        t.pass(phase);
      }
      await run.conclude();
      t.strictSame(run.refusals(), [], 'nobody who asked for a decision was even told');
    },
  );

  t.test(`a connection that goes silent in any phase (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { proxy, run } = await setUp(t, mode);
    const phases = [...WAY_FAULTS, ...FAULTS].filter((fault) => fault.startsWith('swallow_'));
    for (const phase of Array.from({ length: ROUNDS }, () => phases).flat()) {
      await run.calm(5);
      const injured = proxy.injureNext(phase);
      proxy.cut();
      await injured;
      await run.calm(15);
      t.pass(phase);
    }
    await run.conclude();
  });

  t.test(
    `slow: fewer and larger batches, everybody answered; slower than anybody waits: as if it were away (${mode})`,
    { buffered: true },
    async (t) => {
      t.setTimeout(LIMIT_MS);
      const { proxy, run } = await setUp(t, mode, { ...HASTY, deadlineMs: ROOMY_MS });
      await run.calm();
      const before = run.load.exchanges.length;
      proxy.delay(50);
      await run.calm();
      t.strictSame(run.failures(before), [], 'slow is not down');
      await run.suffer('two seconds in either direction', {
        inject: async () => proxy.delay(2_000),
        heal: async () => proxy.delay(0),
        problems: ['database_stalled', 'database_unreachable'],
        logged: { msg: 'recorder', code: 'connection_lost' },
      });
      await run.conclude();
    },
  );

  t.test(
    `statements cancelled and sessions terminated by an administrator, again and again (${mode})`,
    { buffered: true },
    async (t) => {
      t.setTimeout(LIMIT_MS);
      const { run, admin } = await setUp(t, mode, PATIENT);
      const ours = `from pg_stat_activity where datname = current_database() and application_name = 'privity writer'`;
      for (const blow of ['pg_cancel_backend', 'pg_terminate_backend']) {
        for (let count = 0; count < BLOWS; count++) {
          await admin.query(`select ${blow}(pid) ${ours}`);
          await sleep(run.random.below(20));
        }
        await run.calm();
      }
      t.ok(run.lines({ msg: 'recorder', cause: '57P01' }).length > 0, 'the log says who did it');
      await run.conclude();
      t.strictSame(run.refusals(), [], 'nobody who asked for a decision was even told');
    },
  );
}
