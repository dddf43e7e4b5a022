// Says in words and in JSON what came of replayed records. It must never let what a record says act on a terminal.
import { formatTimestamp } from '../../core/time.ts';
import type { Difference } from '../../core/replay.ts';
import type { Output } from '../shell/shell.ts';
import { count, printable, table } from '../shell/text.ts';
import { type Counts, type Replayed, type Replayer, totalOf } from './replayer.ts';

const LONGEST = 300;
const RESULTS = { same: 'same', different: 'DIFFERENT', not_recorded: 'not recorded' } as const;

export function replayedJson({ at, ...replayed }: Replayed): string {
  return JSON.stringify({ at: formatTimestamp(at.getTime()), ...replayed });
}

export function showReplayed(out: Output, { id, kind, at, revision, ...replayed }: Replayed): void {
  const { result, differences, lacks, engine } = replayed;
  const style = result === 'same' ? 'green' : result === 'different' ? 'red' : 'yellow';
  out.line(`${id}  ${formatTimestamp(at.getTime())}  ${kind}  ${out.paint(style, RESULTS[result])}`);
  if (result !== 'same' && revision !== null) out.line(`  decided by policy set ${printable(revision)}`);
  if (engine !== null) out.line(`  decided by engine ${printable(engine)}, replayed by another`);
  for (const difference of differences) showDifference(out, difference);
  for (const one of lacks) out.line(`  lacks ${printable(one)}`);
}

function showDifference(out: Output, { member, recorded, replayed }: Difference): void {
  const [was, is] =
    Array.isArray(recorded) && Array.isArray(replayed)
      ? [without(recorded, replayed), without(replayed, recorded)]
      : [recorded, replayed];
  out.line(`  ${printable(member)}`);
  out.line(`    recorded  ${short(was)}`);
  out.line(`    replayed  ${short(is)}`);
}

/** Of two lists only what the other has not, unless they differ in nothing but order. */
function without(list: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const known = new Set(other.map((one) => JSON.stringify(one)));
  const own = list.filter((one) => !known.has(JSON.stringify(one)));
  return own.length > 0 || list.length < other.length ? own : list;
}

function short(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

export interface Summary {
  readonly replayer: Pick<Replayer, 'counts' | 'revisions'>;
  readonly seconds: number;
}

export function summaryJson({ replayer, seconds }: Summary): string {
  const { counts, revisions } = replayer;
  return JSON.stringify({
    summary: {
      records: Object.fromEntries(counts),
      total: totalOf(counts.values()),
      policy_sets: revisions.size,
      seconds: Math.round(seconds * 1000) / 1000,
    },
  });
}

export function showSummary(out: Output, { replayer, seconds }: Summary): void {
  const total = totalOf(replayer.counts.values());
  const all = sum(total);
  const rate = Math.round(all / Math.max(seconds, 0.001));
  out.line(`${count(all, 'record')} replayed with ${count(replayer.revisions.size, 'policy set')}, ${speed(rate)}`);
  if (all === 0) return;
  const rows = [...replayer.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const cells = (name: string, { same, different, not_recorded: lacking }: Counts): string[] => [
    name,
    ...[same, different, lacking].map((one) => one.toLocaleString('en-US')),
  ];
  const lines = [['kind', 'same', 'different', 'not recorded'], ...rows.map(([kind, one]) => cells(kind, one))];
  if (rows.length > 1) lines.push(cells('all', total));
  for (const line of table(lines, '  ')) out.line(line);
}

export function sum({ same, different, not_recorded: lacking }: Counts): number {
  return same + different + lacking;
}

export function speed(rate: number): string {
  return `${rate.toLocaleString('en-US')} a second`;
}
