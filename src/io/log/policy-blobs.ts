// Keeps every policy set that decides, by revision, as content-addressed compressed blobs, so that a decision can be replayed from
// the database alone. It must never report a set as kept before all of it is committed.
import { createHash, hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type pg from 'pg';
import { listOfParts, partsOf } from '../../core/kept-parts.ts';
import { byteaArray } from './binary-arrays.ts';
import { DURABLE_COMMIT } from './session.ts';

/** The part of a policy set that is kept. */
export interface KeptPolicySet {
  readonly revision: string;
  readonly commit: string | null;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

/** MUST be awaited before the set goes live. Rejects if it could not be kept, in bounded time if the connection's queries are bounded. */
export type StorePolicySet = (set: KeptPolicySet) => Promise<void>;

interface Blob {
  readonly hash: Buffer;
  /** What it is the hash of; null where that is kept in parts. */
  readonly bytes: Uint8Array | null;
  readonly parts: readonly Buffer[];
}

interface Row {
  readonly hash: Buffer;
  readonly content: Buffer;
}

const END_TIMEOUT_MS = 1_000;
/** Compressed bytes in one statement, about. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Parts cut or hashed between two pauses: requests are answered meanwhile. */
const PARTS_AT_ONCE = 32;

/** zlib's format (RFC 1950), which a verifier in any language can read. */
const compress = promisify(deflate);

export function createPolicyBlobs(connect: () => Promise<pg.Client>): StorePolicySet {
  return async (set) => {
    const client = await connect();
    try {
      await store(client, set);
    } finally {
      const timer = setTimeout(() => client.connection.stream.destroy(), END_TIMEOUT_MS);
      await client.end().catch(() => undefined);
      clearTimeout(timer);
    }
  };
}

async function store(client: pg.Client, set: KeptPolicySet): Promise<void> {
  const { rowCount } = await client.query('select from public.policy_sets where revision = $1', [set.revision]);
  if (rowCount !== 0) return;
  const blobs = new Map<string, Blob>();
  const manifest: Record<string, string> = {};
  for (const { path, bytes } of set.files) {
    manifest[path] = await addFile(bytes, blobs);
    await setImmediate();
  }
  await client.query('begin');
  await client.query(`select ${DURABLE_COMMIT}`);
  for (const chunk of await compressInChunks(await findMissing(client, blobs))) {
    await client.query(
      'insert into public.policy_blobs (hash, content) select unnest($1::bytea[]), unnest($2::bytea[]) on conflict do nothing',
      [byteaArray(chunk.map((row) => row.hash)), byteaArray(chunk.map((row) => row.content))],
    );
  }
  await client.query(
    'insert into public.policy_sets (revision, commit, manifest, at) values ($1, $2, $3, clock_timestamp()) on conflict do nothing',
    [set.revision, set.commit, JSON.stringify(manifest)],
  );
  await client.query('commit');
}

/** The name of the file among the blobs. */
async function addFile(bytes: Uint8Array, blobs: Map<string, Blob>): Promise<string> {
  const cut = await cutInTurns(bytes);
  if (cut.length === 1) return addBlob(blobs, bytes, hash('sha256', bytes, 'buffer'), []);
  const whole = createHash('sha256');
  const parts: Buffer[] = [];
  for (const part of cut) {
    whole.update(part);
    const digest = hash('sha256', part, 'buffer');
    parts.push(digest);
    addBlob(blobs, part, digest, []);
    if (parts.length % PARTS_AT_ONCE === 0) await setImmediate();
  }
  return addBlob(blobs, null, whole.digest(), parts);
}

function addBlob(blobs: Map<string, Blob>, bytes: Uint8Array | null, digest: Buffer, parts: readonly Buffer[]): string {
  const name = digest.toString('hex');
  blobs.set(name, { hash: digest, bytes, parts });
  return name;
}

async function cutInTurns(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const steps = partsOf(bytes);
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (count % PARTS_AT_ONCE === 0) await setImmediate();
  }
}

/** In the order of their hashes, in which no two services that store at once can wait for each other. */
async function findMissing(client: pg.Client, blobs: ReadonlyMap<string, Blob>): Promise<readonly Blob[]> {
  const { rows } = await client.query<{ hash: Buffer }>(
    'select hash from public.policy_blobs where hash = any($1::bytea[])',
    [byteaArray([...blobs.values()].map((blob) => blob.hash))],
  );
  const kept = new Set(rows.map((row) => row.hash.toString('hex')));
  const missing = [...blobs].filter(([name]) => !kept.has(name));
  return missing.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, blob]) => blob);
}

async function compressInChunks(blobs: readonly Blob[]): Promise<readonly (readonly Row[])[]> {
  const chunks: Row[][] = [];
  let size = CHUNK_BYTES;
  for (const { hash, bytes, parts } of blobs) {
    const content = bytes === null ? listOfParts(parts) : await compress(bytes);
    if (size + content.length > CHUNK_BYTES) {
      chunks.push([]);
      size = 0;
    }
    size += content.length;
    chunks.at(-1)?.push({ hash, content });
  }
  return chunks;
}
