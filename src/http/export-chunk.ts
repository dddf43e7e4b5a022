// Gathers lines into chunks that are worth sending. It must never change a chunk that was taken.

export interface ExportChunk {
  addText(text: string): void;
  /** The bytes `[from, to)` and a line end. */
  addLine(block: Buffer, from: number, to: number): void;
  isFull(): boolean;
  /** What was gathered; empty where nothing was. */
  take(): Buffer;
}

const FULL = 128 * 1024;
/** A line that begins before a chunk is full mostly fits in. */
const CAPACITY = FULL + 16 * 1024;
/** Bytes of UTF-8 for each unit of UTF-16. */
const MOST_BYTES = 3;
const LINE_END = 0x0a;
const NOTHING = Buffer.alloc(0);

export function createExportChunk(): ExportChunk {
  let bytes: Buffer = NOTHING;
  let used = 0;
  const makeRoom = (more: number): void => {
    if (used + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(CAPACITY, used + more));
    bytes.copy(larger, 0, 0, used);
    bytes = larger;
  };
  return {
    addText(text) {
      makeRoom(text.length * MOST_BYTES);
      used += bytes.write(text, used);
    },
    addLine(block, from, to) {
      makeRoom(to - from + 1);
      block.copy(bytes, used, from, to);
      used += to - from;
      bytes[used++] = LINE_END;
    },
    isFull: () => used >= FULL,
    take() {
      const taken = bytes.subarray(0, used);
      [bytes, used] = [NOTHING, 0];
      return taken;
    },
  };
}
