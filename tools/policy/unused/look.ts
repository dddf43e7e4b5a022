// Goes through the log once and brings together what rights were used for, how far that can be judged and how old they are. It must never hold
// more than a piece of the log.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { contentsOf } from './content.ts';
import { createCoverage, type Limit } from './coverage.ts';
import { sinceOf, type Since } from './history.ts';
import { agesWanted } from './judge.ts';
import type { OpenLog } from './open-log.ts';
import { rightsOf, type Rights } from './rights.ts';
import { createTally, type Tally } from './tally.ts';

export interface Looked {
  readonly rights: Rights;
  readonly tally: Tally;
  readonly from: number;
  readonly now: number;
  /** The log can be judged from here on: `from`, or later. */
  readonly judgedFrom: number;
  readonly limits: readonly Limit[];
  readonly records: number;
  /** Milliseconds since 1970, of the last record; null: there is none in the window. */
  readonly last: number | null;
}

export interface Looking {
  readonly from: number;
  readonly now: number;
  readonly holders?: Iterable<string>;
  readonly onProgress: (text: string) => void;
}

export async function lookAtUse(
  { use, ends }: OpenLog,
  set: PolicySet,
  files: readonly SourceFile[],
  { from, now, holders, onProgress }: Looking,
): Promise<Looked> {
  const rights = rightsOf(set, files);
  const tally = createTally(rights, holders);
  const coverage = createCoverage();
  let records = 0;
  let last: number | null = null;
  for await (const piece of use.pieces(from)) {
    for (const row of piece.uses) tally.add(row);
    coverage.add(piece.islands);
    records += piece.records;
    last = Math.max(last ?? 0, piece.reached);
    onProgress(`${records.toLocaleString('en-US')} records, at ${new Date(piece.reached).toISOString()} …`);
  }
  const committed = await use.committed(coverage.writers());
  // What was committed while the log was read is later than the window, and is there all the same.
  for await (const { islands } of use.pieces(now)) coverage.add(islands);
  const begins = await use.begins();
  const until = Math.min(now, ends() ?? now);
  const limits = coverage.limits({ from, now: until, begins, last, purges: await use.purges(from), committed });
  return { rights, tally, from, now: until, judgedFrom: limits[0]?.until ?? from, limits, records, last };
}

export async function agesOf(
  { use, stored }: OpenLog,
  files: readonly SourceFile[],
  { rights, tally, from }: Looked,
  onProgress: (text: string) => void,
): Promise<ReadonlyMap<string, Since>> {
  const firm = files.find(({ path }) => path === 'firm.yaml')?.value;
  const said = new Map(files.flatMap((file) => [...contentsOf(file, firm)]));
  const wanted = agesWanted({ rights, tally }).flatMap((key) => {
    const content = said.get(key);
    return content === undefined ? [] : [[key, content] as const];
  });
  const loads = await use.loads(from);
  return sinceOf(new Map(wanted), from, loads, stored, (done) =>
    onProgress(`policy set ${done + 1} of ${loads.length} …`),
  );
}
