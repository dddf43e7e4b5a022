// Writes openapi.yaml, the description of the API, from the schemas of its routes. It must never hold anything of its own.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { VERSION } from '../src/app.ts';
import { createMetrics } from '../src/metrics.ts';
import { buildDoors, type DoorsDeps, type ServerSettings } from '../src/http/doors.ts';

const FILE = new URL('../openapi.yaml', import.meta.url);
const HEADING = '# Generated from the routes by tools/generate-openapi.ts; do not edit.\n';

const SETTINGS: ServerSettings = {
  bodyLimit: 2 ** 20,
  requestTimeoutMs: 1_000,
  headersTimeoutMs: 1_000,
  connectionTimeoutMs: 1_000,
  keepAliveTimeoutMs: 1_000,
  maxConnections: 10,
  trustProxy: [],
  rateLimit: 0,
  maxWaiting: 1,
  withMetrics: true,
  tls: null,
};

/** Doors are described, not opened: nothing behind them is ever called. */
const closed = (): never => {
  throw new Error('the doors are only described here');
};

const DEPS: DoorsDeps = {
  policies: { current: closed, state: closed },
  trustOf: closed,
  identity: { authenticate: closed, subjectOf: closed },
  recorder: { append: closed, appendRefused: closed },
  shadow: null,
  approvals: { add: closed, spend: closed, given: closed },
  records: { read: closed },
  search: { rows: closed, piece: closed },
  openPast: closed,
  proofs: { checkpoints: closed, consistency: closed, proofOf: closed },
  reviews: { from: closed, access: closed, given: closed },
  sealed: { ofPurge: closed, during: closed },
  clock: { now: closed },
  waiting: closed,
  health: { problems: closed, degraded: closed },
  metadata: null,
  metrics: createMetrics(VERSION),
  tracing: null,
  log: pino({ level: 'silent' }),
  version: VERSION,
};

export async function openApiText(): Promise<string> {
  const app = await buildDoors(SETTINGS, DEPS);
  const text = HEADING + app.swagger({ yaml: true });
  await app.close();
  return text;
}

/** The same document as a value. */
export async function openApiDocument(): Promise<object> {
  const app = await buildDoors(SETTINGS, DEPS);
  const document = app.swagger();
  await app.close();
  return document;
}

/** Names of the files that are not as they must be; written unless it is only a check. */
export async function generateOpenApi({ check }: { readonly check: boolean }): Promise<readonly string[]> {
  const text = await openApiText();
  const old = await readFile(FILE, 'utf8').catch(() => null);
  if (old === text) return [];
  if (!check) await writeFile(FILE, text);
  return ['openapi.yaml'];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const stale = await generateOpenApi({ check });
  for (const name of stale)
    console.log(check ? `${name} is not up to date: run node tools/generate-openapi.ts` : `wrote ${name}`);
  if (check && stale.length > 0) process.exitCode = 1;
}
