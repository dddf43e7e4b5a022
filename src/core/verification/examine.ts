// Names what is wrong with one stretch of a writer's chain, place by place, once it is known that something is. It must never blame a
// record for what was done to its neighbour.
import type { Finding, Place, TamperedThing, TamperKind } from './finding.ts';

/** What a record's bytes and row say. Hashes are lower-case hex. */
export interface RecordFact {
  readonly hash: string;
  /** Null for a writer's first; undefined where the bytes do not tell. */
  readonly prev: string | null | undefined;
  /** Milliseconds since 1970; NaN where the bytes do not tell. */
  readonly at: number;
  readonly id: string | null;
  /** Of the bytes themselves: no canonical record, another place than the row's. */
  readonly bytesProblem: string | null;
  /** Columns that say something else than the bytes. */
  readonly columns: readonly string[];
}

export interface LeafFact {
  readonly index: number;
  readonly hash: string;
}

/** What stands at the places `[from, until)` of a writer, in each table. */
export interface Stretch {
  readonly writer: string;
  readonly from: number;
  readonly until: number;
  readonly records: ReadonlyMap<number, readonly RecordFact[]>;
  readonly commitments: ReadonlyMap<number, string>;
  readonly leaves: ReadonlyMap<number, readonly LeafFact[]>;
}

export interface Surroundings {
  /** After the writer's last commitment, and after its last leaf. */
  readonly committed: number;
  readonly sealed: number;
  /** Leaves below this one are as they were published. */
  readonly trusted: number;
  isPurged(place: Place): boolean;
  /** False where not every record that is there can be seen. */
  readonly isComplete: boolean;
}

interface Standing {
  readonly seq: number;
  readonly record: RecordFact | undefined;
  readonly commitment: string | undefined;
  readonly leaf: LeafFact | undefined;
}

/** Of one stretch; what comes after is wrong as well, or a consequence. */
const MOST_FINDINGS = 1_000;

export function examine(stretch: Stretch, around: Surroundings): readonly Finding[] {
  const findings = new Map<number, Finding>();
  const { writer, from, until } = stretch;
  const elsewhere = placesOfHashes(stretch);
  let latest = Number.NEGATIVE_INFINITY;
  for (let seq = from; seq < until && findings.size < MOST_FINDINGS; seq++) {
    const standing = standingAt(stretch, seq);
    const { record, commitment, leaf: sealed } = standing;
    const isNothing = record === undefined && commitment === undefined && sealed === undefined;
    if (isNothing && seq >= Math.max(around.committed, around.sealed)) continue;
    // That columns disagree says the least: what is found later about the same record outweighs it.
    const isSettled = (place: number): boolean =>
      (findings.get(place)?.kind ?? 'columns_disagree') !== 'columns_disagree';
    const found = (kind: TamperKind, thing: TamperedThing, detail: string, at = standing): void => {
      if (isSettled(at.seq)) return;
      const leaf = at.leaf?.index ?? nextLeaf(stretch, at.seq);
      const id = at.record?.id ?? null;
      findings.set(at.seq, { kind, thing, place: { writer, seq: at.seq }, leaf, id, detail });
    };
    judgePresence(stretch, standing, around, found);
    if (findings.has(seq)) continue;
    judgeHashes(standing, around, elsewhere, found);
    if (record === undefined) continue;
    if (!isSettled(seq - 1)) judgeLink(stretch, standing, around, found);
    if (record.bytesProblem !== null) found('edit', 'record', record.bytesProblem);
    if (record.columns.length > 0) {
      found('columns_disagree', 'record', `the row says otherwise than the bytes: ${record.columns.join(', ')}`);
    }
    if (record.at < latest) found('reordering', 'record', 'it is older than the record before it');
    latest = Math.max(latest, record.at);
  }
  return [...findings.values()];
}

/** Of the writer's next sealed record: what is missing stood before it. */
function nextLeaf({ leaves, until }: Stretch, seq: number): number | null {
  for (let next = seq + 1; next <= until; next++) {
    const [leaf] = leaves.get(next) ?? [];
    if (leaf !== undefined) return leaf.index;
  }
  return null;
}

type Found = (kind: TamperKind, thing: TamperedThing, detail: string, at?: Standing) => void;

