// Compares long lists of hashes without keeping them: what has the same fold is the same list. It must never be asked before the list is
// complete.
import { hash } from 'node:crypto';

export interface Fold {
  /** The 32 bytes at `at`. */
  add(bytes: Uint8Array, at: number): void;
  /** Of everything so far; after it nothing may be added. */
  digest(): string;
}

const HASH_BYTES = 32;
/** Hashes that are hashed in one go. */
const PAGE = 32;
/** States are strings of bytes, which hashing gives faster than buffers. */
const NOTHING_YET = '\u0000'.repeat(HASH_BYTES);

/** SHA-256 over pages of hashes, each beginning with the result of the page before. */
export function createFold(): Fold {
  let page: Buffer | null = null;
  let state = NOTHING_YET;
  let used = HASH_BYTES;
  let count = 0;
  const close = (): void => {
    if (page === null || used === HASH_BYTES) return;
    page.write(state, 0, HASH_BYTES, 'latin1');
    state = hash('sha256', used === page.length ? page : page.subarray(0, used), 'latin1');
    used = HASH_BYTES;
  };
  return {
    add(bytes, at) {
      page ??= Buffer.alloc(HASH_BYTES + PAGE * HASH_BYTES);
      for (let index = 0; index < HASH_BYTES; index++) page[used + index] = bytes[at + index] ?? 0;
      used += HASH_BYTES;
      count++;
      if (used === page.length) close();
    },
    digest() {
      close();
      page = null;
      return `${count}:${Buffer.from(state, 'latin1').toString('hex')}`;
    },
  };
}

/** Whether the 32 bytes at the two places are the same. */
export function isSameHash(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
  for (let index = 0; index < HASH_BYTES; index++) if (a[aAt + index] !== b[bAt + index]) return false;
  return true;
}
