// The certificate of a purge: what the records of purges say, how much is still proven, what the reader may know of held matters.
import t from 'tap';
import { createParts, purgeEntry, type Candidate } from '../../../src/core/purge.ts';
import { document, OFFICE, startApp } from '../../helpers/app.ts';
import { askReport, factsOf, otherForms, reportFor, tableOf } from '../../helpers/audit-report.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { startRecorder } from '../../helpers/recorder.ts';

const HOSTILE = '=1+1 <script>alert(1)</script>, by the retention schedule';
const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const retention = `version: 1
keep: P2Y
approvers: [general_counsel, security_officer]
holds: { matters: [M-5001, M-2002] }
`;
const { urls, superuserUrl } = await createDatabase(t);
const rig = await startApp(t, { urls, files: { 'walls/more.yaml': walls, 'retention.yaml': retention } });
const superuser = await connect(t, superuserUrl);

async function decided(matter: string, client: string, id: string): Promise<Candidate> {
  const { body } = await rig.ask('u-okafor', {
    action: { name: 'read' },
    resource: document(id, { matter_id: matter, client_id: client }),
    context: OFFICE,
  });
  const { rows } = await rig.reader.query<{ id: string; writer: string; seq: number }>(
    'select id, writer, seq::int from decisions where id = $1',
    [body.context?.['evaluation_id']],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('no record');
  const payload = { kind: 'decision', matter, client, resourceType: 'document', resourceId: id };
  return { ...row, ...payload, at: Date.now(), subject: 'u-okafor' };
}

/** Everything that is committed comes under a checkpoint, as the sealer would have it. */
async function seal(): Promise<void> {
  await superuser.query(`insert into leaves select row_number() over (order by writer, seq) - 1 + (select count(*) from leaves), writer, seq, hash
    from commitments c where not exists (select from leaves l where l.writer = c.writer and l.seq = c.seq)`);
  await superuser.query(
    `insert into checkpoints select count(*), decode(repeat('ab', 32), 'hex'), 'note', now() from leaves`,
  );
}

async function purge(request: string, candidates: readonly Candidate[], most: number): Promise<void> {
  const set = rig.app.policies.current();
  if (set.retention === null) throw new Error('no retention');
  const parts = createParts(most);
  for (const one of candidates) parts.add(one);
  const made = parts.finish();
  const recorder = startRecorder(t, urls.writer);
  await recorder.ready();
  for (const [index, part] of made.entries()) {
    const entry = purgeEntry(set, set.retention, {
      request: {
        version: 1,
        id: request,
        subject: null,
        as_of: '2026-03-01T00:00:00Z',
        before: '2026-03-01T00:00:00Z',
        reason: HOSTILE,
        requester: 'u-records',
        revision: set.revision,
        planned: { records: candidates.length, held: 0 },
        salt: 'x'.repeat(32),
      },
      approvals: [
        { id: '0195f3a0-7c1e-7b2a-9d4e-000000000001', by: 'u-secord', roles: ['security_officer'] },
        { id: '0195f3a0-7c1e-7b2a-9d4e-000000000002', by: 'u-gray', roles: ['general_counsel'] },
      ],
      part,
      number: index + 1,
      of: made.length,
      at: recorder.clock.now(),
    });
    await recorder.append([entry]);
    await superuser.query('select purge_payloads($1, $2, $3)', [entry.id, [], []]);
  }
  await recorder.close();
}

const REQUEST = '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e';
const period = {
  from: new Date(Date.now() - 86_400_000).toISOString(),
  to: new Date(Date.now() + 86_400_000).toISOString(),
};

t.test('before any purge it says so', async (t) => {
  const report = await reportFor(rig, 'u-audley', 'disposal', period);
  t.match(factsOf(report, 'In short'), { Purges: '0', 'Records whose payload was removed': '0' });
});

t.test('how much, why, who agreed, what still proves it', async (t) => {
  const gone: Candidate[] = [];
  for (const id of ['D-1', 'D-2', 'D-3', 'D-4']) gone.push(await decided('M-1001', 'C-100', id));
  await decided('M-1001', 'C-100', 'D-5');
  await seal();
  await purge(REQUEST, gone, 2);
  const { rows } = await rig.reader.query(`select from decisions where resource_id in ('D-1', 'D-2', 'D-3', 'D-4')`);
  t.equal(rows.length, 0, 'they are gone');
  const report = await reportFor(rig, 'u-audley', 'disposal', period);
  t.equal(report.is_complete, true);
  t.match(tableOf(report, 'Purges'), [
    {
      request: REQUEST,
      scope: 'retention',
      records: 4,
      committed: 4,
      sealed: 4,
      requester: 'u-records',
      approvers: 'u-secord u-gray',
    },
  ]);
  t.match(factsOf(report, `Purge ${REQUEST}`), {
    Reason: HOSTILE,
    'Hash of the request': /^sha256:/,
    'Purge records': /^2, naming/,
    'Matters on hold then, which stayed': /M-2002.* M-5001/,
  });
  t.match(tableOf(report, `Purge ${REQUEST}`), [{ by: 'u-secord', roles: 'security_officer' }, { by: 'u-gray' }]);
  t.ok(
    report.sections.at(-1)?.heading.startsWith('What is left') || report.sections.some(({ signature }) => signature),
  );
  const { csv, html } = await otherForms(rig, 'u-audley', 'disposal', period);
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.match(html, '&lt;script&gt;');
  t.match(html, 'Signature');
});

t.test('hashes that somebody removed or changed are not counted as kept', async (t) => {
  await superuser.query('alter table commitments disable trigger guard');
  await superuser.query('alter table leaves disable trigger guard');
  const { rows } = await rig.reader.query<{ writer: string; seq: number }>(
    `select w.key as writer, (w.value -> 0 ->> 0)::int as seq from decisions, jsonb_each(convert_from(bytes, 'utf8')::jsonb -> 'purged') w
      where kind = 'purge' order by id limit 1`,
  );
  const [place] = rows;
  await superuser.query('update leaves set hash = sha256(hash) where writer = $1 and seq = $2', [
    place?.writer,
    place?.seq,
  ]);
  t.match(tableOf(await reportFor(rig, 'u-audley', 'disposal', period), 'Purges'), [
    { records: 4, committed: 4, sealed: 3 },
  ]);
  await superuser.query('delete from commitments where writer = $1 and seq = $2', [place?.writer, place?.seq]);
  t.match(tableOf(await reportFor(rig, 'u-audley', 'disposal', period), 'Purges'), [
    { records: 4, committed: 3, sealed: 3 },
  ]);
});

t.test('a held matter behind a wall of the reader is not named', async (t) => {
  const report = await reportFor(rig, 'u-secord', 'disposal', period);
  t.notMatch(JSON.stringify(report), 'M-5001');
  t.match(factsOf(report, `Purge ${REQUEST}`), { 'Matters on hold then, which stayed': /^[^5]*M-2002$/ });
  t.equal((await askReport(rig, 'u-okafor', 'disposal', period)).status, 404);
});
