// `node bench/verify.ts [records]`: how fast a log is verified, from the database and from an export, and where the time goes. It must
// never measure another verifier than the one that auditors run, nor a log that it finds anything wrong with.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { compilePolicies } from '../src/core/compile.ts';
import { columnsOf } from '../src/core/record/columns.ts';
import { uuidv7 } from '../src/core/record/uuid.ts';
import { verifierOf } from '../src/core/sealing/signed-note.ts';
import { openClient } from '../src/io/db/database.ts';
import { startEmbedded } from '../src/io/db/embedded.ts';
import { migrate } from '../src/io/db/migrate.ts';
import { createPolicyBlobs } from '../src/io/log/policy-blobs.ts';
import { createRecorder } from '../src/io/log/recorder.ts';
import { folderPlace } from '../src/io/log/sealing/places.ts';
import { createSealer } from '../src/io/log/sealing/sealer.ts';
import { openDatabaseSource } from '../src/io/log/verify/database-source.ts';
import { openExportSource } from '../src/io/log/verify/export-source.ts';
import { readPublished } from '../src/io/log/verify/published.ts';
import type { LogSource } from '../src/io/log/verify/source.ts';
import { type Progress, verifyLog } from '../src/io/log/verify/verify-log.ts';
import { writeExport } from '../src/io/log/verify/write-export.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { NO_COLUMNS, type RecordColumns, type RecordEntry } from '../src/model/record.ts';
import { createDice } from './random.ts';
import { print, printMachine, say } from './report.ts';

const [records = 200_000, rounds = 3] = process.argv.slice(2).map(Number);
const ORIGIN = 'log.firm.example';
const CALLS = 16;
const ENTRIES = 25;
const certifier = generateKeyPairSync('ed25519').privateKey;
const signer = { name: ORIGIN, key: generateKeyPairSync('ed25519').privateKey };
const verifiers = [verifierOf(signer)];

const home = await mkdtemp(path.join(tmpdir(), 'privity-bench-'));
const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
try {
  await main();
} finally {
  for (const step of undo.toReversed()) await step();
}

async function main(): Promise<void> {
  printMachine();
  const postgres = await startEmbedded({
    folder: path.join(home, 'postgres'),
    settings: { max_wal_size: '8GB', synchronous_commit: 'off' },
  });
  undo.push(() => postgres.stop());
  await migrate({ url: postgres.urls.owner });
  const connect = (url: string) => () =>
    openClient({ url, applicationName: 'privity bench', onError: () => undefined });
  const checkpoints = path.join(home, 'checkpoints');
  await fill(postgres.urls, connect);
  say('sealing');
  const places = [folderPlace('CHECKPOINT_DIR', checkpoints)];
  const sealer = createSealer({
    connect: connect(postgres.urls.sealer),
    origin: ORIGIN,
    signers: [signer],
    places,
    now: Date.now,
    report: () => undefined,
  });
  await sealer.sealNow();
  await sealer.close();
  const file = path.join(home, 'export.ndjson');
  say('export');
  const begun = performance.now();
  const exporting = await openDatabaseSource(connect(postgres.urls.reader));
  const exported = await writeExport({
    source: exporting,
    file,
    isGzipped: false,
    origin: ORIGIN,
    onProgress: () => undefined,
  });
  await exporting.close();
  const seconds = (performance.now() - begun) / 1000;
  const { size } = await stat(file);
  print(
    `export            ${perSecond(exported.records / seconds)} records/s, ${Math.round(size / exported.records)} bytes a record, ${exported.heads} heads`,
  );
  for (const threads of [...new Set([1, Math.max(1, availableParallelism())])]) {
    for (let round = 0; round < rounds; round++) {
      await measure(
        `database, ${threads}`,
        await openDatabaseSource(connect(postgres.urls.reader)),
        threads,
        checkpoints,
        postgres.pid,
      );
      await measure(`export, ${threads}`, await openExportSource(file), threads, checkpoints, postgres.pid);
    }
  }
}

