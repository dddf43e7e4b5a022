// The month on one page, from what the app recorded in it: every count is of rows that the reader may see.
import t from 'tap';
import { document, OFFICE, startApp } from '../../helpers/app.ts';
import { askReport, factsOf, otherForms, plain, reportFor, sectionOf, tableOf } from '../../helpers/audit-report.ts';
import { madeDecision, putRecords } from '../../helpers/log-rows.ts';
import { connect } from '../../helpers/postgres.ts';

const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rig = await startApp(t, { files: { 'walls/more.yaml': walls } });
/** Begins so that the tests are over within it. */
const month = new Date().toISOString().slice(0, 7);
const HOSTILE = '=1+1"><script>';

async function ask(person: string, id: string, context = {}, properties = {}): Promise<boolean | undefined> {
  const question = { action: { name: 'read' }, resource: document(id, properties), context: { ...OFFICE, ...context } };
  return (await rig.ask(person, question)).body.decision;
}

t.test('decisions, denials by rule, walls, what is out of the ordinary', async (t) => {
  t.equal(await ask('u-okafor', 'D-1'), true);
  t.equal(await ask('u-lind', 'D-2'), true);
  t.equal(await ask('u-voss', 'D-3'), false, 'behind the wall W-EX-1');
  t.equal(await ask('u-rowe', 'D-4'), false);
  t.equal(await ask('u-quinn', 'D-5', { break_glass_reason: 'Hearing at nine, nobody is there' }), true);
  await putRecords(await connect(t, rig.urls.writer), [
    madeDecision(Date.now() - 1_000, {
      outcome: 'deny',
      decided_by: [HOSTILE],
      walls: [HOSTILE],
      caller: { id: 'dms', source_system: HOSTILE },
    }),
  ]);
  await rig.inject({
    method: 'GET',
    url: '/v1/decisions',
    headers: { authorization: `Bearer ${rig.personToken('u-audley', { azp: 'privity-log-review' })}` },
  });
  const report = await reportFor(rig, 'u-audley', 'month', { month });
  t.equal(report.is_complete, true);
  t.match(factsOf(report, 'Decisions'), {
    Decisions: '6',
    Allowed: '3',
    Denied: '3 (50 %)',
    People: '5',
    Matters: '1',
  });
  t.match(tableOf(report, 'Walls that were hit'), [
    { name: HOSTILE, count: 1 },
    { name: 'W-EX-1', count: 1 },
  ]);
  t.match(
    tableOf(report, 'Denials by what decided them').map(({ name }) => name),
    new Set([HOSTILE, 'default-deny']),
  );
  t.match(factsOf(report, 'Out of the ordinary'), {
    'Accesses to be reviewed, such as emergency accesses': '1',
    'Reviews recorded': '0',
    'Readings of the log and of policies': '1',
  });
  t.match(tableOf(report, 'Policy sets loaded'), [{ revision: rig.app.policies.current().revision, loads: 1 }]);
  t.match(factsOf(report, 'Seals'), { 'Checkpoints signed': '0', 'The last checkpoint': /nothing is sealed/ });
  t.equal(
    sectionOf(report, 'Decisions')
      .chart?.points.flatMap(({ values }) => values)
      .reduce((a, b) => a + b),
    6,
  );
  const { csv, html } = await otherForms(rig, 'u-audley', 'month', { month });
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.match(html, '=1+1&quot;&gt;&lt;script&gt;');
});

t.test('seals of the month', async (t) => {
  const owner = await connect(t, rig.urls.owner);
  const add = (size: number, at: string) =>
    owner.query(`insert into checkpoints values ($1, decode(repeat('cd', 32), 'hex'), 'note', $2)`, [size, at]);
  await add(10, '2026-01-31T23:59:59Z');
  await add(12, '2026-02-10T00:00:00Z');
  await add(20, '2026-02-28T23:59:59Z');
  await add(99, '2026-03-01T00:00:00Z');
  const facts = factsOf(await reportFor(rig, 'u-audley', 'month', { month: '2026-02' }), 'Seals');
  t.match(facts, {
    'Checkpoints signed': '2',
    'Records that came under a checkpoint': '10',
    'The last checkpoint': /^20 records, 2026-02-28T23:59:59.*, root cdcd/,
  });
});

t.test('behind a wall of the reader nothing is counted', async (t) => {
  const counted = async () => {
    const { sections, ...report } = plain(await reportFor(rig, 'u-secord', 'month', { month }));
    // Readings are recorded too, and each of these is one.
    return { ...report, sections: sections.filter(({ heading }) => heading !== 'Out of the ordinary') };
  };
  const before = await counted();
  t.equal(await ask('u-okafor', 'D-8', {}, { matter_id: 'M-5001', client_id: 'C-600' }), true);
  t.strictSame(await counted(), before);
  t.match(factsOf(await reportFor(rig, 'u-audley', 'month', { month }), 'Decisions'), { Decisions: '7' });
  for (const wrong of ['2026-13', '2026-1', '1999-12', 'march']) {
    t.equal((await askReport(rig, 'u-audley', 'month', { month: wrong })).status, 400, wrong);
  }
  t.equal((await askReport(rig, 'u-okafor', 'month', { month })).status, 404);
});
