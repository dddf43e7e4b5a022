// Finds out what would go from the log, and what a legal hold keeps. It must never let go what one of the policy sets it is given keeps.
import { createParts, createPurgeJudge, type Part, type Scope } from '../../core/purge.ts';
import { cutoffOf, type Retention } from '../../core/retention.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { PurgeableReader } from '../../io/reports/read-purgeable.ts';
import { UsageError } from '../shell/verb.ts';

export interface RetentionSet {
  readonly set: PolicySet;
  readonly retention: Retention;
}

export interface PurgePlan {
  readonly parts: readonly Part[];
  readonly goes: number;
  readonly held: number;
  /** By class. */
  readonly classes: ReadonlyMap<string, number>;
  /** Records that a hold keeps, by matter; '' is a hold of a client or a thing without a matter. */
  readonly heldMatters: ReadonlyMap<string, number>;
}

/** @param sets a record goes only if each of them lets it */
export async function planPurge(
  reader: PurgeableReader,
  sets: readonly RetentionSet[],
  scope: Scope,
  onProgress: (looked: number) => void,
): Promise<PurgePlan> {
  const judges = sets.map(({ set, retention }) => createPurgeJudge(set, retention, scope));
  const parts = createParts();
  const [classes, heldMatters] = [new Map<string, number>(), new Map<string, number>()];
  let [goes, held, looked] = [0, 0, 0];
  for await (const chunk of reader.candidates({ subject: scope.subject, before: lastOf(sets, scope) })) {
    for (const one of chunk) {
      const fates = judges.map((judge) => judge(one));
      const [first] = fates;
      if (first === undefined || fates.some(({ fate }) => fate === 'kept')) continue;
      if (fates.some(({ fate }) => fate === 'held')) {
        held += 1;
        heldMatters.set(one.matter ?? '', (heldMatters.get(one.matter ?? '') ?? 0) + 1);
        continue;
      }
      goes += 1;
      classes.set(first.class, (classes.get(first.class) ?? 0) + 1);
      parts.add(one);
    }
    onProgress((looked += chunk.length));
  }
  return { parts: parts.finish(), goes, held, classes, heldMatters };
}

/** Nothing of this instant or later goes, whatever it is. */
function lastOf(sets: readonly RetentionSet[], { subject, asOf, before }: Scope): number {
  if (subject !== null) return before;
  const cutoffs = sets.map(({ retention }) =>
    Math.max(...[retention, ...retention.classes].map(({ keep }) => cutoffOf(keep, asOf))),
  );
  return Math.max(0, Math.min(before, ...cutoffs));
}

export function retentionOf(set: PolicySet): RetentionSet {
  const { retention } = set;
  if (retention !== null) return { set, retention };
  throw new UsageError(
    `the policy set in force (${set.revision}) does not say how long records are kept`,
    'write retention.yaml into the policies folder; until then nothing may go',
  );
}