/** Records as the service writes them, of the size that the starter policies make them. */
async function fill(
  urls: { readonly writer: string },
  connect: (url: string) => () => ReturnType<typeof openClient>,
): Promise<void> {
  say(`${records} records`);
  const { files } = await readPolicyFolder(path.join(import.meta.dirname, '..', 'policies'), { commit: null });
  const { set } = compilePolicies(files, { commit: null });
  if (set === null) throw new Error('the starter policies do not load');
  await createPolicyBlobs(connect(urls.writer))(set);
  const recorder = createRecorder({
    connect: connect(urls.writer),
    certifier,
    engine: 'bench',
    ensurePartitions: async () => undefined,
    report: () => undefined,
  });
  await recorder.ready();
  const dice = createDice(1);
  const { context, resource, subject } = set.plan.unstated;
  const entry = (): RecordEntry => {
    const at = recorder.clock.now();
    const matter = `M-${dice.below(20_000)}`;
    const body = {
      action: dice.pick(['read', 'list', 'download']),
      advice: [],
      approvals: { ids: [], proven: [] },
      caller: { id: 'dms', own: true, source_system: 'dms' },
      client: `C-${dice.below(4_000)}`,
      context: { ...context, network_zone: 'office', device_managed: true, country: 'DE' },
      decided_by: ['team-lawyers'],
      duration_us: dice.below(900),
      duties: [],
      free_text: [],
      grants: [],
      matter,
      missing: [],
      obligations: [],
      on_file: [],
      outcome: dice.chance(0.9) ? 'allow' : 'deny',
      policy: { commit: null, engine: '1', revision: set.revision },
      request_id: uuidv7(at),
      resource: {
        id: `D-${dice.below(1_000_000)}`,
        properties: { ...resource, matter_id: matter, confidentiality: 'confidential' },
        type: 'document',
      },
      rules: [{ effect: 'allow', rule: 'team-lawyers', source: 'rules/matter-teams.yaml:21', truth: 'true' }],
      subject: {
        actor: null,
        attributes: { ...subject, roles: ['associate'] },
        claims_hash: 'ab'.repeat(32),
        dropped_roles: [],
        evidence: 'token',
        id: `u-${dice.below(470)}`,
        issuer: 'https://login.firm.example/',
        key_id: 'key-1',
        token_id: uuidv7(at),
      },
      trace_id: null,
      walls: [],
    };
    return {
      kind: 'decision',
      id: uuidv7(at),
      at,
      body,
      columns: (columnsOf({ ...body, kind: 'decision' }) ?? NO_COLUMNS) as RecordColumns,
    };
  };
  for (let done = 0; done < records; done += CALLS * ENTRIES) {
    await Promise.all(Array.from({ length: CALLS }, () => recorder.append(Array.from({ length: ENTRIES }, entry))));
  }
  await recorder.close();
}

async function measure(
  name: string,
  source: LogSource,
  threads: number,
  checkpoints: string,
  postmaster: number,
): Promise<void> {
  const published = await readPublished(checkpoints, verifiers);
  const steps = new Map<string, number>();
  const cpu = process.cpuUsage();
  const postgresBefore = await postgresSeconds(postmaster);
  const begun = performance.now();
  const onProgress = ({ step }: Progress): void => void steps.set(step, performance.now() - begun);
  const options = {
    source,
    published,
    verifiers,
    certifiers: [createPublicKey(certifier)],
    lastHeadsOnly: false,
    threads,
    onProgress,
  };
  const { verdict, counts, first } = await verifyLog(options);
  const seconds = (performance.now() - begun) / 1000;
  await source.close();
  if (verdict !== 'intact' || counts.records < records) throw new Error(`not intact: ${JSON.stringify(first)}`);
  const { user, system } = process.cpuUsage(cpu);
  const ours = (user + system) / 1e6;
  const theirs = (await postgresSeconds(postmaster)) - postgresBefore;
  const us = (value: number): string => ((value * 1e6) / counts.records).toFixed(1);
  const marks = [...steps].map(([step, ms]) => `${step} ${(ms / 1000).toFixed(1)}`).join(', ');
  print(
    `${name.padEnd(17)} ${perSecond(counts.records / seconds)} records/s; CPU a record: verifier ${us(ours)} µs, PostgreSQL ${us(theirs)} µs, ` +
      `which on two free cores is ${perSecond((2 * counts.records) / (ours + theirs))} records/s at most; done after s: ${marks}; ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  );
}

/** CPU time of the server's processes, those that have ended included (proc(5), stat: utime, stime, cutime, cstime). */
async function postgresSeconds(postmaster: number): Promise<number> {
  const children = (await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')).trim().split(' ');
  const times = await Promise.all(
    [String(postmaster), ...children].map(async (pid, index) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, index === 0 ? 15 : 13);
      return fields.reduce((sum, field) => sum + Number(field), 0) / 100;
    }),
  );
  return times.reduce((sum, one) => sum + one, 0);
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
