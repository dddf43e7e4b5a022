// Emergency accesses and their reviews, from records that the app made, in every form, for every reader.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { document, OFFICE, startApp } from '../../helpers/app.ts';
import { askReport, factsOf, otherForms, plain, reportFor, sectionOf, tableOf } from '../../helpers/audit-report.ts';
import { connect } from '../../helpers/postgres.ts';
import { madeDecision, putRecords } from '../../helpers/log-rows.ts';

type Json = Readonly<Record<string, unknown>>;

const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rig = await startApp(t, { files: { 'walls/more.yaml': walls } });

async function breakGlass(person: string, id: string, properties: Json = {}): Promise<string> {
  const { body } = await rig.ask(person, {
    action: { name: 'read' },
    resource: document(id, properties),
    context: { ...OFFICE, break_glass_reason: 'Hearing at nine, the team is not to be reached' },
  });
  if (body.decision !== true) throw new Error(`no emergency access: ${JSON.stringify(body)}`);
  await sleep(2);
  return String(body.context?.['evaluation_id']);
}

async function review(person: string, id: string, outcome: string, reason: string): Promise<void> {
  const { statusCode, body } = await rig.inject({
    method: 'POST',
    url: `/v1/reviews/${id}`,
    headers: {
      authorization: `Bearer ${rig.personToken(person, { azp: 'privity-log-review' })}`,
      'content-type': 'application/json',
    },
    payload: JSON.stringify({ outcome, reason }),
  });
  if (statusCode !== 201) throw new Error(body);
  await sleep(2);
}

const HOSTILE = '=1+1"><img src=x onerror=alert(1)>';

t.test('each use, its reviews, who is overdue', async (t) => {
  const done = await breakGlass('u-quinn', 'D-1');
  const twice = await breakGlass('u-rush', 'D-2');
  const open = await breakGlass('u-quinn', 'D-3');
  await review('u-secord', done, 'justified', 'The hearing was moved up.');
  await review('u-secord', twice, 'follow_up', 'Asked who called the court.');
  await review('u-gray', twice, 'not_justified', HOSTILE.padEnd(20));
  const now = Date.now();
  const late = madeDecision(now - 3 * 86_400_000, {
    subject: { id: HOSTILE, actor: null },
    resource: { type: 'document', id: HOSTILE },
    decided_by: ['break-glass'],
    obligations: ['review:24h'],
  });
  await putRecords(await connect(t, rig.urls.writer), [late]);

  const report = await reportFor(rig, 'u-audley', 'break-glass');
  t.equal(report.is_complete, true);
  t.match(factsOf(report, 'In short'), {
    'Accesses to be reviewed': '4',
    People: '3',
    Reviewed: '2',
    'Nobody has looked at': '2',
    'Of these overdue': '1',
    'Reviewed late': '0',
    'Median time to the first review': '0 h',
  });
  const uses = tableOf(report, 'Accesses');
  t.match(uses, [
    { id: late.id, person: HOSTILE, state: 'overdue', hours: null, by: '' },
    { id: done, person: 'u-quinn', state: 'done', by: 'u-secord', matter: 'M-1001', rules: 'break-glass' },
    { id: twice, person: 'u-rush', state: 'done', by: 'u-secord u-gray' },
    { id: open, state: 'open', by: '' },
  ]);
  t.match(tableOf(report, 'Reviews'), [
    { access: done, by: 'u-secord', outcome: 'justified', reason: 'The hearing was moved up.' },
    { access: twice, by: 'u-secord', outcome: 'follow_up' },
    { access: twice, by: 'u-gray', outcome: 'not_justified' },
  ]);
  const chart = sectionOf(report, 'In short').chart;
  t.strictSame(chart?.series, ['done', 'follow_up', 'open']);
  t.equal(
    chart?.points.flatMap(({ values }) => values).reduce((a, b) => a + b),
    4,
  );

  const { csv, html } = await otherForms(rig, 'u-audley', 'break-glass');
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.notMatch(html, '<img');
  t.match(html, '=1+1&quot;&gt;&lt;img');
  t.match(html, '<svg');

  const narrowed = await reportFor(rig, 'u-audley', 'break-glass', { subject: 'u-rush' });
  t.strictSame(
    tableOf(narrowed, 'Accesses').map(({ id }) => id),
    [twice],
  );
  t.equal(tableOf(narrowed, 'Reviews').length, 2);
  t.equal(tableOf(await reportFor(rig, 'u-audley', 'break-glass', { matter: 'M-5001' }), 'Accesses').length, 0);
});

t.test('behind a wall of the reader nothing ever happened', async (t) => {
  const period = {
    from: new Date(Date.now() - 80 * 86_400_000).toISOString(),
    to: new Date(Date.now() + 86_400_000).toISOString(),
  };
  const before = plain(await reportFor(rig, 'u-secord', 'break-glass', period));
  const hidden = await breakGlass('u-rush', 'D-8', { matter_id: 'M-5001', client_id: 'C-600' });
  await review('u-gray', hidden, 'justified', 'Known to the client.');
  t.strictSame(plain(await reportFor(rig, 'u-secord', 'break-glass', period)), before, 'not in rows, counts or charts');
  t.ok(tableOf(await reportFor(rig, 'u-audley', 'break-glass'), 'Accesses').some(({ id }) => id === hidden));
  const shape = async (matter: string) => {
    const { status, text } = await askReport(rig, 'u-secord', 'break-glass', { ...period, matter });
    return {
      status,
      text: text.replaceAll(matter, '').replaceAll(/"(generated_at|request_id|instance)":"[^"]*"/g, ''),
    };
  };
  t.strictSame(await shape('M-5001'), await shape('M-nobody'), 'a hidden matter and an unheard-of one');
});

t.test('others are told that nothing is here', async (t) => {
  for (const person of ['u-okafor', 'u-rowe']) t.equal((await askReport(rig, person, 'break-glass')).status, 404);
  t.equal(
    (await askReport(rig, 'u-audley', 'break-glass', { from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }))
      .status,
    400,
  );
  t.equal((await askReport(rig, 'u-audley', 'break-glass', { wall: 'W-1' })).status, 400);
});
