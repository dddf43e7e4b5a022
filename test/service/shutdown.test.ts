// The service is told to stop while it is at work: readiness goes first, what was accepted is answered and recorded, the writer closes
// its chain, exit code 0; and nothing, not even a database that does not answer, holds it up for ever. In spool mode what such a
// database does not take waits in the journal for the next process.
import net from 'node:net';
import t from 'tap';
import { modes, settingsFor } from '../helpers/modes.ts';
import { connect, createDatabase, startPrivatePostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { PATIENT, startService, whenReadiness, type Service } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { type Attempt, decisionsOf } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createQuestions } from './questions.ts';
import { createRandom } from './random.ts';

const LIMIT_MS = 600_000;
const STEP_MS = 120_000;
const CLIENTS = 24;

t.setTimeout(LIMIT_MS);

const WAITING = `select from pg_locks join pg_database on pg_database.oid = pg_locks.database
  where datname = current_database() and not granted`;

const saysStopping = (service: Service): Promise<void> =>
  until('stopping', () => service.log.some(({ msg }) => msg === 'stopping'), STEP_MS);

for (const mode of modes()) {
  t.test(`SIGTERM under load (${mode})`, async (t) => {
    t.setTimeout(LIMIT_MS);
    const random = createRandom(20_260_310);
    const database = await createDatabase(t);
    const firm = await createFirm(t);
    const environment = { SHUTDOWN_DELAY: '1s', SHUTDOWN_TIMEOUT: '60s', ...(await settingsFor(t, mode)) };
    const service = await startService(t, { urls: database.urls, firm, environment, limits: PATIENT });
    const questions = createQuestions(firm, random);
    const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next: questions.next });
    await load.more(200);
    service.signal('SIGTERM');
    const leaving = await whenReadiness(service, 'not ready', (found) => found?.status === 503);
    t.strictSame(leaving.problems, ['shutting_down'], 'readiness goes first');
    t.equal(leaving.status, 503);
    await load.more(CLIENTS + 1);
    t.pass('while whoever asks is still answered');
    t.strictSame(await service.ended, { code: 0, signal: null });
    await load.stop();

    const log = await readServiceLog(database.superuserUrl, firm.certifier);
    t.strictSame(judge(load.exchanges, log), []);
    t.equal(log.records.at(-1)?.kind, 'writer_closed', 'the chain is closed');
    t.strictSame(
      load.exchanges.filter(({ answer }) => (answer?.status ?? 0) >= 500).map(({ answer }) => answer?.body),
      [],
      'nobody was sent away',
    );
    const recorded = new Set(log.records.map(({ said }) => said['request_id']));
    const lost = load.exchanges.filter(({ attempt, answer }) => answer === null && recorded.has(attempt.requestId));
    t.strictSame(lost, [], 'what was accepted was answered');
    t.ok(load.exchanges.flatMap(decisionsOf).length > 200);
  });

  t.test(`requests that are half sent, and requests that wait for their commit (${mode})`, async (t) => {
    t.setTimeout(LIMIT_MS);
    const random = createRandom(7);
    const database = await createDatabase(t);
    const firm = await createFirm(t);
    const times = { SHUTDOWN_TIMEOUT: '120s', REQUEST_TIMEOUT: '120s', HEADERS_TIMEOUT: '120s' };
    const environment = { ...times, ...(await settingsFor(t, mode)) };
    const service = await startService(t, { urls: database.urls, firm, environment, limits: PATIENT });
    const questions = createQuestions(firm, random);
    const attempts: Attempt[] = [];
    while (attempts.length < 12) {
      const attempt = questions.next([]);
      if (attempt.leaves === 'decisions') attempts.push(attempt);
    }
    const half = attempts.slice(0, 6).map((attempt, index) => sendRaw(service.url, attempt, index * 20));
    await Promise.all(half.map(({ accepted }) => accepted));
    // What is in flight waits for this lock.
    const blocker = await connect(t, database.superuserUrl);
    await blocker.query('begin');
    await blocker.query('lock table commitments in exclusive mode');
    const whole = attempts.slice(6).map((attempt) => sendRaw(service.url, attempt, attempt.body.length));
    await Promise.all(whole.map(({ accepted }) => accepted));
    await until('a batch waits', async () => {
      const { rows } = await blocker.query(WAITING);
      return rows.length === 1;
    });
    service.signal('SIGTERM');
    await saysStopping(service);
    for (const one of half) one.complete();
    await blocker.query('rollback');
    const answers = await Promise.all([...half, ...whole].map(({ answer }) => answer));
    t.strictSame(await service.ended, { code: 0, signal: null });

    t.strictSame(
      answers.map((text) => text.split('\r\n', 1)[0]),
      attempts.map(() => 'HTTP/1.1 200 OK'),
    );
    const log = await readServiceLog(database.superuserUrl, firm.certifier);
    const exchanges = attempts.map((attempt, index) => ({ attempt, answer: parseRaw(answers[index] ?? '') }));
    t.strictSame(judge(exchanges, log), []);
    t.equal(log.records.at(-1)?.kind, 'writer_closed');
    t.equal(log.writers.length, 1);
  });

  t.test(`a database that does not answer (${mode})`, async (t) => {
    t.setTimeout(LIMIT_MS);
    const postgres = await startPrivatePostgres(t);
    const before = new Set<string>();
    // One signal with the recorder's own time limits takes long; test/faults has it with shorter ones.
    for (const signals of process.env['PRIVITY_LONG'] === '1' ? [1, 2] : [2]) {
      const firm = await createFirm(t);
      const environment = { SHUTDOWN_TIMEOUT: '1s', ...(await settingsFor(t, mode)) };
      const started = { urls: postgres.urls, firm, environment };
      const service = await startService(t, started);
      const random = createRandom(signals);
      const questions = createQuestions(firm, random);
      const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next: questions.next });
      await load.more(50);
      await postgres.kill('SIGSTOP');
      service.signal('SIGTERM');
      await saysStopping(service);
      if (signals === 2) service.signal('SIGTERM');
      const { code, signal } = await service.ended;
      t.equal(signal, null, 'it ended by itself');
      const isInOrder = mode === 'spool' && signals === 1;
      t.equal(code, isInOrder ? 0 : 1, 'and said whether that was in order');
      await load.stop();
      await postgres.kill('SIGCONT');
      await until('the server has noticed', async () => {
        const client = await connect(t, postgres.superuserUrl);
        const { rows } = await client.query(
          `select from pg_stat_activity where application_name like 'privity writer'`,
        );
        await client.end();
        return rows.length === 0;
      });
      if (mode === 'spool') {
        const next = await startService(t, started);
        await whenReadiness(next, 'drained', (seen) => seen?.degraded.includes('spooling') === false);
        await next.kill();
      }
      const log = await readServiceLog(postgres.superuserUrl, firm.certifier);
      const own = { ...log, problems: [], records: log.records.filter(({ writer }) => !before.has(writer)) };
      t.strictSame(judge(load.exchanges, own), [], 'no answer without a record');
      for (const writer of log.writers) before.add(writer);
    }
  });
}

