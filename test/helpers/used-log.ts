// A log over a few months in a real database: policy sets that were loaded, and requests decided under them by the engine itself. It must
// never record what the engine did not decide.
import type pg from 'pg';
import { decide } from '../../src/core/decide.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { decisionEntry } from '../../src/core/record/decision-record.ts';
import { openClient } from '../../src/io/db/database.ts';
import { createPolicyBlobs } from '../../src/io/log/policy-blobs.ts';
import type { Decision, DecisionRequest } from '../../src/model/decision.ts';
import { madeDecision, putRecords, type MadeRecord } from './log-rows.ts';
import { connect, createDatabase, type TearsDown } from './postgres.ts';

export const DAY = 86_400_000;

const NOBODY = { kind: 'test', issuer: null, tokenId: null, keyId: null, claimsHash: null, droppedRoles: [] } as const;

export interface UsedLog {
  readonly env: Readonly<Record<string, string>>;
  readonly superuser: pg.Client;
  /** The set is kept, and the record says that it was loaded. */
  load(set: PolicySet, at: number): Promise<void>;
  /** Decided now, recorded at the given time. */
  decide(set: PolicySet, requests: readonly DecisionRequest[], at: number): Promise<readonly Decision[]>;
  put(...records: readonly MadeRecord[]): Promise<void>;
}

export async function createUsedLog(t: TearsDown, months = 5): Promise<UsedLog> {
  const { urls, superuserUrl } = await createDatabase(t);
  const superuser = await connect(t, superuserUrl);
  const writer = await connect(t, urls.writer);
  await writer.query('select ensure_partitions($1, $2)', [new Date(Date.now() - (months - 1) * 31 * DAY), months]);
  const keep = createPolicyBlobs(() =>
    openClient({ url: urls.writer, applicationName: 'privity tests', onError: () => undefined }),
  );
  return {
    env: { DATABASE_READER_URL: urls.reader },
    superuser,
    async load(set, at) {
      await keep(set);
      const policy = { revision: set.revision, commit: null, engine: '1' };
      await putRecords(writer, [madeDecision(at, { kind: 'policy_loaded', policy })]);
    },
    async decide(set, requests, at) {
      const decisions = requests.map((request) => decide(set, request));
      const records = requests.map((request, index) => {
        const decision = decisions[index] ?? decide(set, request);
        return recordOf(set, request, decision, at + index);
      });
      await putRecords(writer, records);
      return decisions;
    },
    put: (...records) => putRecords(writer, records),
  };
}

/** The doors refuse what no JSON and no database can hold faithfully. */
export function isRecordable(request: DecisionRequest): boolean {
  try {
    return !canonicalize(JSON.parse(JSON.stringify(request))).includes('\\u0000') && canonicalize(request).length > 0;
  } catch {
    return false;
  }
}

export function recordOf(set: PolicySet, request: DecisionRequest, decision: Decision, at: number): MadeRecord {
  const { subject, actor, sourceSystem } = request;
  const { body } = decisionEntry(set, {
    id: '',
    request,
    decision,
    subject: { ...subject, actor, evidence: NOBODY },
    caller: { id: 'dms', sourceSystem: sourceSystem ?? '', rights: new Set<never>(), own: true, aiAssistant: null },
    requestId: 'r-1',
    traceId: null,
    approvalIds: [],
    durationUs: 0,
  });
  return madeDecision(at, body);
}
