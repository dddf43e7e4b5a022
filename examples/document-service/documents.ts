// Keeps documents in PostgreSQL. It must never decide who may see one: lists take a condition, and everything else is asked before.
import type { Resource, SqlWhere } from '@privity/client';
import type pg from 'pg';

export interface Document {
  readonly id: string;
  readonly title: string;
  readonly matter_id: string;
  readonly client_id: string;
  readonly matter_status: 'intake' | 'open' | 'closed';
  readonly confidentiality: string;
  readonly privileged: boolean;
  readonly text: string;
}

/** Which column holds which attribute of the policies' data dictionary. */
export const COLUMNS = {
  id: 'd.id',
  matter_id: 'd.matter_id',
  client_id: 'd.client_id',
  matter_status: 'd.matter_status',
  confidentiality: 'd.confidentiality',
  privileged: 'd.privileged',
} as const;

/** What this service never holds, and says so for each document: no health data, nothing under export control, … */
export const SAME_FOR_ALL = {
  work_product: false,
  work_product_internal: false,
  phi: false,
  pii: false,
  export_controlled: false,
  data_region: 'EU',
} as const;

const SCHEMA = `
  create table if not exists documents (
    id text primary key, title text not null, matter_id text not null, client_id text not null, matter_status text not null,
    confidentiality text not null, privileged boolean not null, text text not null);
  create table if not exists downloads (person text not null, at timestamptz not null default now());`;

const HOUR = `at > now() - interval '1 hour'`;

export function createDocuments(pool: Pick<pg.Pool, 'query'>) {
  return {
    async fill(documents: readonly Document[]): Promise<void> {
      await pool.query(SCHEMA);
      await pool.query(
        'insert into documents select * from jsonb_populate_recordset(null::documents, $1) on conflict (id) do nothing',
        [JSON.stringify(documents)],
      );
    },

    /** Titles of the rows that pass, and no others: the database does the trimming, so pages and counts are right. */
    async list(where: SqlWhere): Promise<readonly Pick<Document, 'id' | 'title'>[]> {
      const text = `select d.id, d.title from documents d where ${where.text} order by d.id limit 100`;
      return (await pool.query<Pick<Document, 'id' | 'title'>>(text, [...where.params])).rows;
    },

    async read(id: string): Promise<Document | undefined> {
      return (await pool.query<Document>('select * from documents where id = $1', [id])).rows[0];
    },

    /** As a question about it names it. */
    async asResource(id: string): Promise<Resource | null> {
      const found = await this.read(id);
      if (found === undefined) return null;
      const { title: _, text: __, id: ___, ...attributes } = found;
      return { type: 'document', id, properties: { ...SAME_FOR_ALL, ...attributes } };
    },

    async countDownloads(person: string): Promise<number> {
      const text = `select count(*)::int as n from downloads where person = $1 and ${HOUR}`;
      return (await pool.query<{ n: number }>(text, [person])).rows[0]?.n ?? 0;
    },

    async noteDownload(person: string): Promise<void> {
      await pool.query('insert into downloads (person) values ($1)', [person]);
    },
  };
}

export type Documents = ReturnType<typeof createDocuments>;
