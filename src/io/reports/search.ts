// Reads the log in order, piece by piece, with a bound on every piece: one filter leads along an index, the others are looked at row by
// row. It must never judge who may see a row, nor run a query whose work nobody has bounded.
import type pg from 'pg';
import type { FilterName, Search } from '../../core/reading/search.ts';
import { FILTER_COLUMNS } from '../../core/reading/search.ts';
import type { HiddenPlaces } from '../../core/reading/walled.ts';
import { uuidv7Floor } from '../../core/record/uuid.ts';
import { type CopyReader, type LogPiece, pieceOf } from './log-piece.ts';
import { cannotRead } from './stored.ts';

export interface LogQuery extends Search {
  /** Places of which the reader certainly gets nothing. */
  readonly hidden: HiddenPlaces;
  /** Nothing is to be found, in the time that finding nothing takes. */
  readonly isVoid: boolean;
}

/** A row that was looked at. */
export interface LookedAt {
  readonly id: string;
  readonly kind: string;
  /** The record's bytes in `escape` format (PostgreSQL documentation, 8.4); null where the row does not match. */
  readonly bytes: string | null;
}

export interface LogSearch {
  /**
   * The next rows along the index in the order of the query: those that match and those that only have to be passed.
   * Fewer than `limit` are the last.
   * @param after a position: an id, or the floor of a time
   * @throws PrivityError `overloaded` while the database does not answer
   */
  rows(query: LogQuery, after: string | null, limit: number): Promise<readonly LookedAt[]>;
  /** The same rows as they are stored, for those who read very many. */
  piece(query: LogQuery, after: string | null, limit: number): Promise<LogPiece>;
}

/** The filters that lead along an index, the most selective first, with the condition of that index (migration 000007). */
const LEADERS: readonly (readonly [FilterName, (place: () => string) => string])[] = [
  ['resource_id', (place) => `d.resource_id = ${place()}`],
  ['wall', () => `d.walls <> '{}'`],
  ['grant', () => `d.grants <> '{}'`],
  ['subject', (place) => `d.subject_id = ${place()}`],
  ['obligation', () => `d.obligations <> '{}'`],
  ['matter', (place) => `d.matter_id = ${place()}`],
  ['kind', (place) => `d.kind <> 'decision' and d.kind = ${place()}`],
  ['actor', (place) => `d.actor_id = ${place()}`],
  ['client', (place) => `d.client_id = ${place()}`],
];
const LISTS: ReadonlySet<FilterName> = new Set(['rule', 'wall', 'grant', 'obligation']);

/** An approval's use has its id before it is decided: a record may be that much later than its id says. */
const SLACK_MS = 10 * 60_000;

/**
 * Along the index and no further than asked. Where statistics are behind, as at the beginning of a month, the planner would rather read
 * everything that matches, and sort it, for every piece.
 */
const ALONG_INDEX = 'begin read only; set local enable_bitmapscan = off; set local enable_sort = off';

/** Blocks of a megabyte: those of a piece or two. */
const MOST_KEPT = 6;

/** @param copy how many rows are read at once */
export function createLogSearch(reading: pg.Pool, copy: CopyReader): LogSearch {
  const pool = copy.createPool(MOST_KEPT);
  return {
    async piece(query, after, limit) {
      const client = await reading.connect().catch((error: unknown) => {
        throw cannotRead(error);
      });
      let isDone = false;
      try {
        const blocks: Buffer<ArrayBuffer>[] = [];
        const select = inlined(statementOf(query, after, limit, 'd.bytes'), client);
        const around = { before: `${ALONG_INDEX}; `, after: '; commit' };
        for await (const block of copy.copyOut(client, select, pool, around)) blocks.push(block);
        isDone = true;
        return pieceOf(blocks, copy, pool);
      } catch (error) {
        throw cannotRead(error);
      } finally {
        client.release(!isDone);
      }
    },
    async rows(query, after, limit) {
      const { text, values } = statementOf(query, after, limit);
      try {
        const rows = await alongIndex(reading, { text, values, rowMode: 'array' });
        return rows.map(([id, kind, bytes]) => ({ id, kind, bytes }));
      } catch (error) {
        throw cannotRead(error);
      }
    },
  };
}

