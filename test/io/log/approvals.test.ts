// Approvals in the database: each is spent once, for exactly what it was given for, and only with its record.
import t from 'tap';
import { createDatabase as openPool } from '../../../src/io/db/database.ts';
import { createApprovals, type ApprovedThing, type Approvals } from '../../../src/io/log/approvals.ts';
import { uuidv7 } from '../../../src/core/record/uuid.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { decision } from '../../helpers/rows.ts';

const { urls } = await createDatabase(t);
const writer = await connect(t, urls.writer);
const owner = await connect(t, urls.owner);
const pools: readonly Approvals[] = [1, 2].map(() => {
  const pool = openPool({ url: urls.writer, applicationName: 'privity', max: 4, onError: () => undefined });
  t.teardown(() => pool.close());
  return createApprovals(pool.pool);
});
const [approvals] = pools as [Approvals];

const NOW = Date.now();
const HOUR = 3_600_000;
const thing: ApprovedThing = {
  requester: 'u-rowe',
  action: 'dispose',
  resourceType: 'document',
  resourceId: 'D-1',
  matter: 'M-1003',
  client: 'C-100',
};

async function given(changes: Partial<ApprovedThing> = {}, expiresAt = NOW + HOUR): Promise<string> {
  const row = decision({ kind: 'approval' }, new Date(NOW));
  await writer.query(...row.insert);
  const id = String(row.values['id']);
  await approvals.add({ ...thing, ...changes, id, approver: 'u-okafor', roles: ['partner', 'x'], at: NOW, expiresAt });
  return id;
}

const spend = async (ids: readonly string[], changes: Partial<ApprovedThing> = {}, now = NOW, by = approvals) =>
  (await by.spend(ids, { ...thing, ...changes }, uuidv7(now), now)).map(({ id }) => id);

t.test('says who gave it, in which roles, until when', async (t) => {
  const id = await given();
  const evaluation = uuidv7(NOW);
  t.strictSame(await approvals.spend([id], thing, evaluation, NOW), [
    { id, by: 'u-okafor', roles: ['partner', 'x'], expiresAt: NOW + HOUR },
  ]);
  const { rows } = await owner.query('select evaluation_id, at from approval_uses where approval_id = $1', [id]);
  t.strictSame(rows, [{ evaluation_id: evaluation, at: new Date(NOW) }]);
  t.strictSame(await spend([id]), []);
});

t.test('fits one thing, and what does not fit leaves it unspent', async (t) => {
  const id = await given();
  for (const changes of [
    { requester: 'u-other' },
    { action: 'delete' },
    { resourceType: 'note' },
    { resourceId: 'D-2' },
    { matter: 'M-1002' },
    { matter: null },
    { client: 'C-200' },
    { client: null },
  ]) {
    t.strictSame(await spend([id], changes), [], JSON.stringify(changes));
  }
  t.strictSame(await spend([id], {}, NOW - 1), [], 'before it was given');
  t.strictSame(await spend([id], {}, NOW + HOUR), [], 'when it has expired');
  t.strictSame(await spend([id, uuidv7(NOW)], {}, NOW + HOUR - 1), [id]);
  const nowhere = await given({ matter: null, client: null });
  t.strictSame(await spend([nowhere], { matter: null, client: null }), [nowhere], 'no matter is no matter');
});

t.test('without its record it is worth nothing', async (t) => {
  const id = uuidv7(NOW);
  await approvals.add({ ...thing, id, approver: 'u-okafor', roles: [], at: NOW, expiresAt: NOW + HOUR });
  t.strictSame(await spend([id]), []);
  const row = decision({ id, kind: 'approval' }, new Date(NOW));
  await writer.query(...row.insert);
  t.strictSame(await spend([id]), [id]);
});

t.test('whoever races for it, one gets it', async (t) => {
  for (let race = 0; race < 50; race++) {
    const ids = [await given(), await given()];
    const order = (index: number): readonly string[] => (index % 2 === 0 ? ids : ids.toReversed());
    const spent = await Promise.all(
      Array.from({ length: 8 }, (_, index) => spend(order(index), {}, NOW, pools[index % 2] ?? approvals)),
    );
    t.strictSame(spent.flat().toSorted(), ids.toSorted());
  }
});

t.test('a database that does not answer is not waited for without end', async (t) => {
  const id = await given();
  await owner.query('begin');
  await owner.query('lock table approval_uses in access exclusive mode');
  await t.rejects(spend([id]), { message: 'Query read timeout' });
  await owner.query('rollback');
  const later = await spend([id]);
  t.ok(later.length <= 1, 'either nobody has it now or this one has');
  t.strictSame(await spend([id]), []);
});
