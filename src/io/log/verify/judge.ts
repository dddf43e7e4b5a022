// Turns what the passes have seen into findings: which stretches to look at closely, what heads and checkpoints prove. It must never name
// a consequence where its cause is known.
import type { PurgedRange } from '../../../core/record/purged.ts';
import { examine, type Stretch } from '../../../core/verification/examine.ts';
import { compareFindings, type Finding, type Place } from '../../../core/verification/finding.ts';
import { SEGMENT } from '../../../core/verification/tally.ts';
import type { BadHead, ChainResult } from './chain-pass.ts';
import type { HeadSignatures } from './head-signatures.ts';
import type { Published } from './published.ts';
import type { PlacedFact, Span } from './record-answer.ts';
import type { LogSource } from './source.ts';
import type { TreeResult } from './tree-pass.ts';

export interface Seen {
  readonly source: LogSource;
  readonly tree: TreeResult;
  readonly chains: ChainResult;
  readonly published: Published | null;
  readonly signatures: HeadSignatures;
  readonly isPurged: (place: Place) => boolean;
  /** Reads the records of spans again. */
  readonly factsOf: (spans: readonly Span[]) => Promise<readonly PlacedFact[]>;
}

export interface Judgement {
  readonly findings: readonly Finding[];
  /** Stretches where something is wrong that were not looked at one by one. */
  readonly unexamined: number;
}

export type PurgeNames = readonly PurgedRange[];

/** Stretches that are looked at closely; the others are wrong as well. */
const MOST_STRETCHES = 32;

export async function judge(seen: Seen): Promise<Judgement> {
  const { tree, chains, published } = seen;
  const odd = [...new Set([...chains.odd, ...oddOfTree(tree), ...oddOfHeads(seen)])];
  const spans = odd
    .map(spanOf)
    .toSorted((a, b) => (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : a.from - b.from));
  const close = await lookClosely(seen, spans.slice(0, MOST_STRETCHES));
  const findings = [...close.findings, ...tree.findings, ...(published?.findings ?? [])];
  findings.push(...judgeWriters(seen, close.leafOf, findings));
  findings.push(...judgeHeads(seen, close.leafOf, findings));
  findings.push(...judgeFollowed(seen, close.leafOf, findings));
  findings.push(...judgeRoots(seen, findings));
  return { findings: findings.toSorted(compareFindings), unexamined: Math.max(0, spans.length - MOST_STRETCHES) };
}

type LeafOf = (place: Place) => number | null;

async function lookClosely(
  seen: Seen,
  spans: readonly Span[],
): Promise<{ readonly findings: readonly Finding[]; readonly leafOf: LeafOf }> {
  const { source, chains, tree, isPurged } = seen;
  if (spans.length === 0) return { findings: [], leafOf: () => null };
  const around = await source.around(spans);
  const facts = await seen.factsOf(
    spans.map(({ writer, from, until }) => ({ writer, from: from - 1, until: until + 1 })),
  );
  const byWriter = Map.groupBy(facts, ({ writer }) => writer);
  const stretches = spans.map((span, index): Stretch => {
    const own = (byWriter.get(span.writer) ?? []).filter(({ seq }) => seq >= span.from - 1 && seq <= span.until);
    const bySeq = Map.groupBy(own, ({ seq }) => seq);
    const records = new Map([...bySeq].map(([seq, placed]) => [seq, placed.map(({ fact }) => fact)]));
    const { commitments, leaves } = around[index] ?? { commitments: new Map(), leaves: new Map() };
    return { ...span, records, commitments, leaves };
  });
  const findings = stretches.flatMap((stretch) => {
    const committed = chains.writers.get(stretch.writer)?.committed ?? 0;
    const sealed = tree.writers.get(stretch.writer)?.sealed ?? 0;
    return examine(stretch, { committed, sealed, trusted: tree.trusted, isPurged, isComplete: source.isComplete });
  });
  const unique = new Map(findings.map((one) => [`${one.place?.writer}/${one.place?.seq}`, one]));
  const leafOf: LeafOf = ({ writer, seq }) => {
    const stretch = stretches.find((one) => one.writer === writer && seq >= one.from - 1 && seq <= one.until);
    return stretch?.leaves.get(seq)?.[0]?.index ?? null;
  };
  return { findings: [...unique.values()], leafOf };
}

