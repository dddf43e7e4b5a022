// Has the database remove the payloads that a committed purge record names. It must never be called before that record is committed.
import type pg from 'pg';
import { DURABLE_COMMIT } from './session.ts';

/** What is on hold now, which may be more than when the record was written. */
export interface Holds {
  readonly matters: readonly string[];
  readonly clients: readonly string[];
}

export interface Purger {
  /** How many payloads went; none, if they had gone before. */
  remove(record: string, holds: Holds): Promise<number>;
}

/** @param client of an account that may act as the owner of the tables */
export function createPurger(client: pg.ClientBase, ownerRole: string): Purger {
  return {
    async remove(record, { matters, clients }) {
      await client.query('begin');
      try {
        await client.query(`set local role ${ownerRole}; select ${DURABLE_COMMIT}`);
        const { rows } = await client.query<{ removed: number }>(
          'select public.purge_payloads($1, $2::text[], $3::text[]) as removed',
          [record, matters, clients],
        );
        await client.query('commit');
        return rows[0]?.removed ?? 0;
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw error;
      }
    },
  };
}
