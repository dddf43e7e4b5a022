// The service and PostgreSQL are killed at random moments under a mixed load, again and again: afterwards every answer that got out
// has its record, exactly once and with the same words, and every chain verifies (P1, P5). In spool mode answers go on while
// PostgreSQL is away, and the service is killed with them in its journal.
import t from 'tap';
import { openClient } from '../../src/io/db/database.ts';
import { startPrivatePostgres } from '../helpers/postgres.ts';
import { scratch } from '../helpers/launch.ts';
import { startService, whenReadiness, whenReady } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { decisionsOf } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createQuestions } from './questions.ts';
import { createRandom } from './random.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
/** In CI each victim has its turn, and one a second. */
const ROUNDS = { deny: isLong ? 100 : 5, spool: isLong ? 100 : 4 } as const;
const SEED = isLong ? Date.now() % 2 ** 31 : 20_260_310;
const CLIENTS = 24;
/** Answers in a row before the next kill, at most. */
const CALM = 250;
/** Every wait is for an event; this only ends what hangs. */
const LIMIT_MS = isLong ? 3 * 3600_000 : 600_000;
const VICTIMS = ['service', 'postgres', 'backend', 'both'] as const;

t.setTimeout(LIMIT_MS);

for (const mode of ['deny', 'spool'] as const)
  t.test(`${ROUNDS[mode]} kills, seed ${SEED}, ${mode}`, async (t) => {
    t.setTimeout(LIMIT_MS);
    const isSpooling = mode === 'spool';
    const rounds = ROUNDS[mode];
    const random = createRandom(SEED);
    const postgres = await startPrivatePostgres(t);
    const firm = await createFirm(t);
    const environment = isSpooling ? { AUDIT_ON_FAILURE: mode, SPOOL_DIR: await scratch(t) } : {};
    const start = () => startService(t, { urls: postgres.urls, firm, environment });
    let service = await start();
    const questions = createQuestions(firm, random);
    const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next: questions.next });

    for (let round = 0; round < rounds; round++) {
      await load.more(1 + random.below(CALM));
      const victim = VICTIMS[round % VICTIMS.length];
      await new Promise((resolve) => setTimeout(resolve, random.below(40)));
      if (victim === 'backend') await killBackend(postgres.superuserUrl);
      if (victim === 'postgres' || victim === 'both') await postgres.kill('SIGKILL');
      // Without PostgreSQL, from the journal alone; killed in the act of filling it.
      if (isSpooling && (victim === 'postgres' || victim === 'both')) await load.more(1 + random.below(CALM));
      if (victim === 'service' || victim === 'both') await service.kill();
      if (victim === 'postgres' || victim === 'both') await postgres.start();
      if (victim === 'service' || victim === 'both') service = await start();
      t.match(await whenReady(service), { status: 200 }, `up again after the end of ${victim}`);
      load.aim(service.url);
    }
    await load.more(CALM);
    await load.stop();
    if (isSpooling) await whenReadiness(service, 'drained', (found) => found?.degraded.includes('spooling') === false);
    await service.kill();

    const log = await readServiceLog(postgres.superuserUrl, firm.certifier);
    t.strictSame(judge(load.exchanges, log), []);
    const decisions = load.exchanges.flatMap(decisionsOf);
    t.comment(
      `${load.exchanges.length} requests, ${decisions.length} decisions answered, ${log.records.length} records`,
    );
    t.ok(decisions.some(({ decision }) => decision === true) && decisions.some(({ decision }) => decision === false));
    const restarts = Array.from({ length: rounds }, (_, round) => VICTIMS[round % VICTIMS.length]);
    const writers = 1 + restarts.filter((victim) => victim === 'service' || victim === 'both').length;
    t.equal(log.writers.length, writers, 'a writer for each run of the service, and no other');
  });

/** The server process that writes for the service; PostgreSQL then ends all the others and recovers. */
async function killBackend(superuserUrl: string): Promise<void> {
  const client = await openClient({ url: superuserUrl, applicationName: 'privity tests', onError: () => undefined });
  try {
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'privity writer'`,
    );
    for (const { pid } of rows) process.kill(pid, 'SIGKILL');
  } finally {
    await client.end().catch(() => undefined);
  }
}
