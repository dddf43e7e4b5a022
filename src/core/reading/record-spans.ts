// Finds in a record's bytes where the members stand that a line of an export needs. It must never say of a record what a parse of the whole
// would not: where that is not sure, or takes more than a look, it says nothing, and the whole record is read.
import { createAlikeScanner } from '../record/alike.ts';
import { COLUMN_PATHS } from '../record/columns.ts';
import { wantedMembers } from '../record/scan.ts';

export interface RecordSpans {
  /** Whether this is an everyday record: canonical, judged like a decision, not about the log itself, with nothing in it that is masked. */
  scan(block: Buffer, from: number, to: number): boolean;
  /** Of the record that was scanned last; -1 where it has no such member. */
  from(place: Place): number;
  to(place: Place): number;
  /** The text at a place; null where there is none or the word null. */
  text(place: Place): string | null;
}

/** Which member: an index of `PLACES`. */
export type Place = number;

/** Columns stand there in all kinds that are judged like a decision. */
const JUDGED = COLUMN_PATHS.decision;
const PATHS = [
  ...new Set([
    'at',
    'free_text',
    'kind',
    'read',
    'seq',
    'writer',
    ...Object.values(JUDGED).map((path) => path.join('.')),
  ]),
];
const JUDGED_KINDS = Object.entries(COLUMN_PATHS).flatMap(([kind, paths]) =>
  paths === JUDGED ? [Buffer.from(`"${kind}"`)] : [],
);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SMALL_N = 0x6e;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const EMPTY_LIST_LENGTH = 2;

export function placeOf(path: string): Place {
  const place = PATHS.indexOf(path);
  if (place < 0) throw new Error(`no place of ${path}`);
  return place;
}

const KIND = placeOf('kind');
const READ = placeOf('read');
const FREE_TEXT = placeOf('free_text');
/** Members that are one text or nothing, and those that are lists of texts. */
const LISTS: ReadonlySet<string> = new Set(['decided_by', 'walls', 'grants', 'obligations']);
const LIST_PLACES = PATHS.flatMap((path, place) => (LISTS.has(path) ? [place] : []));
const TEXT_PLACES = PATHS.flatMap((path, place) =>
  LISTS.has(path) || path === 'seq' || path === 'read' || path === 'free_text' ? [] : [place],
);

export function createRecordSpans(): RecordSpans {
  const wanted = wantedMembers(PATHS);
  const scanner = createAlikeScanner(wanted);
  const spans = new Int32Array(wanted.count * 2);
  const last: { bytes: Buffer; text: string }[] = PATHS.map(() => ({ bytes: Buffer.alloc(0), text: '' }));
  let current: Buffer = Buffer.alloc(0);
  const from = (place: Place): number => spans[place * 2] ?? -1;
  const to = (place: Place): number => spans[place * 2 + 1] ?? -1;

  /** Rows of one request follow each other and say the same. */
  function text(place: Place): string | null {
    const [start, end] = [from(place) + 1, to(place) - 1];
    if (start === 0 || current[start - 1] !== QUOTE) return null;
    let known = last[place];
    if (known === undefined || !isAt(current, start, end, known.bytes)) {
      known = { bytes: Buffer.from(current.subarray(start, end)), text: current.toString('utf8', start, end) };
      last[place] = known;
    }
    return known.text;
  }

  return {
    from,
    to,
    text,
    scan(block, start, end) {
      if (scanner.scan(block, start, end, spans) !== 'canonical') return false;
      current = block;
      if (from(READ) >= 0 || !isJudged(block, from(KIND), to(KIND))) return false;
      if (
        from(FREE_TEXT) >= 0 &&
        block[from(FREE_TEXT)] === OPEN_LIST &&
        to(FREE_TEXT) - from(FREE_TEXT) > EMPTY_LIST_LENGTH
      )
        return false;
      for (const place of TEXT_PLACES) if (!isPlainText(block, from(place), to(place))) return false;
      for (const place of LIST_PLACES) if (!isPlainList(block, from(place), to(place))) return false;
      return true;
    },
  };
}

function isJudged(block: Buffer, from: number, to: number): boolean {
  return from >= 0 && JUDGED_KINDS.some((kind) => isAt(block, from, to, kind));
}

/** Nothing, null, or a text that stands there as it is. */
function isPlainText(block: Buffer, from: number, to: number): boolean {
  if (from < 0) return true;
  const first = block[from];
  if (first !== QUOTE) return first === SMALL_N;
  for (let at = from + 1; at < to; at++) if (block[at] === BACKSLASH) return false;
  return true;
}

/** Nothing, or a list of such texts. */
function isPlainList(block: Buffer, from: number, to: number): boolean {
  if (from < 0 || to - from === EMPTY_LIST_LENGTH) return from < 0 || block[from] === OPEN_LIST;
  if (block[from] !== OPEN_LIST) return false;
  let isInText = false;
  for (let at = from + 1; at < to - 1; at++) {
    const byte = block[at];
    if (byte === BACKSLASH) return false;
    if (byte === QUOTE) isInText = !isInText;
    else if (!isInText && byte !== COMMA) return false;
  }
  return block[to - 1] === CLOSE_LIST;
}

function isAt(block: Buffer, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (block[from + index] !== text[index]) return false;
  return true;
}
