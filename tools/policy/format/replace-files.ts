// Writes several files so that either all are there in full, or none has changed. It must never leave half a file, nor follow a plan
// that no longer fits what is on disk.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';

export interface FileChange {
  /** Absolute. */
  readonly file: string;
  /** As it was when the change was worked out; null: there was no such file. */
  readonly before: Uint8Array | null;
  /** Null: the file goes. */
  readonly after: string | Uint8Array | null;
}

/** What can be undone again. */
interface Prepared {
  readonly place: string;
  readonly fresh: string | null;
  /** Holds the file as it was. */
  readonly kept: string | null;
}

/** Rejects where a file was changed by somebody else meanwhile, or cannot be written; nothing is changed then. */
export async function replaceFiles(changes: readonly FileChange[]): Promise<void> {
  const places = await Promise.all(changes.map(async (change) => ({ ...change, place: await placeOf(change.file) })));
  for (const { place, before, file } of places) {
    const now = await readFile(place).catch(() => null);
    const isSame =
      before === null || now === null ? before === null && now === null : Buffer.compare(before, now) === 0;
    if (!isSame) throw new Error(`${file} was changed meanwhile; nothing was written, run the command again`);
  }
  // Signals wait until all is done: what follows is a handful of calls, without a pause between them.
  const wait = (): void => undefined;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, wait);
  const prepared: Prepared[] = [];
  try {
    for (const { place, before, after } of places) prepared.push(prepare(place, before, after));
    for (const { place, fresh } of prepared) {
      if (fresh === null) rmSync(place);
      else renameSync(fresh, place);
    }
  } catch (error) {
    for (const { place, fresh, kept } of prepared) {
      if (kept !== null) renameSync(kept, place);
      // What was new has been renamed already, or was not: both are gone then.
      else if (fresh !== null && !exists(fresh)) rmSync(place, { force: true });
      if (fresh !== null) rmSync(fresh, { force: true });
    }
    throw error;
  } finally {
    for (const { kept } of prepared) if (kept !== null) rmSync(kept, { force: true });
    for (const signal of signals) process.off(signal, wait);
  }
}

/** A link is followed: what it leads to is replaced, the link stays. */
async function placeOf(file: string): Promise<string> {
  const real = await realpath(file).catch(() => null);
  if (real !== null) return real;
  await mkdir(path.dirname(file), { recursive: true });
  return path.join(await realpath(path.dirname(file)), path.basename(file));
}

/** Hidden names: nobody who lists a policies folder sees them. */
function prepare(place: string, before: Uint8Array | null, after: FileChange['after']): Prepared {
  const hidden = (ending: string) =>
    path.join(path.dirname(place), `.${path.basename(place)}.${randomBytes(6).toString('hex')}.${ending}`);
  const kept = before === null ? null : hidden('old');
  if (kept !== null) linkSync(place, kept);
  if (after === null) return { place, fresh: null, kept };
  const fresh = hidden('new');
  const mode = before === null ? 0o666 : statSync(place).mode;
  const handle = openSync(fresh, 'wx', mode);
  try {
    writeFileSync(handle, after);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return { place, fresh, kept };
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
