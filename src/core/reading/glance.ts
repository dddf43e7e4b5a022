// Reads of a record's bytes only the members that a list or an export needs, without making objects of all the others. It must never say of
// a member anything else than a parse of the whole record does: where that is not sure, it says nothing.
import { createAlikeScanner } from '../record/alike.ts';
import { COLUMN_PATHS } from '../record/columns.ts';
import { wantedMembers } from '../record/scan.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Glance {
  /** The record at `[from, to)` with the members that are wanted and no others; null: in doubt, look at the whole. */
  at(block: Buffer, from: number, to: number): Json | null;
}

interface Member {
  readonly name: string;
  readonly span: number;
  /** Of an object only these. */
  readonly below: readonly Member[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const SMALL_N = 0x6e;
/** `{}`, which is nothing that a reader is given as a record. */
const EMPTY_LENGTH = 2;

/** What decides who may see a record, and whether it is masked. */
export const PERMITTED_BY = ['matter', 'client', 'read', 'free_text', 'kind'];

/** What the lines of lists are made of (row.ts, csv.ts, ocsf.ts). */
export const SHOWN_IN_LISTS = [
  ...new Set([
    ...PERMITTED_BY,
    'at',
    'kind',
    'seq',
    'writer',
    ...Object.values(COLUMN_PATHS).flatMap((paths) => Object.values(paths).map((path) => path.join('.'))),
  ]),
];

/** @param paths such as `subject.id`; of a member that is no object all of it is given */
export function createGlance(paths: readonly string[]): Glance {
  const all = [...new Set(paths.flatMap(withParents))];
  const wanted = wantedMembers(all);
  const scanner = createAlikeScanner(wanted);
  const spans = new Int32Array(wanted.count * 2);
  const membersOf = (prefix: string): readonly Member[] =>
    all
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'))
      .map((path) => ({ name: path.slice(prefix.length), span: all.indexOf(path), below: membersOf(`${path}.`) }));
  const members = membersOf('');

  function read(block: Buffer, of: readonly Member[]): Json {
    const found: Record<string, unknown> = {};
    for (const { name, span, below } of of) {
      const [from, to] = [spans[span * 2] ?? -1, spans[span * 2 + 1] ?? -1];
      if (from < 0) continue;
      found[name] = below.length > 0 && block[from] === OPEN_OBJECT ? read(block, below) : valueAt(block, from, to);
    }
    return found;
  }

  return {
    at(block, from, to) {
      if (to - from <= EMPTY_LENGTH || scanner.scan(block, from, to, spans) !== 'canonical') return null;
      return read(block, members);
    },
  };
}

/** `a.b.c`, `a.b` and `a`. */
function withParents(path: string): string[] {
  const names = path.split('.');
  return names.map((_, index) => names.slice(0, index + 1).join('.'));
}

/** Of canonical JSON. */
function valueAt(block: Buffer, from: number, to: number): unknown {
  const first = block[from];
  if (first === SMALL_N) return null;
  if (first === QUOTE) {
    let seen = 0;
    let at = from + 1;
    for (; at < to - 1 && block[at] !== BACKSLASH; at++) seen |= block[at] ?? 0;
    if (at === to - 1) return block.toString(seen < 0x80 ? 'latin1' : 'utf8', from + 1, to - 1);
  }
  return JSON.parse(block.toString('utf8', from, to)) as unknown;
}
