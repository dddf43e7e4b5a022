// What a long log is measured on: a firm, its keys, a PostgreSQL set up as docs/scaling.md says, kept in a folder where it is to be used
// again. It must never leave a process behind, nor fill a log twice.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import type { NoteSigner } from '../src/core/sealing/signed-note.ts';
import { openClient } from '../src/io/db/database.ts';
import { type EmbeddedServer, startEmbedded } from '../src/io/db/embedded.ts';
import { migrate } from '../src/io/db/migrate.ts';
import { createPolicyBlobs } from '../src/io/log/policy-blobs.ts';
import { filePlace } from '../src/io/log/sealing/places.ts';
import { writeLog } from './log-data.ts';
import { type LogFirm, openLogFirm } from './log-firm.ts';
import { makePrototypes } from './log-prototypes.ts';
import { createDice } from './random.ts';
import { say } from './report.ts';

export interface LogStandOptions {
  readonly records: number;
  readonly months: number;
  readonly matters: number;
  readonly people: number;
  readonly seed: number;
  /** Kept afterwards, and used as it is where it holds a log. */
  readonly folder: string | undefined;
}

export interface LogStand extends LogFirm {
  readonly postgres: EmbeddedServer;
  /** PEM file of the key that certifies writers. */
  readonly writerKeyFile: string;
  readonly signer: NoteSigner;
  /** What was published. */
  readonly published: string;
  readonly written: Written;
  readonly home: string;
  connect(url: string): Promise<pg.Client>;
  close(): Promise<void>;
}

interface Written {
  readonly now: number;
  readonly months: number;
  readonly records: number;
  readonly heads: number;
  readonly checkpoints: number;
  readonly seconds: number;
}

export const ORIGIN = 'log.firm.example';
const GIB = 2 ** 30;
const gigabytes = (share: number): string => `${Math.max(1, Math.round((totalmem() / GIB) * share))}GB`;

/** As docs/scaling.md recommends. */
const SETTINGS = {
  shared_buffers: gigabytes(0.25),
  effective_cache_size: gigabytes(0.7),
  maintenance_work_mem: '1GB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  effective_io_concurrency: '64',
};
/** While there is nobody else: no second copy of everything in the write-ahead log. */
const FILLING = { ...SETTINGS, wal_level: 'minimal', max_wal_senders: '0', autovacuum: 'off' };

export async function openLogStand(options: LogStandOptions): Promise<LogStand> {
  const home = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'privity-bench-')));
  await mkdir(path.join(home, 'postgres'), { recursive: true });
  const steps: (() => Promise<unknown>)[] = [];
  if (options.folder === undefined) steps.push(() => rm(home, { recursive: true, force: true }));
  const close = async (): Promise<void> => {
    for (const step of steps.splice(0).toReversed()) await step();
  };
  try {
    return { ...(await build(options, home, steps)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(
  options: LogStandOptions,
  home: string,
  steps: (() => Promise<unknown>)[],
): Promise<Omit<LogStand, 'close'>> {
  const done = path.join(home, 'written.json');
  const found = await readFile(done, 'utf8').catch(() => null);
  let written = found === null ? null : (JSON.parse(found) as Written);
  const now = written?.now ?? Math.floor(Date.now() / 1_000) * 1_000;
  const connect = (url: string): Promise<pg.Client> =>
    openClient({ url, applicationName: 'privity bench', onError: () => undefined });

  say('a firm and its questions');
  const { matters, people, seed } = options;
  const opened = await openLogFirm({ policies: path.join(home, 'policies'), matters, people, seed, now });
  const { firm, set } = opened;
  const writerKeyFile = path.join(home, 'writer.pem');
  const signer = { name: ORIGIN, key: createPrivateKey(await keyIn(path.join(home, 'checkpoint.pem'))) };
  const certifier = await keyIn(writerKeyFile);
  const published = path.join(home, 'checkpoints.ndjson');

  if (written === null) {
    const dice = createDice(seed);
    const prototypes = await makePrototypes({ set, firm, send: await opened.sender(), dice, now });
    const began = performance.now();
    const filling = await startEmbedded({ folder: path.join(home, 'postgres'), settings: FILLING });
    try {
      await migrate({ url: filling.urls.owner });
      await createPolicyBlobs(() => connect(filling.urls.writer))(set);
      say(`${options.records} records`);
      const counts = await writeLog({
        superuserUrl: filling.superuserUrl,
        connect,
        prototypes,
        revision: set.revision,
        certifier,
        signer,
        place: filePlace('the file', published),
        records: options.records,
        months: options.months,
        seed,
        threads: availableParallelism(),
        now: now - 1_000,
        onMonth: (partition, count) => say(`${partition}: ${count} records`),
      });
      const client = await connect(filling.superuserUrl);
      say('statistics');
      await client.query('vacuum (analyze)');
      await client.end();
      written = { now, months: options.months, ...counts, seconds: (performance.now() - began) / 1_000 };
      await writeFile(done, JSON.stringify(written));
    } finally {
      await filling.stop();
    }
  }
  say('PostgreSQL');
  const postgres = await startEmbedded({ folder: path.join(home, 'postgres'), settings: SETTINGS });
  steps.push(() => postgres.stop());
  return { ...opened, postgres, writerKeyFile, signer, published, written, home, connect };
}

/** PEM; made where there is none. */
async function keyIn(file: string): Promise<string> {
  const found = await readFile(file, 'utf8').catch(() => null);
  if (found !== null) return found;
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeFile(file, pem, { mode: 0o600 });
  return pem;
}
