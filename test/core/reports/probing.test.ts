// What stands out against a person's own past, and refused tokens, as the app records them; nothing of what the reader may not see counts.
import t from 'tap';
import { document, OFFICE, startApp } from '../../helpers/app.ts';
import { askReport, factsOf, otherForms, plain, reportFor, tableOf } from '../../helpers/audit-report.ts';
import { madeDecision, putRecords, type MadeRecord } from '../../helpers/log-rows.ts';
import { connect } from '../../helpers/postgres.ts';
import { uuidAt } from '../../helpers/rows.ts';

const DAY = 86_400_000;
const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rig = await startApp(t, { files: { 'walls/more.yaml': walls } });
const owner = await connect(t, rig.urls.owner);
/** A Monday, ten o'clock, some weeks ago; the period is the week from there. */
const monday = Date.now() - 14 * DAY;
const FROM = Math.floor((monday - ((new Date(monday).getUTCDay() + 6) % 7) * DAY) / DAY) * DAY;
const period = { from: new Date(FROM).toISOString(), to: new Date(FROM + 7 * DAY).toISOString() };
const HOSTILE = '=1+1<script>';

const of = (subject: string, at: number, changes = {}): MadeRecord =>
  madeDecision(at, { subject: { id: subject, actor: null }, matter: 'M-1001', client: 'C-100', ...changes });
const refused = (at: number, body: object): MadeRecord => {
  const { said, ...made } = madeDecision(at, {});
  const { v, writer, seq, prev, nonce } = said;
  const id = uuidAt(new Date(at));
  const own = { v, id, kind: 'refused', writer, seq, prev, nonce, at: new Date(at).toISOString() };
  return { ...made, id, said: { ...own, ...body } };
};

t.before(async () => {
  await owner.query('select ensure_partitions($1, 3)', [new Date(FROM - 40 * DAY)]);
  const made: MadeRecord[] = [];
  for (let day = 1; day <= 25; day++) {
    for (let index = 0; index < 4; index++) {
      const at = FROM - day * DAY + 10 * 3_600_000 + index * 60_000;
      made.push(of('u-lind', at), of(HOSTILE, at, { matter: 'M-1002' }));
    }
    made.push(refused(FROM - day * DAY + 3_600_000, { reason: 'expired', detail: null, issuer: null, caller: null }));
  }
  // In the week: one night with forty denials about new matters, and a day like any other.
  for (let index = 0; index < 40; index++) {
    made.push(
      of('u-lind', FROM + 2 * DAY + 2 * 3_600_000 + index * 1_000, {
        outcome: 'deny',
        decided_by: ['default-deny'],
        matter: `M-new-${index % 8}`,
        client: null,
      }),
    );
  }
  made.push(of(HOSTILE, FROM + 2 * DAY + 10 * 3_600_000));
  made.push(
    refused(FROM + DAY, {
      reason: 'not_trusted',
      detail: 'no such issuer',
      issuer: HOSTILE,
      caller: null,
      remote_address: '10.0.0.1',
    }),
    refused(FROM + DAY + 1_000, { reason: 'expired', issuer: null, count: 500, first_at: '', last_at: '' }),
    refused(FROM + DAY + 2_000, {
      reason: 'locked',
      detail: null,
      issuer: null,
      caller: 'dms',
      remote_address: '10.0.0.2',
    }),
  );
  await putRecords(owner, made);
});

t.test('spikes, denials, new matters and odd hours, each against the own past', async (t) => {
  const report = await reportFor(rig, 'u-audley', 'probing', period);
  t.equal(report.is_complete, true, report.notes.join('\n'));
  const found = tableOf(report, 'What stands out');
  t.strictSame(
    found
      .map(({ person, what, count, compared }) => ({ person, what, count, compared }))
      .toSorted((a, b) => (String(a.what) < String(b.what) ? -1 : 1)),
    [
      { person: 'u-lind', what: 'decisions in an hour', count: 40, compared: 'own past' },
      { person: 'u-lind', what: 'denials in an hour', count: 40, compared: 'own past' },
      { person: 'u-lind', what: 'new matters in a day', count: 8, compared: 'own past' },
      { person: 'u-lind', what: 'off hours in a day', count: 40, compared: 'own past' },
    ],
  );
  t.match(
    found.find(({ what }) => what === 'decisions in an hour'),
    { usual: 4, limit: 30, past: 25 },
  );
  const matters = tableOf(report, 'Matters somebody touched for the first time');
  t.equal(matters.length, 9);
  t.match(matters.at(-1), { person: HOSTILE, matter: 'M-1001', outcome: 'allow' });
  t.match(report.notes.join('\n'), /median distance from it \(MAD\)/);
  const { csv, html } = await otherForms(rig, 'u-audley', 'probing', period);
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.match(html, '=1+1&lt;script&gt;');
});

t.test('refused tokens by system and reason, those that were counted together included', async (t) => {
  const report = await reportFor(rig, 'u-audley', 'probing', period);
  t.match(factsOf(report, 'In short'), { 'Refused tokens': '502', 'From so many addresses': '2' });
  t.match(tableOf(report, 'Refused tokens'), [
    { caller: null, reason: 'expired', count: 500 },
    { caller: null, reason: 'not_trusted', detail: 'no such issuer', issuer: HOSTILE, count: 1 },
    { caller: 'dms', reason: 'locked', count: 1 },
  ]);
  t.match(tableOf(report, 'Hours with unusually many refused tokens'), [
    { hour: new Date(FROM + DAY).toISOString(), count: 502 },
  ]);
  const one = await reportFor(rig, 'u-audley', 'probing', { ...period, subject: 'u-lind' });
  t.notOk(
    one.sections.some(({ heading }) => heading === 'Refused tokens'),
    'a refused token is nobody’s',
  );
  t.equal(tableOf(one, 'What stands out').length, 4);
});

t.test('a token that was really refused is there', async (t) => {
  const { status } = await rig.ask(
    'u-lind',
    { action: { name: 'read' }, resource: document('D-1'), context: OFFICE },
    { claims: { exp: 1 } },
  );
  t.equal(status, 401);
  let table: readonly Readonly<Record<string, unknown>>[] = [];
  while (table.length === 0) table = tableOf(await reportFor(rig, 'u-audley', 'probing'), 'Refused tokens');
  t.match(table, [{ caller: 'dms', reason: 'expired', count: 1 }]);
});

t.test('what is behind a wall of the reader neither counts nor stands out', async (t) => {
  const before = plain(await reportFor(rig, 'u-secord', 'probing', period));
  const hidden: MadeRecord[] = [];
  for (let index = 0; index < 60; index++) {
    hidden.push(of('u-rush', FROM + 3 * DAY + index * 1_000, { matter: 'M-5001', client: 'C-600' }));
  }
  await putRecords(owner, hidden);
  t.strictSame(plain(await reportFor(rig, 'u-secord', 'probing', period)), before);
  t.match(JSON.stringify(await reportFor(rig, 'u-audley', 'probing', period)), 'u-rush');
  t.equal((await askReport(rig, 'u-okafor', 'probing', period)).status, 404);
  const year = { from: new Date(FROM - 200 * DAY).toISOString(), to: period.to };
  t.equal((await askReport(rig, 'u-audley', 'probing', year)).status, 400, 'too long a period');
});
