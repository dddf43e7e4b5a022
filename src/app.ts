// The composition root: every part of the service is made here, in the order a request meets them, and taken down here in reverse.
// It must never hold behaviour of its own.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from './environment.ts';
import type { PolicySet } from './core/policy-set.ts';
import { fulfilDuties } from './duties.ts';
import { createHealth } from './health.ts';
import { countConnections } from './http/connections.ts';
import { buildDoors, buildSideDoors, type DoorsDeps } from './http/doors.ts';
import { createDatabase, openClient, type Database } from './io/db/database.ts';
import { ensureCurrentPartitions } from './io/db/partitions.ts';
import { requireSchema } from './io/db/schema.ts';
import { createIdentity, type IdentityDeps } from './io/identity/identify.ts';
import { readKeyFile } from './io/identity/key-source.ts';
import { KEY_DEFAULTS } from './io/identity/keys.ts';
import { createApprovals } from './io/log/approvals.ts';
import { createPolicyBlobs } from './io/log/policy-blobs.ts';
import { createRecorder, type Recorder, type RecorderDeps } from './io/log/recorder.ts';
import { createProofReader } from './io/log/sealing/read-proofs.ts';
import { createBlockPool } from './io/log/verify/block-pool.ts';
import { copyOut, readRows } from './io/log/verify/copy-out.ts';
import type { CourierTimes } from './io/reports/courier.ts';
import { createRecordReader } from './io/reports/read-record.ts';
import { createReviewReader } from './io/reports/read-reviews.ts';
import { createSealedReader } from './io/reports/read-sealed.ts';
import { createLogSearch } from './io/reports/search.ts';
import { createStoredPolicies } from './io/reports/stored-policies.ts';
import { openLog, type LogFate } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { TrustSet } from './model/identity.ts';
import { createPastPolicies } from './past-policies.ts';
import { openMetadata } from './pdp-metadata.ts';
import { keepAgain, loadPolicies, type Policies } from './policies.ts';
import { openSealing } from './sealing.ts';
import { serverSettings } from './server-settings.ts';
import { openShadowPolicies, type ShadowPoliciesDeps } from './shadow-policies.ts';
import { openSpool } from './spool.ts';
import { StartupError } from './startup-error.ts';
import { openTlsFiles } from './tls-files.ts';
import { openTracing } from './tracing.ts';
import { openCertifier } from './writer-certifier.ts';

/** What `privity start` and tests put beside the configuration. */
export interface AppExtras {
  /** Whom a policy set believes; absent: its own issuers and callers. */
  readonly trustOf?: (set: PolicySet) => TrustSet;
  /** Bytes of key files that are not below the policies folder; null for those that are. */
  readonly readKeyFile?: (file: string) => Uint8Array | null;
  /** The development issuer is in use: only on loopback. */
  readonly development?: boolean;
  /** Loads policies again whenever a file changes, not only when a set is published. */
  readonly looseWatch?: boolean;
  readonly logTo?: DestinationStream;
  readonly identity?: Partial<Pick<IdentityDeps, 'now' | 'elapsed' | 'times' | 'background'>>;
  readonly recorder?: Partial<Pick<RecorderDeps, 'wallClock' | 'limits'>>;
  readonly courier?: Partial<CourierTimes>;
  readonly shadow?: Pick<ShadowPoliciesDeps, 'limits'>;
}

export interface App {
  readonly http: FastifyInstance;
  /** Health and metrics on METRICS_PORT; null without one. */
  readonly side: FastifyInstance | null;
  readonly log: Logger;
  readonly policies: Policies;
  readonly recorder: Pick<Recorder, 'state' | 'ready'>;
  /** Why the service cannot answer, in codes. */
  problems(): readonly string[];
  /**
   * Answers and records what was accepted, then ends every part. Bounded in time; safe to call again. False: not in order, as the log
   * says.
   */
  stop(): Promise<boolean>;
}

/** Ends a part; false if that was not in order and the part has said so. */
type Step = () => Promise<boolean | void> | boolean | void;

