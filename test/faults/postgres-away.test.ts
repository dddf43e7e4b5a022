// PostgreSQL is shut down, killed, restarted and frozen under load: no answer without its record meanwhile, and the service is back by
// itself when the database is.
import t from 'tap';
import { isLong, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { startPrivatePostgres } from '../helpers/postgres.ts';
import { whenReadiness } from '../helpers/service.ts';

const ROUNDS = isLong ? 20 : 1;

t.setTimeout(LIMIT_MS);

t.test('stopped, restarted, frozen', async (t) => {
  t.setTimeout(LIMIT_MS);
  const postgres = await startPrivatePostgres(t);
  const run = await startFaultRun(t, postgres);
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
    await run.calm();
    t.ok(run.lines({ code: 'connected' }).length > before, 'a restart: connected again, and answering');
  }
  await run.conclude();
});

t.test('frozen while nobody asks: noticed all the same', async (t) => {
  t.setTimeout(LIMIT_MS);
  const postgres = await startPrivatePostgres(t);
  const run = await startFaultRun(t, postgres);
  await run.calm();
  await run.load.stop();
  await postgres.kill('SIGSTOP');
  const found = await whenReadiness(run.service, 'not ready', (seen) => seen?.status === 503);
  t.strictSame(found.problems, ['database_unreachable']);
  await postgres.kill('SIGCONT');
  await run.conclude();
});
