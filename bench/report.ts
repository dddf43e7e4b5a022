// Prints what was measured, in words and figures that can be compared. It must never hide a round: the spread is printed too.
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { PolicySet } from '../src/core/policy-set.ts';
import type { LogSize } from './database.ts';
import type { Figures } from './measure.ts';
import type { Capacity, OverloadRow } from './overload-generator.ts';
import { BATCH, type Mix } from './mix.ts';
import { memoryMiB } from './processes.ts';
import type { Stage } from './stages.ts';

export interface Report {
  readonly set: PolicySet;
  readonly mix: Mix;
  readonly judged: { readonly allowed: number; readonly rarest: readonly [string, number] };
  readonly stages: readonly Stage[];
  readonly readyAfterMs: readonly number[];
  /** Of the echo and of Privity. */
  readonly echoed: readonly Figures[];
  readonly batched: readonly Figures[];
  readonly servicePid: number;
  readonly before: LogSize;
  readonly after: LogSize;
  readonly answered: number;
}

const started = performance.now();

export function say(what: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${what} …\n`);
}

export function printMachine(): void {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  print(`${availableParallelism()} cores (${cpu?.model ?? 'unknown'}), ${memory} GiB, Node ${process.versions.node}`);
}

export function printReport(report: Report): void {
  const { set, mix, judged, stages, echoed, batched, before, after, answered } = report;
  const [echo, privity] = pair(echoed);
  const [echoBatch, privityBatch] = pair(batched);
  print(
    `\n${set.rules.length} rules, ${set.data.matters.size} matters, ${set.walls.all.length} walls; a mix of ` +
      `${mix.requests.length} requests about ${mix.people} people with ${mix.tokens} tokens, ${percent(judged.allowed)} allowed; ` +
      `every rule and wall decides (the rarest ${judged.rarest[1]} times)\n`,
  );
  table(
    'POST /v1/authorize',
    ['echo', 'Privity', 'ratio'],
    [
      ['requests/s', perSecond(echo), perSecond(privity), percent(rate(privity) / rate(echo))],
      ['  slowest and fastest round', spread(echo), spread(privity), ''],
      ['p50, p99 (ms)', latencies(echo), latencies(privity), ''],
      ['CPU s per 1,000: service', '', perThousand(privity, 'service'), ''],
      ['  PostgreSQL', '', perThousand(privity, 'postgres'), ''],
      ['  load generator', perThousand(echo, 'generator'), perThousand(privity, 'generator'), ''],
    ],
  );
  table(
    `POST /v1/authorize/batch, ${BATCH} evaluations`,
    ['echo', 'Privity', ''],
    [
      ['requests/s', perSecond(echoBatch), perSecond(privityBatch), percent(rate(privityBatch) / rate(echoBatch))],
      ['committed decisions/s', '', number(privityBatch.decisions / privityBatch.seconds), ''],
      ['p50, p99 (ms)', latencies(echoBatch), latencies(privityBatch), ''],
      ['CPU s per 1,000 decisions: service', '', perThousand(privityBatch, 'service'), ''],
      ['  PostgreSQL', '', perThousand(privityBatch, 'postgres'), ''],
    ],
  );
  table(
    'One decision in process (µs)',
    ['p50', 'p99'],
    [...stages.map(({ name, p50, p99 }) => [name, p50.toFixed(1), p99.toFixed(1)])],
  );
  const records = after.decisions - before.decisions;
  const memory = memoryMiB(report.servicePid);
  table(
    'The rest',
    [''],
    [
      ['bytes per record, with indexes', number((after.bytes - before.bytes) / records)],
      ['  write-ahead log', number((after.wal - before.wal) / records)],
      ['ready after (s)', report.readyAfterMs.map((ms) => (ms / 1_000).toFixed(2)).join(' ')],
      ['resident memory (MiB), peak', `${memory.now.toFixed(0)} ${memory.peak.toFixed(0)}`],
      ['answers, all of them committed', number(answered)],
    ],
  );
}

/** One line for each round and pace. */
export function printOverload(
  capacities: readonly Capacity[],
  rows: readonly OverloadRow[],
  records: number,
  memory: { readonly now: number; readonly peak: number },
): void {
  const header = [
    'offered/s',
    'answered/s',
    'of capacity',
    'turned away/s',
    'not sent/s',
    'p50 p99 ms',
    'health ms',
    'CPU',
    'per CPU s',
  ];
  const width = 14;
  const perRound = rows.length / capacities.length;
  print(`\n${'times'.padEnd(8)}${header.map((name) => name.padStart(width)).join('')}`);
  for (const [index, row] of rows.entries()) {
    const capacity = capacities[Math.floor(index / perRound)] ?? { perSecond: Number.NaN, cpu: Number.NaN };
    if (index % perRound === 0) {
      const { perSecond: most, cpu } = capacity;
      print(
        `capacity ${number(most)} requests/s with ${percent(cpu)} of a processor: ${number(most / cpu)} in a second of it`,
      );
    }
    const { seconds, offered, unsent, shed, failed, goodput, latency, health, healthFailures } = row;
    const cells = [
      number(offered / seconds),
      number(goodput),
      percent(goodput / capacity.perSecond),
      number(shed / seconds),
      number(unsent / seconds),
      latency.map((ms) => ms.toFixed(0)).join(' '),
      health.map((ms) => ms.toFixed(0)).join(' '),
      percent(row.cpu),
      number(goodput / row.cpu),
    ];
    const trouble = failed + healthFailures > 0 ? `  ${failed} failed, health ${healthFailures} times not` : '';
    print(`${String(row.times).padEnd(8)}${cells.map((cell) => cell.padStart(width)).join('')}${trouble}`);
  }
  print(
    `\n${number(records)} answers, all of them committed, and nothing else; memory ${memory.now.toFixed(0)} MiB, peak ${memory.peak.toFixed(0)} MiB`,
  );
}

function pair([one, other]: readonly Figures[]): [Figures, Figures] {
  if (one === undefined || other === undefined) throw new Error('nothing was measured');
  return [one, other];
}

function rate({ answers, seconds }: Figures): number {
  return answers / seconds;
}

function perSecond(figures: Figures): string {
  return number(rate(figures));
}

function spread({ perSecond: rounds }: Figures): string {
  return `${number(Math.min(...rounds))} – ${number(Math.max(...rounds))}`;
}

/** The median round. */
function latencies({ p50, p99 }: Figures): string {
  return [p50, p99].map((rounds) => (rounds.toSorted((a, b) => a - b)[rounds.length >> 1] ?? 0).toFixed(1)).join(' ');
}

function perThousand({ cpu, decisions, answers }: Figures, name: keyof Figures['cpu']): string {
  return ((cpu[name] / (decisions > 0 ? decisions : answers)) * 1_000).toFixed(3);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const LABEL_WIDTH = 36;
const CELL_WIDTH = 18;

function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  print(title.padEnd(LABEL_WIDTH) + columns.map((column) => column.padStart(CELL_WIDTH)).join(''));
  for (const [label = '', ...cells] of rows) {
    print(`  ${label.padEnd(LABEL_WIDTH - 2)}${cells.map((cell) => cell.padStart(CELL_WIDTH)).join('')}`);
  }
  print('');
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
