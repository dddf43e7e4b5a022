// `npm run bench:log -- --records N`: how a log of millions answers, exports, is verified, and how many bytes it takes, through the real
// service. It must never print a figure of a log that is not intact.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { verifierOf } from '../src/core/sealing/signed-note.ts';
import { openDatabaseSource } from '../src/io/log/verify/database-source.ts';
import { readPublished } from '../src/io/log/verify/published.ts';
import { verifyLog } from '../src/io/log/verify/verify-log.ts';
import { createEveryday } from './everyday.ts';
import { detachBeside } from './log-pause.ts';
import { openLogReader, type LogReader, type Streamed, type Timings } from './log-reading.ts';
import { type LogStand, openLogStand } from './log-stand.ts';
import { cpuSeconds, startService } from './processes.ts';
import { createDice } from './random.ts';
import { print, printMachine, say } from './report.ts';

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    months: { type: 'string', default: '4' },
    matters: { type: 'string', default: '20000' },
    people: { type: 'string', default: '470' },
    seed: { type: 'string', default: '1' },
    /** Keeps the log there, and measures the one that is there. */
    folder: { type: 'string' },
    /** What is measured: read, pause, verify; nothing: the log is only written. */
    parts: { type: 'string', default: 'read,pause,verify' },
    /** Of an export; 0: everything. */
    export: { type: 'string', default: '1000000' },
  },
});

const ASKED = 40;
const DAY_MS = 86_400_000;

await main();

async function main(): Promise<void> {
  printMachine();
  const stand = await openLogStand({
    records: Number(options.records),
    months: Number(options.months),
    matters: Number(options.matters),
    people: Number(options.people),
    seed: Number(options.seed),
    folder: options.folder,
  });
  try {
    const { records, heads, checkpoints, months, seconds } = stand.written;
    print(
      `${count(records)} records of ${months} months, ${count(heads)} signed heads, ${count(checkpoints)} checkpoints; ` +
        `written in ${seconds.toFixed(0)} s`,
    );
    await printSizes(stand);
    header();
    if (isWanted('read') || isWanted('pause')) await measureService(stand);
    if (!isWanted('verify')) return;
    await measureVerification(stand, true);
    await measureVerification(stand, false);
  } finally {
    await stand.close();
  }
}

function isWanted(part: string): boolean {
  return options.parts.split(',').includes(part);
}

async function measureService(stand: LogStand): Promise<void> {
  say('the service');
  const { writer, reader: readerUrl } = stand.postgres.urls;
  const service = await startService({
    environment: {
      DATABASE_URL: writer,
      DATABASE_READER_URL: readerUrl,
      POLICIES_DIR: stand.policies,
      WRITER_KEY_FILE: stand.writerKeyFile,
      PORT: '0',
    },
    logFile: path.join(stand.home, 'service.log'),
    nodeOptions: [],
  });
  try {
    const reader = await openLogReader(stand, service.url);
    const spent = (): Spent => ({ ours: cpuSeconds(service.pid), theirs: cpuSeconds(stand.postgres.pid, true) });
    if (isWanted('read')) await measureReading(stand, reader, spent);
    reader.close();
    if (isWanted('pause')) await measurePause(stand, service.url);
  } finally {
    await service.stop();
  }
}

/** CPU seconds of the service, or of the verifier, and of PostgreSQL. */
interface Spent {
  readonly ours: number;
  readonly theirs: number;
}

async function measureReading(stand: LogStand, reader: LogReader, spent: () => Spent): Promise<void> {
  const { now, records, months } = stand.written;
  const [from, until] = [new Date(now - 30 * DAY_MS), new Date(now)];
  say('who and what is asked about');
  const people = await busiest(stand, 'subject_id', new Date(0), until);
  const matters = await busiest(stand, 'matter_id', from, until);
  await reader.latest(
    'subject',
    people.slice(0, 3).map(({ id }) => id),
  ); // the connection, and what is compiled only once
  for (const [name, filter, all] of [
    ['a person’s last 100 decisions', 'subject', people],
    ['a matter’s last 100 decisions', 'matter', matters],
  ] as const) {
    const asked = spread(all.filter((one) => one.count >= 101));
    const before = spent();
    const { first, again } = await reader.latest(filter, asked);
    row(`${name}, first time`, '20 ms', timesOf({ first, again }, 'first'));
    row('  once more', '20 ms', timesOf({ first, again }, 'again') + costOf(before, spent(), first.length * 2, 'ms'));
  }
  const known = matters.filter(({ id }) => stand.firm.matters.some((matter) => matter.id === id));
  for (const [name, matter] of [
    ['the busiest matter', known[0]],
    ['a busy one (1 in 100)', known[Math.floor(known.length / 100)]],
    ['the median', known[known.length >> 1]],
  ] as const) {
    if (matter === undefined) continue;
    const report = await reader.report(matter.id, from, until);
    row(`a month’s matter report, ${name}`, '1 s', `${ms(report.seconds)} (${count(report.rows)} rows)`);
    if (report.rows !== matter.count) throw new Error(`${report.rows} rows of ${matter.count} for ${matter.id}`);
  }
  const wanted = Number(options.export) > 0 ? Math.min(Number(options.export), records) : records;
  // Newer than half of all: neither the oldest month nor the newest.
  const middle = now - (months / 2) * 30 * DAY_MS;
  const end = new Date(Math.min(now, middle + (wanted / records) * months * 30 * DAY_MS));
  for (const format of ['ndjson', 'csv', 'ocsf'] as const) {
    const before = spent();
    const exported = await reader.export(format, wanted === records ? null : new Date(middle), end);
    row(`export, ${format}`, '50,000/s', rateOf(exported) + costOf(before, spent(), exported.rows, 'µs'));
  }
}

