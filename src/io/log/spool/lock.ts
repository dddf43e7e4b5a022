// One process for each folder: two would write over each other's journal. It must never outlive its process, whatever ends that, nor
// believe in the number of a process, which another container counts differently.
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';

export interface FolderLock {
  release(): void;
}

/** Node has no file locks of its own; SQLite's are the kernel's (fcntl), which end with the process and hold across containers. */
const FILE = 'lock';
const held = new Set<string>();

/** Null: another process, or this one, holds it. */
export async function lockFolder(folder: string): Promise<FolderLock | null> {
  const file = path.join(await realpath(folder), FILE);
  // Such a lock is the process's: closing the file anywhere in it gives the lock up.
  if (held.has(file)) return null;
  const { DatabaseSync } = await import('node:sqlite');
  await (await open(file, 'a', 0o600)).close();
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('pragma journal_mode = off; pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    database.close();
    if (error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY) return null;
    throw error;
  }
  held.add(file);
  return {
    release: () => {
      if (!database.isOpen) return;
      database.close();
      held.delete(file);
    },
  };
}

const SQLITE_BUSY = 5;
