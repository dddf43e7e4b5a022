// Tells faster than a scan whether a record is in canonical form where it looks like one before it: what is byte for byte the same needs no
// second look. It must never say anything else of a record than `scanRecord` does.
import { isUtf8 } from 'node:buffer';
import { type Scanned, scanRecord, scanValue, seenInLast, type Wanted, type WantedMember, wordLength } from './scan.ts';

export interface AlikeScanner {
  /** As `scanRecord`. */
  scan(text: Uint8Array, from: number, to: number, spans: Int32Array<ArrayBuffer>): Scanned;
}

/** A canonical record, with the places of its values: each comes before those in it. */
interface Pattern {
  readonly text: Uint8Array;
  readonly words: DataView;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** The value it stands in; -1 for the record. */
  readonly parents: readonly number[];
  readonly depths: readonly number[];
  /** What is wanted in it, whatever it is: in its place may stand an object. */
  readonly below: readonly (readonly WantedMember[])[];
  readonly isPlain: readonly boolean[];
  /** For every byte, the last value that begins there or before. */
  readonly valueAt: Int32Array;
  /** Where wanted values begin and end, ascending, and where in the spans that stands. */
  readonly marks: readonly { readonly at: number; readonly slot: number }[];
}

const MOST_PATTERNS = 8;
/** Work for patterns that few records fit: a new one costs as much as so many that fit. */
const PATTERN_COST = 8;
const MOST_CREDIT = 64;
/** Where more than this part had to be scanned, another pattern fits better. */
const MOST_SCANNED = 0.5;
const WORD = 8;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that end what a text can be taken for without a closer look: quotes, backslashes and control characters. */
const ENDS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte < 0x20 || byte === QUOTE || byte === BACKSLASH),
);
const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;
const MOST_SCANS = 1_024;
const NOTHING: readonly WantedMember[] = [];

/** What the scan of one record differs in from its pattern: `[from, to)` of the pattern, and how far everything after it is shifted. */
const scannedFrom = new Int32Array(MOST_SCANS);
const scannedTo = new Int32Array(MOST_SCANS);
const shiftAfter = new Int32Array(MOST_SCANS);

export function createAlikeScanner(wanted: Wanted): AlikeScanner {
  let patterns: readonly Pattern[] = [];
  let credit = MOST_CREDIT;
  let words: DataView = new DataView(new ArrayBuffer(0));

  function learn(text: Uint8Array, from: number, to: number): void {
    if (credit < PATTERN_COST) return;
    credit -= PATTERN_COST;
    patterns = [patternOf(new Uint8Array(text.subarray(from, to)), wanted), ...patterns].slice(0, MOST_PATTERNS);
  }

  return {
    scan(text, from, to, spans) {
      if (words.buffer !== text.buffer || words.byteOffset !== text.byteOffset || words.byteLength !== text.length) {
        words = new DataView(text.buffer, text.byteOffset, text.length);
      }
      for (const pattern of patterns) {
        const scanned = fit(pattern, text, words, from, to, spans);
        if (scanned < 0) continue;
        if (scanned > (to - from) * MOST_SCANNED) learn(text, from, to);
        else if (credit < MOST_CREDIT) credit++;
        if (pattern !== patterns[0]) patterns = [pattern, ...patterns.filter((one) => one !== pattern)];
        return 'canonical';
      }
      const verdict = scanRecord(text, from, to, wanted, spans);
      if (verdict === 'canonical') learn(text, from, to);
      return verdict;
    },
  };
}

/**
 * A canonical text in which values are replaced by other canonical values is canonical. So wherever the text leaves the pattern, the value
 * that stands there is scanned, and then the two are compared on from its end.
 * @returns how many bytes were scanned; -1: not known, the text may be canonical or not
 */
