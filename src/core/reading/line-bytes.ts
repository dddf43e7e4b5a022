// Builds a line of an export from bytes that stand elsewhere, without making texts of them. It must never be read after the next line began.

export interface LineBytes {
  /** The line is `[0, length)` of them. */
  readonly bytes: Buffer;
  readonly length: number;
  begin(): void;
  /** Bytes that are used again and again. */
  put(part: Uint8Array): void;
  copy(block: Uint8Array, from: number, to: number): void;
  /** Characters of one byte. */
  ascii(text: string): void;
}

const CAPACITY = 16 * 1024;
/** Shorter parts are copied faster byte by byte than by a call. */
const SHORT = 64;

export function createLineBytes(): LineBytes {
  let bytes = Buffer.alloc(CAPACITY);
  let used = 0;
  const makeRoom = (more: number): void => {
    if (used + more <= bytes.length) return;
    const larger = Buffer.alloc(Math.max(bytes.length * 2, used + more));
    bytes.copy(larger, 0, 0, used);
    bytes = larger;
  };
  function copy(block: Uint8Array, from: number, to: number): void {
    makeRoom(to - from);
    if (to - from > SHORT) {
      bytes.set(block.subarray(from, to), used);
      used += to - from;
    } else {
      const [target, begin] = [bytes, used - from];
      for (let at = from; at < to; at++) target[begin + at] = block[at] ?? 0;
      used += to - from;
    }
  }
  return {
    get bytes() {
      return bytes;
    },
    get length() {
      return used;
    },
    begin: () => void (used = 0),
    put(part) {
      if (part.length <= SHORT) return copy(part, 0, part.length);
      makeRoom(part.length);
      bytes.set(part, used);
      used += part.length;
    },
    copy,
    ascii(text) {
      makeRoom(text.length);
      used += bytes.write(text, used, 'latin1');
    },
  };
}
