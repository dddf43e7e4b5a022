// More at once than one commit takes, with refused tokens between: every decision is recorded under the very time it was made at, and
// refused tokens hold nobody up (P4, DESIGN 3).
import t from 'tap';
import { createDatabase } from '../helpers/postgres.ts';
import { startService } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import type { Attempt, Exchange } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createQuestions } from './questions.ts';
import { createRandom } from './random.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const ANSWERS = isLong ? 10_000 : 400;
const CLIENTS = 64;
const LIMIT_MS = isLong ? 3600_000 : 600_000;

t.setTimeout(LIMIT_MS);

t.test('batches and bad tokens, more than one commit takes', async (t) => {
  t.setTimeout(LIMIT_MS);
  const random = createRandom(20_260_310);
  const database = await createDatabase(t);
  const firm = await createFirm(t);
  const service = await startService(t, { urls: database.urls, firm });
  const questions = createQuestions(firm, random);
  const isWanted = ({ path, statuses }: Attempt): boolean =>
    path === '/v1/authorize/batch' || statuses.includes(401) || statuses.includes(403);
  const next = (exchanges: readonly Exchange[]): Attempt => {
    for (;;) {
      const attempt = questions.next(exchanges);
      if (isWanted(attempt)) return attempt;
    }
  };
  const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next });
  await load.more(ANSWERS);
  await load.stop();
  service.signal('SIGTERM');
  t.strictSame(await service.ended, { code: 0, signal: null });

  const log = await readServiceLog(database.superuserUrl, firm.certifier);
  t.strictSame(judge(load.exchanges, log), []);
  const refused = log.records.filter(({ kind }) => kind === 'refused');
  const counted = refused.reduce((sum, { said }) => sum + Number(said['count'] ?? 1), 0);
  const sent = load.exchanges.filter(({ answer }) => answer?.status === 401);
  t.equal(counted, sent.length, 'every refused token is in the log, by itself or in a count');
});