function fit(
  pattern: Pattern,
  text: Uint8Array,
  words: DataView,
  from: number,
  to: number,
  spans: Int32Array<ArrayBuffer>,
): number {
  const { text: same, words: sameWords, starts, ends, parents, depths, below, isPlain, valueAt, marks } = pattern;
  const { length } = same;
  let at = 0; // in the pattern
  let shift = from; // of the text against the pattern
  let count = 0;
  let scanned = 0;
  let seen = 0;
  let last = -1;
  spans.fill(-1);
  for (;;) {
    // Eight bytes at once, as numbers: two that are equal are the same bytes, but for 0 and -0, which text has not the bytes for.
    const end = Math.min(length, text.length - shift) - WORD;
    while (at <= end && sameWords.getFloat64(at, true) === words.getFloat64(at + shift, true)) at += WORD;
    const stop = Math.min(length, at + WORD);
    while (at < stop && same[at] === text[at + shift]) at++;
    if (at === length) break;
    if (at === stop) continue;
    // The innermost value that holds this place, or has just ended: 12 is the beginning of 123.
    let value = valueAt[at] ?? 0;
    const isEnd = isPlain[value] === true && value !== last && at === ends[value];
    while (value > 0 && !isEnd && at >= (ends[value] ?? 0)) value = parents[value] ?? 0;
    if (value <= 0 || count === MOST_SCANS) return -1;
    const start = starts[value] ?? 0;
    // What was scanned within it is scanned again.
    while (count > 0 && (scannedFrom[count - 1] ?? 0) > start) count--;
    shift = count === 0 ? from : (shiftAfter[count - 1] ?? 0);
    // Most are short texts, or words.
    let after = start + shift;
    const first = text[after] ?? 0;
    if (first === QUOTE) {
      let byte = text[++after] ?? 0;
      while (ENDS_PLAIN[byte] === 0) {
        seen |= byte;
        byte = text[++after] ?? 0;
      }
    } else if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
      after += wordLength(text, after, first);
      if (after === start + shift || after > to) return -1;
    }
    if (first === QUOTE && text[after] === QUOTE) {
      after++;
    } else if (first === QUOTE || after === start + shift) {
      after = scanValue(text, start + shift, to, below[value] ?? NOTHING, depths[value] ?? 0, spans);
      if (after < 0) return -1;
      seen |= seenInLast();
    }
    scanned += after - start - shift;
    at = ends[value] ?? 0;
    scannedFrom[count] = start;
    scannedTo[count] = at;
    shift = after - at;
    shiftAfter[count] = shift;
    count++;
    last = value;
  }
  if (length + shift !== to || (seen >= 0x80 && !isUtf8(text.subarray(from, to)))) return -1;

  let next = 0;
  shift = from;
  for (const { at: mark, slot } of marks) {
    while (next < count && mark >= (scannedTo[next] ?? 0)) shift = shiftAfter[next++] ?? 0;
    const isWithin = next < count && mark > (scannedFrom[next] ?? 0);
    if (!isWithin) spans[slot] = mark + shift;
  }
  return scanned;
}

/** @param text in canonical form, as was found before */
function patternOf(text: Uint8Array, wanted: Wanted): Pattern {
  const values: {
    start: number;
    end: number;
    parent: number;
    depth: number;
    below: readonly WantedMember[];
    isPlain: boolean;
  }[] = [];
  const marks: { at: number; slot: number }[] = [];
  const open: number[] = [];
  const valueAt = new Int32Array(text.length);
  let name: WantedMember | undefined;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === 0x2c || byte === 0x3a) continue;
    const parent = open.at(-1) ?? -1;
    if (byte === 0x7d || byte === 0x5d) {
      const closed = values[open.pop() ?? 0];
      if (closed !== undefined) closed.end = at + 1;
      name = undefined;
      continue;
    }
    const end = byte === 0x22 ? endOfString(text, at) : byte === 0x7b || byte === 0x5b ? at + 1 : endOfWord(text, at);
    if (byte === 0x22 && text[end] === 0x3a) {
      const list = values[parent]?.below ?? NOTHING;
      name = list.find((one) => Buffer.compare(one.name, text.subarray(at + 1, end - 1)) === 0);
      at = end;
      continue;
    }
    const isOpening = byte === 0x7b || byte === 0x5b;
    const below = parent < 0 ? wanted.members : (name?.below ?? NOTHING);
    if (name !== undefined && name.index >= 0) marks.push({ at: values.length, slot: name.index * 2 });
    if (isOpening) open.push(values.length);
    valueAt[at] = values.length;
    values.push({ start: at, end, parent, depth: open.length - Number(isOpening), below, isPlain: !isOpening });
    name = undefined;
    at = end - 1;
  }
  for (let at = 1; at < valueAt.length; at++) valueAt[at] = Math.max(valueAt[at] ?? 0, valueAt[at - 1] ?? 0);
  const placed = marks.flatMap(({ at: value, slot }) => [
    { at: values[value]?.start ?? 0, slot },
    { at: values[value]?.end ?? 0, slot: slot + 1 },
  ]);
  return {
    text,
    words: new DataView(text.buffer, text.byteOffset, text.length),
    starts: values.map(({ start }) => start),
    ends: values.map(({ end }) => end),
    parents: values.map(({ parent }) => parent),
    depths: values.map(({ depth }) => depth),
    below: values.map((value) => value.below),
    isPlain: values.map((value) => value.isPlain),
    valueAt,
    marks: placed.toSorted((a, b) => a.at - b.at),
  };
}

function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1;
  for (; text[at] !== 0x22; at++) if (text[at] === 0x5c) at++;
  return at + 1;
}

function endOfWord(text: Uint8Array, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== 0x2c && text[at] !== 0x7d && text[at] !== 0x5d) at++;
  return at;
}
