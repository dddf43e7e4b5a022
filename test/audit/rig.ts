// A small log as the service would have written it, sealed and published, to be tampered with by a superuser. It must never be tampered
// with through a door of the service.
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import { columnsOf } from '../../src/core/record/columns.ts';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import { type NoteSigner, verifierOf, writeVerifier } from '../../src/core/sealing/signed-note.ts';
import type { Finding } from '../../src/core/verification/finding.ts';
import { openClient } from '../../src/io/db/database.ts';
import { createPolicyBlobs } from '../../src/io/log/policy-blobs.ts';
import { filePlace, folderPlace } from '../../src/io/log/sealing/places.ts';
import { createSealer } from '../../src/io/log/sealing/sealer.ts';
import { openDatabaseSource } from '../../src/io/log/verify/database-source.ts';
import { openExportSource } from '../../src/io/log/verify/export-source.ts';
import { readPublished } from '../../src/io/log/verify/published.ts';
import { reportOfBroken, type VerifyReport } from '../../src/io/log/verify/report.ts';
import { type LogSource, SourceBroken } from '../../src/io/log/verify/source.ts';
import { verifyLog } from '../../src/io/log/verify/verify-log.ts';
import { writeExport } from '../../src/io/log/verify/write-export.ts';
import { NO_COLUMNS, type RecordColumns, type RecordEntry } from '../../src/model/record.ts';
import { createDatabase, type TearsDown, type TestDatabase } from '../helpers/postgres.ts';
import { certifier, certifierPublicKey, startRecorder, type TestRecorder } from '../helpers/recorder.ts';

type Json = Readonly<Record<string, unknown>>;

export const ORIGIN = 'log.firm.example';
export const signer: NoteSigner = { name: ORIGIN, key: generateKeyPairSync('ed25519').privateKey };
export const verifier = verifierOf(signer);
export const verifierLine = writeVerifier(verifier);
export const certifierPem = createPublicKey(certifier).export({ type: 'spki', format: 'pem' }).toString();

const policyText = Buffer.from('version: 1\n');
const policyHash = createHash('sha256').update(policyText).digest('hex');
const policyFiles = [{ path: 'firm.yaml', hash: policyHash, bytes: policyText }];
export const REVISION = `sha256:${createHash('sha256').update(`firm.yaml\u0000${policyHash}\n`).digest('hex')}`;

