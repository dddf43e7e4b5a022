// PostgreSQL is shut down, killed, restarted and frozen under load: no answer without its record meanwhile (in spool mode everybody is
// answered from the journal), and the service is back by itself when the database is.
import t from 'tap';
import { isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { modes } from '../helpers/modes.ts';
import { startPrivatePostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { type Readiness, whenReadiness } from '../helpers/service.ts';

const ROUNDS = isLong ? 20 : 1;

t.setTimeout(LIMIT_MS);
// Most of the time is spent waiting.
t.jobs = 3;

for (const mode of modes(true))
  t.test(`stopped, restarted, frozen (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const postgres = await startPrivatePostgres(t);
    const run = await startFaultRun(t, { ...postgres, mode });
    const gone = { heal: postgres.start, problems: ['database_unreachable'] };

    for (let round = 0; round < ROUNDS; round++) {
      await run.suffer('a fast shutdown', {
        ...gone,
        inject: () => postgres.stop('fast'),
        logged: { msg: 'recorder', code: 'cannot_connect', cause: /^(unreachable|57P03)$/ },
      });
      await run.suffer('an immediate shutdown', {
        ...gone,
        inject: () => postgres.stop('immediate'),
        logged: { msg: 'recorder', code: 'cannot_connect', cause: /^(unreachable|57P03)$/ },
      });
      await run.suffer('the end of a power cut', {
        ...gone,
        inject: () => postgres.kill('SIGKILL'),
        logged: { msg: 'recorder', code: 'connection_lost' },
      });
      await run.suffer('a freeze', {
        inject: () => postgres.kill('SIGSTOP'),
        heal: () => postgres.kill('SIGCONT'),
        problems: ['database_stalled', 'database_unreachable'],
        logged: { msg: 'recorder', code: 'connection_lost' },
      });

      const before = run.lines({ code: 'connected' }).length;
      await postgres.stop('fast');
      await postgres.start();
      await until('a restart: connected again', () => run.lines({ code: 'connected' }).length > before, LIMIT_MS);
      await run.calm();
    }
    if (mode === 'spool') {
      t.ok(run.lines({ code: 'spooling_began', level: 'warn' }).length >= 4 * ROUNDS, 'the log says when it began');
      // On a busy machine some of what is asked goes through the journal at any time.
      await run.load.stop();
      await run.drained();
      t.ok(await run.measures('privity_spool_batches 0'), 'nothing is left');
    }
    await run.conclude();
  });

for (const mode of modes())
  t.test(`frozen while nobody asks: noticed all the same (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const postgres = await startPrivatePostgres(t);
    const run = await startFaultRun(t, { ...postgres, mode });
    await run.calm();
    await run.load.stop();
    await postgres.kill('SIGSTOP');
    const isSeen = (seen: Readiness | null): boolean =>
      (mode === 'deny' ? seen?.problems : seen?.degraded)?.includes('database_unreachable') === true;
    const found = await whenReadiness(run.service, 'seen', isSeen);
    t.strictSame([found.status, found.problems], mode === 'deny' ? [503, ['database_unreachable']] : [200, []]);
    await postgres.kill('SIGCONT');
    await run.conclude();
  });
