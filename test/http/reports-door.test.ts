// Audit reports as readers get them: what they say, in which forms, what is refused, and that nothing hidden shows in any of them.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import t from 'tap';
import type { AuditReport, ReportSection } from '../../src/model/audit-report.ts';
import { document, OFFICE, STARTER, startApp, type TestApp } from '../helpers/app.ts';
import { madeDecision, putRecords } from '../helpers/log-rows.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;
type Words = Readonly<Record<string, string>>;

const DAY = 86_400_000;
const HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>';
const DATE = new Date(Date.now() - 3 * DAY).toISOString().slice(0, 10);
const BASE = Date.parse(`${DATE}T10:00:00Z`);
const period: Words = { from: `${DATE}T00:00:00Z`, to: new Date(BASE + DAY).toISOString() };

/** Somebody who may read the log, and whom a wall keeps from one client. */
const WALLED = 'u-walled';
const AUDITOR = { user_type: 'internal', roles: ['auditor'], employee_status: 'active', contract_type: 'permanent' };
const WALL = JSON.stringify({
  version: 1,
  walls: [
    {
      id: 'W-SECRET',
      kind: 'exclusion',
      client_id: 'C-600',
      excluded_people: [WALLED],
      valid_from: '2026-01-01T00:00:00Z',
    },
  ],
});
const rig: TestApp = await startApp(t, { files: { 'walls/secret.yaml': WALL } });
const writer = await connect(t, rig.urls.writer);

const rows = [
  madeDecision(BASE, {
    subject: { id: 'u-lind', actor: null, attributes: {}, token_id: 'jti-1', issuer: 'https://i/' },
  }),
  madeDecision(BASE + 1_000, {
    subject: { id: 'u-lind', actor: 'svc-ai-assistant', attributes: {}, token_id: 'jti-2' },
    action: 'download',
    resource: { type: 'document', id: HOSTILE, properties: { data_region: 'EU' } },
    context: { country: 'DE' },
  }),
  madeDecision(BASE + 2_000, {
    subject: { id: 'u-voss', actor: null },
    outcome: 'deny',
    decided_by: ['lateral-hire-screen'],
    walls: ['W-EX-1'],
  }),
  madeDecision(BASE + 3_000, { subject: { id: 'u-gone', actor: null } }),
  madeDecision(BASE + 4_000, { subject: { id: HOSTILE, actor: null }, outcome: 'deny', decided_by: ['default-deny'] }),
  madeDecision(BASE + 5_000, {
    subject: { id: 'u-voss', actor: null },
    matter: 'M-4001',
    client: 'C-500',
    decided_by: ['team'],
  }),
];
const secret = [
  madeDecision(BASE + 6_000, {
    subject: { id: 'u-lind', actor: null },
    matter: 'M-5001',
    client: 'C-600',
    outcome: 'deny',
  }),
  madeDecision(BASE + 7_000, { subject: { id: 'u-mori', actor: null }, matter: 'M-5001', client: 'C-600' }),
];
await putRecords(writer, [...rows, ...secret]);

