// The composition root: every part of the service is made here, in the order a request meets them, and taken down here in reverse.
// It must never hold behaviour of its own.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from './config.ts';
import type { PolicySet } from './core/policy-set.ts';
import { fulfilDuties } from './duties.ts';
import { createHealth } from './health.ts';
import { buildDoors, type ServerSettings } from './http/doors.ts';
import { createDatabase, openClient, type Database } from './io/db/database.ts';
import { requireSchema } from './io/db/migrate.ts';
import { ensureCurrentPartitions } from './io/db/partitions.ts';
import { createIdentity, type IdentityDeps } from './io/identity/identify.ts';
import { createApprovals } from './io/log/approvals.ts';
import { createPolicyBlobs } from './io/log/policy-blobs.ts';
import { createRecorder, type Recorder, type RecorderDeps } from './io/log/recorder.ts';
import type { CourierTimes } from './io/reports/courier.ts';
import { createRecordReader } from './io/reports/read-record.ts';
import { createReviewReader } from './io/reports/read-reviews.ts';
import { createLog } from './log.ts';
import type { TrustSet } from './model/identity.ts';
import { loadPolicies, type Policies } from './policies.ts';
import { StartupError } from './startup-error.ts';
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
  readonly identity?: Partial<Pick<IdentityDeps, 'now' | 'times' | 'background'>>;
  readonly recorder?: Partial<Pick<RecorderDeps, 'wallClock' | 'limits'>>;
  readonly courier?: Partial<CourierTimes>;
}

export interface App {
  readonly http: FastifyInstance;
  readonly log: Logger;
  readonly policies: Policies;
  readonly recorder: Pick<Recorder, 'state' | 'ready'>;
  /** Why the service cannot answer, in codes. */
  problems(): readonly string[];
  /** Answers and records what was accepted, then ends every part. Bounded in time; safe to call again. */
  stop(): Promise<void>;
}

const WRITER_POOL = 3;
const READER_POOL = 4;
const READER_TIMEOUT_MS = 10_000;
const RECORDER_WAIT_MS = 20_000;
const IDLE_POLL_MS = 50;

export const VERSION = readVersion();

/** @throws StartupError with every problem of database or policies */
export async function buildApp(config: Config, extras: AppExtras = {}): Promise<App> {
  const { DATABASE_URL } = config;
  if (DATABASE_URL === undefined) throw new StartupError('no database', ['DATABASE_URL is not set']);
  const log = createLog(config.LOG_LEVEL, extras.logTo);
  const down: (() => Promise<void> | void)[] = [];
  try {
    const writing = openDatabase(DATABASE_URL, 'privity', { max: WRITER_POOL }, log);
    down.push(() => writing.close());
    const readerUrl = config.DATABASE_READER_URL ?? DATABASE_URL;
    const reading = openDatabase(
      readerUrl,
      'privity reader',
      { max: READER_POOL, statementTimeoutMs: READER_TIMEOUT_MS },
      log,
    );
    down.push(() => reading.close());
    await requireSchema(writing.pool).catch(cannotUse);

    const certifier = await openCertifier(config.WRITER_KEY_FILE, log);
    const connectWriter = () =>
      openClient({ url: DATABASE_URL, applicationName: 'privity writer', onError: () => undefined });
    const recorder = createRecorder({
      connect: connectWriter,
      certifier: certifier.key,
      engine: VERSION,
      ensurePartitions: async () => void (await ensureCurrentPartitions(writing.pool, new Date())),
      report: ({ level, code, detail }) => log[level]({ code, ...detail }, 'recorder'),
      ...extras.recorder,
    });
    down.push(() => recorder.close());
    await waitForRecorder(recorder);

    const trustOf = extras.trustOf ?? ((set: PolicySet): TrustSet => set);
    const identity = createIdentity({
      now: recorder.clock.now,
      readKeyFile: async (file) => extras.readKeyFile?.(file) ?? readFile(path.resolve(config.POLICIES_DIR, file)),
      report: ({ issuer, problem }) => {
        if (problem !== null) log.warn({ issuer, problem }, 'keys of an issuer could not be fetched');
      },
      ...extras.identity,
    });
    down.push(() => identity.close());

    const policies = await loadPolicies(config, {
      keep: createPolicyBlobs(connectWriter),
      recorder,
      onActivated: (set) => void identity.use(trustOf(set)),
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

    const health = createHealth({ policies, identity, recorder, duties, notes: certifier.notes });
    const http = await buildDoors(serverSettings(config), {
      policies,
      trustOf,
      identity,
      recorder: duties.recorder,
      clock: recorder.clock,
      approvals: createApprovals(writing.pool),
      records: createRecordReader(reading.queries),
      reviews: createReviewReader(reading.queries),
      health,
      log,
      version: VERSION,
    });
    down.push(() => closeDoors(http, config.SHUTDOWN_TIMEOUT, log));
    down.push(() => health.leave(config.SHUTDOWN_DELAY));

    let stopping: Promise<void> | undefined;
    return {
      http,
      log,
      policies,
      recorder,
      problems: health.problems,
      stop: () => (stopping ??= takeDown(down, log)),
    };
  } catch (error) {
    await takeDown(down, log);
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
async function takeDown(down: readonly (() => Promise<void> | void)[], log: Logger): Promise<void> {
  for (const step of down.toReversed()) {
    try {
      await step();
    } catch (error) {
      log.error({ err: error }, 'a part did not end in order');
    }
  }
  log.flush();
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

function openDatabase(
  url: string,
  applicationName: string,
  options: { readonly max: number; readonly statementTimeoutMs?: number },
  log: Logger,
): Database {
  return createDatabase({
    url,
    applicationName,
    ...options,
    onError: (error) => log.warn({ err: error, connection: applicationName }, 'a database connection was lost'),
  });
}

function serverSettings(config: Config): ServerSettings {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = config;
  return {
    bodyLimit: config.BODY_LIMIT,
    requestTimeoutMs: config.REQUEST_TIMEOUT,
    headersTimeoutMs: config.HEADERS_TIMEOUT,
    connectionTimeoutMs: config.CONNECTION_TIMEOUT,
    keepAliveTimeoutMs: config.KEEP_ALIVE_TIMEOUT,
    trustProxy: config.TRUST_PROXY?.split(',').map((one) => one.trim()) ?? [],
    rateLimit: config.RATE_LIMIT,
    tls: certFile === undefined || keyFile === undefined ? null : { certFile, keyFile },
  };
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null ? String(Reflect.get(manifest, 'version')) : '';
}
