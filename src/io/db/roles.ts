// In charge of the four database roles and of the schema they share. It must never give a role more than its name says:
// what each may do stands in the migrations.
import type pg from 'pg';

export const ROLES = {
  owner: 'privity_owner',
  writer: 'privity_writer',
  reader: 'privity_reader',
  sealer: 'privity_sealer',
} as const;

export type RoleName = keyof typeof ROLES;

/** One connection URL for each role. */
export type DatabaseUrls = Readonly<Record<RoleName, string>>;

const INSUFFICIENT_PRIVILEGE = '42501';
// Roles belong to the whole server, so a migration of another database may be creating the same one just now.
const CREATED_MEANWHILE = new Set(['42710', '23505']);

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Creates the roles that are missing, without a login: an administrator gives them one, or grants them to accounts that have. */
export async function createRoles(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
    Object.values(ROLES),
  ]);
  const present = new Set(rows.map((row) => row.rolname));
  const missing = Object.values(ROLES).filter((role) => !present.has(role));
  for (const role of missing) {
    try {
      await client.query(`create role ${role} nologin`);
    } catch (error) {
      const state = sqlState(error);
      if (state === INSUFFICIENT_PRIVILEGE) {
        throw new Error(
          `this account may not create roles; let an administrator run: ${missing.map((name) => `create role ${name};`).join(' ')}`,
          { cause: error },
        );
      }
      if (state === undefined || !CREATED_MEANWHILE.has(state)) throw error;
    }
  }
}

/** Makes this session act as the owner role, so that every object belongs to it, whoever has logged in. */
export async function becomeOwner(client: pg.ClientBase): Promise<void> {
  await shareSchema(client);
  // Before PostgreSQL 16 membership alone let a session set a role; since then it is a right of its own.
  const maySetRole = `select pg_has_role(current_user, '${ROLES.owner}',
      case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) as yes`;
  const { rows } = await client.query<{ yes: boolean }>(maySetRole);
  if (rows[0]?.yes !== true) {
    await inWords(
      client.query(`grant ${ROLES.owner} to current_user`),
      `this account may not act as \`${ROLES.owner}\`; let an administrator run: grant ${ROLES.owner} to …;`,
    );
  }
  await client.query(`set role ${ROLES.owner}`);
}

/** Granted by name: what the database's owner may do of itself would not follow a copy under another owner. */
async function shareSchema(client: pg.ClientBase): Promise<void> {
  if (await isShared(client)) return;
  const refusal = 'this account does not own the schema `public`; migrate as the owner of the database';
  await inWords(
    client.query(
      `grant usage, create on schema public to ${ROLES.owner};
       grant usage on schema public to ${ROLES.writer}, ${ROLES.reader}, ${ROLES.sealer};
       revoke create on schema public from public`,
    ),
    refusal,
  );
  // Where an account may do some of it, PostgreSQL does nothing and warns.
  if (!(await isShared(client))) throw new Error(refusal);
}

async function isShared(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ grantee: string; right: string }>(
    `select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as grantee, acl.privilege_type as right
       from pg_namespace, aclexplode(nspacl) as acl where nspname = 'public'`,
  );
  const has = (grantee: string, right: string): boolean =>
    rows.some((row) => row.grantee === grantee && row.right === right);
  const everybodyEnters = Object.values(ROLES).every((role) => has(role, 'USAGE'));
  return everybodyEnters && has(ROLES.owner, 'CREATE') && !has('public', 'CREATE');
}

async function inWords(work: Promise<unknown>, refusal: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw sqlState(error) === INSUFFICIENT_PRIVILEGE ? new Error(refusal, { cause: error }) : error;
  }
}
