// Verifies a whole log: every record, chain, head, leaf, root and policy set, in bounded memory however long the log is. It must never
// stop at the first thing that is wrong, nor trust what the database says about itself.
import type { KeyObject } from 'node:crypto';
import { createPurgedIndex } from '../../../core/record/purged.ts';
import type { NoteVerifier } from '../../../core/sealing/signed-note.ts';
import { createTally, type Tally } from '../../../core/verification/tally.ts';
import { passChains } from './chain-pass.ts';
import { createHeadSignatures } from './head-signatures.ts';
import { judge } from './judge.ts';
import { passPolicies } from './policy-pass.ts';
import type { Published } from './published.ts';
import type { Followed, PlacedFact, Purge, RecordsAnswer, Span } from './record-answer.ts';
import { MOST_LISTED, reportOfBroken, type VerifyReport } from './report.ts';
import { type LogSource, type RecordBlock, SourceBroken } from './source.ts';
import { passTree, type TreeResult } from './tree-pass.ts';
import { createVerifyThreads, inOrder, type VerifyThreads } from './verify-threads.ts';

export interface VerifyOptions {
  readonly source: LogSource;
  /** Null: nothing that was published is at hand. */
  readonly published: Published | null;
  /** Of checkpoints; null: not at hand. */
  readonly verifiers: readonly NoteVerifier[] | null;
  /** Public keys that certify writers; none: writers vouch for themselves. */
  readonly certifiers: readonly KeyObject[];
  /** Of each writer only the last head is verified, which stands for all before it. */
  readonly lastHeadsOnly: boolean;
  readonly threads: number;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly step: 'records' | 'leaves' | 'commitments' | 'policies' | 'findings';
  readonly done: number;
  /** About; null: not known. */
  readonly total: number | null;
}

interface Gathered {
  readonly tally: Tally;
  readonly keys: Map<string, unknown>;
  readonly follows: Map<string, Followed>;
  readonly purges: Purge[];
  readonly revisions: Set<string>;
  readonly odd: { readonly writer: string; readonly seq: number }[];
}

const MOST_ODD = 10_000;

export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const threads = createVerifyThreads(options.threads);
  try {
    return await verifyWhole(options, threads);
  } catch (error) {
    if (error instanceof SourceBroken) return reportOfBroken(error);
    throw error;
  } finally {
    await threads.close();
  }
}

async function verifyWhole(options: VerifyOptions, threads: VerifyThreads): Promise<VerifyReport> {
  const { source, published, verifiers, onProgress, lastHeadsOnly } = options;
  if (source.origin !== null && verifiers !== null && !verifiers.some(({ name }) => name === source.origin)) {
    throw new SourceBroken(`the export is of the log ${source.origin}, the keys are of ${verifiers[0]?.name}`);
  }
  const count = (step: Progress['step'], isShown = (): boolean => true) => {
    let done = 0;
    return (more: number): void => {
      done += more;
      if (isShown()) onProgress({ step, done, total: source.amount });
    };
  };
  // Where both are read at once only the longer one is told: nobody could follow two.
  let areGathered = false;
  const [records, leaves] = [count('records'), count('leaves', () => areGathered)];
  const gatherAll = (): Promise<Gathered> => gather(source, threads, records).finally(() => (areGathered = true));
  const passAll = (): Promise<TreeResult> =>
    passTree(source, { published: published?.roots ?? [], verifiers, threads, onLeaves: leaves });
  const [gathered, tree] = source.isReadAtOnce
    ? await Promise.all([gatherAll(), passAll()])
    : [await gatherAll(), await passAll()];
  const { tally, keys, follows, purges, revisions, odd } = gathered;
  // A purge counts when it is sealed itself: otherwise whoever deletes could write it afterwards.
  const isSealed = ({ writer, seq }: Purge): boolean => seq < (tree.writers.get(writer)?.sealed ?? 0);
  const index = createPurgedIndex(purges.filter(isSealed).flatMap(({ ranges }) => ranges));
  const isPurged = (writer: string, seq: number): boolean => seq > 0 && index.has(writer, seq);

  const signatures = createHeadSignatures(keys, options.certifiers);
  const chains = await passChains(source, {
    tally,
    sealed: tree.writers,
    signatures,
    follows,
    lastHeadsOnly,
    mayMiss: (writer, seq) => !source.isComplete || isPurged(writer, seq),
    onCommitments: count('commitments'),
  });
  onProgress({ step: 'policies', done: 0, total: null });
  const policies = source.own === null ? null : await passPolicies(source.own, revisions);
  onProgress({ step: 'findings', done: 0, total: null });
  const { findings, unexamined } = await judge({
    source,
    tree: { ...tree, odd: [...tree.odd, ...odd] },
    chains,
    published,
    signatures,
    isPurged: (place) => isPurged(place.writer, place.seq),
    factsOf: (spans) => factsOf(source, threads, spans),
  });
  const all = [...findings, ...(policies?.findings ?? [])];
  const [first = null] = all;
  const unknown = [...chains.writers.values()].filter((writer) => writer.isUnknown).length;
  return {
    verdict: first === null ? 'intact' : 'broken',
    first,
    findings: all.slice(0, MOST_LISTED),
    more: Math.max(0, all.length - MOST_LISTED) + unexamined,
    counts: {
      records: tally.records(),
      commitments: chains.commitments,
      leaves: tree.size,
      writers: chains.writers.size,
      heads: chains.heads,
      purged: source.isComplete ? chains.missing : 0,
      unsealed: Math.max(0, chains.commitments - tree.size),
      proven: tree.trusted,
      published: published?.count ?? 0,
      ownCheckpoints: tree.ownCheckpoints,
      policySets: policies?.sets ?? 0,
    },
    notes: [...(published?.notes ?? []), ...notesOf(options, unknown)],
  };
}

