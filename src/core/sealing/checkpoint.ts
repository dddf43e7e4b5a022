// What a checkpoint and a proof of one record look like outside (C2SP tlog-checkpoint, tlog-proof). It must never hold anything
// about a record but its hash and place.
import { decodeBase64, type NoteSigner, type NoteVerifier, readNote, signNote, verifyNote } from './signed-note.ts';
import { type Hash, verifyInclusion } from './tree.ts';

export interface TreeHead {
  /** Number of leaves. */
  readonly size: number;
  readonly root: Hash;
}

export interface Checkpoint extends TreeHead {
  /** Name of the log. */
  readonly origin: string;
}

const HASH_BYTES = 32;
const PROOF_HEADER = 'c2sp.org/tlog-proof@v1';

export function writeCheckpoint({ origin, size, root }: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(`${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`, signers);
}

/** The checkpoint in a note that one of the verifiers has signed; null for any other text. */
export function readCheckpoint(text: string, verifiers: readonly NoteVerifier[]): Checkpoint | null {
  const note = readNote(text);
  if (note === null || verifyNote(note, verifiers).length === 0) return null;
  return checkpointIn(note.text);
}

/** What a checkpoint says, whoever signed it: for messages, never for belief. */
export function peekCheckpoint(text: string): Checkpoint | null {
  const note = readNote(text);
  return note === null ? null : checkpointIn(note.text);
}

function checkpointIn(text: string): Checkpoint | null {
  // Extension lines may follow; they are signed too, and say nothing that we read.
  const [origin = '', size = '', encoded = ''] = text.split('\n');
  const root = decodeBase64(encoded);
  if (origin === '' || !isCount(size) || root?.length !== HASH_BYTES) return null;
  return { origin, size: Number(size), root };
}

/** A record's place in the log, for whoever has its bytes and the public key: file ending `.tlog-proof`. */
export interface RecordProof {
  readonly index: number;
  readonly path: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
}

export function writeProof({ index, path, checkpoint }: RecordProof): string {
  const hashes = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `${PROOF_HEADER}\nindex ${index}\n${hashes}\n${checkpoint}`;
}

/** Null for what is no proof. */
export function readProof(text: string): RecordProof | null {
  const border = text.indexOf('\n\n');
  if (border < 0) return null;
  const lines = text.slice(0, border).split('\n');
  if (lines[1]?.startsWith('extra ') === true) lines.splice(1, 1);
  const [header, place = '', ...encoded] = lines;
  const index = place.startsWith('index ') ? place.slice('index '.length) : '';
  const path = encoded.map(decodeBase64);
  if (header !== PROOF_HEADER || !isCount(index)) return null;
  const hashes = path.filter((hash) => hash?.length === HASH_BYTES);
  if (hashes.length < path.length) return null;
  return { index: Number(index), path: hashes.filter((hash) => hash !== null), checkpoint: text.slice(border + 2) };
}

/** The checkpoint under which the leaf stands, if the proof holds and one of the verifiers has signed it; otherwise null. */
export function verifyProof(leaf: Hash, proof: RecordProof, verifiers: readonly NoteVerifier[]): Checkpoint | null {
  const checkpoint = readCheckpoint(proof.checkpoint, verifiers);
  if (checkpoint === null) return null;
  const { size, root } = checkpoint;
  return verifyInclusion(leaf, proof.index, size, proof.path, root) ? checkpoint : null;
}

/** Decimal, without leading zeros, and small enough to be exact. */
function isCount(text: string): boolean {
  return /^(?:0|[1-9]\d{0,15})$/u.test(text) && Number.isSafeInteger(Number(text));
}
