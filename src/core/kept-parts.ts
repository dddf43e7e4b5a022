// How a long file is kept: its parts are blobs of their own, and under the hash of the file stands the list of their hashes. It must
// never read a list from anything but a whole one.

import { cutList } from './cut-list.ts';

/** What is compressed begins with another byte: the lowest four bits of zlib's first are 8 (RFC 1950, section 2.2). */
const MARK = 0;
const HASH_BYTES = 32;

/** Longer files are kept in parts: when one line changes, the part it is in is all that is kept anew. */
const LONGEST_WHOLE = 64 * 1024;

/** One for a file that is kept whole. Pauses after each. */
export function* partsOf(bytes: Uint8Array): Generator<void, readonly Uint8Array[]> {
  return bytes.length <= LONGEST_WHOLE ? [bytes] : ((yield* cutList(bytes, false)) ?? [bytes]);
}

export function listOfParts(hashes: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(MARK), ...hashes]);
}

/** Null for content that is no list of parts. */
export function partsIn(content: Buffer): readonly Buffer[] | null {
  if (content[0] !== MARK || content.length === 1 || content.length % HASH_BYTES !== 1) return null;
  const count = (content.length - 1) / HASH_BYTES;
  return Array.from({ length: count }, (_, index) =>
    content.subarray(1 + index * HASH_BYTES, 1 + (index + 1) * HASH_BYTES),
  );
}