function* oddOfTree({ odd }: TreeResult): Iterable<string> {
  for (const { writer, seq } of odd) yield `${writer}/${Math.floor(seq / SEGMENT)}`;
}

/** So that their leaves are known. */
function* oddOfHeads({ chains, source, signatures }: Seen): Iterable<string> {
  for (const { writer, seq, after } of chains.badHeads) {
    yield `${writer}/${Math.floor(seq / SEGMENT)}`;
    yield `${writer}/${Math.floor((after + 1) / SEGMENT)}`;
  }
  for (const { writer, seq, isThere } of chains.unfollowed) {
    if (isThere) yield `${writer}/${Math.floor(seq / SEGMENT)}`;
  }
  for (const [writer, { committed, signed, isUnknown }] of chains.writers) {
    if (signatures.isCertified(writer) === false) yield `${writer}/0`;
    if (!isUnknown && source.isComplete && signed < committed - 1)
      yield `${writer}/${Math.floor((signed + 1) / SEGMENT)}`;
  }
}

function spanOf(name: string): Span {
  const [writer = '', index = ''] = name.split('/');
  const from = Number(index) * SEGMENT;
  return { writer, from, until: from + SEGMENT };
}

function judgeWriters({ chains, signatures }: Seen, leafOf: LeafOf, known: readonly Finding[]): readonly Finding[] {
  return [...chains.writers.keys()].flatMap((writer): readonly Finding[] => {
    const place = { writer, seq: 0 };
    if (signatures.isCertified(writer) !== false || isKnown(known, place)) return [];
    const detail = 'its first record does not show that the writer-certifying key vouches for it';
    return [{ kind: 'insertion', thing: 'writer', place, leaf: leafOf(place), id: null, detail }];
  });
}

function judgeHeads({ chains, tree, signatures }: Seen, leafOf: LeafOf, known: readonly Finding[]): readonly Finding[] {
  const findings: Finding[] = [];
  const isForged = (writer: string): boolean => signatures.isCertified(writer) === false;
  const head = (kind: Finding['kind'], thing: Finding['thing'], place: Place, detail: string): void => {
    if (!isKnown(known, place) && !isKnown(findings, place))
      findings.push({ kind, thing, place, leaf: leafOf(place), id: null, detail });
  };
  const broken = new Map<string, number>(); // the first place of a writer where something else is wrong
  for (const { place } of known) {
    if (place !== null) broken.set(place.writer, Math.min(place.seq, broken.get(place.writer) ?? place.seq));
  }
  for (const bad of chains.badHeads.filter(({ writer }) => !isForged(writer)).toSorted((a, b) => a.seq - b.seq)) {
    judgeHead(bad, chains, broken, head);
    if (bad.why === 'hash') broken.set(bad.writer, Math.min(bad.seq, broken.get(bad.writer) ?? bad.seq));
  }
  for (const [writer, { committed, signed, isUnknown }] of chains.writers) {
    if (isUnknown || isForged(writer) || signed >= committed - 1) continue;
    const place = { writer, seq: signed + 1 };
    if ((broken.get(writer) ?? Number.POSITIVE_INFINITY) <= committed) continue;
    if (chains.badHeads.some((one) => one.writer === writer && one.seq > signed && one.why !== 'alone')) continue;
    const leaf = leafOf(place);
    if (leaf !== null && leaf < tree.trusted)
      head('deletion', 'head', place, 'no head is signed over this record or a later one, though it was published');
    else head('insertion', 'record', place, 'its writer has signed no head over this record or a later one');
  }
  return findings;
}

