// The list of accesses that have to be reviewed: derived from records, judged row by row, read on the record.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { decision } from '../helpers/rows.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;

const inclusion = `walls:
  - id: W-IN-9
    kind: inclusion
    matter_id: M-4001
    included_people: [u-okafor]
    acknowledged_by: [u-okafor]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rig: TestApp = await startApp(t, { files: { 'walls/more.yaml': inclusion } });

async function reviews(person: string, query = '') {
  const response = await rig.inject({
    method: 'GET',
    url: `/v1/reviews${query}`,
    headers: { authorization: `Bearer ${rig.personToken(person, { azp: 'privity-log-review' })}` },
  });
  const body = response.json<{ reviews: Json[]; next: string | null; [member: string]: unknown }>();
  return { status: response.statusCode, body, ids: body.reviews?.map((one) => one['evaluation_id']) };
}

async function lastReading(): Promise<Json> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by seq desc limit 1`,
  );
  return JSON.parse(rows[0]?.bytes.toString('utf8') ?? '{}');
}

async function breakGlass(person: string, id: string, properties: Json = {}): Promise<string> {
  const { body } = await rig.ask(person, {
    action: { name: 'read' },
    resource: document(id, properties),
    context: { ...OFFICE, break_glass_reason: 'Hearing at nine, the team is not to be reached' },
  });
  if (body.decision !== true) throw new Error(`no emergency access: ${JSON.stringify(body)}`);
  // Ids of one and the same millisecond are in no particular order.
  while (Date.now() <= Date.parse(String(body.context?.['evaluated_at']))) await sleep(1);
  return String(body.context?.['evaluation_id']);
}

t.test('nothing to review is an empty list, and reading it is recorded', async (t) => {
  const { status, body } = await reviews('u-audley');
  t.equal(status, 200);
  t.strictSame(body, { reviews: [], next: null });
  t.match(await lastReading(), {
    kind: 'read',
    outcome: 'allow',
    read: { what: 'reviews', rows: 0, limit: 50, after: null },
  });
});

t.test('emergency accesses, newest first, with who, what and until when', async (t) => {
  const older = await breakGlass('u-quinn', 'D-1');
  await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-2'), context: OFFICE });
  const newer = await breakGlass('u-rush', 'D-3', { matter_id: 'M-5001', client_id: 'C-600' });
  const { body, ids } = await reviews('u-audley');
  t.strictSame(ids, [newer, older]);
  const record = await rig.record(older);
  t.strictSame(body.reviews[1], {
    evaluation_id: older,
    at: record['at'],
    due: new Date(Date.parse(String(record['at'])) + 86_400_000).toISOString(),
    state: 'open',
    overdue: false,
    subject: { id: 'u-quinn', actor: null },
    action: 'read',
    resource: { type: 'document', id: 'D-1' },
    matter: 'M-1001',
    client: 'C-100',
    decided_by: ['break-glass'],
    obligations: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
    reviews: [],
  });
  t.match(await lastReading(), { subject: { id: 'u-audley' }, read: { rows: 2 } });
  t.strictSame((await reviews('u-secord')).ids, [newer, older], 'security officers list the log too');
});

t.test('others are told that nothing is here, and that is recorded', async (t) => {
  for (const person of ['u-okafor', 'u-rowe', 'u-quinn']) {
    const { status, body } = await reviews(person);
    t.match({ status, body }, { status: 404, body: { code: 'not_found' } });
    t.match(await lastReading(), { outcome: 'deny', subject: { id: person }, read: { what: 'reviews', rows: 0 } });
  }
});

t.test('pages go on where the last one ended, whatever is added meanwhile', async (t) => {
  const ids: string[] = [];
  for (let index = 0; index < 7; index++) ids.unshift(await breakGlass('u-quinn', `D-1${index}`));
  const first = await reviews('u-audley', '?limit=3');
  t.strictSame(first.ids, ids.slice(0, 3));
  t.match(await lastReading(), { read: { rows: 3, limit: 3 } });
  await breakGlass('u-quinn', 'D-20');
  const second = await reviews('u-audley', `?limit=3&after=${first.body.next}`);
  t.strictSame(second.ids, ids.slice(3, 6));
  const rest = await reviews('u-audley', `?after=${second.body.next}`);
  t.equal(rest.ids.length, 3);
  t.equal(rest.body.next, null);
});

t.test('rows behind a wall of the reader leave no trace: not in rows, counts or cursors', async (t) => {
  const all = (await reviews('u-audley', '?limit=200')).ids;
  const hidden: string[] = [];
  const visible: string[] = [];
  for (let index = 0; index < 3; index++) {
    visible.unshift(await breakGlass('u-quinn', `D-3${index}`));
    const behind = { matter_id: 'M-4001', client_id: 'C-500', export_controlled: false };
    hidden.unshift(await breakGlass('u-okafor', `D-4${index}`, behind));
  }
  const { ids } = await reviews('u-audley', '?limit=200');
  t.strictSame(ids, [...visible, ...all]);
  t.match(await lastReading(), { read: { rows: ids.length } });
  const shown: unknown[] = [];
  for (let after: string | null = '', page = await reviews('u-audley', '?limit=1'); after !== null;) {
    shown.push(...page.ids);
    t.equal(page.ids.length, 1, 'every page is full');
    after = page.body.next;
    t.ok(after === null || after === page.ids[0], 'a cursor is the last row that was given');
    if (after !== null) page = await reviews('u-audley', `?limit=1&after=${after}`);
  }
  t.strictSame(shown, ids);
  t.notOk(hidden.some((id) => shown.includes(id)));
  const beyond = await reviews('u-audley', `?limit=200&after=${hidden[0]}`);
  t.strictSame(
    beyond.ids,
    ids.filter((id) => String(id) < String(hidden[0])),
    'a hidden row is a place like any other',
  );
});

t.test('a review whose time is over is overdue; bytes that say nothing hide nothing', async (t) => {
  const writer = await connect(t, rig.urls.writer);
  const [before] = (await reviews('u-audley', '?limit=1')).ids;
  const at = new Date(Date.now() - 23 * 3_600_000);
  const record = {
    obligations: ['review:22h'],
    action: 'read',
    subject: { id: 'u-x' },
    resource: { type: 'note', id: 'N' },
  };
  const inTime = { ...record, obligations: ['review:24h', 'review:3d'] };
  for (const said of [record, inTime, 'no JSON at all']) {
    const bytes = Buffer.from(typeof said === 'string' ? said : JSON.stringify(said));
    await writer.query(...decision({ obligations: ['review:22h'], bytes }, at).insert);
  }
  const found = (await reviews('u-audley', '?limit=200')).body.reviews;
  t.equal(found[0]?.['evaluation_id'], before);
  const mine = found.filter((one) => one['at'] === at.toISOString());
  t.strictSame(
    mine.map(({ due, overdue }) => ({ due, overdue })).sort((a, b) => (String(a.due) < String(b.due) ? -1 : 1)),
    [
      { due: at.toISOString(), overdue: true },
      { due: new Date(at.getTime() + 22 * 3_600_000).toISOString(), overdue: true },
      { due: new Date(at.getTime() + 24 * 3_600_000).toISOString(), overdue: false },
    ],
  );
});

t.test('queries that mean nothing are a 400', async (t) => {
  for (const query of [
    '?limit=0',
    '?limit=201',
    '?limit=1.5',
    '?limit=-1',
    '?limit=',
    '?after=x',
    '?before=x',
    '?state=closed',
    '?limit=1&limit=2',
  ]) {
    t.match(await reviews('u-audley', query), { status: 400, body: { code: 'malformed_request' } }, query);
  }
});
