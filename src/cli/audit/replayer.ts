// Replays records that are read from the log, each with the policy set it names, and counts what came of it. It must never print.
import { notRecorded, replay, type Replay } from '../../core/replay.ts';
import type { DecidingRecord } from '../../io/reports/read-deciding.ts';
import type { PastPolicies } from '../../past-policies.ts';

export interface Replayed extends Replay {
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  readonly revision: string | null;
}

export type Counts = Record<Replay['result'], number>;

export interface Replayer {
  of(record: DecidingRecord): Promise<Replayed>;
  /** By kind. */
  readonly counts: ReadonlyMap<string, Counts>;
  readonly revisions: ReadonlySet<string>;
}

export function createReplayer(past: PastPolicies): Replayer {
  const counts = new Map<string, Counts>();
  const revisions = new Set<string>();

  async function judge({ record, hash, committed }: DecidingRecord, revision: string | null): Promise<Replay> {
    // What was changed proves nothing, whatever it decides.
    if (hash !== committed) return different('bytes', committed, hash);
    if (revision === null) return notRecorded(['policy.revision']);
    const found = await past.at(revision);
    if (found.set !== null) return replay(found.set, record);
    return found.altered ? different('policy', revision, found.problem) : notRecorded([found.problem]);
  }

  return {
    counts,
    revisions,
    async of(row) {
      const { id, kind, at, record } = row;
      const revision = revisionOf(record);
      const result = await judge(row, revision);
      const count = counts.get(kind) ?? { same: 0, different: 0, not_recorded: 0 };
      count[result.result] += 1;
      counts.set(kind, count);
      if (revision !== null) revisions.add(revision);
      return { id, kind, at, revision, ...result };
    },
  };
}

export function totalOf(counts: Iterable<Counts>): Counts {
  const total: Counts = { same: 0, different: 0, not_recorded: 0 };
  for (const one of counts) {
    total.same += one.same;
    total.different += one.different;
    total.not_recorded += one.not_recorded;
  }
  return total;
}

function different(member: string, recorded: unknown, replayed: unknown): Replay {
  return { result: 'different', differences: [{ member, recorded, replayed }], lacks: [], engine: null };
}

function revisionOf({ policy }: DecidingRecord['record']): string | null {
  if (typeof policy !== 'object' || policy === null || !('revision' in policy)) return null;
  return typeof policy.revision === 'string' ? policy.revision : null;
}
