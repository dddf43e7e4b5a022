// `privity audit purge` and `audit erase` over a real log with records of long ago: what goes, what stays, who must approve, what is left
// after a crash, and that what is left still verifies.
import { createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { readVerifier } from '../../src/core/sealing/signed-note.ts';
import { requireApprovals } from '../../src/cli/audit/purge-approvals.ts';
import { retentionOf } from '../../src/cli/audit/purge-plan.ts';
import { createDatabase, openClient } from '../../src/io/db/database.ts';
import { createPurgeableReader } from '../../src/io/reports/read-purgeable.ts';
import type { PurgeRequest } from '../../src/model/retention.ts';
import { openDatabaseSource } from '../../src/io/log/verify/database-source.ts';
import { readPublished } from '../../src/io/log/verify/published.ts';
import { verifyLog } from '../../src/io/log/verify/verify-log.ts';
import { decide } from '../../src/core/decide.ts';
import { decisionEntry } from '../../src/core/record/decision-record.ts';
import { createPurgedIndex, purgedPlaces } from '../../src/core/record/purged.ts';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import { ensurePartitions } from '../../src/io/db/partitions.ts';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import type { DecisionRequest } from '../../src/model/decision.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { connect, createDatabase as createTestDatabase } from '../helpers/postgres.ts';
import { startRecorder } from '../helpers/recorder.ts';
import { readServiceLog } from '../service/log.ts';
import { privity } from './privity.ts';

type Json = Readonly<Record<string, unknown>>;

const RETENTION = `version: 1
keep: P2Y
approvers: [general_counsel, security_officer]
classes:
  - { id: disputes, practice_groups: [litigation], keep: P20Y }
holds: { matters: [M-2002] }
`;
const YEAR = 365 * 86_400_000;

const folder = await mkdtemp(path.join(tmpdir(), 'privity-purge-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const keyFile = path.join(folder, 'writer.pem');
const certifier = await generateWriterKey(keyFile);
const { urls, superuserUrl } = await createTestDatabase(t);
const files = { 'retention.yaml': RETENTION };
const rig = await startApp(t, { urls, files, environment: { WRITER_KEY_FILE: keyFile } });
const superuser = await connect(t, superuserUrl);
const env = {
  DATABASE_URL: urls.writer,
  DATABASE_READER_URL: urls.reader,
  DATABASE_OWNER_URL: urls.owner,
  WRITER_KEY_FILE: keyFile,
};
const audit = (...words: string[]) => privity(['audit', ...words], { env, cwd: folder });

/** Records of a service that ran long ago: for each subject and matter one. */
async function recordLongAgo(subjects: readonly string[], matters: readonly (string | null)[]): Promise<void> {
  const then = Date.now() - 3 * YEAR;
  await ensurePartitions(superuser, new Date(then), 1);
  const set = rig.app.policies.current();
  const anyClock = { degradedMs: 1e14, blockedMs: 1e14 };
  const old = startRecorder(t, urls.writer, {
    certifier,
    wallClock: () => Date.now() - 3 * YEAR,
    limits: { clock: anyClock },
  });
  await old.ready();
  const entries = subjects.flatMap((id) =>
    matters.map((matter) => {
      const now = old.clock.now();
      const properties = matter === null ? {} : { matter_id: matter };
      const resource = { type: 'document', id: `D-${id}`, properties };
      const attributes = { roles: ['associate'], user_type: 'internal' };
      const request: DecisionRequest = {
        subject: { id, attributes },
        actor: null,
        action: 'read',
        resource,
        context: {},
        sourceSystem: 'dms',
        approvals: [],
        now,
      };
      const evidence = {
        kind: 'test',
        issuer: null,
        tokenId: null,
        keyId: null,
        claimsHash: null,
        droppedRoles: [],
      } as const;
      return decisionEntry(set, {
        id: uuidv7(now),
        request,
        decision: decide(set, request),
        subject: { id, attributes, actor: null, evidence },
        caller: { id: 'dms', sourceSystem: 'dms', rights: new Set(), own: true, aiAssistant: null },
        requestId: 'r',
        traceId: null,
        approvalIds: [],
        durationUs: 1,
      });
    }),
  );
  await old.append(entries);
  await old.close();
}

async function approve(person: string, printed: string, changes: Json = {}): Promise<string> {
  const line = printed.split('\n').find((one) => one.startsWith('{')) ?? '{}';
  const wish = {
    ...(JSON.parse(line) as Json),
    context: OFFICE,
    expires_at: new Date(Date.now() + 600_000).toISOString(),
  };
  const { status, body } = await rig.ask(person, { ...wish, ...changes }, { path: '/v1/approvals' });
  if (status !== 201) throw new Error(`${person} may not approve: ${JSON.stringify(body)}`);
  return String(body['approval_id']);
}

/** Matters of the payloads that are left of long ago. */
async function left(): Promise<readonly string[]> {
  const { rows } = await superuser.query<{ one: string }>(
    `select subject_id || ' ' || coalesce(matter_id, '-') as one from decisions
     where kind = 'decision' and at < now() - interval '1 year' order by 1`,
  );
  return rows.map(({ one }) => one);
}

/** What of the log does not verify; payloads that a purge record names may be gone. */
async function problemsOfLog(): Promise<readonly string[]> {
  const { records, problems } = await readServiceLog(superuserUrl, createPublicKey(certifier));
  const purges = records.filter(({ kind }) => kind === 'purge');
  const purged = createPurgedIndex(purges.flatMap(({ said }) => purgedPlaces(said) ?? []));
  return problems.filter((one) => {
    const [, writer = '', seq = ''] = /^(\S+) (\d+): a commitment without its record$/.exec(one) ?? [];
    return writer === '' || !purged.has(writer, Number(seq));
  });
}

await recordLongAgo(['u-lind', 'u-khan'], ['M-1001', 'M-2001', 'M-2002', 'M-9999', null]);

t.test('a plan shows what is due and what a hold keeps, and changes nothing', async (t) => {
  const plan = await audit('purge', '--plan');
  t.match(plan, { code: 0, err: '' });
  t.match(plan.out, /default +4\n +all +4\nlegal holds keep 2 payloads .*:\n +M-2002 +2\n/);
  t.equal((await left()).length, 10);
  t.match(await audit('purge'), { code: 2, err: /say what to do/ });
  const bare = { code: 2, err: /DATABASE_READER_URL is not set/ };
  t.match(await privity(['audit', 'purge', '--plan'], { cwd: folder }), bare);
});

let printed = '';
let approvals: readonly string[] = [];

t.test('a request is written once, with a requester and a reason', async (t) => {
  t.match(await audit('purge', '--request', 'r.json', '--requester', 'u-rowe', '--reason', 'old'), {
    code: 2,
    err: /why/,
  });
  const words = ['--request', 'r.json', '--requester', 'u-rowe', '--reason', 'Yearly disposal of 2026'];
  const made = await audit('purge', ...words);
  t.match(made, { code: 0 });
  printed = made.out;
  t.match(JSON.parse(await readFile(path.join(folder, 'r.json'), 'utf8')), {
    requester: 'u-rowe',
    subject: null,
    planned: { records: 4, held: 2 },
  });
  t.match(await audit('purge', ...words), { code: 2, err: /there is such a file already/ });
});

t.test('two people approve, in roles that may, or nothing happens', async (t) => {
  const [counsel, officer] = [await approve('u-gray', printed), await approve('u-secord', printed)];
  const own = { requester: 'u-gray' };
  const bad = [
    [[counsel], /it takes 2 different people; these are 1/],
    [[counsel, await approve('u-gray', printed)], /these are 1/],
    [[counsel, await approve('u-okafor', printed)], /u-okafor holds no role that may approve it/],
    [[counsel, await approve('u-secord', printed, own)], /it was given to u-gray/],
    [[counsel, await approve('u-secord', printed, { action: { name: 'read' } })], /approves something else/],
    [
      [counsel, await approve('u-secord', printed, { resource: { type: 'decision_log', id: 'sha256:00' } })],
      /approves another request/,
    ],
    [[counsel, uuidv7(Date.now())], /there is no such approval/],
  ] as const;
  const { queries, close } = createDatabase({
    url: urls.reader,
    applicationName: 'tests',
    max: 1,
    onError: () => undefined,
  });
  const set = rig.app.policies.current();
  const request = JSON.parse(await readFile(path.join(folder, 'r.json'), 'utf8')) as PurgeRequest;
  const reader = createPurgeableReader(queries);
  for (const [ids, why] of bad) {
    const judged = requireApprovals(reader, retentionOf(set), request, ids, Date.now());
    await t.rejects(judged, { message: 'it is not approved', details: [why] });
  }
  const late = requireApprovals(reader, retentionOf(set), request, [counsel, officer], Date.now() + 700_000);
  await t.rejects(late, { message: 'it is not approved', details: [/it expired at/, /it expired at/] });
  await close();
  const text = await readFile(path.join(folder, 'r.json'), 'utf8');
  await writeFile(
    path.join(folder, 'wider.json'),
    text.replace(/"before": "[^"]+"/, `"before": "${new Date().toISOString()}"`),
  );
  const wider = await audit('purge', '--execute', 'wider.json', '--approvals', `${counsel},${officer}`);
  t.match(wider, { code: 2, err: /approves another request/ });
  t.equal((await left()).length, 10);
  t.equal(await rig.count('purge'), 0);
  approvals = [counsel, officer];
});

t.test(
  'a crash after the record leaves payloads that the next try removes; what is on hold by then stays',
  async (t) => {
    const execute = () => audit('purge', '--execute', 'r.json', '--approvals', approvals.join(','));
    await superuser.query('alter function purge_payloads rename to purge_payloads_gone');
    t.match(await execute(), { code: 2, err: /purge_payloads/ });
    t.equal(await rig.count('purge'), 1);
    t.equal((await left()).length, 10);
    await superuser.query('alter function purge_payloads_gone rename to purge_payloads');
    // Held since.
    await writeFile(path.join(rig.policiesDir, 'retention.yaml'), RETENTION.replace('[M-2002]', '[M-2002, M-2001]'));
    await rig.app.policies.load();
    const done = await execute();
    t.match(done, { code: 0, err: '' });
    t.match(done.out, /2 payloads removed, as recorded in 1 purge record:\n/);
    const stays = ['M-1001', 'M-2001', 'M-2002', 'M-9999'];
    t.strictSame(
      await left(),
      ['u-khan', 'u-lind'].flatMap((who) => stays.map((matter) => `${who} ${matter}`)),
    );
    t.strictSame(await problemsOfLog(), []);
    t.match((await execute()).out, /all +0\n[^]*\n0 payloads removed/);
  },
);

t.test('the record says who, why and what, and not more', async (t) => {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(`select bytes from decisions where kind = 'purge'`);
  const record = JSON.parse(String(rows[0]?.bytes)) as Json;
  t.match(record, {
    scope: 'retention',
    requester: 'u-rowe',
    reason: 'Yearly disposal of 2026',
    approvals: [{ by: /u-gray|u-secord/ }, { by: /u-gray|u-secord/ }],
    part: { number: 1, of: 1, records: 4 },
    held: { matters: ['M-2002'] },
  });
  t.notMatch(JSON.stringify(record), /u-lind|u-khan/);
});

t.test('nobody removes a payload without a purge record, however it is asked', async (t) => {
  const owner = await connect(t, urls.owner);
  await owner.query('set role privity_owner');
  const call = 'select purge_payloads($1, $2, $3)';
  await t.rejects(owner.query(call, [uuidv7(Date.now()), [], []]), {
    code: '23001',
    message: /no committed purge record/,
  });
  const { rows } = await owner.query<{ id: string }>(`select id from decisions where kind = 'decision' limit 1`);
  await t.rejects(owner.query(call, [rows[0]?.id, [], []]), { code: '23001' });
  await t.rejects(owner.query('delete from decisions'), { code: '23001' });
  for (const url of [urls.writer, urls.reader, urls.sealer]) {
    const client = await connect(t, url);
    await t.rejects(client.query(call, [uuidv7(Date.now()), [], []]), { code: '42501' });
  }
});

t.test('an erasure takes one person out, however young, but for holds, and does not name the person', async (t) => {
  const { body } = await rig.ask('u-lind', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
  const young = String(body.context?.['evaluation_id']);
  const words = ['--subject', 'u-lind', '--requester', 'u-rowe', '--reason', 'Erasure under Art. 17 GDPR, case 12'];
  const made = await audit('erase', '--request', 'e.json', ...words);
  t.match(made, { code: 0, out: /all +3\nlegal holds keep 2 payloads/ });
  const ids = [await approve('u-gray', made.out), await approve('u-secord', made.out)].join(',');
  t.match(await audit('purge', '--execute', 'e.json', '--approvals', ids), { code: 2, err: /of another kind/ });
  const done = await audit('erase', '--subject', 'u-lind', '--execute', 'e.json', '--approvals', ids);
  t.match(done, { code: 0, out: /3 payloads removed/ });
  t.strictSame(await left(), [
    'u-khan M-1001',
    'u-khan M-2001',
    'u-khan M-2002',
    'u-khan M-9999',
    'u-lind M-2001',
    'u-lind M-2002',
  ]);
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'purge' order by id desc limit 1`,
  );
  t.match(JSON.parse(String(rows[0]?.bytes)), { scope: 'erasure', reason: /Art. 17/ });
  t.notMatch(String(rows[0]?.bytes), /u-lind/);
  t.strictSame(await problemsOfLog(), []);
  const replayed = await audit('replay', young);
  t.match(replayed, {
    code: 1,
    out: /not recorded\n  lacks the payload: none has this id; it may have been purged by /,
  });
});

t.test('once the purges are sealed, a verification finds the log intact and knows how much is gone', async (t) => {
  const sealing = {
    DATABASE_SEALER_URL: urls.sealer,
    CHECKPOINT_KEY_FILE: keyFile,
    CHECKPOINT_DIR: path.join(folder, 'published'),
    LOG_NAME: 'log.firm.example',
  };
  t.match(await privity(['seal', '--once'], { env: sealing }), { code: 0 });
  const { out } = await privity(['seal', '--print-key'], { env: sealing });
  const verifiers = out
    .trim()
    .split('\n')
    .flatMap((line) => readVerifier(line) ?? []);
  const connectReader = () =>
    openClient({ url: urls.reader, applicationName: 'privity tests', onError: () => undefined });
  const source = await openDatabaseSource(connectReader);
  const report = await verifyLog({
    source,
    published: await readPublished(sealing.CHECKPOINT_DIR, verifiers),
    verifiers,
    certifiers: [createPublicKey(certifier)],
    lastHeadsOnly: false,
    threads: 1,
    onProgress: () => undefined,
  });
  await source.close();
  t.match(report, { verdict: 'intact', first: null, counts: { purged: 5 } });
});