export interface Rig {
  readonly database: TestDatabase;
  /** Empty, and the test's own. */
  readonly folder: string;
  readonly checkpoints: string;
  readonly appended: string;
  readonly writers: readonly TestRecorder[];
  /** Before tables are tampered with: a writer would notice that its head is gone, and another one begin. Puts the tables back. */
  closeWriters(): Promise<void>;
  /** Puts tables and checkpoints back as they were when the rig was made. */
  restore(): Promise<void>;
  /** Statements of a superuser whom no trigger stops. */
  tamper(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  seal(): Promise<number>;
  /** Sealed, of which writer, and how many records it has. */
  readonly sealed: number;
  /** As `privity audit verify` from the database. */
  verify(changes?: Partial<Parameters<typeof verifyLog>[0]>): Promise<VerifyReport>;
  /** From an export that is made now. */
  verifyExport(file?: string): Promise<VerifyReport>;
  exportTo(name: string, isGzipped?: boolean): Promise<string>;
  /** What tools/verify-log.mjs says of the export. */
  verifyElsewhere(file: string): Promise<SecondReport>;
}

/** What both verifiers have to say alike. */
export interface SecondReport {
  readonly verdict: 'intact' | 'broken';
  readonly first: Pick<Finding, 'kind' | 'thing' | 'place' | 'leaf' | 'detail'> | null;
}

interface SecondVerifier {
  verifyLog(files: Readonly<Record<'export' | 'checkpoints' | 'key' | 'certifier', string>>): Promise<SecondReport>;
}

const second = (await import(String(new URL('../../tools/verify-log.mjs', import.meta.url)))) as SecondVerifier;

const TABLES = [
  'decisions',
  'commitments',
  'heads',
  'leaves',
  'checkpoints',
  'tree_nodes',
  'policy_sets',
  'policy_blobs',
];

function brokenOnly(error: unknown): SourceBroken {
  if (error instanceof SourceBroken) return error;
  throw error;
}

/** A decision as the service records it, with everything that columns are copies of. */
export function decision(at: number, changes: Json = {}): RecordEntry {
  const body: Json = {
    action: 'read',
    caller: { id: 'dms', own: true, source_system: 'dms' },
    client: 'C-100',
    context: { network_zone: 'office', purpose: null },
    decided_by: ['team-lawyers'],
    grants: [],
    matter: 'M-1001',
    obligations: [],
    outcome: 'allow',
    policy: { commit: null, engine: '1', revision: REVISION },
    request_id: 'b4bbd0f3-7f6e-4d0c-9b40-5a8d3b0f7a11',
    resource: { id: 'D-1', properties: { matter_id: 'M-1001', privileged: false }, type: 'document' },
    subject: { actor: null, attributes: { roles: ['associate'] }, id: 'u-lind' },
    walls: [],
    ...changes,
  };
  const columns = (columnsOf({ ...body, kind: 'decision' }) ?? NO_COLUMNS) as RecordColumns;
  return { kind: 'decision', id: uuidv7(at), at, body, columns };
}

/** Two writers, four checkpoints and an unsealed tail; enough for nodes above the leaves. */
export async function openRig(t: TearsDown, records = 320): Promise<Rig> {
  const database = await createDatabase(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-audit-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [checkpoints, appended] = [path.join(folder, 'checkpoints'), path.join(folder, 'checkpoints.log')];
  const connectAs = (url: string) => () =>
    openClient({ url, applicationName: 'privity tests', onError: () => undefined });
  await createPolicyBlobs(connectAs(database.urls.writer))({
    revision: REVISION,
    commit: null,
    files: policyFiles,
  });
  const writers = [startRecorder(t, database.urls.writer), startRecorder(t, database.urls.writer)];
  const sealer = createSealer({
    connect: connectAs(database.urls.sealer),
    origin: ORIGIN,
    signers: [signer],
    places: [folderPlace('CHECKPOINT_DIR', checkpoints), filePlace('CHECKPOINT_FILE', appended)],
    now: Date.now,
    report: () => undefined,
  });
  t.teardown(() => sealer.close());
  const superuser = await connectAs(database.superuserUrl)();
  t.teardown(() => superuser.end());
  await superuser.query('set session_replication_role = replica');

  const record = async (count: number): Promise<void> => {
    for (const [index, writer] of writers.entries()) {
      const entries = Array.from({ length: count }, (_, place) =>
        decision(writer.clock.now(), { matter: `M-${index}-${place}`, walls: place % 3 === 0 ? ['W-1', 'W "2"'] : [] }),
      );
      for (let from = 0; from < count; from += 10) await writer.append(entries.slice(from, from + 10));
    }
  };
  for (let round = 0; round < 4; round++) {
    await record(Math.ceil(records / 8));
    await sealer.sealNow();
  }
  await record(3);

  await writeFile(path.join(folder, 'log.vkey'), `${verifierLine}\n`);
  await writeFile(path.join(folder, 'writers.pem'), certifierPem);
  const kept = path.join(folder, 'kept');
  await cp(checkpoints, path.join(kept, 'checkpoints'), { recursive: true });
  await cp(appended, path.join(kept, 'checkpoints.log'));
  await superuser.query(
    `create schema kept; ${TABLES.map((name) => `create table kept.${name} as table public.${name}`).join('; ')}`,
  );
  const { rows: counted } = await superuser.query<{ size: number }>('select count(*)::int as size from leaves');

  const judged = async (source: LogSource, changes: Partial<Parameters<typeof verifyLog>[0]> = {}) => {
    try {
      const published = await readPublished(checkpoints, [verifier]);
      return await verifyLog({
        source,
        published,
        verifiers: [verifier],
        certifiers: [certifierPublicKey],
        lastHeadsOnly: false,
        threads: 0,
        onProgress: () => undefined,
        ...changes,
      });
    } finally {
      await source.close();
    }
  };
  const exportTo = async (name: string, isGzipped = false): Promise<string> => {
    const file = path.join(folder, name);
    const source = await openDatabaseSource(connectAs(database.urls.reader));
    try {
      await writeExport({ source, file, isGzipped, origin: ORIGIN, onProgress: () => undefined });
    } finally {
      await source.close();
    }
    return file;
  };
  const restore = async (): Promise<void> => {
    const tables = TABLES.map(
      (name) => `truncate public.${name}; insert into public.${name} select * from kept.${name}`,
    );
    await superuser.query(tables.join('; '));
    await rm(checkpoints, { recursive: true });
    await cp(path.join(kept, 'checkpoints'), checkpoints, { recursive: true });
    await cp(path.join(kept, 'checkpoints.log'), appended);
  };
  return {
    database,
    folder,
    checkpoints,
    appended,
    writers,
    sealed: counted[0]?.size ?? 0,
    async closeWriters() {
      for (const one of writers) await one.close();
      await restore();
    },
    restore,
    tamper: (sql, values) => superuser.query(sql, values === undefined ? undefined : [...values]),
    seal: async () => (await sealer.sealNow()).size,
    verify: async (changes) => judged(await openDatabaseSource(connectAs(database.urls.reader)), changes),
    verifyExport: async (file) => {
      const source = await openExportSource(file ?? (await exportTo('export.ndjson'))).catch(brokenOnly);
      return source instanceof SourceBroken ? reportOfBroken(source) : judged(source);
    },
    exportTo,
    verifyElsewhere: (file) =>
      second.verifyLog({
        export: file,
        checkpoints,
        key: path.join(folder, 'log.vkey'),
        certifier: path.join(folder, 'writers.pem'),
      }),
  };
}
