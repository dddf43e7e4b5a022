// Where checkpoints are published, outside the database: a folder, a file that only grows, an address. It must never replace what is
// out already by something older.
import { constants, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { peekCheckpoint } from '../../../core/sealing/checkpoint.ts';

export interface Place {
  /** For operators: the name of the setting. */
  readonly name: string;
  /** The last note that is there; null if there is none. */
  latest(): Promise<string | null>;
  /** Resolves when it is there to stay. @param at milliseconds since 1970 */
  publish(note: string, at: number): Promise<void>;
}

const LATEST = 'checkpoint';
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** One note with many signatures has less. */
const TAIL_BYTES = 64 * 1024;
const HTTP_TIMEOUT_MS = 5_000;
/** Every write is on disk when it returns. Node's permission model, under which the service runs, has no fsync. */
const WRITE_THROUGH = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;
const LONGEST_NOTE = 64 * 1024;

/** `checkpoint` is the last one; all others lie below a folder for their day, those older than a day thinned to one a minute. */
export function folderPlace(name: string, folder: string): Place {
  let thinned = '';
  return {
    name,
    latest: () => readFile(path.join(folder, LATEST), 'utf8').catch(absent),
    async publish(note, at) {
      const day = new Date(at).toISOString().slice(0, 10);
      const below = path.join(folder, day);
      await mkdir(below, { recursive: true });
      // The size first: a folder whose latest is there has all that led to it.
      await writeDurably(path.join(below, String(peekCheckpoint(note)?.size ?? 0).padStart(16, '0')), note);
      await writeDurably(path.join(folder, LATEST), note);
      if (thinned === day) return;
      thinned = day;
      await thinOut(folder, at);
    },
  };
}

/** One line for each: `{"at":"…","note":"…"}`. May be made append-only (`chattr +a`). */
export function filePlace(name: string, file: string): Place {
  return {
    name,
    async latest() {
      const handle = await open(file, 'r').catch(absent);
      if (handle === null) return null;
      try {
        const { size } = await handle.stat();
        const { buffer, bytesRead } = await handle.read(
          Buffer.alloc(Math.min(size, TAIL_BYTES)),
          0,
          undefined,
          Math.max(0, size - TAIL_BYTES),
        );
        // What does not end with a line break was cut off while it was written.
        return buffer
          .subarray(0, bytesRead)
          .toString('utf8')
          .split('\n')
          .slice(0, -1)
          .reduce<string | null>(noteOfLine, null);
      } finally {
        await handle.close();
      }
    },
    async publish(note, at) {
      const handle = await open(file, WRITE_THROUGH | constants.O_APPEND, 0o644);
      try {
        const { size } = await handle.stat();
        const last = Buffer.alloc(1);
        if (size > 0) await handle.read(last, 0, 1, size - 1);
        const border = size > 0 && last.toString() !== '\n' ? '\n' : '';
        await handle.appendFile(`${border}${JSON.stringify({ at: new Date(at).toISOString(), note })}\n`);
      } finally {
        await handle.close();
      }
    },
  };
}

/** `GET` gives the last note (404: none yet), `PUT` takes the next one; text/plain both. */
export function httpPlace(name: string, url: string): Place {
  const ask = (init: RequestInit): Promise<Response> =>
    fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
  return {
    name,
    async latest() {
      const response = await ask({ method: 'GET', headers: { accept: 'text/plain' } });
      if (response.status === 404) {
        await response.body?.cancel();
        return null;
      }
      if (!response.ok) throw await refusal(response);
      const text = await response.text();
      if (text.length > LONGEST_NOTE) throw new Error('the answer is too long for a checkpoint');
      return text;
    },
    async publish(note) {
      const response = await ask({
        method: 'PUT',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: note,
      });
      if (!response.ok) throw await refusal(response);
      await response.body?.cancel();
    },
  };
}

async function refusal(response: Response): Promise<Error> {
  await response.body?.cancel();
  return new Error(`status ${response.status}`);
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function noteOfLine(before: string | null, line: string): string | null {
  try {
    const entry: unknown = JSON.parse(line);
    const note: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'note') : undefined;
    return typeof note === 'string' ? note : before;
  } catch {
    return before; // the first line of a tail is a part of one
  }
}

/**
 * Whole or not at all, also after the power has failed. Where the rename is lost then, the one before stands there, which the log
 * extends as well.
 */
async function writeDurably(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  const handle = await open(draft, WRITE_THROUGH | constants.O_TRUNC, 0o644);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

/** Of each minute of a day that is over for a day, the last is kept. */
async function thinOut(folder: string, now: number): Promise<void> {
  const days = (await readdir(folder)).filter((name) => /^\d{4}-\d{2}-\d{2}$/.test(name));
  for (const day of days.filter((name) => Date.parse(name) + 2 * DAY_MS <= now)) {
    const below = path.join(folder, day);
    const names = (await readdir(below)).filter((name) => /^\d{16}$/.test(name)).toSorted();
    const minutes = await Promise.all(
      names.map(async (name) => Math.floor((await stat(path.join(below, name))).mtimeMs / MINUTE_MS)),
    );
    for (const [index, name] of names.entries()) {
      if (minutes[index] === minutes[index + 1]) await rm(path.join(below, name), { force: true });
    }
  }
}
