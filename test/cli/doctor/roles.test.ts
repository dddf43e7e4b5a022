// `privity doctor` finds every account that may do more, or less, than its role: RECORD.md, "Schema". Each fault is real, on an account of its own.
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createPatient } from '../../helpers/doctor.ts';
import { connect } from '../../helpers/postgres.ts';

type Role = 'writer' | 'reader' | 'sealer' | 'owner';

interface Fault {
  readonly role: Role;
  readonly what: string;
  /** After the account was made; `$` stands for it. */
  readonly sql: string;
  readonly attributes?: string;
  readonly found: RegExp;
  readonly verdict?: 'failure' | 'warning';
}

const MONTH = new Date().toISOString().slice(0, 7).replace('-', '_');
const RIGHT = (role: Role): string => `grant privity_${role} to $`;
/** In rounds: each round is one run, with one faulty account for each role. */
const ROUNDS: readonly (readonly Fault[])[] = [
  [
    { role: 'writer', what: 'superuser', attributes: 'superuser', sql: '', found: /too much: is a superuser/ },
    {
      role: 'reader',
      what: 'owner',
      sql: 'grant privity_reader, privity_owner to $',
      found: /member of privity_owner/,
    },
    { role: 'sealer', what: 'creates roles', attributes: 'createrole', sql: RIGHT('sealer'), found: /creates roles/ },
    { role: 'owner', what: 'superuser', attributes: 'superuser', sql: '', found: /superuser/, verdict: 'warning' },
  ],
  [
    {
      role: 'writer',
      what: 'changes records',
      sql: `${RIGHT('writer')}; grant update, delete, truncate on commitments to $`,
      found: /too much: update on commitments, delete on commitments, truncate on commitments/,
    },
    {
      role: 'reader',
      what: 'reads everything',
      sql: `${RIGHT('reader')}; grant pg_read_all_data to $`,
      found: /member of pg_read_all_data/,
    },
    {
      role: 'sealer',
      what: 'sees payloads',
      sql: `${RIGHT('sealer')}; grant select (bytes) on decisions to $`,
      found: /select on decisions \(bytes\)/,
    },
    { role: 'owner', what: 'no owner', sql: '', found: /may not act as privity_owner/ },
  ],
  [
    {
      role: 'writer',
      what: 'goes around the parent',
      sql: `${RIGHT('writer')}; grant select on decisions_${MONTH} to $`,
      found: new RegExp(`select on decisions_${MONTH}`),
    },
    {
      role: 'reader',
      what: 'makes partitions',
      sql: `${RIGHT('reader')}; grant execute on function ensure_partitions to $`,
      found: /execute ensure_partitions/,
    },
    {
      role: 'sealer',
      what: 'creates tables',
      sql: `${RIGHT('sealer')}; grant create on schema public to $`,
      found: /creates objects in the schema public/,
    },
    {
      role: 'owner',
      what: 'owner',
      sql: 'grant privity_owner to $; alter table deliveries owner to $',
      found: /not owned by privity_owner: deliveries/,
    },
  ],
  [
    { role: 'writer', what: 'may do nothing', sql: '', found: /too little: insert on decisions, .*more/ },
    {
      role: 'reader',
      what: 'lacks one table',
      sql: 'grant select on decisions, commitments to $',
      found: /too little: select on heads/,
    },
    {
      role: 'sealer',
      what: 'streams',
      attributes: 'replication bypassrls',
      sql: RIGHT('sealer'),
      found: /may stream the whole server.*bypasses row security/,
    },
  ],
  [
    {
      role: 'writer',
      what: 'also reads',
      sql: 'grant privity_writer, privity_reader to $',
      found: /member of privity_reader/,
    },
    {
      role: 'reader',
      what: 'owns a table',
      sql: `${RIGHT('reader')}; create table mine_of_$ (x int); alter table mine_of_$ owner to $`,
      found: /owns mine_of_/,
    },
    {
      role: 'sealer',
      what: 'creates databases',
      attributes: 'createdb',
      sql: RIGHT('sealer'),
      found: /creates databases/,
    },
  ],
];

const patient = await createPatient(t);
const admin = await connect(t, patient.database.superuserUrl);

async function makeAccount({ attributes = '', sql }: Fault): Promise<{ url: string; account: string }> {
  const account = `doctor_${randomBytes(5).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await admin.query(`create role ${account} login password '${password}' ${attributes}`);
  t.teardown(async () => {
    const cleaner = await connect(t, patient.database.superuserUrl);
    await cleaner.query(`reassign owned by ${account} to current_user; drop owned by ${account}; drop role ${account}`);
    await cleaner.end();
  });
  if (sql !== '') await admin.query(sql.replaceAll('$', account));
  const url = new URL(patient.database.urls.writer);
  url.username = account;
  url.password = password;
  return { url: url.href, account };
}

const SETTING = {
  writer: 'DATABASE_URL',
  reader: 'DATABASE_READER_URL',
  sealer: 'DATABASE_SEALER_URL',
  owner: 'DATABASE_OWNER_URL',
};

for (const faults of ROUNDS) {
  t.test(faults.map(({ role, what }) => `${role}: ${what}`).join('; '), async (t) => {
    const accounts: { readonly fault: Fault; readonly url: string; readonly account: string }[] = [];
    for (const fault of faults) accounts.push({ fault, ...(await makeAccount(fault)) });
    const env = Object.fromEntries(accounts.map(({ fault, url }) => [SETTING[fault.role], url]));
    const { code, check, out } = await patient.diagnose(env);
    t.equal(code, 1);
    for (const { fault, account, url } of accounts) {
      const { verdict, found, todo } = check(`privileges.${fault.role}`);
      t.equal(verdict, fault.verdict ?? 'failure', `${fault.role}: ${found}`);
      t.match(found, fault.found);
      t.match(found, account, 'it says whose');
      t.not(todo, null);
      t.equal(check(`database.${fault.role}`).verdict, 'ok');
      t.notOk(out.includes(new URL(url).password), 'no secret');
    }
    await admin.query('alter table deliveries owner to privity_owner');
  });
}

t.test('accounts that are only members of their roles are as good as the roles themselves', async (t) => {
  const roles = ['writer', 'reader', 'sealer', 'owner'] as const;
  const accounts: Record<string, string> = {};
  for (const role of roles) {
    accounts[SETTING[role]] = (await makeAccount({ role, what: '', sql: RIGHT(role), found: /./ })).url;
  }
  const { code, check } = await patient.diagnose(accounts);
  t.equal(code, 0);
  for (const role of roles) t.equal(check(`privileges.${role}`).verdict, 'ok', check(`privileges.${role}`).found);
});
