// Keeps the approvals of second persons and spends them: each once, for exactly what it was given for. It must never let two processes spend the same one.
import type pg from 'pg';
import { uuidv7Floor } from '../../core/record/uuid.ts';

export interface ApprovedThing {
  readonly requester: string;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly matter: string | null;
  readonly client: string | null;
}

export interface NewApproval extends ApprovedThing {
  readonly id: string;
  readonly approver: string;
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly expiresAt: number;
}

export interface SpentApproval {
  readonly id: string;
  readonly by: string;
  /** Of the approver, when the approval was given. */
  readonly roles: readonly string[];
  readonly expiresAt: number;
}

export interface GivenApproval extends SpentApproval {
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Approvals {
  /** Its record MUST be committed: an approval without one can never be spent. */
  add(approval: NewApproval): Promise<void>;
  /**
   * Spends those of the ids that fit and are not spent yet; committed when it returns. A use stays spent even if no answer follows.
   * @param now milliseconds since 1970
   */
  spend(
    ids: readonly string[],
    thing: ApprovedThing,
    evaluationId: string,
    now: number,
  ): Promise<readonly SpentApproval[]>;
  /**
   * Those given for the thing since then, used or not, in order; no more than a hundred.
   * @param since milliseconds since 1970
   */
  given(thing: ApprovedThing, since: number): Promise<readonly GivenApproval[]>;
}

const ADD = `insert into public.approvals
  (id, approver, roles, requester, action, resource_type, resource_id, matter_id, client_id, expires_at, at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;

// Only approvals whose record is committed count. The subquery stands for itself, since Citus takes no other about a distributed table
// here. The primary key of approval_uses settles who was first; whoever comes second gets no row back.
const SPEND = `with fitting as (
    select id, approver, roles, expires_at from public.approvals
    where id = any ($1::uuid[]) and requester = $2 and action = $3 and resource_type = $4 and resource_id = $5
      and matter_id is not distinct from $6 and client_id is not distinct from $7 and at <= $8 and expires_at > $8
      and id in (select record.id from public.decisions as record where record.id = any ($1::uuid[]))
  ), spent as (
    insert into public.approval_uses (approval_id, evaluation_id, at)
    select id, $9::uuid, $8 from fitting order by id
    on conflict (approval_id) do nothing
    returning approval_id
  )
  select id, approver as by, roles, expires_at as expires from fitting join spent on approval_id = id order by id`;

// Ids begin with their time, so the primary key leads to those given since.
const GIVEN = `select id, approver as by, roles, at, expires_at as expires from public.approvals
  where id >= $1::uuid and requester = $2 and action = $3 and resource_type = $4 and resource_id = $5
    and matter_id is not distinct from $6 and client_id is not distinct from $7
  order by id limit 100`;
const RECORDED = 'select id from public.decisions where id = any ($1::uuid[])';

/** A database that does not answer must not keep requests waiting for ever: they end as not recorded. */
const TIMEOUT_MS = 5_000;
/** Requests that may wait for a connection; more end at once instead of piling up. */
const MOST_WAITING = 256;

interface SpentRow extends Omit<SpentApproval, 'expiresAt'> {
  readonly expires: Date;
}

export function createApprovals(pool: pg.Pool): Approvals {
  const query = <Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> => {
    if (pool.waitingCount >= MOST_WAITING) throw new Error('too many requests wait for a database connection');
    return pool.query<Row>(bounded(text, values));
  };
  return {
    async add(one) {
      const { id, approver, roles, requester, action, resourceType, resourceId, matter, client, expiresAt, at } = one;
      const values = [id, approver, roles, requester, action, resourceType, resourceId, matter, client];
      await query(ADD, [...values, new Date(expiresAt), new Date(at)]);
    },
    async spend(ids, { requester, action, resourceType, resourceId, matter, client }, evaluationId, now) {
      const values = [ids, requester, action, resourceType, resourceId, matter, client, new Date(now), evaluationId];
      const { rows } = await query<SpentRow>(SPEND, values);
      return rows.map(({ id, by, roles, expires }) => ({ id, by, roles, expiresAt: expires.getTime() }));
    },
    async given({ requester, action, resourceType, resourceId, matter, client }, since) {
      const values = [uuidv7Floor(since), requester, action, resourceType, resourceId, matter, client];
      const { rows } = await query<SpentRow & { readonly at: Date }>(GIVEN, values);
      if (rows.length === 0) return [];
      const recorded = await query<{ id: string }>(RECORDED, [rows.map(({ id }) => id)]);
      const ids = new Set(recorded.rows.map(({ id }) => id));
      return rows.flatMap(({ expires, at, ...row }) =>
        ids.has(row.id) ? [{ ...row, at: at.getTime(), expiresAt: expires.getTime() }] : [],
      );
    },
  };
}

/** `query_timeout` is the client's own; the connection is given up then, for its answer may still come. */
function bounded(text: string, values: unknown[]): pg.QueryConfig & { readonly query_timeout: number } {
  return { text, values, query_timeout: TIMEOUT_MS };
}
