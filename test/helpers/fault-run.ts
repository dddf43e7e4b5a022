// One run of the whole service under load while something is done to it, so that a test reads as fault, outcome, cure. It must never
// restart the service to get it well, and always ends with what clients were answered held against what the database holds.
import { rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Test } from 'tap';
import { judge } from '../service/judge.ts';
import { type Load, startLoad } from '../service/load.ts';
import { readServiceLog, type ServiceLog } from '../service/log.ts';
import { createQuestions } from '../service/questions.ts';
import { createRandom, type Random } from '../service/random.ts';
import { decisionsOf, type Exchange } from '../service/exchange.ts';
import { limitsFor, type Mode, settingsFor } from './modes.ts';
import { until } from './recorder.ts';
import { type Readiness, type Service, type ServiceOptions, startService, whenReadiness } from './service.ts';
import { createFirm, type FirmFiles, type ServiceFirm } from './service-firm.ts';

type Json = Readonly<Record<string, unknown>>;

export interface FaultRunOptions {
  readonly urls: ServiceOptions['urls'];
  readonly superuserUrl: string;
  /** `deny` unless told otherwise. */
  readonly mode?: Mode;
  readonly limits?: ServiceOptions['limits'];
  readonly environment?: ServiceOptions['environment'];
  readonly program?: ServiceOptions['program'];
  /** Another folder of the firm's policies than its own. */
  readonly policiesDir?: (firm: ServiceFirm) => Promise<string>;
}

/** A fault under which nothing gets into the database. */
export interface Fault {
  readonly inject: () => Promise<unknown>;
  readonly heal: () => Promise<unknown>;
  /** What /readyz says: one of these; in spool mode as what is degraded. */
  readonly problems: readonly string[];
  /** What the log says: one line with all of this. */
  readonly logged: Json;
}

export interface Outcome {
  readonly writers?: number;
  /** What was asked beside the load. */
  readonly also?: readonly Exchange[];
}

export interface FaultRun {
  readonly service: Service;
  readonly firm: ServiceFirm;
  /** With what the service was started, beside where its database and policies are. */
  readonly settings: Readonly<Record<string, string>>;
  readonly load: Load;
  readonly random: Random;
  /** So many requests are answered. */
  calm(answers?: number): Promise<void>;
  /**
   * Under load. In deny mode: not ready, requesters told that there is no record; in spool mode: ready, `spooling`, nobody sent away, and
   * the journal is empty in the end. In both a metric, a line in the log, and afterwards all is well in the same process.
   */
  suffer(name: string, fault: Fault): Promise<Readiness>;
  /** Another set of policies comes into force (unless `policiesDir` says where they are). */
  publish(files: FirmFiles, options?: { readonly waits?: boolean }): Promise<void>;
  /** Lines logged since the start that say all of this. */
  lines(said: Json): readonly Json[];
  /** Whether /metrics has this line. */
  measures(line: string): Promise<boolean>;
  /** Whatever was answered with 5xx, or not at all, since so many exchanges. */
  failures(since?: number): readonly Exchange[];
  /** Those of `failures` that need no database but for their record. */
  refusals(since?: number): readonly Exchange[];
  /** Resolves when nothing waits in the journal. */
  drained(): Promise<Readiness>;
  /** Ends the load and the service, in order, and compares. */
  conclude(outcome?: Outcome): Promise<ServiceLog>;
}

export const isLong = process.env['PRIVITY_LONG'] === '1';
/** Every wait is for an event; this only ends what hangs. */
export const LIMIT_MS = isLong ? 3600_000 : 300_000;
/** Silence is given up sooner than an operator would, so that a test need not wait as long. */
export const HASTY = { deadlineMs: 600, sendTimeoutMs: 900, idleProbeMs: 300, closeMs: 1_500 };

const SEED = isLong ? Date.now() % 2 ** 31 : 20_260_310;
const CLIENTS = 12;
const CALM = isLong ? 300 : 30;
const STEP_MS = 60_000;

