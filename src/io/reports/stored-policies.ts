// Reads policy sets as they were kept when they decided. It must never give content whose hash is not the one it was kept under.
import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { Kysely } from 'kysely';
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
      const found = new Map<string, Buffer>();
      for (let start = 0; start < hashes.length; start += CHUNK) {
        const wanted = hashes.slice(start, start + CHUNK).map((hash) => Buffer.from(hash, 'hex'));
        const rows = await queries.selectFrom('policy_blobs').selectAll().where('hash', 'in', wanted).execute();
        for (const { hash, content } of rows) {
          const bytes = await unpack(content, { maxOutputLength: MOST_BYTES }).catch(() => null);
          if (bytes !== null && digest('sha256', bytes, 'buffer').equals(hash)) found.set(hash.toString('hex'), bytes);
        }
      }
      return found;
    },
  };
}
