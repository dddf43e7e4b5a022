// Carries out an approved request, part by part: the record first, then the payloads it names. It must never remove anything whose record
// is not committed, nor go on when the policies have changed under it.
import { purgeEntry, purgeHash, purgeRequestOf, type Part, type Scope } from '../../core/purge.ts';
import { heldMattersOf } from '../../core/retention.ts';
import { createDatabase, openClient } from '../../io/db/database.ts';
import { ensureCurrentPartitions } from '../../io/db/partitions.ts';
import { ROLES } from '../../io/db/roles.ts';
import { createApprovals } from '../../io/log/approvals.ts';
import { createPurger, type Holds, type Purger } from '../../io/log/purge-payloads.ts';
import { createRecorder, type Recorder } from '../../io/log/recorder.ts';
import { loadWriterKey } from '../../io/log/writer-key.ts';
import type { PurgeRequest } from '../../model/retention.ts';
import { readSettings } from '../shell/settings.ts';
import { UsageError } from '../shell/verb.ts';
import { LOG_TYPE, PURGE_ACTION, requireApprovals, type Approved } from './purge-approvals.ts';
import { planPurge, type PurgePlan, type RetentionSet } from './purge-plan.ts';
import type { PurgeSession } from './purge-session.ts';

export interface PurgeWork {
  readonly recorder: Pick<Recorder, 'append' | 'clock'>;
  readonly purger: Purger;
  /** Settles who was first, if the same approvals are used twice at once. */
  spend(request: PurgeRequest, approvals: readonly Approved[], now: number): Promise<void>;
  close(): Promise<void>;
}

export interface Outcome {
  readonly plan: PurgePlan;
  /** Ids of the purge records, those of an earlier try included. */
  readonly records: readonly string[];
  readonly removed: number;
}

/** Can be run again after whatever happened: what an earlier try recorded and did not remove goes first. */
export async function executePurge(
  session: PurgeSession,
  work: PurgeWork,
  request: PurgeRequest,
  scope: Scope,
  approvalIds: readonly string[],
  onProgress: (text: string) => void,
): Promise<Outcome> {
  const { reader } = session;
  const { recorder, purger } = work;
  const inForce = await session.inForce();
  const approved = await requireApprovals(reader, inForce, request, approvalIds, recorder.clock.now());
  const records: string[] = [];
  let removed = 0;
  for (const { id, record } of await reader.purgesSince(scope.asOf)) {
    const said = purgeRequestOf(record);
    if (said?.id !== request.id) continue;
    if (said.hash !== purgeHash(request))
      throw new UsageError(`the purge record ${id} is of another request with this id`);
    removed += await purger.remove(id, holdsOf(inForce));
    records.push(id);
  }
  const sets = await setsOf(session, inForce, request);
  const plan = await planPurge(reader, sets, scope, (looked) => onProgress(`${looked} records looked at …`));
  if (plan.parts.length > 0) await work.spend(request, approved, recorder.clock.now());
  for (const [index, part] of plan.parts.entries()) {
    onProgress(`part ${index + 1} of ${plan.parts.length} …`);
    const { set } = inForce;
    if ((await reader.revisionInForce()) !== set.revision) {
      throw new Error('the policies changed meanwhile; nothing was left half done, so run the same command again');
    }
    const id = await record(work, inForce, {
      request,
      part,
      approvals: approved,
      number: index + 1,
      of: plan.parts.length,
    });
    records.push(id);
    removed += await purger.remove(id, holdsOf(inForce));
  }
  return { plan, records, removed };
}

async function setsOf(
  session: PurgeSession,
  inForce: RetentionSet,
  { revision }: PurgeRequest,
): Promise<readonly RetentionSet[]> {
  // What was approved is the plan of then: a shorter retention since does not widen it, a longer one narrows it.
  return revision === inForce.set.revision ? [inForce] : [inForce, await session.at(revision)];
}

async function record(
  { recorder }: PurgeWork,
  { set, retention }: RetentionSet,
  event: {
    readonly request: PurgeRequest;
    readonly part: Part;
    readonly approvals: readonly Approved[];
    readonly number: number;
    readonly of: number;
  },
): Promise<string> {
  const entry = purgeEntry(set, retention, { ...event, at: recorder.clock.now() });
  await recorder.append([entry]);
  return entry.id;
}

function holdsOf({ set, retention }: RetentionSet): Holds {
  return { matters: heldMattersOf(retention, set.data), clients: [...retention.heldClients] };
}

/** Opens what writes: the record as the service's writer, the removal as the owner of the tables. */
export async function openPurgeWork(version: string, warn: (text: string) => void): Promise<PurgeWork> {
  const { DATABASE_URL, DATABASE_OWNER_URL, WRITER_KEY_FILE } = readSettings();
  if (DATABASE_URL === undefined || DATABASE_OWNER_URL === undefined || WRITER_KEY_FILE === undefined) {
    throw new UsageError(
      'DATABASE_URL, DATABASE_OWNER_URL and WRITER_KEY_FILE are needed',
      'to write the purge record like every other, and to remove payloads as the owner of the tables',
    );
  }
  const onError = (): void => undefined;
  const certifier = await loadWriterKey(WRITER_KEY_FILE);
  const owner = await openClient({ url: DATABASE_OWNER_URL, applicationName: 'privity audit purge', onError });
  const writing = createDatabase({ url: DATABASE_URL, applicationName: 'privity audit purge', max: 2, onError });
  const approvals = createApprovals(writing.pool);
  const recorder = createRecorder({
    connect: () => openClient({ url: DATABASE_URL, applicationName: 'privity audit purge', onError }),
    certifier,
    engine: version,
    ensurePartitions: async () => void (await ensureCurrentPartitions(writing.pool, new Date())),
    report: ({ level, code }) => (level === 'info' ? undefined : warn(code)),
  });
  const close = async (): Promise<void> => {
    await recorder.close();
    await Promise.all([writing.close(), owner.end().catch(onError)]);
  };
  try {
    await recorder.ready();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    recorder,
    purger: createPurger(owner, ROLES.owner),
    close,
    async spend(request, approved, now) {
      const thing = {
        requester: request.requester,
        action: PURGE_ACTION,
        resourceType: LOG_TYPE,
        matter: null,
        client: null,
      };
      const ids = approved.map(({ id }) => id);
      const spent = await approvals.spend(ids, { ...thing, resourceId: purgeHash(request) }, request.id, now);
      // Those of an earlier try of this very request are spent; that was looked at before.
      const fresh = new Set(spent.map(({ id }) => id));
      const { rows } = await writing.pool.query<{ approval_id: string }>(
        'select approval_id from approval_uses where approval_id = any($1::uuid[])',
        [ids],
      );
      if (rows.length !== ids.length) throw new Error('an approval could not be used: it may just have expired');
      if (fresh.size !== 0 && fresh.size !== ids.length)
        throw new Error('an approval was used for something else just now');
    },
  };
}