async function ask(person: string, name: string, query: Words, on: TestApp = rig) {
  const claims = person === WALLED || person === 'u-carvalho' ? AUDITOR : {};
  const token = on.personToken(person, { azp: 'privity-log-review', ...claims });
  const response = await on.inject({
    method: 'GET',
    url: `/v1/reports/${name}?${new URLSearchParams(query).toString()}`,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.statusCode, text: response.body, headers: response.headers };
}

async function report(person: string, name: string, query: Words, on: TestApp = rig): Promise<AuditReport> {
  const { status, text } = await ask(person, name, query, on);
  if (status !== 200) throw new Error(text);
  return JSON.parse(text) as AuditReport;
}

function section({ sections }: AuditReport, heading: string): ReportSection {
  const found = sections.find((one) => one.heading === heading);
  if (found === undefined) throw new Error(`no section ${heading}: ${sections.map((one) => one.heading).join(', ')}`);
  return found;
}

/** The rows of a table as objects. */
function table(of: AuditReport, heading: string): Json[] {
  const { table: found } = section(of, heading);
  return (found?.rows ?? []).map((cells) =>
    Object.fromEntries((found?.columns ?? []).map(({ name }, index) => [name, cells[index]])),
  );
}

function fact(of: AuditReport, heading: string, label: string): string | undefined {
  return section(of, heading).facts?.find((one) => one.label === label)?.value;
}

async function lastReading(): Promise<Json> {
  const { rows: found } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by at desc, id desc limit 1`,
  );
  return JSON.parse(found[0]?.bytes.toString('utf8') ?? '{}') as Json;
}

t.test('matter-access: who can by policy, who did by log', async (t) => {
  const found = await report('u-audley', 'matter-access', { matter: 'M-1001', ...period });
  const can = table(found, 'Who can reach it now');
  const lind = can.find((one) => one['person'] === 'u-lind');
  t.match(lind?.['rules'], 'team-lawyers');
  t.match(lind?.['can'], 'read');
  t.equal(lind?.['allowed'], 2);
  t.notOk(
    can.some((one) => one['person'] === 'u-voss'),
    'somebody behind a wall cannot',
  );
  t.match(
    table(found, 'Who stands behind a wall').find((one) => one['person'] === 'u-voss'),
    { walls: 'W-EX-1' },
  );
  t.strictSame(
    table(found, 'Who did').map((one) => [one['person'], one['allowed'], one['denied'], one['actions']]),
    [
      ['u-lind', 2, 0, 'download 1, read 1'],
      [HOSTILE, 0, 1, 'denied: read 1'],
      ['u-gone', 1, 0, 'read 1'],
      ['u-voss', 0, 1, 'denied: read 1'],
    ],
  );
  t.ok(table(found, 'Grants on this matter').some((one) => one['grant'] === 'G-1'));
  t.equal(found.rows, 5);
  t.equal(found.is_complete, true);
  t.match(await lastReading(), {
    matter: 'M-1001',
    read: {
      what: 'report',
      report: 'matter-access',
      asked: { matter: 'M-1001' },
      rows: 5,
      view: 'log',
      format: 'json',
    },
  });
});

t.test('matter-access for the responsible attorney: no rules, walls or grants', async (t) => {
  const found = await report('u-okafor', 'matter-access', { matter: 'M-1001', view: 'access_report', ...period });
  t.equal(found.rows, 5);
  t.notOk(found.sections.some(({ heading }) => /wall|Grants/.test(heading)));
  t.notMatch(JSON.stringify(found), /W-EX-1|team-lawyers|"G-1"/);
  for (const [person, query] of [
    ['u-okafor', { matter: 'M-1001' }],
    ['u-okafor', { matter: 'M-2001', view: 'access_report' }],
    ['u-lind', { matter: 'M-1001', view: 'access_report' }],
    ['u-lind', { matter: 'M-1001' }],
  ] as const) {
    t.equal((await ask(person, 'matter-access', query)).status, 404, `${person} ${JSON.stringify(query)}`);
  }
  t.equal((await ask('u-okafor', 'blast-radius', { account: 'u-lind', view: 'access_report' })).status, 400);
});

t.test('person-on-a-date: could and did', async (t) => {
  const unknown = await report('u-audley', 'person-on-a-date', { subject: 'u-lind', date: DATE });
  t.equal(unknown.is_complete, false, 'no policy set was loaded by that day');
  t.match(unknown.notes.join(' '), /no record of a policy set|not kept/);
  t.match(fact(unknown, 'In short', 'matters they could read'), 'cannot be told');

  const today = new Date().toISOString().slice(0, 10);
  await rig.ask('u-lind', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
  const found = await report('u-audley', 'person-on-a-date', { subject: 'u-lind', date: today });
  const could = table(found, 'What they could reach');
  t.ok(could.some((one) => one['matter'] === 'M-1001'));
  t.equal(found.is_complete, true, found.notes.join(' '));
  t.equal(table(found, 'What they did').length, 1);
  t.notOk(found.sections.some(({ heading }) => heading === 'Let in, and not expected'));
  t.match(table(found, 'Policy sets of that day').at(-1), { can: undefined, state: 'yes' });
});

t.test('screen-certificate: imposed, loaded, every attempt', async (t) => {
  const found = await report('u-audley', 'screen-certificate', { wall: 'W-EX-1' });
  t.equal(fact(found, 'The wall', 'imposed from'), '2026-01-05T00:00:00.000Z');
  t.match(fact(found, 'The wall', 'stands in'), /^walls\/walls\.yaml:\d+ /);
  t.equal(fact(found, 'The wall', 'with policy set'), rig.app.policies.current().revision);
  t.strictSame(
    table(found, 'Whom it screens').map((one) => [one['person'], one['why']]),
    [
      ['u-voss', 'named'],
      ['u-yamada', 'assists u-voss'],
    ],
  );
  const attempts = table(found, 'What screened people tried');
  t.equal(attempts.length, 1, 'and nothing of another matter');
  t.match(attempts[0], { person: 'u-voss', outcome: 'stopped by the wall', record: rows[2]?.id });
  t.ok(found.sections.some(({ signature }) => signature !== undefined));
  // Need-to-know: for an auditor whom the wall includes, and nobody else.
  t.equal((await ask('u-audley', 'screen-certificate', { wall: 'W-IN-1' })).status, 404);
  await rig.ask('u-lind', {
    action: { name: 'read' },
    resource: document('D-2', { matter_id: 'M-2001', client_id: 'C-200' }),
    context: OFFICE,
  });
  const inclusion = await report('u-carvalho', 'screen-certificate', { wall: 'W-IN-1' });
  t.match(table(inclusion, 'Acknowledged').find((one) => one['person'] === 'u-khan')?.['at'], 'not acknowledged');
  t.match(table(inclusion, 'Acknowledged').find((one) => one['person'] === 'u-mori')?.['at'], /^20/);
  t.strictSame(
    table(inclusion, 'What screened people tried').map((one) => [one['person'], one['screened'], one['outcome']]),
    [
      ['u-okafor', 'not included', 'stopped by the wall'],
      ['u-lind', 'not included', 'stopped by the wall'],
    ],
    'reading about the matter is an attempt too',
  );
});

t.test('screen-certificate: a wall that changes, was loaded late, and is lifted', async (t) => {
  const began = new Date(Date.now() - DAY).toISOString().replace(/\.\d+/, '');
  const wall = (people: readonly string[]): string =>
    JSON.stringify({
      version: 1,
      walls: [
        {
          id: 'W-NEW',
          kind: 'exclusion',
          matter_id: 'M-4001',
          excluded_people: people,
          valid_from: began,
        },
      ],
    });
  const late = await startApp(t, { files: { 'walls/new.yaml': '{ version: 1, walls: [] }' } });
  const file = path.join(late.policiesDir, 'walls', 'new.yaml');
  const load = async (text: string): Promise<void> => {
    await writeFile(file, text);
    await late.app.policies.load();
  };
  const read = (person: string) =>
    late.ask(person, {
      action: { name: 'read' },
      resource: document('D-4', { matter_id: 'M-4001', client_id: 'C-500' }),
      context: OFFICE,
    });
  t.equal((await ask('u-audley', 'screen-certificate', { wall: 'W-NEW' }, late)).status, 404);
  await read('u-lind');
  await load(wall(['u-lind']));
  await read('u-lind');
  await read('u-gruber');
  await load(wall(['u-lind', 'u-gruber']));
  await read('u-gruber');
  await load('{ version: 1, walls: [] }');
  await read('u-lind');

  const found = await report('u-audley', 'screen-certificate', { wall: 'W-NEW' }, late);
  t.strictSame(
    table(found, 'When it was loaded').map((one) => one['change']),
    ['the wall is there', 'screened added: u-gruber', 'the wall is gone'],
  );
  t.match(fact(found, 'The wall', 'today'), /^lifted/);
  t.equal(fact(found, 'The wall', 'loaded after its beginning by'), '1 day');
  t.strictSame(
    table(found, 'What screened people tried').map((one) => [one['person'], one['outcome']]),
    [
      ['u-lind', 'LET IN, before the wall was loaded'],
      ['u-lind', 'stopped by the wall'],
      ['u-gruber', 'stopped by the wall'],
    ],
    'while they were screened, and no longer',
  );
  t.equal(fact(found, 'What screened people tried', 'let in'), '1, of these 0 after the wall was loaded');
});

t.test('blast-radius: of an account, a token, a caller, a device', async (t) => {
  const found = await report('u-audley', 'blast-radius', { account: 'u-lind', ...period });
  t.equal(fact(found, 'In short', 'decisions'), '2 allowed, 1 denied');
  t.equal(fact(found, 'In short', 'matters'), '1 reached, 1 only tried');
  t.strictSame(
    table(found, 'Jurisdictions').map((one) => [one['place'], one['attribute']]),
    [
      ['DE', 'context.country'],
      ['EU', 'resource.data_region'],
    ],
  );
  t.ok(table(found, 'Documents and other resources').some((one) => one['resource'] === `document ${HOSTILE}`));
  const assistant = await report('u-audley', 'blast-radius', { account: 'svc-ai-assistant', ...period });
  t.strictSame(
    table(assistant, 'Accounts').map((one) => [one['account'], one['allowed']]),
    [['u-lind', 1]],
    'for whom an assistant acted',
  );
  const token = await report('u-audley', 'blast-radius', { token: 'jti-2', ...period });
  t.equal(token.rows, 1, 'records of other tokens are not counted as read');
  t.match(token.notes.join(' '), 'Naming the account');
  t.equal((await report('u-audley', 'blast-radius', { caller: 'dms', ...period })).rows, 8);
  const device = await report('u-audley', 'blast-radius', { device: 'laptop-17', ...period });
  t.equal(device.is_complete, false);
  t.match(device.notes.join(' '), 'do not tell devices apart');
});

t.test('what is hidden from a reader is as if it had never been', async (t) => {
  // The same firm and log, but for the matter, its wall and its rows.
  const matters = await readFile(path.join(STARTER, 'data', 'matters.yaml'), 'utf8');
  const [head = '', ...entries] = matters.split(/^(?=  - id: )/m);
  const others = entries.filter((entry) => !entry.startsWith('  - id: M-5001'));
  t.equal(others.length, entries.length - 1);
  const bare = await startApp(t, { files: { 'data/matters.yaml': [head, ...others].join('') } });
  await putRecords(await connect(t, bare.urls.writer), rows);
  const today = new Date().toISOString().slice(0, 10);
  for (const [name, query] of [
    ['blast-radius', { account: 'u-lind', ...period }],
    ['blast-radius', { caller: 'dms', ...period }],
    ['blast-radius', { token: 'jti-1', ...period }],
    ['person-on-a-date', { subject: 'u-okafor', date: today }],
    ['person-on-a-date', { subject: 'u-mori', date: DATE }],
    ['matter-access', { matter: 'M-1001', ...period }],
    ['matter-access', { matter: 'M-4001', ...period }],
  ] as const) {
    const seen = await report(WALLED, name, query);
    const never = await report(WALLED, name, query, bare);
    const told = ({ sections, notes, rows: count, is_complete }: AuditReport): string =>
      JSON.stringify({ sections, notes, count, is_complete })
        .replaceAll(/sha256:[0-9a-f]{64}/g, 'revision')
        .replaceAll(new RegExp(`${today}T[0-9:.]+Z`, 'g'), 'now');
    t.equal(told(seen), told(never), `${name} ${JSON.stringify(query)}`);
    const all = JSON.stringify(await report('u-audley', name, query));
    if (query !== undefined && 'caller' in query) t.match(all, 'M-5001', 'others do see it');
  }
  t.match(JSON.stringify(await report('u-audley', 'person-on-a-date', { subject: 'u-mori', date: DATE })), 'M-5001');
  for (const [name, hidden, unheard] of [
    ['matter-access', { matter: 'M-5001' }, { matter: 'M-0000' }],
    ['screen-certificate', { wall: 'W-SECRET' }, { wall: 'W-0000' }],
    ['screen-certificate', { wall: 'W-IN-1' }, { wall: 'W-0000' }],
    ['screen-certificate', { wall: 'W-OP-1' }, { wall: 'W-0000' }],
  ] as const) {
    const [one, other] = [await ask(WALLED, name, hidden), await ask(WALLED, name, unheard)];
    const plain = ({ status, text }: typeof one): string => `${status} ${text.replace(/"request_id":"[^"]*"/, '')}`;
    t.equal(one.status, 404);
    t.equal(plain(one), plain(other), name);
    t.match(await lastReading(), { read: { rows: 0 } });
  }
  // Who may see behind the wall leaves a record that says so, for others not to count by.
  await report('u-audley', 'blast-radius', { caller: 'dms', ...period });
  t.match(await lastReading(), {
    read: {
      behind_walls: [
        { client: 'C-100', matter: 'M-1001' },
        { client: 'C-600', matter: 'M-5001' },
      ],
    },
  });
});

