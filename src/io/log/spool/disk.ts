// What the journal asks of its disk. It must never call anything safe that the disk has not confirmed.
import { open, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Room for some batches: less would be used up at once. */
const PROBE_BYTES = 64 * 2 ** 10;

/** As many of the bytes as are there. */
export async function readBlock(file: string, offset: number, length: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const block = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(block, done, length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return block.subarray(0, done);
  } finally {
    await handle.close();
  }
}

/** Rejects if nothing can be written and made safe there. */
export async function tryToWrite(folder: string): Promise<void> {
  const file = path.join(folder, 'probe');
  try {
    await writeFile(file, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
  } finally {
    await removeFile(file);
  }
}

/** Without it a file may be gone after a power cut, although what it held was safe. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function removeFile(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
