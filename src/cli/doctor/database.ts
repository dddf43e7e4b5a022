// Looks at the database through the eyes of every configured role. It must never write, nor judge one role by what another may do.
import type { Config } from '../../environment.ts';
import type { Queryable } from '../../io/db/database.ts';
import {
  openExaminer,
  readChangedMigrations,
  readClock,
  readIdentity,
  readPartitions,
  readServer,
} from '../../io/db/examine-server.ts';
import { reviewOwner, reviewRole } from '../../io/db/examine-role.ts';
import { MONTHS_AHEAD } from '../../io/db/partitions.ts';
import { readSchema } from '../../io/db/schema.ts';
import type { RoleName } from '../../io/db/roles.ts';
import { about, type Check, reasonOf, some } from './check.ts';
import { judgeServer } from './server.ts';

const SETTINGS = {
  writer: 'DATABASE_URL',
  reader: 'DATABASE_READER_URL',
  sealer: 'DATABASE_SEALER_URL',
  owner: 'DATABASE_OWNER_URL',
} as const satisfies Readonly<Record<RoleName, string>>;
const SKEW = { degradedMs: 2_000, blockedMs: 30_000 };

interface Visit {
  readonly checks: readonly Check[];
  readonly identity: string | null;
}

export async function checkDatabase(config: Config, now: () => number): Promise<readonly Check[]> {
  const writer = await visitWriter(config.DATABASE_URL, now);
  const others: Visit[] = [];
  for (const role of ['reader', 'sealer', 'owner'] as const) others.push(await visit(role, config[SETTINGS[role]]));
  const identities = [writer, ...others].flatMap(({ identity }) => identity ?? []);
  return [...writer.checks, ...others.flatMap(({ checks }) => checks), ...judgeIdentities(identities)];
}

async function visitWriter(url: string | undefined, now: () => number): Promise<Visit> {
  if (url === undefined) {
    const check = about('database.writer', 'DATABASE_URL: can be reached');
    const todo =
      'name the database and the account of the role `privity_writer`; `privity serve` does not start without';
    return { checks: [check.failure('DATABASE_URL is not set', todo)], identity: null };
  }
  return within('writer', url, {
    privileges: (db) => checkPrivileges(db, 'writer'),
    server: async (db) => judgeServer(await readServer(db), url),
    schema: checkSchema,
    partitions: (db) => checkPartitions(db, now()),
    clock: (db) => checkClock(db, now),
  });
}

async function visit(role: 'reader' | 'sealer' | 'owner', url: string | undefined): Promise<Visit> {
  if (url === undefined) return { checks: role === 'reader' ? [noReader()] : [], identity: null };
  return within(role, url, {
    privileges: (db) => (role === 'owner' ? checkOwner(db) : checkPrivileges(db, role)),
  });
}

function noReader(): Check {
  return about('database.reader', 'DATABASE_READER_URL: can be reached').warning(
    'not set: the writer may not read records, so that nobody can, and no duty reaches the webhook',
    'name the database and the account of the role `privity_reader`',
  );
}

type Look = (db: Queryable) => Promise<Check | readonly Check[]>;

