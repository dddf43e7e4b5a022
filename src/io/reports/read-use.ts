// Reads what rights were used for, as sums that the database makes, piece by piece, and how much of the log is there to be summed. It
// must never hold more than one piece, nor sum a record that it did not also count among what is there.
import { sql, type Kysely } from 'kysely';
import { uuidv7Floor, uuidv7Time } from '../../core/record/uuid.ts';
import type { Tables } from '../../model/tables.ts';
import { objectOf, parseStored, textOf, textsOf, type StoredObject } from './stored.ts';

/** Records that differ in nothing that a right is used by. */
export interface UseRow {
  readonly kind: string;
  readonly outcome: string | null;
  readonly decidedBy: readonly string[];
  readonly grants: readonly string[];
  readonly action: string | null;
  readonly type: string | null;
  readonly subject: string | null;
  readonly matter: string | null;
  /** As the token stated them; null: policy data had others, which the record does not repeat. */
  readonly roles: readonly string[] | null;
  /** Of decisions about fields: what decided each of them. */
  readonly fields: readonly { readonly outcome: string; readonly decidedBy: readonly string[] }[];
  readonly count: number;
  /** Milliseconds since 1970, of the latest. */
  readonly last: number;
}

/** Records of one writer without a gap between them. */
export interface Island {
  readonly writer: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970, of the first and the last of them. */
  readonly begins: number;
  readonly ends: number;
}

export interface UsePiece {
  readonly uses: readonly UseRow[];
  readonly islands: readonly Island[];
  readonly records: number;
  readonly reached: number;
}

export interface PolicyLoad {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly revision: string;
}

export interface Purged {
  readonly id: string;
  readonly scope: string;
  /** No record that it removed is later. */
  readonly until: number;
}

