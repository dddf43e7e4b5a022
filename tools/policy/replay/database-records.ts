// Reads what a replay judges from the database, in one query that streams, with the reader's rights. It must never write, nor hold more than
// a few blocks.
import { objectOf, parseStored } from '../../../src/io/reports/stored.ts';
import { purgedPlaces, type PurgedRange } from '../../../src/core/record/purged.ts';
import { uuidv7Floor } from '../../../src/core/record/uuid.ts';
import { openClient } from '../../../src/io/db/database.ts';
import { createBlockPool } from '../../../src/io/log/verify/block-pool.ts';
import { copyOut, readRows } from '../../../src/io/log/verify/copy-out.ts';
import { REPLAYED_KINDS, type RecordBlock, type RecordQuery, type RecordSource } from './record-source.ts';

type Client = Awaited<ReturnType<typeof openClient>>;

export async function openDatabaseRecords(url: string, query: RecordQuery): Promise<RecordSource> {
  const client = await openClient({ url, applicationName: 'privity policy replay', onError: () => undefined });
  try {
    const select = selectOf(client, query);
    const expected = await estimate(client, select);
    const purged = await countPurged(client, query);
    const pool = createBlockPool();
    return {
      name: 'the database',
      expected,
      share: () => null,
      purged,
      filter: null,
      async *blocks() {
        for await (const block of copyOut(client, select, pool))
          yield blockOf(block, () => pool.giveBack(block.buffer));
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** COPY takes no parameters. In no order: sorting a month of records would take longer than judging them. */
function selectOf(client: Client, { from, to, subject, matter }: RecordQuery): string {
  const text = (value: string): string => client.escapeLiteral(value);
  const conditions = [
    `d.kind in (${REPLAYED_KINDS.map(text).join(', ')})`,
    ...(from === undefined ? [] : [`d.id >= ${text(uuidv7Floor(from))}`]),
    ...(to === undefined ? [] : [`d.id < ${text(uuidv7Floor(to))}`]),
    ...(subject === undefined ? [] : [`d.subject_id = ${text(subject)}`]),
    ...(matter === undefined ? [] : [`d.matter_id = ${text(matter)}`]),
  ];
  return `select d.bytes from public.decisions as d where ${conditions.join(' and ')}`;
}

/** What the planner believes, for the time that is left. */
async function estimate(client: Client, select: string): Promise<number | null> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly unknown[] }>(`explain (format json) ${select}`);
  const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
  const expected = objectOf(objectOf(plan)['Plan'])['Plan Rows'];
  return typeof expected === 'number' ? expected : null;
}

/** Commitments do not say when or about whom a record was: all that purges since the beginning of the range took could be of it. */
async function countPurged(client: Client, { from = 0 }: RecordQuery): Promise<number> {
  const { rows } = await client.query<{ bytes: Buffer }>(
    `select bytes from public.decisions where kind = 'purge' and id >= $1 order by id`,
    [uuidv7Floor(from)],
  );
  const ranges = rows.flatMap(({ bytes }) => purgedPlaces(parseStored(bytes)) ?? []);
  let count = 0;
  for (const own of Map.groupBy(ranges, ({ writer }) => writer).values()) count += placesIn(own);
  return count;
}

/** Each once: a later purge may name again what an earlier one took. */
function placesIn(ranges: readonly PurgedRange[]): number {
  let count = 0;
  let reached = -1;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    count += Math.max(0, to - Math.max(from - 1, reached));
    reached = Math.max(reached, to);
  }
  return count;
}

function blockOf(block: Buffer<ArrayBuffer>, release: () => void): RecordBlock {
  const rows = readRows(block);
  const at = {
    block,
    from: 0,
    to: 0,
    next() {
      if (!rows.nextRow()) return false;
      const length = rows.nextField();
      at.from = rows.at;
      at.to = rows.at + length;
      return true;
    },
    release,
  };
  return at;
}
