// Keeps every policy set that decides, by revision, as content-addressed compressed blobs, so that a decision can be replayed from
// the database alone. It must never report a set as kept before all of it is committed.
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type pg from 'pg';
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
  readonly bytes: Uint8Array;
}

const END_TIMEOUT_MS = 1_000;
/** Compressed bytes in one statement, about. */
const CHUNK_BYTES = 8 * 2 ** 20;

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
    const digest = hash('sha256', bytes, 'buffer');
    const name = digest.toString('hex');
    manifest[path] = name;
    blobs.set(name, { hash: digest, bytes });
  }
  await client.query('begin');
  await client.query(`select ${DURABLE_COMMIT}`);
  for (const chunk of await compressInChunks(await findMissing(client, blobs))) {
    await client.query(
      'insert into public.policy_blobs (hash, content) select unnest($1::bytea[]), unnest($2::bytea[]) on conflict do nothing',
      [byteaArray(chunk.map((blob) => blob.hash)), byteaArray(chunk.map((blob) => blob.bytes))],
    );
  }
  await client.query(
    'insert into public.policy_sets (revision, commit, manifest, at) values ($1, $2, $3, clock_timestamp()) on conflict do nothing',
    [set.revision, set.commit, JSON.stringify(manifest)],
  );
  await client.query('commit');
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

async function compressInChunks(blobs: readonly Blob[]): Promise<readonly (readonly Blob[])[]> {
  const chunks: Blob[][] = [];
  let size = CHUNK_BYTES;
  for (const blob of blobs) {
    const bytes = await compress(blob.bytes);
    if (size + bytes.length > CHUNK_BYTES) {
      chunks.push([]);
      size = 0;
    }
    size += bytes.length;
    chunks.at(-1)?.push({ hash: blob.hash, bytes });
  }
  return chunks;
}
