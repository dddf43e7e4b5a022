// Who has left by policy data, since when, and what came after: by a date on file, or by the policy set that first said so.
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { document, OFFICE, startApp } from '../../helpers/app.ts';
import { askReport, factsOf, otherForms, plain, reportFor, tableOf } from '../../helpers/audit-report.ts';
import { madeDecision, putRecords } from '../../helpers/log-rows.ts';
import { connect } from '../../helpers/postgres.ts';

const DAY = 86_400_000;
const END = Date.now() - 10 * DAY;
const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const people = `people:
  - { id: u-dated, employee_status: terminated, employed_until: '${new Date(END).toISOString()}' }
  - { id: u-still-here, employee_status: active, employed_until: '2199-01-01T00:00:00Z' }
  - { id: u-forgotten, employee_status: active, employed_until: '${new Date(END).toISOString()}' }
  - { id: "=cmd|' /C calc'!A0<script>", employee_status: suspended }
`;
const rig = await startApp(t, { files: { 'walls/more.yaml': walls, 'data/leavers.yaml': people } });
const HOSTILE = "=cmd|' /C calc'!A0<script>";

t.test('by the date on file, whatever their status says', async (t) => {
  const of = (subject: string, at: number, changes = {}) =>
    madeDecision(at, { subject: { id: subject, actor: null }, ...changes });
  const after = of('u-dated', END + DAY);
  const denied = of('u-dated', END + 2 * DAY, { outcome: 'deny', decided_by: ['leavers-and-suspended'] });
  const forgotten = of('u-forgotten', END + DAY);
  await putRecords(await connect(t, rig.urls.writer), [
    of('u-dated', END - DAY),
    after,
    denied,
    forgotten,
    of('u-still-here', END + DAY),
    of(HOSTILE, Date.now()),
  ]);
  const report = await reportFor(rig, 'u-audley', 'leavers');
  t.equal(report.is_complete, true, report.notes.join('\n'));
  t.match(tableOf(report, 'People'), [
    { person: HOSTILE, status: 'suspended', allowed: 1, denied: 0, how: /^(not known|policy set)/ },
    {
      person: 'u-dated',
      status: 'terminated',
      end: new Date(END).toISOString(),
      how: 'employed_until',
      allowed: 1,
      denied: 1,
    },
    { person: 'u-forgotten', status: 'active', allowed: 1, denied: 0 },
  ]);
  t.strictSame(
    tableOf(report, 'Records after their end')
      .map(({ id }) => id)
      .filter((id) => [after.id, denied.id, forgotten.id].includes(String(id))),
    [after.id, denied.id, forgotten.id],
  );
  t.match(factsOf(report, 'In short'), { 'Allowed after their end': '3', 'Denied after their end': '1' });
  const { csv, html } = await otherForms(rig, 'u-audley', 'leavers');
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.match(html, '&lt;script&gt;');
  const one = await reportFor(rig, 'u-audley', 'leavers', { subject: 'u-dated' });
  t.equal(tableOf(one, 'People').length, 1);
  t.equal(tableOf(await reportFor(rig, 'u-audley', 'leavers', { subject: 'u-unheard-of' }), 'People').length, 0);
});

t.test('without a date: by when a policy set first said so', async (t) => {
  const ask = async (): Promise<string> => {
    const { body } = await rig.ask('u-lind', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
    await sleep(5);
    return String(body.context?.['evaluation_id']);
  };
  const before = await ask();
  // What outranks the token is written beside the directory's entry.
  const file = path.join(rig.policiesDir, 'data', 'people.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('  - id: u-lind\n', '  - id: u-lind\n    employee_status: terminated\n'));
  await rig.app.policies.load();
  const { revision } = rig.app.policies.current();
  await sleep(5);
  const after = await ask();
  const report = await reportFor(rig, 'u-audley', 'leavers', { subject: 'u-lind' });
  t.match(tableOf(report, 'People'), [{ person: 'u-lind', how: `policy set ${revision}`, allowed: 0, denied: 1 }]);
  t.match(tableOf(report, 'Records after their end'), [{ id: after, outcome: 'deny', rules: 'leavers-and-suspended' }]);
  t.notMatch(JSON.stringify(report), before);
});

t.test('rows behind a wall of the reader are not there', async (t) => {
  const period = { from: new Date(END - DAY).toISOString(), to: new Date(Date.now() + DAY).toISOString() };
  const before = plain(await reportFor(rig, 'u-secord', 'leavers', period));
  const hidden = madeDecision(END + DAY, {
    subject: { id: 'u-dated', actor: null },
    matter: 'M-5001',
    client: 'C-600',
  });
  await putRecords(await connect(t, rig.urls.writer), [hidden]);
  t.strictSame(plain(await reportFor(rig, 'u-secord', 'leavers', period)), before);
  t.match(JSON.stringify(await reportFor(rig, 'u-audley', 'leavers', period)), hidden.id);
  t.equal((await askReport(rig, 'u-okafor', 'leavers')).status, 404);
});