const WRITER_POOL = 3;
const READER_POOL = 4;
const STATEMENT_TIMEOUT_MS = 10_000;
const RECORDER_WAIT_MS = 20_000;
const KEEP_TIMEOUT_MS = 30_000;
const IDLE_POLL_MS = 50;

export const VERSION = readVersion();

/** @throws StartupError with every problem of database or policies */
export async function buildApp(config: Config, extras: AppExtras = {}): Promise<App> {
  const { DATABASE_URL } = config;
  if (DATABASE_URL === undefined) throw new StartupError('no database', ['DATABASE_URL is not set']);
  const { log, fate: logFate } = openLog(config.LOG_LEVEL, extras.logTo);
  const metrics = createMetrics(VERSION);
  const down: Step[] = [];
  try {
    const writing = openDatabase(DATABASE_URL, 'privity', WRITER_POOL, log);
    down.push(() => writing.close());
    const reading = openDatabase(config.DATABASE_READER_URL ?? DATABASE_URL, 'privity reader', READER_POOL, log);
    down.push(() => reading.close());
    await requireSchema(writing.pool).catch(cannotUse);

    const certifier = await openCertifier(config.WRITER_KEY_FILE, log);
    const connectWriter = () =>
      openClient({ url: DATABASE_URL, applicationName: 'privity writer', onError: () => undefined });
    // A load that waits for ever for a server that has gone silent would be the last one.
    const connectKeeper = () =>
      openClient({
        url: DATABASE_URL,
        applicationName: 'privity policies',
        queryTimeoutMs: KEEP_TIMEOUT_MS,
        onError: () => undefined,
      });
    const sealing = await openSealing(config, log);
    down.push(() => sealing?.close());
    const keep = createPolicyBlobs(connectKeeper);
    const journal = await openSpool(config, log);
    down.push(() => journal?.close());
    let inForce: PolicySet | null = null;
    const recorder = createRecorder({
      connect: connectWriter,
      certifier: certifier.key,
      engine: VERSION,
      maxWaiting: config.MAX_WAITING,
      ensurePartitions: async () => void (await ensureCurrentPartitions(writing.pool, new Date())),
      report: ({ level, code, detail }) => log[level]({ code, ...detail }, 'recorder'),
      onCommit: metrics.committed,
      journal,
      restore: async () => (inForce === null ? [] : keepAgain(inForce, { keep, recorder })),
      ...extras.recorder,
    });
    down.push(() => recorder.close());
    await waitForRecorder(recorder);
    const trustOf = extras.trustOf ?? ((set: PolicySet): TrustSet => set);
    const identity = createIdentity({
      now: recorder.clock.now,
      readKeyFile: async (file) =>
        extras.readKeyFile?.(file) ?? readKeyFile(path.resolve(config.POLICIES_DIR, file), KEY_DEFAULTS.maxBytes),
      report: ({ issuer, problem }) => {
        metrics.keysFetched(issuer, problem === null);
        if (problem !== null) log.warn({ issuer, problem }, 'keys of an issuer could not be fetched');
      },
      ...extras.identity,
    });
    down.push(() => identity.close());

    const policies = await loadPolicies(config, {
      keep,
      recorder,
      onActivated: (set) => {
        inForce = set;
        void identity.use(trustOf(set));
      },
      onLoad: ({ result }) => metrics.policiesLoaded(result, Date.now()),
      development: extras.development === true,
      looseWatch: extras.looseWatch === true,
      log,
    });
    down.push(() => policies.close());

    const duties = fulfilDuties(config, {
      recorder,
      reading: reading.pool,
      connect: () => openClient({ url: DATABASE_URL, applicationName: 'privity courier', onError: () => undefined }),
      policies,
      log,
      times: extras.courier,
    });
    down.push(() => duties.close());
    void sealing?.run();

    const shadow = openShadowPolicies(config.SHADOW_POLICIES_DIR, {
      keep,
      recorder,
      clock: recorder.clock,
      looseWatch: extras.looseWatch === true,
      log,
      ...extras.shadow,
    });
    down.push(() => shadow?.close());

    const tls = await openTlsFiles(config, log);
    down.push(() => tls?.close());

    const parts = { policies, identity, recorder, duties, sealing, log: logFate };
    const health = createHealth({ ...parts, tls, notes: certifier.notes });
    const tracing = await openTracing(config, VERSION, log);
    down.push(() => tracing?.close());
    const settings = serverSettings(config, tls);
    const deps: DoorsDeps = {
      policies,
      trustOf,
      identity,
      recorder: duties.recorder,
      waiting: recorder.waiting,
      clock: recorder.clock,
      shadow,
      approvals: createApprovals(writing.pool),
      records: createRecordReader(reading.queries),
      search: createLogSearch(reading.pool, { copyOut, readRows, createPool: createBlockPool }),
      openPast: () => createPastPolicies(createStoredPolicies(reading.queries)),
      proofs: createProofReader(reading.pool),
      reviews: createReviewReader(reading.queries),
      sealed: createSealedReader(reading.pool),
      health,
      metadata: await openMetadata(config),
      metrics,
      tracing,
      log,
      version: VERSION,
    };
    const side = settings.withMetrics ? null : await buildSideDoors(settings, deps);
    down.push(() => side?.close());
    const http = await buildDoors(settings, deps);
    down.push(() => closeDoors(http, config.SHUTDOWN_TIMEOUT, log));
    down.push(() => health.leave(config.SHUTDOWN_DELAY));
    const pools = { writer: writing.pool, reader: reading.pool };
    const connections = countConnections(http.server);
    const spansDropped = (): number => tracing?.dropped() ?? 0;
    metrics.watch({ ...parts, shadow, health, pools, connections, spansDropped });

    let stopping: Promise<boolean> | undefined;
    return {
      http,
      side,
      log,
      policies,
      recorder,
      problems: health.problems,
      stop: () => (stopping ??= takeDown(down, log, logFate)),
    };
  } catch (error) {
    await takeDown(down, log, logFate);
    throw error;
  }
}

