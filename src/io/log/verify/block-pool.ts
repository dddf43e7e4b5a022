// Keeps the memory of blocks that were gone through for those to come: fresh memory costs as much as reading into it. It must never give
// out a block that somebody still has.

export interface BlockPool {
  /** At least so many bytes, with whatever was in them before. */
  take(bytes: number): Buffer<ArrayBuffer>;
  giveBack(block: ArrayBuffer): void;
}

export const BLOCK_BYTES = 1024 * 1024;
const MOST_KEPT = 16;

/** @param most blocks that are kept */
export function createBlockPool(most = MOST_KEPT): BlockPool {
  const kept: ArrayBuffer[] = [];
  return {
    take(bytes) {
      const known = bytes <= BLOCK_BYTES ? kept.pop() : undefined;
      return Buffer.from(known ?? new ArrayBuffer(Math.max(bytes, BLOCK_BYTES)));
    },
    giveBack(block) {
      if (block.byteLength === BLOCK_BYTES && kept.length < most) kept.push(block);
    },
  };
}
