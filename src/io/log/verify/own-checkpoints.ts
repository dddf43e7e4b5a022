// Reads the checkpoints that the database keeps, with what their signatures are worth. It must never take the columns of a row for what was
// signed.
import { type NoteVerifier, writeVerifier } from '../../../core/sealing/signed-note.ts';
import { isSameHash } from '../../../core/verification/fold.ts';
import type { NotesAnswer } from './record-answer.ts';
import type { OwnCheckpoint } from './source.ts';
import { inOrder, type VerifyThreads } from './verify-threads.ts';

export interface JudgedCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  /** `otherwise`: the note is signed, and says something else than its row. Without keys every one `holds`. */
  readonly word: 'holds' | 'unsigned' | 'otherwise';
}

/** A few milliseconds of a thread, so that records need not wait long. */
const AT_ONCE = 64;
const HASH_BYTES = 32;

/** @param verifiers of whom they have to be signed; null: signatures are not looked at */
export async function* judgedCheckpoints(
  own: AsyncIterable<readonly OwnCheckpoint[]>,
  verifiers: readonly NoteVerifier[] | null,
  threads: VerifyThreads,
): AsyncGenerator<readonly JudgedCheckpoint[]> {
  if (verifiers === null) {
    for await (const rows of own) yield rows.map(({ size, root }) => ({ size, root, word: 'holds' }));
    return;
  }
  const keys = verifiers.map(writeVerifier);
  const judge = async (rows: readonly OwnCheckpoint[]): Promise<readonly JudgedCheckpoint[]> => {
    const said = await threads.notes({ notes: rows.map(({ note }) => note), keys });
    return rows.map(({ size, root }, index) => ({ size, root, word: wordOf(said, index, size, root) }));
  };
  yield* inOrder(cut(own), judge, threads.atOnce);
}

function wordOf({ sizes, roots }: NotesAnswer, index: number, size: number, root: Buffer): JudgedCheckpoint['word'] {
  if (sizes[index] === -1) return 'unsigned';
  const isSame = sizes[index] === size && root.length === HASH_BYTES && isSameHash(roots, index * HASH_BYTES, root, 0);
  return isSame ? 'holds' : 'otherwise';
}

async function* cut(all: AsyncIterable<readonly OwnCheckpoint[]>): AsyncGenerator<readonly OwnCheckpoint[]> {
  for await (const rows of all) {
    for (let from = 0; from < rows.length; from += AT_ONCE) yield rows.slice(from, from + AT_ONCE);
  }
}