async function measurePause(stand: LogStand, url: string): Promise<void> {
  const send = await stand.sender();
  const everyday = createEveryday(stand.firm, createDice(2));
  const asked = [];
  while (asked.length < 200) asked.push(await send.must(everyday.askAny()));
  const { partition, before, detaching, attaching } = await detachBeside(stand, url, asked);
  for (const [name, goal, phase] of [
    ['longest answer of a decision', '', before],
    [`  while ${partition} is detached`, 'no pause', detaching],
    ['  while it is attached again', '', attaching],
  ] as const) {
    const { answers, longest, p50, seconds } = phase;
    const took = `${longest.toFixed(0)} ms (p50 ${p50.toFixed(1)} ms, ${count(answers)} answers in ${seconds.toFixed(1)} s)`;
    row(name, goal, took);
  }
}

async function measureVerification(stand: LogStand, lastHeadsOnly: boolean): Promise<void> {
  const verifiers = [verifierOf(stand.signer)];
  const published = await readPublished(stand.published, verifiers);
  const source = await openDatabaseSource(() => stand.connect(stand.postgres.urls.reader));
  const spent = (): Spent => ({ ours: cpuSeconds(process.pid), theirs: cpuSeconds(stand.postgres.pid, true) });
  const before = spent();
  const began = performance.now();
  const steps = new Map<string, number>();
  const { verdict, counts, first } = await verifyLog({
    source,
    published,
    verifiers,
    certifiers: [createPublicKey(createPrivateKey(await readFile(stand.writerKeyFile)))],
    lastHeadsOnly,
    threads: availableParallelism(),
    onProgress: ({ step }) => void steps.set(step, (performance.now() - began) / 1_000),
  });
  const seconds = (performance.now() - began) / 1_000;
  await source.close();
  if (verdict !== 'intact') throw new Error(`not intact: ${JSON.stringify(first)}`);
  const marks = [...steps].map(([step, at]) => `${step} ${at.toFixed(0)}`).join(', ');
  row(
    `verification, ${lastHeadsOnly ? 'each writer’s last head' : 'every signed head'}`,
    '100,000/s',
    `${count(counts.records / seconds)} records/s (done after s: ${marks})` +
      costOf(before, spent(), counts.records, 'µs'),
  );
}

async function printSizes(stand: LogStand): Promise<void> {
  const client = await stand.connect(stand.postgres.superuserUrl);
  const { rows } = await client.query<{ name: string; heap: number; indexes: number }>(
    `select coalesce(parent.relname, c.relname) as name, sum(pg_table_size(c.oid))::float8 as heap,
            sum(pg_indexes_size(c.oid))::float8 as indexes
       from pg_class c left join pg_inherits on inhrelid = c.oid left join pg_class parent on parent.oid = inhparent
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1 order by 2 desc limit 6`,
  );
  await client.end();
  const { records } = stand.written;
  const all = rows.reduce((sum, { heap, indexes }) => sum + heap + indexes, 0);
  const parts = rows.map(({ name, heap, indexes }) => `${name} ${count(heap / records)} + ${count(indexes / records)}`);
  print(
    `${count(all / records)} bytes a record, ${(all / 2 ** 30).toFixed(1)} GiB: ${parts.join(', ')} (rows + indexes)`,
  );
}

interface Counted {
  readonly id: string;
  readonly count: number;
}

/** The most frequent first. */
async function busiest(
  stand: LogStand,
  column: 'subject_id' | 'matter_id',
  from: Date,
  until: Date,
): Promise<Counted[]> {
  const client = await stand.connect(stand.postgres.superuserUrl);
  const { rows } = await client.query<Counted>(
    `select ${column} as id, count(*)::float8 as count from public.decisions
      where kind = 'decision' and ${column} is not null and at >= $1 and at < $2 group by 1 order by 2 desc, 1`,
    [from, until],
  );
  await client.end();
  return rows;
}

/** From the busiest to the rarest. */
function spread(all: readonly Counted[]): string[] {
  const chosen = Array.from({ length: ASKED }, (_, index) => all[Math.floor((index * all.length) / ASKED)]?.id);
  return [...new Set(chosen.filter((id) => id !== undefined))];
}

function timesOf(timings: Timings, which: keyof Timings): string {
  const times = timings[which];
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, slowest ${at(1)} ms (${times.length} asked)`;
}

/** What one of them cost: on a busy machine the figure that can be compared. */
function costOf(before: Spent, after: Spent, items: number, unit: 'ms' | 'µs'): string {
  const each = (seconds: number): string => ((seconds * (unit === 'ms' ? 1e3 : 1e6)) / items).toFixed(1);
  return `; CPU each: ${each(after.ours - before.ours)} + PostgreSQL ${each(after.theirs - before.theirs)} ${unit}`;
}

function rateOf({ rows, bytes, seconds }: Streamed): string {
  const size = `${count(rows)} rows, ${(bytes / 2 ** 30).toFixed(2)} GiB`;
  return `${count(rows / seconds)}/s (${size} in ${seconds.toFixed(1)} s)`;
}

function ms(seconds: number): string {
  return `${(seconds * 1_000).toFixed(0)} ms`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function header(): void {
  row('', 'goal', 'measured');
}

function row(name: string, goal: string, measured: string): void {
  print(`${name.padEnd(52)}${goal.padEnd(12)}${measured}`);
}
