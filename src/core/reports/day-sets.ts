// Finds the policy sets that were in force in a period, as they were kept. It must never pass over a set that cannot be had.
import type { PolicySet } from '../policy-set.ts';
import { objectIn, textIn } from './plain.ts';
import type { Period, Want } from './report.ts';

export interface DaySet extends Period {
  readonly revision: string;
  readonly commit: string | null;
  /** Null: it was not kept, or cannot be loaded any more. */
  readonly set: PolicySet | null;
  readonly problem: string;
}

interface Load {
  readonly at: number;
  readonly revision: string;
  readonly commit: string | null;
}

/** Each is compiled anew. */
const MOST_SETS = 8;

/**
 * What was loaded last before the period, and what was loaded in it.
 * @param decided revisions by which records of the period were decided: another service may have had another set
 */
export function* followDay(
  day: Period,
  decided: ReadonlySet<string>,
): Generator<Want, { readonly sets: readonly DaySet[]; readonly notes: readonly string[] }, void> {
  const loads: Load[] = [];
  const add = (at: number, revision: string | null | undefined, record: Readonly<Record<string, unknown>>): void => {
    if (typeof revision !== 'string' || loads.at(-1)?.revision === revision) return;
    loads.push({ at, revision, commit: textIn(objectIn(record, 'policy'), 'commit') });
  };
  const filter = { kind: 'policy_loaded' };
  yield {
    want: 'rows',
    search: { filter, order: 'newest', to: day.from },
    each({ found, record }) {
      add(day.from, found.revision, record);
      return 'enough';
    },
  };
  yield { want: 'rows', search: { filter, ...day }, each: ({ at, found, record }) => add(at, found.revision, record) };
  const spans = loads.map((load, index) => ({ ...load, from: load.at, to: loads[index + 1]?.at ?? day.to }));
  const loaded = new Set(loads.map(({ revision }) => revision));
  const others = [...decided].filter((revision) => !loaded.has(revision));
  const all = [...spans, ...others.map((revision) => ({ ...day, revision, commit: null }))];
  const notes = [
    ...(loads.length === 0 ? ['The log holds no record of a policy set that was loaded by that day.'] : []),
    ...(others.length === 0
      ? []
      : [
          'Some decisions of that day name a policy set that was loaded earlier, by another service: it counts for the whole day.',
        ]),
    ...(all.length > MOST_SETS
      ? [`${all.length} policy sets were in force: only the first ${MOST_SETS} are looked at.`]
      : []),
  ];
  const sets: DaySet[] = [];
  for (const { revision, commit, from, to } of all) {
    let found: { readonly set: PolicySet | null; readonly problem: string } = {
      set: null,
      problem: 'there are too many',
    };
    if (sets.length < MOST_SETS)
      yield { want: 'policies', revision, give: (set, problem) => (found = { set, problem }) };
    sets.push({ from, to, revision, commit: commit ?? found.set?.commit ?? null, ...found });
  }
  return { sets, notes };
}
