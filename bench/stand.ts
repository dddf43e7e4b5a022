// Everything that is measured needs: a large firm, questions whose answers are known, a PostgreSQL and the service as an operator
// starts it. It must never leave a process or a folder behind.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePolicies } from '../src/core/compile.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { startEmbedded, type EmbeddedServer } from '../src/io/db/embedded.ts';
import { migrate } from '../src/io/db/migrate.ts';
import { createIdentity } from '../src/io/identity/identify.ts';
import { generateWriterKey } from '../src/io/log/writer-key.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { writeFirm } from './data.ts';
import { createIssuer } from './issuer.ts';
import { createMix, readCases, type Mix } from './mix.ts';
import { startService, type Service } from './processes.ts';
import { createDice } from './random.ts';
import { say } from './report.ts';

export interface StandOptions {
  readonly matters: number;
  readonly people: number;
  readonly seed: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Stand {
  readonly set: PolicySet;
  readonly mix: Mix;
  /** JSON: lists of { authorization, body }. */
  readonly requestsFile: string;
  readonly batchesFile: string;
  /** When the mix was made: what it holds is about then. */
  readonly now: number;
  readonly postgres: EmbeddedServer;
  launch(nodeOptions?: readonly string[]): Promise<Service>;
  /** Runs at the end, last given first. */
  undo(step: () => Promise<unknown>): void;
  close(): Promise<void>;
}

const TESTS = fileURLToPath(new URL('../policies/tests', import.meta.url));

export async function openStand(options: StandOptions): Promise<Stand> {
  const steps: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of steps.splice(0).toReversed()) await step();
  };
  try {
    return { ...(await build(options, steps)), undo: (step) => void steps.push(step), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(options: StandOptions, steps: (() => Promise<unknown>)[]): Promise<Omit<Stand, 'undo' | 'close'>> {
  const { seed, environment } = options;
  const now = Math.floor(Date.now() / 1_000) * 1_000; // tokens state instants in seconds
  const home = await mkdtemp(path.join(tmpdir(), 'privity-bench-'));
  steps.push(() => rm(home, { recursive: true, force: true }));

  say('a firm and its questions');
  const issuer = await createIssuer();
  const dir = path.join(home, 'policies');
  const { matters, people } = options;
  const firm = await writeFirm({ dir, seed, now, keySet: issuer.keySet, matters, people });
  const { files } = await readPolicyFolder(dir, { commit: null });
  const { set, diagnostics } = compilePolicies(files, { commit: null });
  if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const identity = createIdentity({
    now: Date.now,
    readKeyFile: (file) => readFile(path.join(dir, file)),
    report: () => undefined,
    background: false,
  });
  await identity.use(set);
  const mix = await createMix(
    { set, identity, issuer, firm, dice: createDice(seed), now },
    await readCases(TESTS, await readdir(TESTS)),
  );
  const requestsFile = path.join(home, 'requests.json');
  const batchesFile = path.join(home, 'batches.json');
  const sent = mix.requests.map(({ authorization, body }) => ({ authorization, body }));
  await writeFile(requestsFile, JSON.stringify(sent));
  await writeFile(batchesFile, JSON.stringify(mix.batches));

  say('PostgreSQL');
  await mkdir(path.join(home, 'postgres'));
  const postgres = await startEmbedded({ folder: path.join(home, 'postgres') });
  steps.push(() => postgres.stop());
  await migrate({ url: postgres.urls.owner });
  const writerKeyFile = path.join(home, 'writer.pem');
  await generateWriterKey(writerKeyFile);
  const launch = (nodeOptions: readonly string[] = []): Promise<Service> =>
    startService({
      environment: {
        DATABASE_URL: postgres.urls.writer,
        DATABASE_READER_URL: postgres.urls.reader,
        POLICIES_DIR: dir,
        WRITER_KEY_FILE: writerKeyFile,
        PORT: '0',
        ...environment,
      },
      logFile: path.join(home, 'service.log'),
      nodeOptions,
    });
  return { set, mix, requestsFile, batchesFile, now, postgres, launch };
}
