// Tells of many checkpoints at once what they say and whether it is signed: a log has nearly as many as seconds in which somebody worked.
// It must never believe a note without a signature by a key that was given.
import { readCheckpoint } from '../../../core/sealing/checkpoint.ts';
import { type NoteVerifier, readVerifier } from '../../../core/sealing/signed-note.ts';
import type { NotesAnswer, NotesJob } from './record-answer.ts';

const HASH_BYTES = 32;

/** The keys of the last job, which are those of the next. */
let known: { readonly lines: string; readonly verifiers: readonly NoteVerifier[] } = { lines: '', verifiers: [] };

export function readNotes({ notes, keys }: NotesJob): NotesAnswer {
  const lines = keys.join('\n');
  if (lines !== known.lines) {
    known = { lines, verifiers: keys.map(readVerifier).filter((verifier) => verifier !== null) };
  }
  const { verifiers } = known;
  const sizes: number[] = [];
  const roots = new Uint8Array(notes.length * HASH_BYTES);
  for (const [index, note] of notes.entries()) {
    const said = readCheckpoint(note, verifiers);
    sizes.push(said?.size ?? -1);
    if (said !== null) roots.set(said.root, index * HASH_BYTES);
  }
  return { sizes, roots };
}
