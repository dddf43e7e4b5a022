import t from 'tap';
import { connect } from '../helpers/postgres.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';

const rig: TestApp = await startApp(t);
type Json = Readonly<Record<string, unknown>>;

async function get(url: string, token: string) {
  const response = await rig.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
  return { status: response.statusCode, body: response.json() as Json };
}

const readRecord = (id: string, person = 'u-audley', claims: Json = {}) =>
  get(`/v1/decisions/${id}`, rig.personToken(person, claims));

async function decide(person: string, properties: Json = {}, context: Json = {}): Promise<string> {
  const question = {
    action: { name: 'read' },
    resource: document('D-1', properties),
    context: { ...OFFICE, ...context },
  };
  const { body } = await rig.ask(person, question);
  return String(body.context?.['evaluation_id']);
}

async function readings(): Promise<readonly Json[]> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by seq`,
  );
  return rows.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as Json);
}

t.test('an auditor reads a record, free text masked, with its proof', async (t) => {
  const id = await decide(
    'u-okafor',
    {},
    { purpose: 'call from Mr. Alder', break_glass_reason: 'He said it was urgent' },
  );
  const { status, body } = await readRecord(id);
  t.equal(status, 200);
  const stored = await rig.record(id);
  t.match(stored, {
    context: { purpose: 'call from Mr. Alder' },
    free_text: ['context.break_glass_reason', 'context.purpose'],
  });
  const { rows } = await rig.reader.query<{ hash: Buffer; writer: string; seq: number }>(
    'select c.hash, c.writer, c.seq::int from commitments c join decisions d using (writer, seq) where d.id = $1',
    [id],
  );
  t.match(body, {
    id,
    kind: 'decision',
    at: stored['at'],
    proof: { writer: rows[0]?.writer, seq: rows[0]?.seq, hash: rows[0]?.hash.toString('hex'), intact: true },
  });
  const masked = { ...(stored['context'] as Json), purpose: '[masked]', break_glass_reason: '[masked]' };
  t.same(body['record'], { ...stored, context: masked }, 'and nothing else is different');
});

t.test('every reading is a record of its own', async (t) => {
  const id = await decide('u-okafor');
  const before = (await readings()).length;
  await readRecord(id);
  await readRecord(id, 'u-okafor');
  await readRecord('0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e');
  await readRecord('%00%ff%2e%2e');
  await readRecord('no-such-thing');
  const read = (await readings()).slice(before);
  t.match(read, [
    {
      outcome: 'allow',
      read: { what: 'record', id, rows: 1 },
      subject: { id: 'u-audley' },
      decided_by: ['auditor-records'],
    },
    {
      outcome: 'deny',
      read: { what: 'record', id, rows: 0 },
      subject: { id: 'u-okafor' },
      decided_by: ['default-deny'],
    },
    { outcome: 'allow', read: { rows: 0 } },
    { outcome: 'allow', read: { rows: 0, id: 'no-such-thing' } },
  ]);
  t.match(read[0], {
    kind: 'read',
    action: 'read',
    resource: { type: 'decision_log', id, properties: { matter_id: 'M-1001', client_id: 'C-100' } },
    caller: { source_system: 'privity', id: 'dms' },
    matter: 'M-1001',
  });
});

t.test('what may not be read answers like what does not exist', async (t) => {
  const id = await decide('u-okafor');
  const behindWall = await decide('u-carvalho', { matter_id: 'M-2001', client_id: 'C-200' });
  const answers = [
    await readRecord(id, 'u-okafor'),
    await readRecord(behindWall),
    await readRecord('0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'),
    await readRecord(id.toUpperCase()),
    await readRecord(`${id}%20`),
    await readRecord(`%00${id}`),
    await readRecord('..%2f..'),
    await readRecord('x'.repeat(300)),
    await readRecord(id, 'u-audley', { roles: ['associate'] }),
  ];
  const expected = { ...answers[2]?.body, request_id: '' };
  for (const { status, body } of answers) {
    t.equal(status, 404);
    t.same({ ...body, request_id: '' }, expected);
  }
  t.match(await rig.record(behindWall), { matter: 'M-2001' });
  t.match(
    (await readings()).find(({ matter }) => matter === 'M-2001'),
    { decided_by: ['inclusion-wall'], outcome: 'deny' },
  );
});

t.test('a request that contradicted the file can be read by whoever may see both sides', async (t) => {
  const id = await decide('u-lind', { client_id: 'C-999' });
  t.match(await rig.record(id), { decided_by: ['client-matter-mismatch'], client: 'C-999' });
  t.equal((await readRecord(id)).status, 200);
  // u-adler is excluded from the client that the matter belongs to on file.
  t.equal((await readRecord(id, 'u-adler', { roles: ['auditor'] })).status, 404);
});

t.test('fields that the dictionary does not declare are not kept', async (t) => {
  const recipient = { verified: true, channel: 'sftp', id: 'r-1', note: 'anything at all' };
  const stored = await rig.record(await decide('u-lind', {}, { recipient }));
  t.same((stored['context'] as Json)['recipient'], { channel: 'sftp', id: 'r-1', verified: true });
});

t.test('readers are judged like everybody else: MFA, lockdown, actor', async (t) => {
  const id = await decide('u-okafor');
  t.equal((await readRecord(id, 'u-audley', { amr: ['pwd'] })).status, 404);
  t.equal((await readRecord(id, 'u-audley', { employee_status: 'suspended' })).status, 404);
  const caller = await get(`/v1/decisions/${id}`, rig.callerToken('dms'));
  t.equal(caller.status, 403, 'a caller alone is nobody who could read');
});

t.test('records of other kinds are read the same way', async (t) => {
  const { rows } = await rig.reader.query<{ id: string; kind: string }>(
    `select distinct on (kind) id, kind from decisions where kind in ('writer_opened', 'policy_loaded', 'read')`,
  );
  t.equal(rows.length, 3);
  for (const { id, kind } of rows)
    t.match(await readRecord(id), { status: 200, body: { kind, proof: { intact: true } } }, kind);
});

t.test('a record that was changed behind our back says so', async (t) => {
  const id = await decide('u-okafor');
  const owner = await connect(t, rig.urls.owner);
  await owner.query(`do $$ declare part text; begin
    for part in select inhrelid::regclass::text from pg_inherits where inhparent = 'public.decisions'::regclass loop
      execute format('alter table %s disable trigger guard', part);
    end loop; end $$; alter table decisions disable trigger guard`);
  await owner.query(
    `update decisions set bytes = convert_to(replace(convert_from(bytes, 'utf8'), 'u-okafor', 'u-nobody'), 'utf8') where id = $1`,
    [id],
  );
  t.match(await readRecord(id), {
    status: 200,
    body: { record: { subject: { id: 'u-nobody' } }, proof: { intact: false } },
  });
});

t.test('the policy in force is for those who may read policy', async (t) => {
  const { revision, commit } = rig.app.policies.current();
  const auditor = await get('/v1/policy', rig.personToken('u-audley'));
  t.match(auditor, { status: 200, body: { revision, commit, loaded_at: /Z$/ } });
  t.equal((await get('/v1/policy', rig.personToken('u-okafor'))).status, 404);
  t.match((await readings()).slice(-2), [
    { resource: { type: 'policy', id: revision }, outcome: 'allow', read: { what: 'policy', rows: 1 } },
    { resource: { type: 'policy', id: revision }, outcome: 'deny', read: { what: 'policy', rows: 0 } },
  ]);
});

t.test('while the log cannot be read there is a 503, and no guess', async (t) => {
  const id = await decide('u-okafor');
  const owner = await connect(t, rig.urls.owner);
  await owner.query('revoke select on decisions from privity_reader');
  t.match(await readRecord(id), { status: 503, body: { code: 'overloaded' } });
  await owner.query('grant select on decisions to privity_reader');
  t.equal((await readRecord(id)).status, 200);
});
