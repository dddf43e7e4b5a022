// Batches that have been answered and are not in Postgres yet, on a disk of their own (P1). It must never say that a batch is safe
// before the disk has said so, nor write behind one whose fate on the disk is unknown.
import { type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SealedBatch } from '../writer-chain.ts';
import { codeOf, readBlock, removeFile, syncFolder, tryToWrite } from './disk.ts';
import { decodeFrame, encodeFrame, type Frame } from './frame.ts';
import { type FolderLock, lockFolder } from './lock.ts';
import { mergeBatches } from './merge.ts';
import { readSegments, type Segment, segmentName } from './segments.ts';

/**
 * - `safe`: it survives the process and the machine;
 * - `absent`: nothing of it is on the disk;
 * - `unknown`: a start may find it there: no other batch may have its places.
 */
export type AppendResult = { readonly fate: 'safe' } | { readonly fate: 'absent' | 'unknown'; readonly code: string };

export interface Journal {
  append(batch: SealedBatch): Promise<AppendResult>;
  /** The oldest batches, of one writer, as one; null if there are none. Rejects if they cannot be read. */
  next(limits: BatchLimits): Promise<WaitingBatch | null>;
  /** So many of the oldest are in the database. */
  drop(batches: number): Promise<void>;
  batches(): number;
  state(): JournalState;
  /** Tries whether the disk takes something again after it did not. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** A single batch may be larger. */
export interface BatchLimits {
  readonly entries: number;
  readonly bytes: number;
}

export interface WaitingBatch {
  readonly batch: SealedBatch;
  readonly batches: number;
}

export interface JournalState {
  readonly batches: number;
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Time of the oldest record, milliseconds since 1970. */
  readonly oldestAt: number | null;
  /** Why nothing can be added: `full`, or what the disk said. */
  readonly failure: string | null;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** Bytes of an entry that was not finished when the process or the machine ended. */
  readonly cutBytes: number;
}

const LARGEST_SEGMENT = 16 * 2 ** 20;
const SMALLEST_SEGMENT = 64 * 2 ** 10;
const SEGMENTS = 16;
const FULL = 'full';

/** Throws a sentence for the operator if the folder cannot be used, or another process uses it. */
export async function openJournal(folder: string, maxBytes: number): Promise<OpenedJournal> {
  if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
  const lock = await lockFolder(folder);
  if (lock === null) throw new Error(`another process uses ${folder}; every process needs a folder of its own`);
  try {
    await tryToWrite(folder);
    const { segments, cutBytes } = await readSegments(folder);
    return { journal: createJournal(folder, maxBytes, lock, segments), cutBytes };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Waiting extends Frame {
  readonly segment: Segment;
}

function createJournal(folder: string, maxBytes: number, lock: FolderLock, found: readonly Segment[]): Journal {
  const segmentBytes = Math.min(LARGEST_SEGMENT, Math.max(SMALLEST_SEGMENT, Math.floor(maxBytes / SEGMENTS)));
  let segments: readonly Segment[] = found;
  const waiting: Waiting[] = found.flatMap((segment) => segment.frames.map((frame) => ({ ...frame, segment })));
  let entries = waiting.reduce((sum, frame) => sum + frame.entries, 0);
  let serial = (waiting.at(-1)?.serial ?? -1) + 1;
  let current: { readonly segment: Segment; readonly handle: FileHandle } | null = null;
  let failure: string | null = null;
  /** The end of the current file is not to be relied on: nothing more is written until all before it is in the database. */
  let isSpoilt = false;
  let queue: Promise<unknown> = Promise.resolve();

  /** Files that ought to be gone: what is in the database must not lie before what is not. */
  const isLittered = (): boolean => waiting.length === 0 && current === null && segments.length > 0;
  const bytes = (): number => segments.reduce((sum, segment) => sum + segment.size, 0);

  /** One thing at a time: a file that is written to is not removed. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  }

  async function append(batch: SealedBatch): Promise<AppendResult> {
    const frame = encodeFrame(batch, serial);
    if (isSpoilt || isLittered()) return { fate: 'absent', code: failure ?? 'unknown' };
    if (bytes() + frame.length > maxBytes) return fail('absent', FULL);
    const result = await write(batch, frame);
    if (waiting.length === 0) await clear();
    return result;
  }

  async function write(batch: SealedBatch, frame: Buffer): Promise<AppendResult> {
    let file: NonNullable<typeof current>;
    try {
      file = await writable();
    } catch (error) {
      return fail('absent', codeOf(error));
    }
    const { segment, handle } = file;
    try {
      for (let done = 0; done < frame.length;) {
        done += (await handle.write(frame, done, frame.length - done, segment.size + done)).bytesWritten;
      }
    } catch (error) {
      if (await cutBack(file)) return fail('absent', codeOf(error));
      return spoil(codeOf(error));
    }
    try {
      await handle.datasync();
    } catch (error) {
      // The kernel may have thrown the pages away and will not say so again: a second try proves nothing.
      return spoil(codeOf(error));
    }
    const { writer, records } = batch;
    const place = { offset: segment.size, length: frame.length, serial, segment };
    waiting.push({ ...place, writer, entries: records.length, at: records[0]?.at ?? 0 });
    entries += records.length;
    segment.size += frame.length;
    serial++;
    failure = null;
    return { fate: 'safe' };
  }

  function fail(fate: 'absent' | 'unknown', code: string): AppendResult {
    failure = code;
    return { fate, code };
  }

  /** Unless the whole file can go: then there is nothing left of it. */
  async function spoil(code: string): Promise<AppendResult> {
    isSpoilt = true;
    failure = code;
    if (waiting.length === 0) await clear();
    return fail(isSpoilt ? 'unknown' : 'absent', code);
  }

  async function writable(): Promise<NonNullable<typeof current>> {
    if (current !== null && current.segment.size < segmentBytes) return current;
    await current?.handle.close();
    current = null;
    const file = path.join(folder, segmentName(serial));
    const handle = await open(file, 'w', 0o600);
    const segment = { file, size: 0, frames: [] };
    try {
      await syncFolder(folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    segments = [...segments, segment];
    current = { segment, handle };
    return current;
  }

  async function cutBack({ segment, handle }: NonNullable<typeof current>): Promise<boolean> {
    try {
      if ((await handle.stat()).size > segment.size) await handle.truncate(segment.size);
      return true;
    } catch {
      return false;
    }
  }

  /** Nothing waits any more: the next batch begins a fresh file. */
  async function clear(): Promise<void> {
    await current?.handle.close().catch(() => undefined);
    current = null;
    await remove(segments);
    if (segments.length > 0) return;
    isSpoilt = false;
    if (failure === FULL) failure = null;
  }

  /** What is left behind is found by the next start, and in the database already. */
  async function remove(emptied: readonly Segment[]): Promise<void> {
    try {
      for (const segment of emptied) await removeFile(segment.file);
      if (emptied.length > 0) await syncFolder(folder);
      segments = segments.filter((segment) => !emptied.includes(segment));
    } catch (error) {
      failure = codeOf(error);
    }
  }

  async function next(limits: BatchLimits): Promise<WaitingBatch | null> {
    const first = waiting[0];
    if (first === undefined) return null;
    const taken: Waiting[] = [];
    let [sumEntries, sumBytes] = [0, 0];
    for (const one of waiting) {
      if (one.segment !== first.segment || one.writer !== first.writer) break;
      if (taken.length > 0 && (sumEntries + one.entries > limits.entries || sumBytes + one.length > limits.bytes))
        break;
      [sumEntries, sumBytes] = [sumEntries + one.entries, sumBytes + one.length];
      taken.push(one);
    }
    const block = await readBlock(first.segment.file, first.offset, sumBytes);
    const batches = taken.map(({ offset, length }) =>
      decodeFrame(block.subarray(offset - first.offset, offset - first.offset + length)),
    );
    return { batch: mergeBatches(batches), batches: taken.length };
  }

  async function drop(batches: number): Promise<void> {
    for (const dropped of waiting.splice(0, batches)) entries -= dropped.entries;
    const oldest = waiting[0]?.segment;
    if (oldest === undefined) return clear();
    const emptied = segments.slice(0, segments.indexOf(oldest));
    await remove(emptied);
    if (emptied.length > 0 && failure === FULL) failure = null;
  }

  async function probe(): Promise<void> {
    if (failure === null || failure === FULL) return;
    if (waiting.length === 0) await clear();
    if (isSpoilt || isLittered()) return;
    try {
      await tryToWrite(folder);
      failure = null;
    } catch (error) {
      failure = codeOf(error);
    }
  }

  return {
    append: (batch) => inTurn(() => append(batch)),
    next,
    drop: (batches) => inTurn(() => drop(batches)),
    batches: () => waiting.length,
    state: () => ({
      batches: waiting.length,
      entries,
      bytes: bytes(),
      maxBytes,
      oldestAt: waiting[0]?.at ?? null,
      failure,
    }),
    probe: () => inTurn(probe),
    close: () =>
      inTurn(async () => {
        await current?.handle.close().catch(() => undefined);
        current = null;
        lock.release();
      }),
  };
}
