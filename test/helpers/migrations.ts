// Migrations of versions to come: a copy of the folder with more files. It must never touch the folder itself.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MIGRATIONS, readMigrations } from '../../src/io/db/migration-files.ts';
import type { TearsDown } from './postgres.ts';

export const KNOWN = (await readMigrations()).length;

/** The number of the migration that many after the newest one, as file names and headers write it. */
export function numberAfter(newest: number): string {
  return String(KNOWN + newest).padStart(6, '0');
}

/** The folder as a later version brings it. */
export async function laterMigrations(t: TearsDown, ...more: readonly string[]): Promise<URL> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-migrations-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(fileURLToPath(MIGRATIONS), folder, { recursive: true });
  for (const [index, sql] of more.entries())
    await writeFile(path.join(folder, `${numberAfter(index + 1)}_later.sql`), sql);
  return pathToFileURL(`${folder}/`);
}
