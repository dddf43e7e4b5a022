// The service is told to stop while PostgreSQL is frozen, gone or locked: the stop is bounded, one line says that the chain stayed open
// and why, and the exit code is always the same. In spool mode the journal takes the rest, the stop is in order, and the next process
// brings it in.
import t, { type Test } from 'tap';
import { type FaultRun, HASTY, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { modes } from '../helpers/modes.ts';
import { connect, type PrivatePostgres, startPrivatePostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { startService, whenReadiness } from '../helpers/service.ts';
import { readServiceLog } from '../service/log.ts';
import { judge } from '../service/judge.ts';

t.setTimeout(LIMIT_MS);

interface Stop {
  readonly isIdle?: boolean;
  readonly inject: (postgres: PrivatePostgres) => Promise<unknown>;
  readonly heal: (postgres: PrivatePostgres) => Promise<unknown>;
}

const STOPS: Readonly<Record<string, Stop>> = {
  'frozen, under load': { inject: ({ kill }) => kill('SIGSTOP'), heal: ({ kill }) => kill('SIGCONT') },
  'frozen, nobody asks': { isIdle: true, inject: ({ kill }) => kill('SIGSTOP'), heal: ({ kill }) => kill('SIGCONT') },
  'stopped, under load': { inject: ({ stop }) => stop('immediate'), heal: ({ start }) => start() },
  'stopped, nobody asks': { isIdle: true, inject: ({ stop }) => stop('immediate'), heal: ({ start }) => start() },
};

const postgres = await startPrivatePostgres(t);

// One of each in CI.
const names = Object.keys(STOPS).filter((_, index) => isLong || index < 3);

for (const mode of modes())
  for (const [name, { isIdle = false, inject, heal }] of Object.entries(STOPS)) {
    if (!names.includes(name)) continue;
    t.test(`${name} (${mode})`, async (t: Test) => {
      t.setTimeout(LIMIT_MS);
      const before = await writers();
      const environment = { SHUTDOWN_TIMEOUT: '1s' };
      const run = await startFaultRun(t, { ...postgres, mode, environment, limits: HASTY });
      const { service, load, firm, calm, lines } = run;
      await calm();
      if (isIdle) await load.stop();
      await inject(postgres);
      service.signal('SIGTERM');
      const isInOrder = mode === 'spool';
      t.strictSame(await service.ended, { code: isInOrder ? 0 : 1, signal: null }, 'it ended by itself');
      await load.stop();
      const code = isInOrder ? 'spool_not_empty' : 'writer_left_open';
      const left = lines({ msg: 'recorder', code });
      t.equal(left.length, 1, `one line says ${code}`);
      if (isInOrder) t.match(left[0], { level: 'warn', batches: Number, records: Number });
      else t.match(left[0], { level: 'error', writer: /^[0-9a-f-]{36}$/, cause: /./ });
      await heal(postgres);
      await until('the server has noticed', async () => (await sessions()) === 0);
      if (isInOrder) await drain(t, run);

      const log = await readServiceLog(postgres.superuserUrl, firm.certifier);
      const own = log.records.filter(({ writer }) => !before.has(writer));
      t.strictSame(judge(load.exchanges, { ...log, problems: [], records: own }), [], 'no answer without a record');
      // What was sent to a frozen server may arrive when it goes on, the last record of the chain among it.
      const isClosed = own.some(({ kind }) => kind === 'writer_closed');
      if (isInOrder) t.ok(isClosed, 'its chain is closed');
      else t.ok(Number(left[0]?.['unresolved']) > 0 || !isClosed, 'what the line says is so');
    });
  }

/** The next process on the same journal. */
async function drain(t: Test, { firm, settings }: FaultRun): Promise<void> {
  const next = await startService(t, { urls: postgres.urls, firm, environment: settings });
  await whenReadiness(next, 'drained', (seen) => seen?.status === 200 && !seen.degraded.includes('spooling'));
  await next.kill();
}

async function writers(): Promise<ReadonlySet<string>> {
  const client = await connect(t, postgres.superuserUrl);
  const { rows } = await client.query<{ writer: string }>('select distinct writer from heads');
  await client.end();
  return new Set(rows.map(({ writer }) => writer));
}

async function sessions(): Promise<number> {
  const client = await connect(t, postgres.superuserUrl);
  const { rowCount } = await client.query(`select from pg_stat_activity where application_name like 'privity writer'`);
  await client.end();
  return rowCount ?? 0;
}