/** Connects, and says so; each look then fails for itself. */
async function within(role: RoleName, url: string, looks: Readonly<Record<string, Look>>): Promise<Visit> {
  const check = about(`database.${role}`, `${SETTINGS[role]}: can be reached`);
  let client: Awaited<ReturnType<typeof openExaminer>>;
  try {
    client = await openExaminer({ url, applicationName: 'privity doctor' });
  } catch (error) {
    const todo = 'see that the server runs, is reached from here, and that user, password and database are right';
    return { checks: [check.failure(`no connection: ${reasonOf(error)}`, todo)], identity: null };
  }
  try {
    const checks: Check[] = [check.ok('reached')];
    for (const [name, look] of Object.entries(looks)) checks.push(...(await attempt(role, name, () => look(client))));
    return { checks, identity: await readIdentity(client).catch(() => null) };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function attempt(role: RoleName, name: string, look: () => ReturnType<Look>): Promise<readonly Check[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    const check = about(`${name}.${role}`, `the ${name}, as the account of ${SETTINGS[role]} sees it`);
    return [
      check.couldNotCheck(
        reasonOf(error),
        'mend what else is wrong with this role; if the server was busy, run this again',
      ),
    ];
  }
}

async function checkPrivileges(db: Queryable, role: Exclude<RoleName, 'owner'>): Promise<Check> {
  const check = about(`privileges.${role}`, `what the account of ${SETTINGS[role]} may do, from whatever source`);
  const { account, missing, excess } = await reviewRole(db, role);
  if (missing.length === 0 && excess.length === 0) return check.ok(`${account}: exactly what the role needs`);
  const words = [
    ...(excess.length === 0 ? [] : [`too much: ${some(excess)}`]),
    ...(missing.length === 0 ? [] : [`too little: ${some(missing)}`]),
  ];
  const todo = [
    ...(excess.length === 0
      ? []
      : [`use an account whose only right is \`grant privity_${role} to …\`, and revoke the rest`]),
    ...(missing.length === 0 ? [] : ['run `privity migrate`, which grants what is missing to the role']),
  ];
  return check.failure(`${account}: ${words.join('; ')}`, todo.join('; '));
}

async function checkOwner(db: Queryable): Promise<Check> {
  const check = about('privileges.owner', 'the account that migrates; the service itself does not need it');
  const { account, isSuperuser, mayActAsOwner, strangers } = await reviewOwner(db);
  if (!mayActAsOwner)
    return check.failure(`${account} may not act as privity_owner`, `run \`grant privity_owner to ${account}\``);
  if (strangers.length > 0) {
    const todo = 'run `alter table … owner to privity_owner` for each';
    return check.failure(`${account} meets tables that are not owned by privity_owner: ${some(strangers)}`, todo);
  }
  if (isSuperuser) {
    return check.warning(
      `${account} is a superuser`,
      'migrate with an account that owns the database and may create roles',
    );
  }
  return check.ok(`${account} may act as privity_owner, which owns every table`);
}

async function checkSchema(db: Queryable): Promise<Check> {
  const check = about('database.schema', 'whether this version works on the schema of the database');
  const { applied, known, needed, compatibleWith } = await readSchema(db);
  if (applied < needed) return check.failure(`schema ${applied} of ${known}`, 'run `privity migrate`');
  if (applied > known && compatibleWith > known) {
    return check.failure(`schema ${applied}; this version knows ${known}`, 'start the newer version');
  }
  const changed = await readChangedMigrations(db);
  if (changed.length > 0) {
    const todo = 'run the version that migrated this database; find out who changed the files';
    return check.failure(`applied migrations differ from the files of this version: ${some(changed)}`, todo);
  }
  if (applied < known) {
    const todo = 'run `privity migrate` once every process is of this version';
    return check.warning(`schema ${applied} of ${known}; the rest waits`, todo);
  }
  return check.ok(applied > known ? `schema ${applied}, newer, works with this version` : `schema ${applied}`);
}

async function checkPartitions(db: Queryable, now: number): Promise<Check> {
  const check = about('database.partitions', 'partitions for the records of this month and the next three');
  const present = new Set(await readPartitions(db));
  const today = new Date(now);
  const wanted = Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => {
    const month = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead, 1));
    return month.toISOString().slice(0, 7).replace('-', '_');
  });
  const missing = wanted.filter((month) => !present.has(month));
  const todo = 'start the service, which makes them, or run `privity migrate`';
  if (missing.length === 0) return check.ok(`until ${wanted.at(-1)?.replace('_', '-')}`);
  const words = `none for ${missing.map((month) => month.replace('_', '-')).join(', ')}`;
  return missing[0] === wanted[0]
    ? check.failure(`${words}: no record can be written`, todo)
    : check.warning(words, todo);
}

async function checkClock(db: Queryable, now: () => number): Promise<Check> {
  const check = about('database.clock', 'this machine’s clock against the database’s');
  const { before, database, after } = await readClock(db, now);
  // Only what lies outside of our two readings is skew, however long the answer took.
  const skew = database > after ? after - database : Math.max(0, before - database);
  const off = Math.abs(skew);
  const words = `${(off / 1000).toFixed(1)} s ${skew < 0 ? 'behind' : 'ahead of'} the database`;
  const todo = 'let both machines follow a time server (chrony, systemd-timesyncd)';
  if (off > SKEW.blockedMs) return check.failure(`${words}: no decision will leave the service`, todo);
  if (off > SKEW.degradedMs) return check.warning(words, todo);
  return check.ok(off < 100 ? 'together' : words);
}

function judgeIdentities(identities: readonly string[]): readonly Check[] {
  if (identities.length < 2) return [];
  const check = about('database.same', 'whether all URLs lead to one database, or to standbys of it');
  if (new Set(identities).size === 1) return [check.ok('all URLs lead to the same database')];
  return [
    check.failure(
      'the URLs lead to different databases',
      'let them name the same server (or its standbys) and database',
    ),
  ];
}
