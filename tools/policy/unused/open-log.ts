// Opens the log that tells what rights were used for: records and kept policy sets, with the reader's rights. It must never write.
import path from 'node:path';
import { Readable } from 'node:stream';
import { readSettings } from '../../../src/cli/shell/settings.ts';
import type { Shell } from '../../../src/cli/shell/shell.ts';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import { createDatabase } from '../../../src/io/db/database.ts';
import { createUseReader, type UseReader } from '../../../src/io/reports/read-use.ts';
import { createStoredPolicies, type StoredPolicies } from '../../../src/io/reports/stored-policies.ts';
import { openExportLog } from './export-log.ts';
import { createGitPolicies } from './git-policies.ts';
import { patchPlace } from './place.ts';

export interface OpenLog {
  readonly use: UseReader;
  readonly stored: StoredPolicies;
  /** Of the last record, where the log is not open at its end; null: it goes on until now. */
  ends(): number | null;
  close(): Promise<void>;
}

/** @throws UsageError where no database is named */
export function openLog(applicationName: string): OpenLog {
  const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
  const url = DATABASE_READER_URL ?? DATABASE_URL;
  if (url === undefined) {
    throw new UsageError('DATABASE_READER_URL is not set', 'it names the database and the account that reads records');
  }
  const { queries, close } = createDatabase({ url, applicationName, max: 1, onError: () => undefined });
  return { use: createUseReader(queries), stored: createStoredPolicies(queries), ends: () => null, close };
}

/** An export of the log, and the git repository around the policies folder for what was in force when. */
export async function openExport(shell: Shell, file: string, folder: string): Promise<OpenLog> {
  const { root, prefix } = await patchPlace(path.resolve(shell.folder, folder));
  const { use, ends, commits } = openExportLog(file, path.resolve(shell.folder, file), Readable.from(shell.input));
  return { use, stored: createGitPolicies(root, prefix, commits), ends, close: () => Promise.resolve() };
}
