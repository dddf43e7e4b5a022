// Cuts the bytes of a long list into blocks at ends of rows that the content itself picks, so that a change moves the borders next to
// it only. It must never cut inside a quoted cell.

/** Bytes that a block has, unless the list or the row ends elsewhere. */
const SHORTEST = 24 * 1024;
const LONGEST = 40 * 1024;
/** What has no end of a row within this length is no table. */
const MOST = 256 * 1024;
/** Bytes of a line that take part in the choice. */
const LOOKED_AT = 32;
const NEWLINE = 0x0a;
const QUOTE = 0x22;

/**
 * Every block but the last ends with a newline. Of the ends of rows between the shortest and the longest length the one of the line
 * with the smallest digest is taken: whoever starts to cut somewhere else soon takes the same ones.
 * @param quoted whether a newline between two quotes ends no row
 * @returns null for what is no table
 */
export function* cutList(bytes: Uint8Array, quoted: boolean): Generator<void, readonly Uint8Array[] | null> {
  const blocks: Uint8Array[] = [];
  const endOfBlock = quoted && bytes.includes(QUOTE) ? endOfRow : endOfLine;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.length - start <= LONGEST ? bytes.length : endOfBlock(bytes, start);
    if (end === null) return null;
    blocks.push(bytes.subarray(start, end));
    start = end;
    yield;
  }
  return blocks;
}

function endOfLine(bytes: Uint8Array, start: number): number {
  let newline = bytes.indexOf(NEWLINE, start + SHORTEST);
  let best = newline < 0 ? bytes.length : newline + 1;
  for (let least = Infinity; newline >= 0;) {
    const line = newline + 1;
    newline = bytes.indexOf(NEWLINE, line);
    if (newline - start >= LONGEST) break;
    const digest = newline < 0 ? Infinity : digestOf(bytes, line, newline);
    if (digest < least) [best, least] = [newline + 1, digest];
  }
  return best;
}

/** The same where quotes have to be counted. Where they do not match, no border is right, and whoever parses the rows says so. */
function endOfRow(bytes: Uint8Array, start: number): number | null {
  let best: number | null = null;
  let least = Infinity;
  let line = start;
  let open = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) open = !open;
    if (byte !== NEWLINE) continue;
    if (at - start >= LONGEST) {
      if (best !== null) return best;
      if (!open) return at + 1;
      if (at - start >= MOST) return null;
    } else if (!open && at - start >= SHORTEST) {
      const digest = digestOf(bytes, line, at);
      if (best === null || digest < least) [best, least] = [at + 1, digest];
    }
    line = at + 1;
  }
  return best ?? (open ? null : bytes.length);
}

/** FNV-1a, mixed once more: a choice, no proof of anything. */
function digestOf(bytes: Uint8Array, start: number, end: number): number {
  let digest = 0x811c9dc5;
  const last = Math.min(end, start + LOOKED_AT);
  for (let at = start; at < last; at++) digest = Math.imul(digest ^ (bytes[at] ?? 0), 0x01000193);
  return Math.imul(digest ^ (digest >>> 15), 0x85ebca6b) >>> 0;
}
