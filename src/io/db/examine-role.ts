// Finds out what an account may do in the database, from every source: grants, memberships, ownership, attributes. It must never change
// anything, nor take a right that comes from a group for none.
import type { Queryable } from './database.ts';
import { GRANTS, type RoleGrants } from './grants.ts';
import { ROLES, type RoleName } from './roles.ts';

export interface RoleReview {
  readonly account: string;
  readonly isSuperuser: boolean;
  /** Rights that the role needs and the account lacks, in words. */
  readonly missing: readonly string[];
  /** Rights that the account has and the role must not have, in words. */
  readonly excess: readonly string[];
}

export interface OwnerReview {
  readonly account: string;
  readonly isSuperuser: boolean;
  readonly mayActAsOwner: boolean;
  /** Objects of the schema that belong to somebody else. */
  readonly strangers: readonly string[];
}

/** Rights on one relation or one of its columns. */
interface RightRow {
  readonly relation: string;
  readonly right: string;
  /** Null: the whole relation. */
  readonly columns: readonly string[] | null;
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  rolcreaterole: 'creates roles',
  rolcreatedb: 'creates databases',
  rolreplication: 'may stream the whole server (replication)',
  rolbypassrls: 'bypasses row security',
};

// Partitions are reached through their parent: rights on one of them would go around it.
const RELATION_RIGHTS = `
  with relations as (
    select oid, relname, relkind from pg_catalog.pg_class
    where relnamespace = 'public'::pg_catalog.regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
  ), rights as (
    select unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as "right"
  )
  select relname as relation, lower("right") as "right", case
      when pg_catalog.has_table_privilege(relations.oid, "right") then null
      else array(select attname::text from pg_catalog.pg_attribute
        where attrelid = relations.oid and attnum > 0 and not attisdropped
          and "right" in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
          and pg_catalog.has_column_privilege(relations.oid, attnum, case when "right" in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') then "right" else 'SELECT' end))
    end as columns
  from relations, rights`;

const DEFINERS = `
  select proname as name from pg_catalog.pg_proc
  where pronamespace = 'public'::pg_catalog.regnamespace and prosecdef and pg_catalog.has_function_privilege(oid, 'EXECUTE')`;

const ACCOUNT = `
  select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
    pg_catalog.has_schema_privilege('public', 'USAGE') as enters,
    pg_catalog.has_schema_privilege('public', 'CREATE') as creates,
    pg_catalog.has_database_privilege(current_database(), 'CREATE') as creates_schemas,
    array(select rolname::text from pg_catalog.pg_roles as other
      where other.oid <> self.oid and pg_catalog.pg_has_role(self.oid, other.oid, 'MEMBER') order by 1) as memberships,
    array(select relname::text from pg_catalog.pg_class
      where relowner = self.oid and relkind in ('r', 'p', 'v', 'm', 'f') order by 1) as owns
  from pg_catalog.pg_roles as self where rolname = current_user`;

interface AccountRow extends Readonly<Record<string, unknown>> {
  readonly rolname: string;
  readonly rolsuper: boolean;
  readonly enters: boolean;
  readonly creates: boolean;
  readonly creates_schemas: boolean;
  readonly memberships: readonly string[];
  readonly owns: readonly string[];
}

async function readAccount(db: Queryable): Promise<AccountRow> {
  const { rows } = await db.query<AccountRow>(ACCOUNT);
  const [account] = rows;
  if (account === undefined) throw new Error('the server does not list the account of this session');
  return account;
}

export async function reviewRole(db: Queryable, role: Exclude<RoleName, 'owner'>): Promise<RoleReview> {
  const account = await readAccount(db);
  const { rolname, rolsuper } = account;
  // A superuser has every right there is: naming them all would say less.
  if (rolsuper) return { account: rolname, isSuperuser: true, missing: [], excess: ['is a superuser'] };
  const { rows: rights } = await db.query<RightRow>(RELATION_RIGHTS);
  const { rows: definers } = await db.query<{ name: string }>(DEFINERS);
  const has = new Set(rights.flatMap(inWords));
  const needs = new Set(wordsOf(GRANTS[role]));
  const runs = new Set(definers.map(({ name }) => `execute ${name}`));
  const mustRun = new Set(GRANTS[role].functions.map((name) => `execute ${name}`));
  return {
    account: rolname,
    isSuperuser: false,
    missing: [
      ...(account.enters ? [] : ['use of the schema public']),
      ...[...needs].filter((right) => !has.has(right) && !has.has(right.replace(/ \(.*/, ''))),
      ...[...mustRun].filter((right) => !runs.has(right)),
    ],
    excess: [
      ...Object.entries(ATTRIBUTES).flatMap(([name, words]) => (account[name] === true ? [words] : [])),
      ...account.memberships.filter((name) => name !== ROLES[role]).map((name) => `is a member of ${name}`),
      ...account.owns.map((name) => `owns ${name}`),
      ...(account.creates ? ['creates objects in the schema public'] : []),
      ...(account.creates_schemas ? ['creates schemas in the database'] : []),
      ...[...has].filter((right) => !needs.has(right)),
      ...[...runs].filter((right) => !mustRun.has(right)),
    ],
  };
}

function inWords({ relation, right, columns }: RightRow): string[] {
  if (columns === null) return [`${right} on ${relation}`];
  return columns.map((column) => `${right} on ${relation} (${column})`);
}

function wordsOf({ tables }: RoleGrants): string[] {
  return Object.entries(tables).flatMap(([relation, rights]) =>
    Object.entries(rights).flatMap(([right, columns]: [string, true | readonly string[]]) =>
      inWords({ relation, right, columns: columns === true ? null : columns }),
    ),
  );
}

export async function reviewOwner(db: Queryable): Promise<OwnerReview> {
  const { rolname, rolsuper, memberships } = await readAccount(db);
  const { rows } = await db.query<{ name: string }>(
    `select relname as name from pg_catalog.pg_class
     where relnamespace = 'public'::pg_catalog.regnamespace and relkind in ('r', 'p')
       and pg_catalog.pg_get_userbyid(relowner) <> $1 and relname = any($2)`,
    [ROLES.owner, Object.keys(GRANTS.reader.tables)],
  );
  return {
    account: rolname,
    isSuperuser: rolsuper,
    mayActAsOwner: rolsuper || rolname === ROLES.owner || memberships.includes(ROLES.owner),
    strangers: rows.map(({ name }) => name),
  };
}