function judgePresence(stretch: Stretch, standing: Standing, around: Surroundings, found: Found): void {
  const { seq, record, commitment, leaf } = standing;
  const { writer, records, leaves } = stretch;
  if (record === undefined && commitment === undefined && leaf === undefined) {
    return found('sequence_gap', 'record', `sequence number ${seq} is nowhere, though later ones of this writer are`);
  }
  if ((leaves.get(seq)?.length ?? 0) > 1) return found('insertion', 'leaf', 'two leaves have this place');
  if ((records.get(seq)?.length ?? 0) > 1) return found('insertion', 'record', 'two records have this place');
  if (commitment === undefined) {
    if (seq < around.committed) return found('deletion', 'commitment', 'its commitment is missing');
    if (leaf !== undefined) {
      return found('cut_tail', 'record', 'it is sealed, and the commitments of its writer end before it');
    }
    return found('insertion', 'record', 'nothing was ever committed for it');
  }
  if (leaf === undefined && seq < around.sealed) {
    return found('deletion', 'leaf', 'its leaf is missing, though later records of this writer are sealed');
  }
  if (record === undefined && around.isComplete && !around.isPurged({ writer, seq })) {
    found('deletion', 'record', 'its commitment is there, the record is not, and no purge record names it');
  }
}

function judgeHashes(
  { seq, record, commitment, leaf }: Standing,
  { trusted }: Surroundings,
  elsewhere: ReadonlyMap<string, readonly number[]>,
  found: Found,
): void {
  const swapped = (hash: string | undefined): number | undefined =>
    hash === undefined ? undefined : elsewhere.get(hash)?.find((place) => place !== seq);
  if (record !== undefined && record.hash !== commitment) {
    const isCommitment = leaf !== undefined && leaf.hash === record.hash;
    const other = swapped(isCommitment ? commitment : record.hash);
    const thing = isCommitment ? 'commitment' : 'record';
    if (other !== undefined) return found('reordering', thing, `what stands here belongs to sequence number ${other}`);
    return found(
      'edit',
      thing,
      isCommitment ? 'it is not the hash of record and leaf' : 'its bytes are not those that were committed',
    );
  }
  if (leaf === undefined || leaf.hash === commitment) return;
  const isGenuine = leaf.index < trusted;
  const other = swapped(leaf.hash);
  if (other !== undefined) {
    return found(
      'reordering',
      isGenuine ? 'record' : 'leaf',
      `what was sealed here stands at sequence number ${other}`,
    );
  }
  if (!isGenuine && record !== undefined) return found('edit', 'leaf', 'it is not the hash of record and commitment');
  found(
    'edit',
    record === undefined ? 'commitment' : 'record',
    'its hash was computed anew; what was sealed is another one',
  );
}

/** A record that its successor knows as it stands is genuine, as is one whose leaf was published: then the other one was changed. */
function judgeLink(stretch: Stretch, standing: Standing, { trusted }: Surroundings, found: Found): void {
  const { seq, record, commitment } = standing;
  if (record === undefined || record.prev === undefined) return;
  const before = standingAt(stretch, seq - 1);
  const expected = seq === 0 ? null : before.commitment;
  if (expected === undefined || record.prev === expected) return;
  const successor = standingAt(stretch, seq + 1).record;
  const isKnown = successor === undefined || successor.prev === commitment;
  const isPublished = before.leaf !== undefined && before.leaf.index < trusted && before.leaf.hash === expected;
  if (seq > 0 && isKnown && !isPublished) {
    found('edit', 'record', 'its hash was computed anew; the next record names another one', before);
  } else {
    found('edit', 'record', 'it does not name the hash of the record before it');
  }
}

function standingAt({ records, commitments, leaves }: Stretch, seq: number): Standing {
  const [first, second] = records.get(seq) ?? [];
  const commitment = commitments.get(seq);
  // Of two, the one that was committed.
  const record = second !== undefined && second.hash === commitment ? second : first;
  return { seq, record, commitment, leaf: leaves.get(seq)?.[0] };
}

/** Where each hash stands, in whichever table. */
function placesOfHashes({ records, commitments, leaves }: Stretch): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  const note = (hash: string, seq: number): void => {
    const known = places.get(hash);
    if (known === undefined) places.set(hash, [seq]);
    else if (!known.includes(seq)) known.push(seq);
  };
  for (const [seq, hash] of commitments) note(hash, seq);
  for (const [seq, found] of leaves) for (const { hash } of found) note(hash, seq);
  for (const [seq, found] of records) for (const { hash } of found) note(hash, seq);
  return places;
}