export async function startFaultRun(t: Test, options: FaultRunOptions): Promise<FaultRun> {
  const { urls, superuserUrl, mode = 'deny', environment = {}, program, policiesDir } = options;
  const limits = limitsFor(mode, options.limits ?? HASTY);
  const random = createRandom(SEED);
  const firm = await createFirm(t);
  // What is deployed is a link, which is swapped.
  const deployed = path.join(firm.dir, '..', 'deployed');
  const deploy = async (dir: string): Promise<void> => {
    await symlink(dir, `${deployed}.new`);
    await rename(`${deployed}.new`, deployed);
  };
  await deploy(firm.dir);
  const dir = (await policiesDir?.(firm)) ?? deployed;
  const settings = { ...(await settingsFor(t, mode)), ...environment };
  const started = { urls, firm: { ...firm, dir }, limits, environment: settings, ...(program && { program }) };
  const service = await startService(t, started);
  const questions = createQuestions(firm, random);
  const load = startLoad(t, { urls: [service.url], clients: CLIENTS, random, next: questions.next });
  const lines = (said: Json): readonly Json[] => service.log.filter((line) => says(line, said));
  const calm = (answers = CALM): Promise<void> => load.more(answers);

  async function publish(files: FirmFiles, { waits = true }: { readonly waits?: boolean } = {}): Promise<void> {
    const loaded = { msg: 'policies loaded', result: 'activated' };
    const before = lines(loaded).length;
    await deploy(await firm.variant(files));
    if (!waits) return;
    await until('another set is in force', () => lines(loaded).length > before, STEP_MS);
  }

  async function measures(line: string): Promise<boolean> {
    const answer = await fetch(`${service.url}/metrics`, { headers: { connection: 'close' } });
    return (await answer.text()).split('\n').includes(line);
  }

  async function suffer(name: string, fault: Fault): Promise<Readiness> {
    await calm();
    const [linesBefore, away] = [service.log.length, load.exchanges.length];
    await fault.inject();
    const found = mode === 'deny' ? await refuses(name, fault) : await spools(name, fault);
    const isLogged = (): boolean => service.log.slice(linesBefore).some((line) => says(line, fault.logged));
    await until(`${name}: the log says so`, isLogged, STEP_MS);
    await fault.heal();
    t.match(await drained(), { status: 200 }, `${name}: ready again, in the same process`);
    await calm();
    if (mode === 'deny') return found;
    t.strictSame(
      refusals(away).map(({ answer }) => answer?.body ?? null),
      [],
      `${name}: nobody who asked for a decision was sent away`,
    );
    return found;
  }

  async function refuses(name: string, { problems }: Fault): Promise<Readiness> {
    const found = await whenReadiness(service, `not ready (${name})`, (seen) => seen?.status === 503, STEP_MS);
    const away = load.exchanges.length;
    await until(`${name}: the metrics say so`, () => measures('privity_ready 0'), STEP_MS);
    t.ok(
      found.problems.some((code) => problems.includes(code)),
      `${name}: readiness says ${found.problems.join(', ')}`,
    );
    const isRefused = ({ answer }: Exchange): boolean => answer?.body['code'] === 'cannot_record';
    await until(`${name}: requesters are told`, () => load.exchanges.slice(away).some(isRefused), STEP_MS);
    return found;
  }

  async function spools(name: string, { problems }: Fault): Promise<Readiness> {
    const isSpooling = (seen: Readiness | null): boolean =>
      seen?.degraded.includes('spooling') === true && seen.degraded.some((code) => problems.includes(code));
    const found = await whenReadiness(service, `spooling (${name})`, isSpooling, STEP_MS);
    t.strictSame([found.status, found.problems], [200, []], `${name}: ready, and says ${found.degraded.join(', ')}`);
    await calm();
    await until(`${name}: the metrics say so`, () => measures('privity_degraded{code="spooling"} 1'), STEP_MS);
    t.ok(await measures('privity_ready 1'), `${name}: ready, says the metric`);
    return found;
  }

  const failures = (since = 0): readonly Exchange[] =>
    load.exchanges.slice(since).filter(({ answer }) => answer === null || answer.status >= 500);
  const refusals = (since = 0): readonly Exchange[] =>
    failures(since).filter(({ attempt }) => attempt.leaves === 'decisions');
  const isDrained = (seen: Readiness | null): boolean => seen?.status === 200 && !seen.degraded.includes('spooling');
  const drained = (): Promise<Readiness> => whenReadiness(service, 'ready, and nothing spooled', isDrained, LIMIT_MS);

  async function conclude(outcome: Outcome = {}): Promise<ServiceLog> {
    await load.stop();
    await drained();
    service.signal('SIGTERM');
    t.strictSame(await service.ended, { code: 0, signal: null }, 'stopped in order');
    const log = await readServiceLog(superuserUrl, firm.certifier);
    t.strictSame(
      judge([...load.exchanges, ...(outcome.also ?? [])], log),
      [],
      'every answer has its record, once, and every chain verifies',
    );
    t.equal(log.writers.length, outcome.writers ?? 1, 'writers');
    const decisions = load.exchanges.flatMap(decisionsOf).length;
    t.comment(`${load.exchanges.length} requests, ${decisions} decisions answered, ${log.records.length} records`);
    return log;
  }

  return {
    service,
    firm,
    settings,
    load,
    random,
    calm,
    suffer,
    publish,
    lines,
    measures,
    failures,
    refusals,
    drained,
    conclude,
  };
}

/** A regular expression is matched, anything else is equal. */
function says(line: Json, said: Json): boolean {
  return Object.entries(said).every(([name, value]) =>
    value instanceof RegExp ? value.test(String(line[name])) : line[name] === value,
  );
}