interface RawRequest {
  /** The service has read the head. */
  readonly accepted: Promise<void>;
  complete(): void;
  /** Everything that came back after that, when the connection has ended. */
  readonly answer: Promise<string>;
}

/** A request of which only the first bytes of the body are sent at first. The service says when it has read the head (RFC 9110, 10.1.1). */
function sendRaw(url: string, attempt: Attempt, bodyBytes: number): RawRequest {
  const { hostname, port } = new URL(url);
  const head = Object.entries({
    ...attempt.headers,
    host: hostname,
    'x-request-id': attempt.requestId,
    'content-length': String(Buffer.byteLength(attempt.body)),
    expect: '100-continue',
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${attempt.method} ${attempt.path} HTTP/1.1\r\n${head.join('')}\r\n${attempt.body}`;
  const cut = text.length - attempt.body.length + bodyBytes;
  const socket = net.connect(Number(port), hostname);
  const accepted = Promise.withResolvers<void>();
  let back = '';
  const answer = new Promise<string>((resolve) => {
    const end = (): void => resolve(back.replace(CONTINUE, ''));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      back += chunk;
      if (back.startsWith(CONTINUE)) accepted.resolve();
    });
    socket.once('error', end);
    socket.once('close', end);
  });
  socket.write(text.slice(0, cut));
  return { accepted: accepted.promise, complete: () => void socket.write(text.slice(cut)), answer };
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

function parseRaw(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ', 2)));
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) as Record<string, unknown> };
}
