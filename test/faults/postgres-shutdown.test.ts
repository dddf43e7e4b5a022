// The service is told to stop while PostgreSQL is frozen, gone or locked: the stop is bounded, one line says that the chain stayed open
// and why, and the exit code is always the same.
import t, { type Test } from 'tap';
import { HASTY, isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { connect, type PrivatePostgres, startPrivatePostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
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

for (const [name, { isIdle = false, inject, heal }] of Object.entries(STOPS)) {
  if (!names.includes(name)) continue;
  t.test(name, async (t: Test) => {
    t.setTimeout(LIMIT_MS);
    const before = await writers();
    const environment = { SHUTDOWN_TIMEOUT: '1s' };
    const { service, load, firm, calm, lines } = await startFaultRun(t, { ...postgres, environment, limits: HASTY });
    await calm();
    if (isIdle) await load.stop();
    await inject(postgres);
    service.signal('SIGTERM');
    t.strictSame(await service.ended, { code: 1, signal: null }, 'it ended by itself, and not in order');
    await load.stop();
    const left = lines({ code: 'writer_left_open' });
    t.match(left, [{ level: 'error', msg: 'recorder', writer: /^[0-9a-f-]{36}$/, cause: /./ }], 'one line says so');
    t.equal(left.length, 1);
    await heal(postgres);
    await until('the server has noticed', async () => (await sessions()) === 0);

    const log = await readServiceLog(postgres.superuserUrl, firm.certifier);
    const own = log.records.filter(({ writer }) => !before.has(writer));
    t.strictSame(judge(load.exchanges, { ...log, problems: [], records: own }), [], 'no answer without a record');
    // What was sent to a frozen server may arrive when it goes on, the last record of the chain among it.
    const isClosed = own.some(({ kind }) => kind === 'writer_closed');
    t.ok(Number(left[0]?.['unresolved']) > 0 || !isClosed, 'what the line says is so');
  });
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
