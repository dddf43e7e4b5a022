// Recorders, entries and proofs for tests of the log. It must leave no recorder running, and judge the log only by what is in the database.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type pg from 'pg';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import { openClient } from '../../src/io/db/database.ts';
import type { RecorderEvent } from '../../src/io/log/events.ts';
import { createRecorder, type Recorder, type RecorderDeps } from '../../src/io/log/recorder.ts';
import {
  type ChainHead,
  type ChainProblem,
  type ChainRow,
  type JsonObject,
  type StoredRecord,
  verifyChain,
} from '../../src/io/log/verify-chain.ts';
import { NO_COLUMNS, type RecordColumns, type RecordEntry } from '../../src/model/record.ts';
import type { TearsDown } from './postgres.ts';

const { privateKey } = generateKeyPairSync('ed25519');

export const certifier = privateKey;
export const certifierPublicKey = createPublicKey(privateKey);

export interface TestRecorder extends Recorder {
  readonly events: readonly RecorderEvent[];
  /** Everybody it has written as. */
  writers(): readonly string[];
  /** Entries for now, appended in one call. */
  record(count?: number, changes?: Partial<RecordColumns>): Promise<readonly string[]>;
}

/** A recorder over its own connections; closed when `t` ends. */
export function startRecorder(t: TearsDown, url: string, changes: Partial<RecorderDeps> = {}): TestRecorder {
  const events: RecorderEvent[] = [];
  const ignore = (): void => undefined;
  const recorder = createRecorder({
    connect: () => openClient({ url, applicationName: 'privity writer', connectTimeoutMs: 1_000, onError: ignore }),
    certifier,
    engine: '0.0.0-test',
    ensurePartitions: () => Promise.resolve(),
    report: (event) => events.push(event),
    ...changes,
  });
  t.teardown(() => recorder.close());
  return {
    ...recorder,
    events,
    writers: () => {
      const opened = events
        .filter((event) => event.code === 'writer_opened')
        .map((event) => String(event.detail['writer']));
      return [...new Set([...opened, recorder.state().writer ?? []].flat())];
    },
    record: async (count = 1, columns = {}) => {
      const entries = Array.from({ length: count }, () => entryAt(recorder.clock.now(), columns));
      const receipts = await recorder.append(entries);
      return receipts.map((receipt) => receipt.id);
    },
  };
}

/** An entry whose body says what its columns say. */
export function entryAt(at: number, changes: Partial<RecordColumns> = {}, body: JsonObject = {}): RecordEntry {
  const columns: RecordColumns = {
    ...NO_COLUMNS,
    outcome: 'allow',
    subject_id: 'u-anna',
    caller: 'dms',
    source_system: 'dms',
    action: 'download',
    resource_type: 'document',
    resource_id: 'D-9001',
    matter_id: 'M-1001',
    decided_by: ['team-works-on-matter'],
    ...changes,
  };
  return { kind: 'decision', id: uuidv7(at), at, body: { ...columns, ...body }, columns };
}

/** A refused token, as the identity part would have it recorded. */
export function refusedAt(
  at: number,
  body: JsonObject = { reason: 'expired', issuer: 'https://login.firm.example/' },
): RecordEntry {
  return { kind: 'refused', id: uuidv7(at), at, body, columns: NO_COLUMNS };
}

export interface Log {
  /** Ids of all records, in no particular order. */
  readonly ids: readonly string[];
  readonly records: readonly JsonObject[];
  readonly writers: readonly string[];
  readonly problems: readonly (ChainProblem & { readonly writer: string })[];
}

interface JoinedRow extends pg.QueryResultRow, Omit<StoredRecord, 'id'> {
  readonly writer: string;
  readonly seq: number;
  readonly hash: Buffer;
  readonly id: string | null;
}

/** Reads what these recorders wrote, or the whole log, as a superuser, and verifies every writer's chain. */
export async function readLog(superuserUrl: string, ...recorders: readonly TestRecorder[]): Promise<Log> {
  const client = await openClient({ url: superuserUrl, applicationName: 'privity tests', onError: () => undefined });
  try {
    const wanted = recorders.length === 0 ? null : recorders.flatMap((recorder) => recorder.writers());
    const { rows } = await client.query<JoinedRow>(
      `select d.*, c.writer, c.seq, c.hash from commitments c left join decisions d using (writer, seq)
       where $1::uuid[] is null or c.writer = any($1) order by c.writer, c.seq`,
      [wanted],
    );
    const heads = await client.query<ChainHead & { readonly writer: string }>('select * from heads order by seq');
    const uncommitted = await client.query<{ id: string }>(
      'select id from decisions d where not exists (select from commitments c where c.writer = d.writer and c.seq = d.seq)',
    );
    if (uncommitted.rows.length > 0) throw new Error(`records without commitments: ${uncommitted.rows.length}`);
    const writers = [...new Set(rows.map((row) => row.writer))];
    const problems = writers.flatMap((writer) => {
      const ofWriter = <Row extends { readonly writer: string }>(all: readonly Row[]): Row[] =>
        all.filter((row) => row.writer === writer);
      const input = { writer, certifier: certifierPublicKey, columnsOf };
      const report = verifyChain({ ...input, rows: ofWriter(rows).map(chainRow), heads: ofWriter(heads.rows) });
      return report.problems.map((problem) => ({ ...problem, writer }));
    });
    const records = rows.flatMap((row) => (row.id === null ? [] : [JSON.parse(row.bytes.toString()) as JsonObject]));
    return { ids: rows.flatMap((row) => row.id ?? []), records, writers, problems };
  } finally {
    await client.end();
  }
}

function chainRow(row: JoinedRow): ChainRow {
  const { id, seq, hash } = row;
  return { seq, hash, record: id === null ? null : { ...row, id } };
}

/** The test entries' bodies name their columns; the writers' own records have none. */
export function columnsOf(record: JsonObject): RecordColumns {
  const named = Object.keys(NO_COLUMNS).flatMap((name) => (name in record ? [[name, record[name]]] : []));
  return { ...NO_COLUMNS, ...Object.fromEntries(named) };
}

/** Polls until the condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
