// What a purge works with: the log as the reader sees it, and the policy set in force as the log knows it. It must never judge by
// policies that are not on record.
import { createDatabase } from '../../io/db/database.ts';
import { createPurgeableReader, type PurgeableReader } from '../../io/reports/read-purgeable.ts';
import { createStoredPolicies } from '../../io/reports/stored-policies.ts';
import { createPastPolicies } from '../../past-policies.ts';
import { readSettings } from '../shell/settings.ts';
import { UsageError } from '../shell/verb.ts';
import { retentionOf, type RetentionSet } from './purge-plan.ts';

export interface PurgeSession {
  readonly reader: PurgeableReader;
  /** The set that a service loaded last. @throws UsageError when it does not say how long records are kept */
  inForce(): Promise<RetentionSet>;
  at(revision: string): Promise<RetentionSet>;
  close(): Promise<void>;
}

export function openPurgeSession(): PurgeSession {
  const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
  const url = DATABASE_READER_URL ?? DATABASE_URL;
  if (url === undefined) {
    throw new UsageError('DATABASE_READER_URL is not set', 'it names the database and the account that reads records');
  }
  const options = { url, applicationName: 'privity audit purge', max: 2, onError: () => undefined };
  const { queries, close } = createDatabase(options);
  const reader = createPurgeableReader(queries);
  const past = createPastPolicies(createStoredPolicies(queries));
  const at = async (revision: string): Promise<RetentionSet> => {
    const found = await past.at(revision);
    if (found.set === null) throw new Error(found.problem);
    return retentionOf(found.set);
  };
  return {
    reader,
    at,
    close,
    async inForce() {
      const revision = await reader.revisionInForce();
      if (revision === null) throw new UsageError('no policy set was ever loaded: there is nothing to purge by');
      return at(revision);
    },
  };
}