/** The first pass: everything that a record says on its own. */
async function gather(
  source: LogSource,
  threads: VerifyThreads,
  onRecords: (count: number) => void,
): Promise<Gathered> {
  const gathered: Gathered = {
    tally: createTally(),
    keys: new Map(),
    follows: new Map(),
    purges: [],
    revisions: new Set(),
    odd: [],
  };
  const { tally, keys, follows, purges, revisions, odd } = gathered;
  for await (const answer of answersOf(source, threads, null)) {
    const { writers, writerOf, seqs, count } = answer;
    for (let place = 0; place < count; place++) {
      const writer = writers[writerOf[place] ?? 0] ?? '';
      tally.add(writer, seqs[place] ?? 0, answer, place);
    }
    for (const { writer, seq, key, follows: followed } of answer.openings) {
      if (seq !== 0) continue;
      keys.set(writer, key);
      if (followed !== null) follows.set(writer, followed);
    }
    for (const { writer, seq } of answer.notOpenings) if (seq === 0) keys.set(writer, keys.get(writer) ?? null);
    purges.push(...answer.purges);
    for (const revision of answer.revisions) revisions.add(revision);
    for (const place of answer.odd) if (odd.length < MOST_ODD) odd.push(place);
    onRecords(count);
  }
  tally.finish();
  return gathered;
}

async function factsOf(
  source: LogSource,
  threads: VerifyThreads,
  spans: readonly Span[],
): Promise<readonly PlacedFact[]> {
  const facts: PlacedFact[] = [];
  for await (const answer of answersOf(source, threads, spans)) facts.push(...answer.facts);
  return facts;
}

async function* answersOf(
  source: LogSource,
  threads: VerifyThreads,
  only: readonly Span[] | null,
): AsyncGenerator<RecordsAnswer> {
  const ask = ({ format, block }: RecordBlock): Promise<RecordsAnswer> =>
    threads.records({ format, block: block.buffer, length: block.length, only });
  for await (const answer of inOrder(source.records(only), ask, threads.atOnce)) {
    source.reuse(answer.block);
    if (answer.broken !== null) throw new SourceBroken(answer.broken);
    yield answer;
  }
}

function notesOf(
  { source, published, verifiers, certifiers, lastHeadsOnly }: VerifyOptions,
  unknown: number,
): string[] {
  const notes: string[] = [];
  if (published === null) {
    notes.push(
      'nothing that was published outside was compared: against the owner of the database this proves nothing',
    );
  }
  if (verifiers === null) notes.push('no public key was given: signatures of checkpoints were not verified');
  if (certifiers.length === 0)
    notes.push('no certifying key was given: nobody vouches for the writers but they themselves');
  if (unknown > 0) notes.push(`the heads of ${unknown} writers were not verified: their first records are not here`);
  if (!source.isComplete)
    notes.push('the export holds the records that its reader may see: missing ones prove nothing');
  if (lastHeadsOnly) notes.push('of each writer only the last head was verified');
  return notes;
}