function judgeHead(
  { writer, seq, why, after }: BadHead,
  chains: ChainResult,
  broken: ReadonlyMap<string, number>,
  found: (kind: Finding['kind'], thing: Finding['thing'], place: Place, detail: string) => void,
): void {
  const { committed = 0 } = chains.writers.get(writer) ?? {};
  if (why === 'alone') {
    const place = { writer, seq: Math.min(seq, committed) };
    return found(
      'cut_tail',
      'record',
      place,
      `the writer has signed a head over sequence number ${seq}; its commitments end with ${committed - 1}`,
    );
  }
  if (why === 'signature') return found('edit', 'head', { writer, seq }, 'its signature does not hold');
  if ((broken.get(writer) ?? Number.POSITIVE_INFINITY) <= seq) return;
  const words = `everything agrees with everything else, but the writer has signed another hash for sequence number ${seq}: what stands from here to there was computed anew`;
  found('full_recomputation', 'commitment', { writer, seq: after + 1 }, words);
}

/** What the next writer says of one, which knew what had been committed. */
function judgeFollowed({ chains }: Seen, leafOf: LeafOf, known: readonly Finding[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { by, writer, seq, isThere } of chains.unfollowed) {
    if (isKnown(known, { writer: by, seq: 0 })) continue; // somebody else may have written that
    const { committed = 0 } = chains.writers.get(writer) ?? {};
    const place = { writer, seq: isThere ? seq : committed };
    const isConsequence = isThere && known.some((one) => one.place?.writer === writer && one.place.seq <= seq);
    if (isConsequence || isKnown(known, place) || isKnown(findings, place)) continue;
    const kind = isThere ? 'full_recomputation' : 'cut_tail';
    const detail = isThere
      ? `the next writer (${by}) began after another hash at this place: what stands here was computed anew`
      : `the next writer (${by}) began after sequence number ${seq} of this one, whose commitments end with ${committed - 1}: lost in a failover, or cut off`;
    const thing = isThere ? 'commitment' : 'record';
    findings.push({ kind, thing, place, leaf: leafOf(place), id: null, detail });
  }
  return findings;
}

/** What signed checkpoints say of the tree as a whole. */
function judgeRoots({ tree, chains, published }: Seen, known: readonly Finding[]): readonly Finding[] {
  const findings: Finding[] = [];
  const found = (kind: Finding['kind'], thing: Finding['thing'], leaf: number | null, detail: string): void =>
    void findings.push({ kind, thing, place: null, leaf, id: null, detail });
  const { size, trusted, ownSize } = tree;
  for (const one of tree.differing.filter((differing) => differing <= trusted)) {
    found(
      'forged_checkpoint',
      'checkpoint',
      null,
      `the checkpoint over ${one} records is signed, and is none of this log: a larger one is`,
    );
  }
  const differing = tree.differing.find((one) => one > trusted);
  const isExplained = known.some(({ leaf, thing }) => leaf !== null && leaf < (differing ?? 0) && thing !== 'head');
  if (differing !== undefined && !isExplained) {
    const words = `leaves ${trusted} to ${differing - 1} agree with records and commitments, and are not those under the signed checkpoint over ${differing}`;
    found('full_recomputation', 'leaf', trusted, words);
  }
  const last = published?.roots.at(-1)?.size ?? 0;
  const claimed = Math.max(last, ownSize ?? 0);
  if (claimed > size && !known.some(({ kind, thing }) => kind === 'deletion' && thing === 'leaf')) {
    const isWhole =
      (ownSize ?? size) === size && chains.commitments < claimed && known.every(({ kind }) => kind !== 'cut_tail');
    if (isWhole)
      found(
        'rewound_database',
        'checkpoint',
        size,
        `${claimed} records were published, and the log ends, whole in itself, after ${size}`,
      );
    else found('cut_tail', 'leaf', size, `a checkpoint is over ${claimed} leaves, and there are ${size}`);
  } else if (ownSize !== null && ownSize < size) {
    found(
      'deletion',
      'checkpoint',
      null,
      `the last checkpoint of the database is over ${ownSize} leaves, and there are ${size}`,
    );
  }
  return findings;
}

function isKnown(findings: readonly Finding[], { writer, seq }: Place): boolean {
  return findings.some(({ place }) => place !== null && place.writer === writer && place.seq === seq);
}
