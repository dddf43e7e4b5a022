// Connections between the service and PostgreSQL are injured exactly around the commit, again and again, while clients go on asking:
// no answer without its record, one chain without a gap, and the service is back by itself and says so. In spool mode whatever waits too
// long is answered from the journal, and nobody is sent away.
import t, { type Test } from 'tap';
import { limitsFor, type Mode, modes, settingsFor } from '../helpers/modes.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { type Fault, FAULTS, startProxy } from '../helpers/proxy.ts';
import { PATIENT, type Readiness, startService, whenReadiness } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { decisionsOf } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createQuestions } from './questions.ts';
import { createRandom } from './random.ts';

const isLong = process.env['PRIVITY_LONG'] === '1';
const EACH = isLong ? 60 : 2;
const SEED = isLong ? Date.now() % 2 ** 31 : 20_260_310;
const CLIENTS = 16;
const LIMIT_MS = isLong ? 3 * 3600_000 : 600_000;
/** Silence is given up sooner than an operator would, so that it can happen often. */
const LIMITS = { sendTimeoutMs: 700, deadlineMs: 500 };

t.setTimeout(LIMIT_MS);

async function setUp(t: Test, mode: Mode, limits: typeof PATIENT) {
  const random = createRandom(SEED);
  const database = await createDatabase(t);
  const proxy = await startProxy(t, database.urls.writer, 'write_batch');
  const firm = await createFirm(t);
  const urls = { writer: proxy.url(database.urls.writer), reader: database.urls.reader };
  const environment = await settingsFor(t, mode);
  const service = await startService(t, { urls, firm, environment, limits: limitsFor(mode, limits) });
  const questions = createQuestions(firm, random);
  const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next: questions.next });
  const isWell = (seen: Readiness | null): boolean => seen?.status === 200 && !seen.degraded.includes('spooling');
  const well = () => whenReadiness(service, 'well', isWell, LIMIT_MS);
  /** In spool mode the next injury waits until the journal is empty: one after the other they would fill it. */
  const settled = async () => void (mode === 'spool' && (await well()));
  const failures = () => load.exchanges.filter(({ answer }) => answer === null || answer.status >= 500);
  /** Ends the load and compares. */
  const conclude = async () => {
    await load.stop();
    t.match(await well(), { status: 200 }, 'ready again, in the same process');
    await service.kill();
    const log = await readServiceLog(database.superuserUrl, firm.certifier);
    t.strictSame(judge(load.exchanges, log), []);
    if (mode === 'spool') t.strictSame(failures(), [], 'nobody was sent away');
    t.equal(log.writers.length, 1, 'a lost connection is no reason for a new writer');
    const decisions = load.exchanges.flatMap(decisionsOf);
    t.comment(
      `${load.exchanges.length} requests, ${decisions.length} decisions answered, ${log.records.length} records`,
    );
  };
  return { random, proxy, service, load, well, settled, failures, conclude };
}

for (const mode of modes()) {
  t.test(`a connection that is cut in the act of committing (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { random, proxy, load, settled, failures, conclude } = await setUp(t, mode, PATIENT);
    const cuts: readonly Fault[] = FAULTS.filter((fault) => fault.startsWith('cut_'));
    for (const fault of Array.from({ length: EACH }, () => cuts).flat()) {
      await load.more(random.below(40));
      await proxy.injureNext(fault);
      // The batch that was hit is sent again, and everything behind it comes through.
      await load.more(CLIENTS + 1);
      await settled();
    }
    await conclude();
    t.strictSame(failures(), [], 'nobody was even told');
  });

  t.test(`a connection that goes silent in the act of committing (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { random, proxy, load, settled, conclude } = await setUp(t, mode, LIMITS);
    for (const fault of Array.from({ length: EACH }, () => ['swallow_answer', 'swallow_sync'] as const).flat()) {
      await load.more(random.below(40));
      await proxy.injureNext(fault);
      await load.more(CLIENTS + 1);
      await settled();
    }
    await conclude();
  });

  t.test(`several injuries to one batch (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { random, proxy, load, settled, conclude } = await setUp(t, mode, LIMITS);
    for (let round = 0; round < EACH; round++) {
      await load.more(random.below(40));
      for (let injuries = 2 + random.below(4); injuries > 0; injuries--) await proxy.injureNext(random.pick(FAULTS));
      await load.more(CLIENTS + 1);
      await settled();
    }
    await conclude();
  });

  t.test(`cut off, and frozen: seen, and over without a restart (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const { proxy, service, load, well, conclude } = await setUp(t, mode, LIMITS);
    const seen = (codes: readonly string[]) =>
      whenReadiness(service, `seen: ${codes.join(', ')}`, (found) =>
        mode === 'deny'
          ? codes.some((code) => found?.problems.includes(code))
          : found?.degraded.includes('spooling') === true && codes.some((code) => found.degraded.includes(code)),
      );
    const status = mode === 'deny' ? 503 : 200;
    for (let round = 0; round < EACH; round++) {
      await load.more(20);
      proxy.cut(true);
      const cut = await seen(['database_unreachable']);
      t.strictSame([cut.status, cut.problems], [status, mode === 'deny' ? ['database_unreachable'] : []]);
      if (mode === 'spool') await load.more(20);
      proxy.restore();
      await well();
      await load.more(20);

      proxy.freeze();
      t.equal((await seen(['database_stalled', 'database_unreachable'])).status, status);
      if (mode === 'spool') await load.more(20);
      // The network is back, but not the connections that it had.
      proxy.cut();
      proxy.restore();
      await well();
    }
    await load.more(20);
    await conclude();
    if (mode === 'spool') return;
    t.ok(
      load.exchanges.some(({ answer }) => answer?.body['code'] === 'cannot_record'),
      'meanwhile requesters were told that there is no record, hence no decision',
    );
  });
}
