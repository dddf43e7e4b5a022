// Opens what a replay reads: records and kept policy sets, with the reader's rights. It must never write.
import { createDatabase } from '../../io/db/database.ts';
import { createDecidingReader, type DecidingReader } from '../../io/reports/read-deciding.ts';
import { createStoredPolicies } from '../../io/reports/stored-policies.ts';
import { createPastPolicies, type PastPolicies } from '../../past-policies.ts';

export interface OpenReplay {
  readonly records: DecidingReader;
  readonly past: PastPolicies;
  close(): Promise<void>;
}

/** One connection reads ahead while policy sets are fetched over the other. */
const CONNECTIONS = 2;

export function openReplay(url: string): OpenReplay {
  const { queries, close } = createDatabase({
    url,
    applicationName: 'privity audit replay',
    max: CONNECTIONS,
    onError: () => undefined,
  });
  return { records: createDecidingReader(queries), past: createPastPolicies(createStoredPolicies(queries)), close };
}
