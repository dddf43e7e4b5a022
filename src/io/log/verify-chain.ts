// Verifies one writer's chain from its rows alone: sequence, links, hashes, signed heads, and columns against bytes. It must never
// trust a column, nor stop at what it does not understand.
import { type KeyObject, verify } from 'node:crypto';
import { canonicalize } from '../../core/record/canonical.ts';
import { RECORD_VERSION } from '../../core/record/envelope.ts';
import { recordHash } from '../../core/record/hash.ts';
import type { RecordColumns } from '../../model/record.ts';
import { headText, verifyCertificate, type WriterCertificate } from './writer-key.ts';

/** A commitment, with its record unless that was purged. */
export interface ChainRow {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly record: StoredRecord | null;
}

export interface StoredRecord extends RecordColumns {
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  readonly bytes: Uint8Array;
}

export interface ChainHead {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly signature: Uint8Array;
}

export interface ChainInput {
  readonly writer: string;
  /** In the order of their sequence numbers. */
  readonly rows: Iterable<ChainRow>;
  readonly heads: readonly ChainHead[];
  /** What the process's next writer says was committed last, from `previousHeadOf`; absent: there is none. */
  readonly followed?: Pick<ChainHead, 'seq' | 'hash'>;
  /** Public key that certifies writers. */
  readonly certifier: KeyObject;
  /** The columns that a record's bytes stand for; null where nothing can be said. */
  readonly columnsOf: (record: JsonObject) => Readonly<Record<keyof RecordColumns, unknown>> | null;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export interface ChainProblem {
  readonly seq: number;
  readonly problem:
    | 'sequence_gap'
    | 'hash_differs'
    | 'link_broken'
    | 'bytes_not_canonical'
    | 'column_differs'
    | 'time_goes_back'
    | 'certificate_invalid'
    | 'head_differs'
    | 'head_signature_invalid'
    | 'tail_not_signed'
    | 'tail_missing';
  readonly detail: string;
}

export interface ChainReport {
  readonly records: number;
  readonly problems: readonly ChainProblem[];
}

export function verifyChain(input: ChainInput): ChainReport {
  const problems: ChainProblem[] = [];
  const hashes = new Map<number, Uint8Array>();
  let previous: string | null = null;
  let latest = '';
  let expected = 0;
  let signer: KeyObject | null = null;

  for (const row of input.rows) {
    const found = (problem: ChainProblem['problem'], detail = ''): void =>
      void problems.push({ seq: row.seq, problem, detail });
    if (row.seq !== expected) found('sequence_gap', `${expected} is missing`);
    expected = row.seq + 1;
    const hash = Buffer.from(row.hash).toString('hex');
    hashes.set(row.seq, row.hash);
    if (row.record !== null) {
      if (recordHash(row.record.bytes).toString('hex') !== hash) found('hash_differs');
      const record = parseRecord(row.record.bytes);
      if (record === null) found('bytes_not_canonical');
      else {
        if (record['prev'] !== previous) found('link_broken');
        for (const name of differences(input, row, row.record, record)) found('column_differs', name);
        const at = String(record['at']);
        if (at < latest) found('time_goes_back');
        latest = at;
        if (row.seq === 0) signer = signerOf(input, record);
      }
    }
    if (row.seq === 0 && signer === null) found('certificate_invalid');
    previous = hash;
  }

  for (const head of input.heads) {
    const found = (problem: ChainProblem['problem']): void =>
      void problems.push({ seq: head.seq, problem, detail: '' });
    const hash = hashes.get(head.seq);
    if (hash === undefined || !Buffer.from(hash).equals(head.hash)) found('head_differs');
    const text = headText(input.writer, head.seq, head.hash);
    if (signer === null || !verify(null, text, signer, head.signature)) found('head_signature_invalid');
  }
  const { followed } = input;
  if (followed !== undefined) {
    const hash = hashes.get(followed.seq);
    if (followed.seq >= expected) {
      problems.push({ seq: expected, problem: 'tail_missing', detail: `${expected} to ${followed.seq} are missing` });
    } else if (hash === undefined || !Buffer.from(hash).equals(followed.hash)) {
      problems.push({ seq: followed.seq, problem: 'head_differs', detail: 'not what the next writer followed' });
    }
  }
  if (expected > 0 && !input.heads.some((head) => head.seq === expected - 1)) {
    problems.push({ seq: expected - 1, problem: 'tail_not_signed', detail: '' });
  }
  return { records: hashes.size, problems };
}

/** Which writer's chain a `writer_opened` record follows, and up to where; null for every other record. */
export function previousHeadOf(
  record: JsonObject,
): (Pick<ChainHead, 'seq' | 'hash'> & { readonly writer: string }) | null {
  const { previous: writer, previous_head: head } = record;
  if (record['kind'] !== 'writer_opened' || typeof writer !== 'string' || !isObject(head)) return null;
  const { seq, hash } = head;
  if (!Number.isSafeInteger(seq) || typeof hash !== 'string') return null;
  return { writer, seq: Number(seq), hash: Buffer.from(hash, 'hex') };
}

/** The record, if its bytes are the canonical form of an object. */
function parseRecord(bytes: Uint8Array): JsonObject | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return isObject(value) && canonicalize(value) === text ? value : null;
  } catch {
    return null;
  }
}

/** Names of what the row says differently than the bytes. */
function differences(input: ChainInput, row: ChainRow, stored: StoredRecord, record: JsonObject): readonly string[] {
  const columns = input.columnsOf(record);
  const pairs: [name: string, column: unknown, said: unknown][] = [
    ['v', RECORD_VERSION, record['v']],
    ['writer', input.writer, record['writer']],
    ['seq', row.seq, record['seq']],
    ['id', stored.id, record['id']],
    ['kind', stored.kind, record['kind']],
    ['at', stored.at.toISOString(), record['at']],
  ];
  if (columns !== null) {
    for (const [name, said] of Object.entries(columns)) pairs.push([name, stored[name as keyof RecordColumns], said]);
  }
  return pairs.filter(([, column, said]) => !isSame(column, said)).map(([name]) => name);
}

function signerOf({ certifier, writer }: ChainInput, record: JsonObject): KeyObject | null {
  const certificate = record['key'];
  if (record['kind'] !== 'writer_opened' || !isCertificate(certificate)) return null;
  return verifyCertificate(certifier, writer, certificate);
}

function isCertificate(value: unknown): value is WriterCertificate {
  return (
    isObject(value) && ['public_key', 'certified_by', 'signature'].every((name) => typeof value[name] === 'string')
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