t.test('reports at a time are bounded, and the place is free again', async (t) => {
  const many = await Promise.all(
    Array.from({ length: 12 }, () => ask('u-audley', 'matter-access', { matter: 'M-1001', ...period })),
  );
  const statuses = new Set(many.map(({ status }) => status));
  t.strictSame(
    [...statuses].toSorted((a, b) => a - b),
    [200, 503],
  );
  t.equal((await ask('u-audley', 'blast-radius', { account: 'u-lind' })).status, 200);
});

t.test('three forms, all of them harmless', async (t) => {
  for (const [name, query] of [
    ['matter-access', { matter: 'M-1001', ...period }],
    ['blast-radius', { account: 'u-lind', ...period }],
    ['person-on-a-date', { subject: HOSTILE, date: DATE }],
    ['screen-certificate', { wall: 'W-EX-1' }],
  ] as const) {
    const csv = await ask('u-audley', name, { ...query, format: 'csv' });
    t.equal(csv.status, 200, csv.text.slice(0, 300));
    t.match(csv.headers['content-type'], 'text/csv');
    const cells = (parse(csv.text, { relaxColumnCount: true, skipEmptyLines: true }) as string[][]).flat();
    t.notOk(
      cells.some((cell) => /^[=+@]/.test(cell)),
      `${name}: no formula`,
    );
    const html = await ask('u-audley', name, { ...query, format: 'html' });
    t.match(html.headers['content-type'], 'text/html');
    t.equal(html.headers['content-security-policy'], `default-src 'none'; style-src 'unsafe-inline'`);
    t.notMatch(html.text, /<script|src=|href=|onerror/i, `${name}: nothing runs or loads`);
    t.match(html.text, '<!doctype html>');
  }
});