function cannotUse(error: unknown): never {
  // A connection that fails on every address of a host has no message of its own.
  const causes: readonly unknown[] = error instanceof AggregateError && error.message === '' ? error.errors : [error];
  const problems = causes.map((cause) => `DATABASE_URL: ${cause instanceof Error ? cause.message : String(cause)}`);
  throw new StartupError('the database cannot be used', problems, error);
}

/** A service that cannot record must not come up and look as if it could. */
async function waitForRecorder(recorder: Recorder): Promise<void> {
  const isReady = recorder.ready().then(() => true);
  isReady.catch(() => undefined);
  if (await Promise.race([isReady, sleep(RECORDER_WAIT_MS, false, { ref: false })])) return;
  const { problems, databaseCode } = recorder.state();
  throw new StartupError('records cannot be written', [`${problems.join(', ')} (${databaseCode ?? 'no code'})`]);
}

/** Last built, first taken down: readiness, then the doors, … and the recorder after everything that records. */
async function takeDown(down: readonly Step[], log: Logger, fate: LogFate): Promise<boolean> {
  let isInOrder = true;
  for (const step of down.toReversed()) {
    try {
      if ((await step()) === false) isInOrder = false;
    } catch (error) {
      isInOrder = false;
      log.error({ err: error }, 'a part did not end in order');
    }
  }
  await fate.end();
  return isInOrder;
}

/** Waits for requests that were accepted, but not for ever, nor for connections on which nothing is asked any more. */
async function closeDoors(http: FastifyInstance, timeoutMs: number, log: Logger): Promise<void> {
  const idle = setInterval(() => http.server.closeIdleConnections(), IDLE_POLL_MS);
  const cut = setTimeout(() => {
    log.warn('connections were still open at the end of SHUTDOWN_TIMEOUT');
    http.server.closeAllConnections();
  }, timeoutMs);
  await http.close();
  clearInterval(idle);
  clearTimeout(cut);
}

function openDatabase(url: string, applicationName: string, max: number, log: Logger): Database {
  return createDatabase({
    url,
    applicationName,
    max,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onError: (error) => log.warn({ err: error, connection: applicationName }, 'a database connection was lost'),
  });
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null ? String(Reflect.get(manifest, 'version')) : '';
}
