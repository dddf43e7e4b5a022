// Writes everyday records as lines of CSV straight from their bytes. It must never write another line than csv.ts does, nor any cell that
// begins with something else than a letter or digit.
import type { View } from '../../model/search.ts';
import type { LineBytes } from './line-bytes.ts';
import { type Place, placeOf, type RecordSpans } from './record-spans.ts';

export interface CsvBytes {
  /** Without the line feed. False: this one is left to csv.ts. */
  write(line: LineBytes, id: string, block: Buffer, spans: RecordSpans): boolean;
}

const REPORT = [
  'outcome',
  'subject.id',
  'subject.actor',
  'caller.source_system',
  'action',
  'resource.type',
  'resource.id',
  'matter',
  'client',
];
const LOG = [
  ...REPORT,
  'kind',
  'caller.id',
  'decided_by',
  'walls',
  'grants',
  'obligations',
  'policy.revision',
  'request_id',
];
const AT = placeOf('at');
const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const COMMA = Buffer.from(',');
const EMPTY = Buffer.from('""');
const MARK = Buffer.from('"');
const SPACE = Buffer.from(' ');
const CARRIAGE_RETURN = Buffer.from('\r');

/** The order of the columns is that of csv.ts, which begin with time and id. */
export function createCsvBytes(view: View): CsvBytes {
  const places = (view === 'log' ? LOG : REPORT).map(placeOf);
  return {
    write(line, id, block, spans) {
      line.begin();
      if (spans.from(AT) < 0 || !writeCell(line, block, spans, AT)) return false;
      line.put(COMMA);
      line.put(MARK);
      line.ascii(id);
      line.put(MARK);
      for (const place of places) {
        line.put(COMMA);
        if (!writeCell(line, block, spans, place)) return false;
      }
      line.put(CARRIAGE_RETURN);
      return true;
    },
  };
}

/** Texts have the quotes of a cell already, and none in them. */
function writeCell(line: LineBytes, block: Buffer, spans: RecordSpans, place: Place): boolean {
  const [from, to] = [spans.from(place), spans.to(place)];
  const first = from < 0 ? 0 : block[from];
  if (first === OPEN_LIST) return writeList(line, block, from, to);
  // Nothing, null, or a text of no characters.
  if (first !== QUOTE || to - from === EMPTY.length) line.put(EMPTY);
  else if (isHarmless(block[from + 1] ?? 0)) line.copy(block, from, to);
  else return false;
  return place !== AT || first === QUOTE;
}

function writeList(line: LineBytes, block: Buffer, from: number, to: number): boolean {
  if (to - from > 2 && !isHarmless(block[from + 2] ?? 0)) return false;
  line.put(MARK);
  for (let start = from + 1; start < to - 1;) {
    const end = block.indexOf(QUOTE, start + 1);
    if (start > from + 1) line.put(SPACE);
    line.copy(block, start + 1, end);
    start = end + 2;
  }
  line.put(MARK);
  return true;
}

/** A letter or digit: no spreadsheet takes what begins so for a formula. */
function isHarmless(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
