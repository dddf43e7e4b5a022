// Follows the chain of every writer through records that come in nearly the order of their sequence: links, times, what is there. It must
// never keep a record for longer than until those before it have come.
import { createFold, type Fold, isSameHash } from './fold.ts';

/** Places whose hashes are folded together: what is wrong is then looked for among so many. */
export const SEGMENT = 65_536;
/** Records that wait for those before them; with more, those are taken not to be there. */
const MOST_WAITING = 1_024;
const HASH_BYTES = 32;

/** Of many records; those of one block of a list. */
export interface ArrivedRecords {
  readonly hashes: Uint8Array;
  /** Zeros where a record names none before it. */
  readonly prevs: Uint8Array;
  readonly times: Float64Array;
}

export interface WriterTally {
  /** Of the records that are there, in the order of their places, by segment. */
  readonly folds: ReadonlyMap<number, Fold>;
  /** After its last record. */
  readonly end: number;
  has(seq: number): boolean;
  /** The hash that the record names as the one before it, where that one did not come; otherwise null. */
  prevAfterHole(seq: number): Uint8Array | null;
}

export interface Tally {
  add(writer: string, seq: number, records: ArrivedRecords, index: number): void;
  /** Everything has come. */
  finish(): void;
  of(writer: string): WriterTally | null;
  readonly writers: ReadonlyMap<string, WriterTally>;
  records(): number;
  /** Segments in which a link, a time or a place is not as it must be, as `segmentName`. */
  readonly odd: ReadonlySet<string>;
}

interface Chain extends WriterTally {
  readonly writer: string;
  readonly folds: Map<number, Fold>;
  end: number;
  readonly last: Uint8Array;
  latest: number;
  readonly waiting: Map<number, Waiting>;
  /** `[from, until)`, ascending. */
  readonly holes: { readonly from: number; readonly until: number }[];
  readonly afterHoles: Map<number, Uint8Array>;
}

interface Waiting {
  readonly hash: Uint8Array;
  readonly prev: Uint8Array;
  readonly at: number;
}

export function segmentName(writer: string, seq: number): string {
  return `${writer}/${Math.floor(seq / SEGMENT)}`;
}

export function createTally(): Tally {
  const writers = new Map<string, Chain>();
  const odd = new Set<string>();
  let records = 0;
  let current: Chain | null = null;

  function chainOf(writer: string): Chain {
    if (current?.writer === writer) return current;
    const found = writers.get(writer) ?? createChain(writer);
    writers.set(writer, found);
    current = found;
    return found;
  }

  /** Takes the record that comes next in its chain. */
  function append(chain: Chain, bytes: Uint8Array, at: number, prevs: Uint8Array, time: number): void {
    const { writer, end: seq, last } = chain;
    const isAfterHole = chain.holes.at(-1)?.until === seq;
    if (isAfterHole) chain.afterHoles.set(seq, prevs.slice(at, at + HASH_BYTES));
    else if (!isSameHash(prevs, at, last, 0)) odd.add(segmentName(writer, seq));
    if (!(time >= chain.latest)) odd.add(segmentName(writer, seq));
    else chain.latest = time;
    const segment = Math.floor(seq / SEGMENT);
    let fold = chain.folds.get(segment);
    if (fold === undefined) {
      fold = createFold();
      chain.folds.set(segment, fold);
    }
    fold.add(bytes, at);
    for (let index = 0; index < HASH_BYTES; index++) last[index] = bytes[at + index] ?? 0;
    chain.end = seq + 1;
  }

  function appendWaiting(chain: Chain): void {
    for (let next = chain.waiting.get(chain.end); next !== undefined; next = chain.waiting.get(chain.end)) {
      chain.waiting.delete(chain.end);
      append(chain, next.hash, 0, next.prev, next.at);
    }
  }

  function skipHole(chain: Chain): void {
    let until = Number.POSITIVE_INFINITY;
    for (const seq of chain.waiting.keys()) until = Math.min(until, seq);
    chain.holes.push({ from: chain.end, until });
    chain.end = until;
    appendWaiting(chain);
  }

  return {
    add(writer, seq, { hashes, prevs, times }, index) {
      const chain = chainOf(writer);
      const at = index * HASH_BYTES;
      const time = times[index] ?? Number.NaN;
      records++;
      if (seq === chain.end) {
        append(chain, hashes, at, prevs, time);
        if (chain.waiting.size > 0) appendWaiting(chain);
      } else if (seq < chain.end || chain.waiting.has(seq)) {
        odd.add(segmentName(writer, seq)); // there already, or later than anybody waits
      } else {
        const own = (bytes: Uint8Array): Uint8Array => bytes.slice(at, at + HASH_BYTES);
        chain.waiting.set(seq, { hash: own(hashes), prev: own(prevs), at: time });
        if (chain.waiting.size > MOST_WAITING) skipHole(chain);
      }
    },
    finish() {
      for (const chain of writers.values()) while (chain.waiting.size > 0) skipHole(chain);
    },
    of: (writer) => (current?.writer === writer ? current : (writers.get(writer) ?? null)),
    writers,
    records: () => records,
    odd,
  };
}

function createChain(writer: string): Chain {
  const holes: { readonly from: number; readonly until: number }[] = [];
  const afterHoles = new Map<number, Uint8Array>();
  const chain: Chain = {
    writer,
    folds: new Map(),
    end: 0,
    last: new Uint8Array(HASH_BYTES),
    latest: Number.NEGATIVE_INFINITY,
    waiting: new Map(),
    holes,
    afterHoles,
    has: (seq) => seq < chain.end && (holes.length === 0 || !isInHole(holes, seq)),
    prevAfterHole: (seq) => afterHoles.get(seq) ?? null,
  };
  return chain;
}

function isInHole(holes: readonly { readonly from: number; readonly until: number }[], seq: number): boolean {
  let [low, high] = [0, holes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((holes[middle]?.from ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return (holes[low - 1]?.until ?? 0) > seq;
}
