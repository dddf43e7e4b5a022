// Opens the journal of spool mode, where the operator chose that. It must never come up on a folder that may vanish unnoticed: it has
// to be there, be ours alone, and hold what was left in it, whole.
import type { Logger } from 'pino';
import type { Config } from './environment.ts';
import { type Journal, openJournal } from './io/log/spool/journal.ts';
import { StartupError } from './startup-error.ts';

/** Undefined: what cannot be committed is not answered. */
export async function openSpool(config: Config, log: Logger): Promise<Journal | undefined> {
  const { AUDIT_ON_FAILURE, SPOOL_DIR, SPOOL_MAX } = config;
  if (AUDIT_ON_FAILURE !== 'spool' || SPOOL_DIR === undefined) return undefined;
  if (process.permission !== undefined) {
    const words = 'spool mode needs fsync, which Node refuses under --permission; start the service without it';
    throw new StartupError('the journal cannot be used', [`AUDIT_ON_FAILURE: ${words}`]);
  }
  try {
    const { journal, cutBytes } = await openJournal(SPOOL_DIR, SPOOL_MAX);
    const { batches, entries, bytes } = journal.state();
    if (cutBytes > 0) {
      log.warn(
        { code: 'spool_tail_cut', bytes: cutBytes },
        'an unfinished entry was cut off the journal: nobody was answered on it',
      );
    }
    if (batches > 0) {
      log.warn(
        { code: 'spool_found', batches, records: entries, bytes },
        'the journal holds records that go to the database first',
      );
    }
    return journal;
  } catch (error) {
    throw new StartupError('the journal cannot be used', [`SPOOL_DIR: ${wordsOf(error)}`], error);
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return isMissing
    ? `${error.message}; mount a volume there that outlives the process and its container`
    : error.message;
}
