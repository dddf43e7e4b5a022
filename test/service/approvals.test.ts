// Two processes of the service on one database, racing for the same approvals: each is used once, whoever comes first, and the log
// says so.
import t from 'tap';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { startService, whenReady, type Service } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { readServiceLog } from './log.ts';

type Json = Readonly<Record<string, unknown>>;

const RACES = 25;

const { urls, superuserUrl } = await createDatabase(t);
const firm = await createFirm(t);
const services = await Promise.all([1, 2].map(() => startService(t, { urls, firm })));
await Promise.all(services.map((service) => whenReady(service)));
const reader = await connect(t, urls.reader);
const caller = firm.callerToken('dms');
const approver = firm.subjectToken('dms', 'u-okafor');
const requester = firm.subjectToken('dms', 'u-rowe');
const [first, second] = services as [Service, Service];

async function post(service: Service, path: string, body: Json): Promise<{ status: number; body: Json }> {
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const old = (id: string): Json => ({
  type: 'document',
  id,
  properties: {
    matter_id: 'M-1003',
    client_id: 'C-100',
    matter_status: 'closed',
    confidentiality: 'confidential',
    privileged: false,
    work_product: false,
    work_product_internal: false,
    phi: false,
    export_controlled: false,
    legal_hold: false,
    client_notified: true,
    retention_until: '2026-01-01T00:00:00Z',
  },
});
const context = { network_zone: 'office', device_managed: true };

async function approve(service: Service, id: string): Promise<string> {
  const { status, body } = await post(service, '/v1/approvals', {
    subject_token: approver,
    requester: 'u-rowe',
    action: { name: 'dispose' },
    resource: old(id),
    context,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return String(body['approval_id']);
}

const dispose = async (service: Service, id: string, approvals: readonly string[]) =>
  post(service, '/v1/authorize', {
    subject_token: requester,
    action: { name: 'dispose' },
    resource: old(id),
    context: { ...context, approval_ids: approvals },
  });

async function recordOf({ body }: { readonly body: Json }): Promise<Json> {
  const id = (body['context'] as Json)['evaluation_id'];
  const { rows } = await reader.query<{ bytes: Buffer }>('select bytes from decisions where id = $1', [id]);
  return JSON.parse(rows[0]?.bytes.toString('utf8') ?? '{}');
}

async function recordsOf(answers: readonly { readonly body: Json }[]): Promise<readonly Json[]> {
  const records: Json[] = [];
  for (const answer of answers) records.push(await recordOf(answer));
  return records;
}

t.test('exactly one of those who race for an approval gets it', async (t) => {
  for (let race = 0; race < RACES; race++) {
    const id = `D-${race}`;
    const approval = await approve(race % 2 === 0 ? first : second, id);
    const runners = [first, second, first, second];
    const answers = await Promise.all(runners.map((service) => dispose(service, id, [approval])));
    const allowed = answers.filter(({ body }) => body['decision'] === true);
    t.strictSame([answers.every(({ status }) => status === 200), allowed.length], [true, 1], id);
    const records = await recordsOf(answers);
    const proven = records.filter((record) => (record['approvals'] as { ids: string[] }).ids.includes(approval));
    t.strictSame(
      proven.map((record) => [record['outcome'], record['approvals']]),
      [['allow', { ids: [approval], proven: [{ by: 'u-okafor', role: 'partner' }] }]],
    );
    const { rows } = await reader.query('select evaluation_id as id from approval_uses where approval_id = $1', [
      approval,
    ]);
    t.strictSame(rows, [{ id: proven[0]?.['id'] }]);
  }
});

t.test('several approvals at once, in any order, are used once each and lock nobody out', async (t) => {
  for (let race = 0; race < RACES; race++) {
    const id = `E-${race}`;
    const approvals = await Promise.all([approve(first, id), approve(second, id), approve(first, id)]);
    const answers = await Promise.all([
      dispose(first, id, approvals),
      dispose(second, id, approvals.toReversed()),
      dispose(second, id, [...approvals.slice(1), ...approvals.slice(0, 1)]),
    ]);
    const records = await recordsOf(answers);
    const used = records.flatMap((record) => (record['approvals'] as { ids: string[] }).ids);
    t.strictSame(used.toSorted(), approvals.toSorted(), id);
  }
});

t.test('an approval stays used when the process dies before its answer', async (t) => {
  const approval = await approve(second, 'F-1');
  const blocker = await connect(t, urls.owner);
  // Records wait behind this, uses of approvals do not.
  await blocker.query('begin');
  await blocker.query('lock table commitments in share row exclusive mode');
  const asking = dispose(first, 'F-1', [approval]).then(
    () => 'answered',
    () => 'cut off',
  );
  const isUsed = async (): Promise<boolean> =>
    (await reader.query('select from approval_uses where approval_id = $1', [approval])).rowCount === 1;
  while (!(await isUsed())) await new Promise((resolve) => setTimeout(resolve, 20));
  await first.kill();
  t.equal(await asking, 'cut off');
  await blocker.query('rollback');
  const again = await dispose(second, 'F-1', [approval]);
  t.match(again, { status: 200, body: { decision: false } });
  t.match(await recordOf(again), { approvals: { ids: [], proven: [] }, decided_by: ['default-deny'] });
});

t.test('chains verify, columns say what bytes say, and every approval has its record', async (t) => {
  const log = await readServiceLog(superuserUrl, firm.certifier);
  t.strictSame(log.problems, []);
  const recorded = log.records.filter(({ kind, said }) => kind === 'approval' && said['outcome'] === 'allow');
  const { rows } = await reader.query<{ id: string }>('select id from approvals order by id');
  t.strictSame(
    rows.map(({ id }) => id),
    recorded.map(({ id }) => id).toSorted(),
  );
  t.equal(rows.length, 4 * RACES + 1);
});
