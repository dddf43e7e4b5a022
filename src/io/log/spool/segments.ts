// The files of the journal as a start finds them: numbered, in order, each checked to its last byte. It must never pass over an entry
// that was there, and cuts off only the end that a crash left unfinished, whose requesters never had an answer.
import { open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { removeFile } from './disk.ts';
import { findFrame, type Frame, type FrameResult, hasFrameAfter } from './frame.ts';

export interface Segment {
  readonly file: string;
  /** Bytes of whole frames. */
  size: number;
  /** At the start; later ones are known to the journal. */
  readonly frames: readonly Frame[];
}

export interface FoundSegments {
  readonly segments: readonly Segment[];
  readonly cutBytes: number;
}

const NAME = /^\d{16}\.journal$/;

/** Of the file whose first frame has this number. */
export function segmentName(serial: number): string {
  return `${String(serial).padStart(16, '0')}.journal`;
}

/** Throws a sentence for the operator if anything but the very end is not as it was written. */
export async function readSegments(folder: string): Promise<FoundSegments> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).toSorted();
  const segments: Segment[] = [];
  let cutBytes = 0;
  let expected: number | null = null;
  for (const name of names) {
    const file = path.join(folder, name);
    const bytes = await readFile(file);
    const { frames, size, rest } = scan(bytes);
    if (rest !== 'nothing' && (rest === 'changed' || name !== names.at(-1))) throw new Error(damaged(file, size));
    if (rest === 'unfinished') {
      cutBytes = bytes.length - size;
      await cut(file, size);
    }
    for (const { serial } of frames) {
      if (expected !== null && serial !== expected) {
        throw new Error(`entries ${expected} to ${serial - 1} of the journal are missing before ${file}; ${ADVICE}`);
      }
      expected = serial + 1;
    }
    if (frames.length > 0 && name !== segmentName(frames[0]?.serial ?? 0)) throw new Error(damaged(file, 0));
    // Nothing was finished in it.
    if (frames.length === 0) await removeFile(file);
    else segments.push({ file, size, frames });
  }
  return { segments, cutBytes };
}

interface Scan {
  readonly frames: Frame[];
  readonly size: number;
  readonly rest: 'nothing' | 'unfinished' | 'changed';
}

function scan(bytes: Buffer): Scan {
  const frames: Frame[] = [];
  let size = 0;
  for (;;) {
    const result = findFrame(bytes, size);
    if (result.found === 'frame') {
      frames.push(result.frame);
      size += result.frame.length;
      continue;
    }
    if (result.found === 'ends') return { frames, size, rest: 'nothing' };
    // Entries are written one after the other, each only when the one before is safe: what is unfinished has nothing behind it.
    return { frames, size, rest: isAtTheEnd(bytes, size, result) ? 'unfinished' : 'changed' };
  }
}

function isAtTheEnd(bytes: Buffer, offset: number, result: FrameResult): boolean {
  if (result.found !== 'bad') return true;
  return result.nextOffset === null ? !hasFrameAfter(bytes, offset) : result.nextOffset === bytes.length;
}

async function cut(file: string, size: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(size);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const ADVICE =
  'answers were given on what it held: restore the folder from the volume’s backup, or move it away as it is and start with an empty one, which loses the records that never reached the database';

function damaged(file: string, offset: number): string {
  return `the journal is damaged in ${file} at byte ${offset}; ${ADVICE}`;
}
