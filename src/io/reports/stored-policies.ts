// Reads policy sets as they were kept when they decided. It must never give content whose hash is not the one it was kept under.
import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { Kysely } from 'kysely';
import { partsIn } from '../../core/kept-parts.ts';
import type { Tables } from '../../model/tables.ts';
import { objectOf } from './stored.ts';

export interface StoredManifest {
  readonly commit: string | null;
  /** Hash of the content, lower-case hex, by path. */
  readonly files: ReadonlyMap<string, string>;
}

export interface StoredPolicies {
  /** Null: no set was kept under this revision. */
  manifest(revision: string): Promise<StoredManifest | null>;
  /** By hash; what is not there, or has another hash than it should, is left out. */
  contents(hashes: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

/** Hashes in one query: compressed, a few megabytes. */
const CHUNK = 200;
/** Twice what the largest file of a policies folder may have; what unpacks to more was not written by the service. */
const MOST_BYTES = 128 * 2 ** 20;

const unpack = promisify(inflate);

export function createStoredPolicies(queries: Kysely<Tables>): StoredPolicies {
  return {
    async manifest(revision) {
      const row = await queries
        .selectFrom('policy_sets')
        .select(['commit', 'manifest'])
        .where('revision', '=', revision)
        .executeTakeFirst();
      if (row === undefined) return null;
      const files = Object.entries(objectOf(row.manifest)).map(([path, hash]) => [path, String(hash)] as const);
      return { commit: row.commit, files: new Map(files) };
    },
    async contents(hashes) {
      const { whole, inParts } = await read(hashes);
      const names = new Set([...inParts.values()].flat());
      const parts = (await read([...names])).whole;
      for (const [hash, list] of inParts) {
        const found = list.flatMap((name) => parts.get(name) ?? []);
        if (found.length < list.length) continue;
        const bytes = Buffer.concat(found);
        if (nameOf(bytes) === hash) whole.set(hash, bytes);
      }
      return whole;
    },
  };

  /** What is kept at one go by its hash, and of what is kept in parts their hashes. */
  async function read(hashes: readonly string[]): Promise<Found> {
    const whole = new Map<string, Buffer>();
    const inParts = new Map<string, readonly string[]>();
    for (let start = 0; start < hashes.length; start += CHUNK) {
      const wanted = hashes.slice(start, start + CHUNK).map((hash) => Buffer.from(hash, 'hex'));
      const rows = await queries.selectFrom('policy_blobs').selectAll().where('hash', 'in', wanted).execute();
      for (const { hash, content } of rows) {
        const name = hash.toString('hex');
        const parts = partsIn(content);
        if (parts !== null)
          inParts.set(
            name,
            parts.map((part) => part.toString('hex')),
          );
        else {
          const bytes = await unpack(content, { maxOutputLength: MOST_BYTES }).catch(() => null);
          if (bytes !== null && nameOf(bytes) === name) whole.set(name, bytes);
        }
      }
    }
    return { whole, inParts };
  }
}

interface Found {
  readonly whole: Map<string, Buffer>;
  readonly inParts: ReadonlyMap<string, readonly string[]>;
}

function nameOf(bytes: Buffer): string {
  return digest('sha256', bytes, 'hex');
}
