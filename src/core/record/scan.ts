// Tells in one pass over its bytes whether a record is in canonical form (RFC 8785), and where in them its members stand: a verifier
// does this for every record there is. It must never call canonical what `canonicalize` would write differently.
import { isUtf8 } from 'node:buffer';

/** `undecided`: rare forms, such as names with escapes, that are left to `canonicalize`. */
export type Scanned = 'canonical' | 'not_canonical' | 'undecided';

/** Members to be found: names in canonical order, below them those of objects. */
export interface WantedMember {
  readonly name: Uint8Array;
  /** First byte of the name. */
  readonly first: number;
  /** Place in the list of spans; -1 where only what is below is wanted. */
  readonly index: number;
  readonly below: readonly WantedMember[];
}

export interface Wanted {
  readonly members: readonly WantedMember[];
  /** How many spans there are. */
  readonly count: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const MAX_DEPTH = 64;
/** Every integer of so many digits is its own canonical form. */
const SAFE_DIGITS = 15;
/** No number that a double holds is written longer. */
const LONGEST_NUMBER = 32;
/** What follows a backslash in canonical text, but for `u`: " \ b f n r t */
const ESCAPES = new Set([QUOTE, BACKSLASH, 0x62, 0x66, 0x6e, 0x72, 0x74]);
/** Control characters that have a short escape, and U+0000, which no record may hold. */
const NOT_IN_HEX = new Set([0x00, 0x08, 0x09, 0x0a, 0x0c, 0x0d]);
/** First byte of U+E000 and above in UTF-8. */
const SORTS_OTHERWISE = 0xee;
const NOTHING: readonly WantedMember[] = [];

/** Of every object and array that is open: where its last name stood, what is wanted in it, and how far that has been found. */
const nameStarts = new Int32Array(MAX_DEPTH + 1);
const nameEnds = new Int32Array(MAX_DEPTH + 1);
const isObject = new Uint8Array(MAX_DEPTH + 1);
const wantedAt: (readonly WantedMember[])[] = Array.from({ length: MAX_DEPTH + 1 }, () => NOTHING);
const wantedNext = new Int32Array(MAX_DEPTH + 1);
/** The span that ends with the value that is open at this depth; -1 for none. */
const spanAt = new Int32Array(MAX_DEPTH + 1);

/** Paths such as `subject.id`, each with its span. */
export function wantedMembers(paths: readonly string[]): Wanted {
  const build = (prefix: string): readonly WantedMember[] => {
    const names = new Set(
      paths.flatMap((path) => (path.startsWith(prefix) ? (path.slice(prefix.length).split('.', 1)[0] ?? []) : [])),
    );
    return [...names].toSorted().map((name) => ({
      name: Buffer.from(name),
      first: name.charCodeAt(0),
      index: paths.indexOf(prefix + name),
      below: build(`${prefix}${name}.`),
    }));
  };
  return { members: build(''), count: paths.length };
}

/** Instead of an end: as `Scanned` has them. */
const NOT_CANONICAL = -1;
const UNDECIDED = -2;

/** Every bit of every byte that the last `scanValue` saw in a text: from 0x80 on the text has to be valid UTF-8 too. */
let seenLast = 0;

/**
 * Scans `[from, to)`. Spans are pairs of the first byte of a value and the byte after it, -1 where the member is not there; they hold
 * only where the text is canonical.
 */
export function scanRecord(
  text: Uint8Array,
  from: number,
  to: number,
  { members }: Wanted,
  spans: Int32Array<ArrayBuffer>,
): Scanned {
  spans.fill(-1);
  if (text[from] !== 0x7b) return 'not_canonical';
  const end = scanValue(text, from, to, members, 0, spans);
  if (end === UNDECIDED) return 'undecided';
  return end === to && (seenLast < 0x80 || isUtf8(text.subarray(from, to))) ? 'canonical' : 'not_canonical';
}

export function seenInLast(): number {
  return seenLast;
}

/**
 * The end of the value that begins at `from`; negative for one that is not canonical, or not decided. Does not tell whether it is valid
 * UTF-8, nor sets spans anew that are not there. One function without calls where it is busy: a verification goes through every byte.
 * @param to it may not reach beyond
 * @param members that are wanted of it
 * @param base how deep it stands in the record
 */
export function scanValue(
  text: Uint8Array,
  from: number,
  to: number,
  members: readonly WantedMember[],
  base: number,
  spans: Int32Array<ArrayBuffer>,
): number {
  let at = from;
  let depth = base;
  let seen = 0;
  let wanted: WantedMember | undefined;
  spanAt[base] = -1;
  for (;;) {
    // A value begins.
    const first = text[at] ?? 0;
    let isOpen = false;
    if (first === QUOTE) {
      for (at++; ; at++) {
        const byte = text[at] ?? 0;
        if (byte > BACKSLASH) {
          seen |= byte;
        } else if (byte === QUOTE) {
          break;
        } else if (byte === BACKSLASH) {
          const length = escapeLength(text, at);
          if (length === 0) return NOT_CANONICAL;
          at += length - 1;
        } else if (byte < 0x20) {
          return NOT_CANONICAL;
        }
      }
      at++;
    } else if (first === 0x7b || first === 0x5b) {
      if (depth === MAX_DEPTH) return UNDECIDED;
      depth++;
      const opened = first === 0x7b ? 1 : 0;
      isObject[depth] = opened;
      nameStarts[depth] = -1;
      wantedAt[depth] = depth === base + 1 ? members : (wanted?.below ?? NOTHING);
      wantedNext[depth] = 0;
      at++;
      if (text[at] === (opened === 1 ? 0x7d : 0x5d)) {
        at++;
        depth--;
      } else {
        spanAt[depth] = -1;
        isOpen = true;
      }
    } else {
      const length = wordLength(text, at, first);
      if (length === 0) return NOT_CANONICAL;
      at += length;
    }
    wanted = undefined;

    // A value has ended, and with it perhaps what it stands in.
    while (!isOpen) {
      const span = spanAt[depth] ?? -1;
      if (span >= 0) spans[span * 2 + 1] = at;
      spanAt[depth] = -1;
      if (depth === base) {
        seenLast = seen;
        return at <= to ? at : NOT_CANONICAL;
      }
      const next = text[at] ?? 0;
      at++;
      if (next === COMMA) break;
      if (next !== (isObject[depth] === 1 ? 0x7d : 0x5d) || at > to) return NOT_CANONICAL;
      depth--;
    }
    if (isObject[depth] !== 1) continue;

    // A name, greater than the one before it.
    if (text[at] !== QUOTE) return NOT_CANONICAL;
    const start = ++at;
    let other = nameStarts[depth] ?? -1;
    const otherEnd = other < 0 ? -1 : (nameEnds[depth] ?? -1);
    let order = other < 0 ? 1 : 0;
    for (; ; at++) {
      const byte = text[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20) return NOT_CANONICAL;
      if (byte === BACKSLASH || byte >= SORTS_OTHERWISE) return UNDECIDED;
      seen |= byte;
      if (order === 0) order = other < otherEnd ? byte - (text[other] ?? 0) : 1;
      other++;
    }
    if (order <= 0) return NOT_CANONICAL;
    nameStarts[depth] = start;
    nameEnds[depth] = at;
    const list = wantedAt[depth] ?? NOTHING;
    if (list.length > 0) wanted = findWanted(list, depth, text, start, at);
    at++;
    if (text[at] !== COLON) return NOT_CANONICAL;
    at++;
    if (wanted !== undefined && wanted.index >= 0) {
      spans[wanted.index * 2] = at;
      spanAt[depth] = wanted.index;
    }
  }
}

/** Both lists are in order: each is gone through once. */
function findWanted(
  list: readonly WantedMember[],
  depth: number,
  text: Uint8Array,
  start: number,
  end: number,
): WantedMember | undefined {
  for (let next = wantedNext[depth] ?? 0; ; next++) {
    const member = list[next];
    wantedNext[depth] = next;
    if (member === undefined) return undefined;
    const order = member.first - (text[start] ?? 0) || compare(member.name, text, start, end);
    if (order === 0) return member;
    if (order > 0) return undefined;
  }
}

function compare(name: Uint8Array, text: Uint8Array, start: number, end: number): number {
  const shared = Math.min(name.length, end - start);
  for (let index = 0; index < shared; index++) {
    const difference = (name[index] ?? 0) - (text[start + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return name.length - (end - start);
}

/** 0 for what canonical text would not hold. */
function escapeLength(text: Uint8Array, at: number): number {
  const second = text[at + 1] ?? 0;
  if (second !== 0x75) return ESCAPES.has(second) ? 2 : 0;
  if (text[at + 2] !== ZERO || text[at + 3] !== ZERO) return 0;
  const [high, low] = [(text[at + 4] ?? 0) - ZERO, hexDigit(text[at + 5] ?? 0)];
  const isControl = (high === 0 || high === 1) && low >= 0 && !NOT_IN_HEX.has(high * 16 + low);
  return isControl ? 6 : 0;
}

/** Of a lower-case hexadecimal digit, otherwise -1. */
function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

/** Of a number, true, false or null; 0 for what is none, or written otherwise. */
export function wordLength(text: Uint8Array, at: number, first: number): number {
  if (first === 0x6e) return text[at + 1] === 0x75 && text[at + 2] === 0x6c && text[at + 3] === 0x6c ? 4 : 0;
  if (first === 0x74) return text[at + 1] === 0x72 && text[at + 2] === 0x75 && text[at + 3] === 0x65 ? 4 : 0;
  if (first === 0x66) {
    const isFalse = text[at + 1] === 0x61 && text[at + 2] === 0x6c && text[at + 3] === 0x73 && text[at + 4] === 0x65;
    return isFalse ? 5 : 0;
  }
  return numberLength(text, at);
}

function numberLength(text: Uint8Array, start: number): number {
  let at = start;
  for (let digit = text[at] ?? 0; digit >= ZERO && digit <= NINE; digit = text[++at] ?? 0);
  const digits = at - start;
  const next = text[at];
  const isInteger = next === COMMA || next === 0x7d || next === 0x5d;
  if (isInteger && digits > 0 && digits <= SAFE_DIGITS && (digits === 1 || text[start] !== ZERO)) return digits;
  while (isNumeric(text[at] ?? 0) && at - start < LONGEST_NUMBER) at++;
  // ECMAScript's number to string is the canonical form (RFC 8785, 3.2.2.3).
  const written = String.fromCharCode(...text.subarray(start, at));
  return written !== '' && Number.isFinite(Number(written)) && `${Number(written)}` === written ? at - start : 0;
}

function isNumeric(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x65;
}