type Row = [id: string, kind: string, bytes: string | null];

async function alongIndex(pool: pg.Pool, statement: pg.QueryArrayConfig<unknown[]>): Promise<readonly Row[]> {
  const client = await pool.connect();
  let isDone = false;
  try {
    await client.query(ALONG_INDEX);
    const { rows } = await client.query<Row, unknown[]>(statement);
    await client.query('commit');
    isDone = true;
    return rows;
  } finally {
    // A connection that failed is not given back as good.
    client.release(!isDone);
  }
}

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** COPY takes no parameters. */
function inlined({ text, values }: Statement, client: pg.ClientBase): string {
  const written = (value: unknown): string => {
    if (typeof value === 'number') return String(value);
    if (value instanceof Date) return client.escapeLiteral(value.toISOString());
    if (Array.isArray(value)) return `array[${value.map(written).join(', ')}]`;
    if (typeof value === 'string') return client.escapeLiteral(value);
    throw new TypeError('no value of a search');
  };
  return text.replaceAll(/\$(\d+)/g, (_, place: string) => written(values[Number(place) - 1]));
}

/** @param bytes how the bytes of a row are given */
export function statementOf(
  query: LogQuery,
  after: string | null,
  limit: number,
  bytes = `encode(d.bytes, 'escape')`,
): Statement {
  const { filter, from, to, order, hidden } = query;
  const values: unknown[] = [];
  const place = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const [leader, onPath] = LEADERS.find(([name]) => leads(name, filter[name])) ?? [];
  const path: string[] = [];
  const looked: string[] = [];
  if (leader !== undefined && onPath !== undefined) path.push(onPath(() => place(filter[leader], 'text')));
  for (const [name, value] of Object.entries(filter) as readonly [FilterName, string][]) {
    if (name === leader && !LISTS.has(name)) continue;
    const column = FILTER_COLUMNS[name];
    looked.push(
      LISTS.has(name) ? `d.${column} @> array[${place(value, 'text')}]` : `d.${column} = ${place(value, 'text')}`,
    );
  }
  if (from !== null) {
    path.push(`d.id >= ${place(uuidv7Floor(Math.max(0, from - SLACK_MS)), 'uuid')}`);
    looked.push(`d.at >= ${place(new Date(from), 'timestamptz')}`);
  }
  if (to !== null) {
    path.push(`d.id < ${place(uuidv7Floor(to), 'uuid')}`);
    looked.push(`d.at < ${place(new Date(to), 'timestamptz')}`);
  }
  if (after !== null) path.push(`d.id ${order === 'newest' ? '<' : '>'} ${place(after, 'uuid')}`);
  for (const [column, ids] of [
    ['matter_id', hidden.matters],
    ['client_id', hidden.clients],
  ] as const) {
    if (ids.length === 0) continue;
    // A subquery, which is hashed once: of a list the planner would weigh every id in every partition, for longer than reading takes.
    path.push(`(d.${column} is null or d.${column} not in (select unnest(${place(ids, 'text[]')})))`);
  }
  if (query.isVoid) path.push('false');
  const found = looked.length === 0 ? bytes : `case when ${looked.join(' and ')} then ${bytes} end`;
  const where = path.length === 0 ? '' : `where ${path.join(' and ')}`;
  const direction = order === 'newest' ? 'desc' : 'asc';
  const text = `select d.id, d.kind, ${found} from public.decisions as d ${where} order by d.id ${direction} limit ${place(limit, 'int')}`;
  return { text, values };
}

/** Decisions are nearly all there is: no index leads to them. */
function leads(name: FilterName, value: string | undefined): boolean {
  return value !== undefined && !(name === 'kind' && value === 'decision');
}