t.test('what makes no sense is refused, with a pointer', async (t) => {
  const far = new Date(BASE - 500 * DAY).toISOString();
  for (const [name, query, pointer] of [
    ['matter-access', {}, '/matter'],
    ['matter-access', { matter: 'M-1001', wall: 'W-EX-1' }, '/wall'],
    ['matter-access', { matter: 'M-1001', from: period['to'] ?? '', to: period['from'] ?? '' }, '/to'],
    ['matter-access', { matter: 'M-1001', from: far }, '/from'],
    ['matter-access', { matter: 'x'.repeat(200) + 'é'.repeat(50) }, '/matter'],
    ['matter-access', { matter: 'M-1001', nonsense: '1' }, ''],
    ['person-on-a-date', { subject: 'u-lind', date: '2026-02-30' }, '/date'],
    ['person-on-a-date', { subject: 'u-lind', date: '2150-01-01' }, '/date'],
    ['person-on-a-date', { subject: 'u-lind', date: 'yesterday' }, '/date'],
    ['screen-certificate', { wall: 'W-EX-1', view: 'access_report' }, '/view'],
    ['blast-radius', {}, '/account'],
    ['blast-radius', { account: 'a\u0000b' }, '/account'],
    ['blast-radius', { account: 'u-lind', format: 'pdf' }, '/format'],
  ] as const) {
    const { status, text } = await ask('u-audley', name, query);
    t.equal(status, 400, `${name} ${JSON.stringify(query)} ${text}`);
    if (pointer !== '') t.match(text, `"pointer":"${pointer}"`);
  }
  t.equal((await ask('u-audley', 'no-such-report', {})).status, 404);
});