export interface UseReader {
  /** Of the oldest record that is there; null: none is. */
  begins(): Promise<number | null>;
  /** Records since an instant, in the order of their ids, to the end of the log. */
  pieces(from: number): AsyncGenerator<UsePiece>;
  /** The last place that each of these writers committed. */
  committed(writers: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Newest first: since the instant, and the last one before it. */
  loads(from: number): Promise<readonly PolicyLoad[]>;
  /** Recorded since the instant. */
  purges(from: number): Promise<readonly Purged[]>;
}

const PIECE = 20_000;
/** An approval's use has its id before it is decided: a record may be that much later than its id says. */
const SLACK_MS = 10 * 60_000;
const NIL = '00000000-0000-0000-0000-000000000000';

interface IslandRow {
  readonly writer: string;
  readonly low: number;
  readonly high: number;
  readonly begins: Date;
  readonly ends: Date;
  readonly id: string;
  readonly by: string;
}

interface SummedRow {
  readonly kind: string;
  readonly outcome: string | null;
  readonly decided_by: readonly string[];
  readonly grants: readonly string[];
  readonly action: string | null;
  readonly resource_type: string | null;
  readonly subject_id: string | null;
  readonly matter_id: string | null;
  readonly roles: unknown;
  readonly fields: unknown;
  readonly count: number;
  readonly last: Date;
}

/** @param most records of a piece */
export function createUseReader(queries: Kysely<Tables>, most = PIECE): UseReader {
  type Key = readonly [id: string, writer: string];

  async function islandsAfter([id, writer]: Key): Promise<readonly IslandRow[]> {
    const { rows } = await sql<IslandRow>`
      with piece as materialized (
        select d.id, d.writer, d.seq, d.at from decisions d
         where (d.id, d.writer) > (${id}::uuid, ${writer}::uuid) order by d.id, d.writer limit ${most}
      ), places as (
        select writer, seq, at, seq - row_number() over (partition by writer order by seq) as island from piece
      ), last as (select id, writer from piece order by id desc, writer desc limit 1)
      select p.writer, min(p.seq) as low, max(p.seq) as high, min(p.at) as begins, max(p.at) as ends,
             (select last.id from last) as id, (select last.writer from last) as by
        from places p group by p.writer, p.island`.execute(queries);
    return rows;
  }

  async function usesBetween(after: Key, until: Key, from: number): Promise<readonly SummedRow[]> {
    // The bytes are parsed once a record, whatever is taken from them: `offset 0` keeps the planner from doing it for each.
    const { rows } = await sql<SummedRow>`
      select d.kind, d.outcome, d.decided_by, d.grants, d.action, d.resource_type, d.subject_id, d.matter_id,
             case when s.said -> 'on_file' ? 'subject.roles' then null else s.said #> '{subject,attributes,roles}' end as roles,
             s.said -> 'fields' as fields, count(*) as count, max(d.at) as last
        from decisions d
       cross join lateral (select convert_from(d.bytes, 'UTF8')::jsonb as said offset 0) s
       where (d.id, d.writer) > (${after[0]}::uuid, ${after[1]}::uuid) and (d.id, d.writer) <= (${until[0]}::uuid, ${until[1]}::uuid)
         and d.at >= ${new Date(from)} and d.kind in ('decision', 'read', 'search', 'filter', 'approval')
       group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`.execute(queries);
    return rows;
  }

  return {
    async begins() {
      const row = await queries.selectFrom('decisions').select('at').orderBy('id').limit(1).executeTakeFirst();
      return row?.at.getTime() ?? null;
    },
    async *pieces(from) {
      let after: Key = [uuidv7Floor(Math.max(0, from - SLACK_MS)), NIL];
      for (;;) {
        const found = await islandsAfter(after);
        const [first] = found;
        if (first === undefined) return;
        const until: Key = [first.id, first.by];
        const uses = (await usesBetween(after, until, from)).map(useOf);
        const islands = found.map(({ writer, low, high, begins, ends }) => {
          return { writer, from: low, to: high, begins: begins.getTime(), ends: ends.getTime() };
        });
        const records = islands.reduce((sum, one) => sum + one.to - one.from + 1, 0);
        yield { uses, islands, records, reached: Math.max(...islands.map(({ ends }) => ends)) };
        if (records < most) return;
        after = until;
      }
    },
    async committed(writers) {
      const last = new Map<string, number>();
      // One by one: each is a look at the end of an index, all at once would be a scan.
      for (const writer of writers) {
        const row = await queries
          .selectFrom('commitments')
          .select(({ fn }) => fn.max('seq').as('seq'))
          .where('writer', '=', writer)
          .executeTakeFirst();
        if (typeof row?.seq === 'number') last.set(writer, row.seq);
      }
      return last;
    },
    async loads(from) {
      const all = queries.selectFrom('decisions').select(['at', 'revision']).where('kind', '=', 'policy_loaded');
      const since = await all.where('id', '>=', uuidv7Floor(from)).orderBy('id', 'desc').execute();
      const before = await all.where('id', '<', uuidv7Floor(from)).orderBy('id', 'desc').limit(1).execute();
      return [...since, ...before].flatMap(({ at, revision }) =>
        revision === null ? [] : [{ at: at.getTime(), revision }],
      );
    },
    async purges(from) {
      const rows = await queries
        .selectFrom('decisions')
        .select(['id', 'bytes', 'at'])
        .where('kind', '=', 'purge')
        .where('id', '>=', uuidv7Floor(from))
        .orderBy('id')
        .execute();
      return rows.map(({ id, bytes, at }) => purgedOf(id, parseStored(bytes), at.getTime()));
    },
  };
}

/** @param at when it was recorded */
export function purgedOf(id: string, record: StoredObject, at: number): Purged {
  const last = textOf(objectOf(record['ids'])['to']);
  return { id, scope: textOf(record['scope']) ?? 'unknown', until: latest(last, at) };
}

/** What is no time says nothing about when: then up to the purge itself. */
function latest(id: string | null, purgedAt: number): number {
  try {
    return id === null ? purgedAt : Math.min(purgedAt, uuidv7Time(id) + SLACK_MS);
  } catch {
    return purgedAt;
  }
}

function useOf(row: SummedRow): UseRow {
  const { kind, outcome, decided_by: decidedBy, grants, action, resource_type: type } = row;
  const { subject_id: subject, matter_id: matter, roles, fields, count, last } = row;
  const judged = Array.isArray(fields) ? fields.map(objectOf) : [];
  return {
    kind,
    outcome,
    decidedBy,
    grants,
    action,
    type,
    subject,
    matter,
    roles: rolesIn(roles),
    fields: judged.map((one) => ({ outcome: textOf(one['outcome']) ?? '', decidedBy: textsOf(one['decided_by']) })),
    count: Number(count),
    last: last.getTime(),
  };
}

/** What is no list of names was judged unknown, so that no rule which asks for a role was true; a rule that did not ask is none the wiser. */
export function rolesIn(roles: unknown): readonly string[] | null {
  return Array.isArray(roles) ? textsOf(roles) : null;
}
