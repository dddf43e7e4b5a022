import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { readCheckpoint, readProof, verifyProof } from '../../src/core/sealing/checkpoint.ts';
import { verifierOf } from '../../src/core/sealing/signed-note.ts';
import { verifyConsistency } from '../../src/core/sealing/tree.ts';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { until } from '../helpers/recorder.ts';

type Json = Readonly<Record<string, unknown>>;

const folder = await mkdtemp(path.join(tmpdir(), 'privity-proofs-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const keyFile = path.join(folder, 'checkpoint.pem');
await generateWriterKey(keyFile);
const key = createPrivateKey(await readFile(keyFile));
const LOG_NAME = 'log.firm.example';
const verifiers = [verifierOf({ name: LOG_NAME, key })];

const { urls } = await createDatabase(t);
const rig = await startApp(t, {
  urls,
  environment: {
    DATABASE_SEALER_URL: urls.sealer,
    CHECKPOINT_KEY_FILE: keyFile,
    CHECKPOINT_DIR: path.join(folder, 'out'),
    LOG_NAME,
  },
});

async function get(url: string, token: string) {
  const { statusCode, headers, body } = await rig.inject({
    method: 'GET',
    url,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: statusCode, headers, text: body, json: () => JSON.parse(body) as Json };
}

async function decide(properties: Json = {}): Promise<string> {
  const question = { action: { name: 'read' }, resource: document('D-1', properties), context: OFFICE };
  const { body } = await rig.ask('u-okafor', question);
  return String(body.context?.['evaluation_id']);
}

const proofOf = (id: string, person = 'u-audley') => get(`/v1/decisions/${id}/proof`, rig.personToken(person));

interface Listed {
  readonly size: number;
  readonly root: string;
  readonly note: string;
}

async function list(query = ''): Promise<{ readonly checkpoints: readonly Listed[]; readonly next: number | null }> {
  const { status, text } = await get(`/v1/checkpoints${query}`, rig.callerToken('dms'));
  t.equal(status, 200, text);
  return JSON.parse(text) as { checkpoints: Listed[]; next: number | null };
}

async function sealed(id: string) {
  await until('the record is sealed', async () => (await proofOf(id)).status !== 409);
  return proofOf(id);
}

t.test('a record is proven offline, with its hash and the public key', async (t) => {
  const id = await decide();
  const early = await proofOf(id);
  if (early.status !== 200) {
    t.match(early, { status: 409, headers: { 'retry-after': '2' } });
    t.match(early.json(), { code: 'not_sealed' });
  }
  const { status, headers, text } = await sealed(id);
  t.equal(status, 200);
  t.equal(headers['content-type'], 'text/plain; charset=utf-8');
  t.equal(headers['content-disposition'], `attachment; filename="${id}.tlog-proof"`);
  const record = await get(`/v1/decisions/${id}`, rig.personToken('u-audley'));
  const { hash } = record.json()['proof'] as { readonly hash: string };
  const proof = readProof(text);
  if (proof === null) throw new Error(text);
  t.equal(verifyProof(Buffer.from(hash, 'hex'), proof, verifiers)?.origin, LOG_NAME);
  t.equal(verifyProof(Buffer.alloc(32), proof, verifiers), null);
  t.equal(verifyProof(Buffer.from(hash, 'hex'), { ...proof, index: proof.index + 1 }, verifiers), null);
});

t.test('a proof is read like the record: by those who may, and recorded', async (t) => {
  const id = await decide();
  const elsewhere = await decide({ matter_id: 'M-2001', client_id: 'C-200' });
  await sealed(id);
  const answers = [
    await proofOf(id, 'u-okafor'),
    await proofOf(elsewhere),
    await proofOf('0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'),
    await proofOf('no-such-thing'),
    await proofOf(`${id}%20`),
  ];
  const expected = { ...answers[2]?.json(), request_id: '' };
  for (const { status, headers, json } of answers) {
    t.equal(status, 404);
    t.notOk('content-disposition' in headers);
    t.same({ ...json(), request_id: '' }, expected);
  }
  t.match(
    expected,
    { ...(await get('/v1/decisions/no-such-thing', rig.personToken('u-audley'))).json(), request_id: '' },
    'the same answer as for the record',
  );
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' and resource_id = $1 order by id desc limit 2`,
    [id],
  );
  t.match(
    rows.map(({ bytes }) => JSON.parse(bytes.toString()) as Json),
    [
      { outcome: 'deny', subject: { id: 'u-okafor' }, read: { what: 'proof', id, rows: 0 } },
      { outcome: 'allow', subject: { id: 'u-audley' }, read: { what: 'proof', id, rows: 1 } },
    ],
  );
});

t.test('checkpoints are listed for every registered caller, newest first, page by page', async (t) => {
  for (let round = 0; round < 3; round++) await sealed(await decide());
  const before = await rig.count('read');
  const first = await list('?limit=1');
  const [newest] = first.checkpoints;
  t.equal(first.checkpoints.length, 1);
  t.equal(first.next, newest?.size);
  const rest = await list(`?limit=200&before=${first.next}`);
  t.ok(rest.checkpoints.length >= 2);
  t.equal(rest.next, null);
  for (const { size, root, note } of [...first.checkpoints, ...rest.checkpoints]) {
    const checkpoint = readCheckpoint(note, verifiers);
    t.match(checkpoint, { origin: LOG_NAME, size });
    t.equal(Buffer.from(checkpoint?.root ?? []).toString('base64'), root);
  }
  t.same((await list('?before=0')).checkpoints, []);
  t.equal(await rig.count('read'), before, 'this is no reading of records');
});

t.test('each checkpoint extends those before', async (t) => {
  const { checkpoints } = await list('?limit=200');
  const [newest] = checkpoints;
  const headOf = ({ size, root }: Listed) => ({ size, root: Buffer.from(root, 'base64') });
  if (newest === undefined) throw new Error('no checkpoints');
  for (const older of checkpoints) {
    const { json, status } = await get(
      `/v1/checkpoints/${older.size}/consistency/${newest.size}`,
      rig.callerToken('dms'),
    );
    t.equal(status, 200);
    const proof = (json()['proof'] as readonly string[]).map((hash) => Buffer.from(hash, 'base64'));
    t.ok(verifyConsistency(headOf(older), headOf(newest), proof), `${older.size}`);
  }
  const empty = await get(`/v1/checkpoints/0/consistency/${newest.size}`, rig.callerToken('dms'));
  t.match(empty.json(), { first: 0, second: newest.size, proof: [] });
});

t.test('impossible sizes and strangers', async (t) => {
  const token = rig.callerToken('dms');
  const { checkpoints } = await list('?limit=1');
  const size = checkpoints[0]?.size ?? 0;
  const answers: readonly (readonly [url: string, status: number])[] = [
    [`/v1/checkpoints/1/consistency/${size + 1_000_000}`, 404],
    ['/v1/checkpoints/2/consistency/1', 400],
    ['/v1/checkpoints/-1/consistency/1', 400],
    ['/v1/checkpoints/01/consistency/1', 400],
    ['/v1/checkpoints/1e3/consistency/1', 400],
    ['/v1/checkpoints/1/consistency/99999999999999999999', 400],
    ['/v1/checkpoints/1/consistency/%20', 400],
    ['/v1/checkpoints?limit=0', 400],
    ['/v1/checkpoints?limit=201', 400],
    ['/v1/checkpoints?before=-1', 400],
    ['/v1/checkpoints?before=1&before=2', 400],
    ['/v1/checkpoints?after=1', 400],
  ];
  for (const [url, status] of answers) t.equal((await get(url, token)).status, status, url);
  for (const url of ['/v1/checkpoints', '/v1/checkpoints/0/consistency/1', '/v1/decisions/x/proof']) {
    t.equal((await rig.inject({ method: 'GET', url })).statusCode, 401, url);
  }
});
