// Searching the log: filters, pages, cursors, who sees what, and what every search leaves on the record.
import t from 'tap';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { madeDecision, putRecords, type MadeRecord } from '../helpers/log-rows.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;
interface Body {
  readonly decisions: readonly Json[];
  readonly next: string | null;
  readonly code?: string;
  readonly errors?: readonly Json[];
  readonly detail?: string;
}

const rig: TestApp = await startApp(t);
const writer = await connect(t, rig.urls.writer);
const DAY = 86_400_000;
const BASE = Date.now() - 40 * DAY;

async function search(person: string, query: Readonly<Record<string, string | number>> = {}, token?: string) {
  const words = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const response = await rig.inject({
    method: 'GET',
    url: `/v1/decisions?${words.toString()}`,
    headers: { authorization: `Bearer ${token ?? rig.personToken(person, { azp: 'privity-log-review' })}` },
  });
  const body = response.json<Body>();
  return { status: response.statusCode, body, ids: (body.decisions ?? []).map((one) => String(one['id'])) };
}

async function lastReading(): Promise<Json> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by at desc, id desc limit 1`,
  );
  return JSON.parse(rows[0]?.bytes.toString('utf8') ?? '{}') as Json;
}

async function all(person: string, query: Readonly<Record<string, string | number>>): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = '', pages = 0; cursor !== null; pages++) {
    if (pages > 200) throw new Error('it never ends');
    const page = await search(person, { ...query, ...(cursor === '' ? {} : { cursor }) });
    if (page.status !== 200) throw new Error(JSON.stringify(page.body));
    ids.push(...page.ids);
    cursor = page.body.next;
  }
  return ids;
}

await writer.query('select ensure_partitions($1, 3)', [new Date(BASE - 31 * DAY)]);
const made: MadeRecord[] = [
  madeDecision(BASE, { subject: { id: 'u-a', actor: null }, request_id: 'r-7' }),
  madeDecision(BASE + 1_000, { subject: { id: 'u-a', actor: 'svc-ai-assistant' }, action: 'list' }),
  madeDecision(BASE + 2_000, {
    outcome: 'deny',
    decided_by: ['outsider-hard-limits', 'no-self-grant'],
    matter: 'M-1002',
  }),
  madeDecision(BASE + 3_000, {
    resource: { type: 'email', id: 'E-7' },
    grants: ['G-9'],
    caller: { id: 'search', source_system: 'search' },
  }),
  madeDecision(BASE + 4_000, {
    outcome: 'deny',
    walls: ['W-EX-1'],
    decided_by: ['exclusion-wall'],
    matter: 'M-3001',
    client: 'C-300',
  }),
  madeDecision(BASE + 5_000, { obligations: ['review:24h'], policy: { revision: 'sha256:2' } }),
  madeDecision(BASE + 6_000, { kind: 'approval', action: 'approve', subject: { id: 'u-b', actor: null } }),
];
await putRecords(writer, made);
const idOf = (index: number): string => made[index]?.id ?? '';
const inMade = { from: new Date(BASE).toISOString(), to: new Date(BASE + DAY).toISOString() };

t.test('a row says what its record says', async (t) => {
  const { status, body } = await search('u-audley', { subject: 'u-a', order: 'oldest', limit: 1 });
  t.equal(status, 200);
  t.strictSame(body.decisions, [
    {
      id: idOf(0),
      at: new Date(BASE).toISOString(),
      kind: 'decision',
      outcome: 'allow',
      subject: { id: 'u-a', actor: null },
      caller: 'dms',
      source_system: 'dms',
      action: 'read',
      resource: { type: 'document', id: 'D-1' },
      matter: 'M-1001',
      client: 'C-100',
      decided_by: ['team-lawyers'],
      walls: [],
      grants: [],
      obligations: [],
      revision: 'sha256:1',
      request_id: 'r-7',
    },
  ]);
});

t.test('filters, alone and combined, in both orders', async (t) => {
  const expected: [Readonly<Record<string, string>>, number[]][] = [
    [{}, [6, 5, 4, 3, 2, 1, 0]],
    [{ order: 'oldest' }, [0, 1, 2, 3, 4, 5, 6]],
    [{ subject: 'u-a' }, [1, 0]],
    [{ subject: 'u-a', order: 'oldest' }, [0, 1]],
    [{ actor: 'svc-ai-assistant' }, [1]],
    [{ caller: 'search' }, [3]],
    [{ matter: 'M-1002' }, [2]],
    [{ client: 'C-300' }, [4]],
    [{ resource_type: 'email' }, [3]],
    [{ resource_id: 'E-7' }, [3]],
    [{ resource_type: 'document', resource_id: 'E-7' }, []],
    [{ action: 'list' }, [1]],
    [{ kind: 'approval' }, [6]],
    [{ kind: 'decision', outcome: 'deny' }, [4, 2]],
    [{ rule: 'no-self-grant' }, [2]],
    [{ rule: 'no-self' }, []],
    [{ wall: 'W-EX-1' }, [4]],
    [{ grant: 'G-9' }, [3]],
    [{ revision: 'sha256:2' }, [5]],
    [{ obligation: 'review:24h' }, [5]],
    [{ outcome: 'deny', matter: 'M-3001', wall: 'W-EX-1', rule: 'exclusion-wall', client: 'C-300' }, [4]],
    [{ outcome: 'allow', wall: 'W-EX-1' }, []],
    [{ from: new Date(BASE + 1_000).toISOString(), to: new Date(BASE + 3_000).toISOString() }, [2, 1]],
    [{ from: '2001-01-01T00:00:00+02:00', to: new Date(BASE + 1).toISOString() }, [0]],
    [{ subject: `x' or true --` }, []],
  ];
  for (const [query, indexes] of expected) {
    const { status, ids } = await search('u-audley', { ...inMade, ...query });
    t.equal(status, 200);
    t.strictSame(ids, indexes.map(idOf), JSON.stringify(query));
  }
});

t.test('a record that is later than its id is found by its own time', async (t) => {
  const late = madeDecision(BASE - 10 * DAY, {
    subject: { id: 'u-late' },
    at: new Date(BASE - 10 * DAY + 90_000).toISOString(),
  });
  await putRecords(writer, [late]);
  const at = (ms: number): string => new Date(BASE - 10 * DAY + ms).toISOString();
  t.strictSame((await search('u-audley', { subject: 'u-late', from: at(60_000), to: at(120_000) })).ids, [late.id]);
  t.strictSame((await search('u-audley', { subject: 'u-late', to: at(60_000) })).ids, []);
});

t.test('every search is a record: what was asked, how many rows it gave', async (t) => {
  await search('u-audley', { matter: 'M-1002', outcome: 'deny', limit: 7, ...inMade });
  t.match(await lastReading(), {
    kind: 'read',
    outcome: 'allow',
    action: 'list',
    subject: { id: 'u-audley' },
    matter: 'M-1002',
    caller: { source_system: 'privity' },
    read: {
      what: 'search',
      view: 'log',
      filter: { matter: 'M-1002', outcome: 'deny', ...inMade },
      order: 'newest',
      limit: 7,
      is_continued: false,
      rows: 1,
    },
  });
  await search('u-okafor', { matter: 'M-1002' });
  t.match(await lastReading(), { outcome: 'deny', subject: { id: 'u-okafor' }, read: { what: 'search', rows: 0 } });
});

t.test('who may not list the log is told that nothing is here', async (t) => {
  for (const person of ['u-okafor', 'u-rowe', 'u-quinn']) {
    t.match(await search(person), { status: 404, body: { code: 'not_found' } }, person);
  }
  t.equal((await search('u-secord', inMade)).status, 200, 'security officers list it');
  t.equal((await search('', {}, rig.callerToken('dms'))).status, 403, 'a caller alone is nobody who could read');
});

t.test('pages: every row once, whatever is added meanwhile', async (t) => {
  const start = BASE - 5 * DAY;
  const of = { subject: { id: 'u-pages', actor: null } };
  const rows = Array.from({ length: 23 }, (_, index) => madeDecision(start + Math.floor(index / 4), of));
  await putRecords(writer, rows);
  const ids = rows.map(({ id }) => id).toSorted();
  for (const order of ['newest', 'oldest'] as const) {
    const given: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await search('u-audley', {
        subject: 'u-pages',
        order,
        limit: 5,
        ...(cursor === null ? {} : { cursor }),
      });
      t.ok(page.ids.length <= 5);
      given.push(...page.ids);
      cursor = page.body.next;
      // Behind the cursor: never seen, and never moves what is.
      await putRecords(writer, [madeDecision(order === 'newest' ? start + DAY : start - DAY, of)]);
    } while (cursor !== null);
    const mine = given.filter((id) => ids.includes(id));
    t.strictSame(mine, order === 'newest' ? ids.toReversed() : ids, order);
    t.equal(new Set(given).size, given.length, 'none twice');
  }
});

t.test('cursors are bound to query and reader', async (t) => {
  const query = { ...inMade, outcome: 'allow', limit: 2 };
  const { body } = await search('u-audley', query);
  const cursor = body.next ?? '';
  t.equal((await search('u-audley', { ...query, cursor })).status, 200);
  t.equal((await search('u-audley', { ...query, limit: 50, cursor })).status, 200, 'pages may change their size');
  const refused = async (what: string, ...args: Parameters<typeof search>) =>
    t.match(
      await search(...args),
      { status: 400, body: { code: 'malformed_request', errors: [{ pointer: '/cursor' }] } },
      what,
    );
  await refused('another reader', 'u-secord', { ...query, cursor });
  await refused('another caller', 'u-audley', { ...query, cursor }, rig.personToken('u-audley'));
  await refused('another filter', 'u-audley', { ...query, outcome: 'deny', cursor });
  await refused('one filter less', 'u-audley', { ...inMade, limit: 2, cursor });
  await refused('another order', 'u-audley', { ...query, order: 'oldest', cursor });
  for (let index = 0; index < cursor.length; index += 5) {
    const other = cursor[index] === 'A' ? 'B' : 'A';
    await refused(`altered at ${index}`, 'u-audley', {
      ...query,
      cursor: cursor.slice(0, index) + other + cursor.slice(index + 1),
    });
  }
  await refused('an id', 'u-audley', { ...query, cursor: idOf(1) });
  await refused('longer', 'u-audley', { ...query, cursor: `${cursor}AAAA` });
  await refused('padded', 'u-audley', { ...query, cursor: `${cursor}=` });
});

t.test('what cannot be answered is a 400 that points to the parameter', async (t) => {
  const wrong: [string, string][] = [
    ['?from=yesterday', '/from'],
    ['?from=2026-03-10', '/from'],
    ['?to=2026-02-30T00:00:00Z', '/to'],
    ['?from=2026-03-10T00:00:00+01:00', '/from'],
    ['?from=1066-10-14T00:00:00Z', '/from'],
    ['?to=9999-01-01T00:00:00Z', '/to'],
    ['?from=2199-01-01T00:00:00Z', '/from'],
    ['?from=2026-03-10T00:00:00Z&to=2026-03-10T00:00:00Z', '/to'],
    ['?from=2026-03-11T00:00:00Z&to=2026-03-10T00:00:00Z', '/to'],
    ['?limit=0', '/limit'],
    ['?limit=201', '/limit'],
    ['?limit=1e2', '/limit'],
    ['?limit=5&limit=6', '/limit'],
    ['?order=random', '/order'],
    ['?kind=gossip', '/kind'],
    ['?outcome=maybe', '/outcome'],
    ['?subject=', '/subject'],
    ['?subject=a&subject=b', '/subject'],
    ['?subject=%00', '/subject'],
    ['?matter=%EF%BF%BD'.repeat(1) + 'x'.repeat(300), '/matter'],
    [`?matter=${encodeURIComponent('ü'.repeat(129))}`, '/matter'],
    ['?view=everything', '/view'],
    ['?subjects=u-a', '/subjects'],
    ['?cursor=', '/cursor'],
    ['?kind=policy_loaded&subject=u-a', '/subject'],
    ['?kind=refused&outcome=deny', '/outcome'],
    ['?kind=writer_opened&wall=W-1', '/wall'],
    ['?view=access_report', '/matter'],
    ['?view=access_report&client=C-100', '/matter'],
    ...['rule', 'wall', 'grant', 'obligation', 'revision', 'caller'].map((name): [string, string] => [
      `?view=access_report&matter=M-1001&${name}=x`,
      `/${name}`,
    ]),
    ['?view=access_report&matter=M-1001&kind=read', '/kind'],
  ];
  const authorization = `Bearer ${rig.personToken('u-audley')}`;
  const before = await rig.count('read');
  for (const [query, pointer] of wrong) {
    const response = await rig.inject({ method: 'GET', url: `/v1/decisions${query}`, headers: { authorization } });
    t.match(response.json(), { status: 400, code: 'malformed_request', errors: [{ pointer }] }, query);
  }
  t.equal(await rig.count('read'), before, 'nothing was read');
});

t.test('a reader’s walls take rows out of everything, and leave no trace', async (t) => {
  const start = BASE - 8 * DAY;
  const of = { subject: { id: 'u-walled', actor: null } };
  const rows = Array.from({ length: 12 }, (_, index) =>
    madeDecision(start + index * 1_000, {
      ...of,
      // M-2001 is behind an inclusion wall that leaves the auditor out.
      ...(index % 3 === 0 ? { matter: 'M-2001', client: 'C-200', resource: { type: 'document', id: 'D-hidden' } } : {}),
    }),
  );
  await putRecords(writer, rows);
  const visible = rows.filter(({ said }) => said['matter'] !== 'M-2001').map(({ id }) => id);
  t.strictSame(await all('u-audley', { subject: 'u-walled', order: 'oldest' }), visible);
  t.match(await lastReading(), { read: { rows: visible.length } });
  for (const limit of [1, 3, 8]) {
    t.strictSame(await all('u-audley', { subject: 'u-walled', limit }), visible.toReversed());
  }
  t.equal((await search('u-audley', { subject: 'u-walled', order: 'oldest', limit: 8 })).body.next, null);

  // What is hidden and what nobody has heard of.
  const pairs: [Json, Json][] = [
    [{ matter: 'M-2001' }, { matter: 'M-9999' }],
    [
      { matter: 'M-2001', client: 'C-200' },
      { matter: 'M-9999', client: 'C-200' },
    ],
    [{ resource_id: 'D-hidden' }, { resource_id: 'D-unheard-of' }],
    [
      { matter: 'M-2001', view: 'access_report' },
      { matter: 'M-9999', view: 'access_report' },
    ],
    [
      { matter: 'M-2001', client: 'C-200', view: 'access_report' },
      { matter: 'M-9999', client: 'C-200', view: 'access_report' },
    ],
  ];
  for (const [hidden, unheard] of pairs) {
    const one = await search('u-audley', hidden as Readonly<Record<string, string>>);
    const walled = await lastReading();
    const other = await search('u-audley', unheard as Readonly<Record<string, string>>);
    t.strictSame([one.status, one.body], [other.status, other.body], JSON.stringify(hidden));
    t.strictSame(one.body, { decisions: [], next: null });
    if ('matter' in hidden)
      t.match(walled, { outcome: 'deny', decided_by: ['inclusion-wall'], matter: 'M-2001', read: { rows: 0 } });
  }
  const mine = await all('u-audley', { kind: 'read', subject: 'u-audley', limit: 200 });
  const { rows: denied } = await rig.reader.query<{ id: string }>(
    `select id from decisions where kind = 'read' and matter_id = 'M-2001'`,
  );
  t.ok(denied.length > 2);
  for (const { id } of denied) t.notOk(mine.includes(id), 'not even one’s own attempts, which name the matter');
});

t.test('what another reader was given behind my walls does not show in the record of that reading', async (t) => {
  const start = BASE - 15 * DAY;
  await putRecords(writer, [
    madeDecision(start, { subject: { id: 'u-counted' }, matter: 'M-2001', client: 'C-200' }),
    madeDecision(start + 1, { subject: { id: 'u-counted' } }),
  ]);
  // u-carvalho is behind the wall of M-2001; here she is an auditor as well.
  const auditor = rig.personToken('u-carvalho', { azp: 'privity-log-review', roles: ['auditor'] });
  const hers = await search('', { subject: 'u-counted' }, auditor);
  t.equal(hers.body.decisions.length, 2, JSON.stringify(hers.body));
  const reading = await lastReading();
  t.match(reading, { matter: null, read: { rows: 2 } });
  // A wall keeps somebody from M-1001 as well, but not the auditor.
  t.strictSame((reading['read'] as Json)['behind_walls'], [
    { client: 'C-100', matter: 'M-1001' },
    { client: 'C-200', matter: 'M-2001' },
  ]);
  const id = String(reading['id']);
  t.notOk((await all('u-audley', { kind: 'read', subject: 'u-carvalho' })).includes(id));
  const url = `/v1/decisions/${id}`;
  const read = (token: string) => rig.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
  t.equal((await read(rig.personToken('u-audley'))).statusCode, 404);
  t.equal((await read(auditor)).statusCode, 200, 'who may see those rows may see how many there were');
});

t.test('one request looks at a bounded number of rows, and does not say how many it passed', async (t) => {
  const start = BASE - 30 * DAY;
  const of = { subject: { id: 'u-busy', actor: null } };
  const rows = Array.from({ length: 24_000 }, (_, index) =>
    madeDecision(start + index * 1_000, { ...of, action: index === 0 ? 'rare' : 'read' }),
  );
  await putRecords(writer, rows);
  let pages = 0;
  const given: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const page = await search('u-audley', { subject: 'u-busy', action: 'rare', ...(cursor === '' ? {} : { cursor }) });
    given.push(...page.ids);
    cursor = page.body.next;
    if (cursor === null) break;
    const position = Buffer.from(cursor, 'base64url').subarray(1, 17);
    t.equal(position.readUIntBE(0, 6) % 1_000, 0, 'a page that is given up ends at a full second');
    t.ok(
      position.subarray(6).every((byte) => byte === 0 || byte === 0x70 || byte === 0x80),
      'not at a record',
    );
  }
  t.ok(pages >= 1 && pages <= 4, String(pages));
  t.strictSame(given, [rows[0]?.id]);
});

t.test('an access report: who did what in a matter, for those whom policy lets read it', async (t) => {
  const start = BASE - 20 * DAY;
  await putRecords(writer, [
    madeDecision(start, { subject: { id: 'u-shown', actor: null } }),
    madeDecision(start + 1, {
      subject: { id: 'u-shown', actor: null },
      outcome: 'deny',
      walls: ['W-X'],
      decided_by: ['exclusion-wall'],
    }),
    madeDecision(start + 2, { subject: { id: 'u-shown', actor: null }, matter: 'M-1001', client: 'C-999' }),
    madeDecision(start + 3, { subject: { id: 'u-shown', actor: null }, kind: 'read' }),
    madeDecision(start + 4, { subject: { id: 'u-shown', actor: null }, matter: 'M-1002' }),
  ]);
  const report = { view: 'access_report', matter: 'M-1001', subject: 'u-shown', order: 'oldest' };
  // u-okafor is the responsible attorney of M-1001.
  const partner = await search('u-okafor', report);
  const row = {
    at: new Date(start).toISOString(),
    outcome: 'allow',
    subject: { id: 'u-shown', actor: null },
    source_system: 'dms',
    action: 'read',
    resource: { type: 'document', id: 'D-1' },
    matter: 'M-1001',
    client: 'C-100',
  };
  const shown = partner.body.decisions.map(({ id: _id, ...rest }) => rest);
  t.strictSame(
    shown,
    [row, { ...row, at: new Date(start + 1).toISOString(), outcome: 'deny' }],
    'no wall, no reason, nobody who read the log',
  );
  t.match(await lastReading(), {
    outcome: 'allow',
    decided_by: ['responsible-partner-access-report'],
    resource: { type: 'access_report', id: 'M-1001' },
    read: { what: 'search', view: 'access_report', rows: 2 },
  });

  // People of clients come through the portal, which brings their token along.
  const asClient = async (person: string, query: Readonly<Record<string, string>>) => {
    const response = await rig.inject({
      method: 'GET',
      url: `/v1/decisions?${new URLSearchParams(query).toString()}`,
      headers: {
        authorization: `Bearer ${rig.callerToken('portal')}`,
        'privity-subject-token': rig.subjectToken(person, { aud: 'portal', azp: 'portal-web' }),
      },
    });
    return { status: response.statusCode, body: response.json<Body>() };
  };
  const client = await asClient('c-alder-gc', report);
  t.strictSame([client.status, client.body], [200, partner.body]);
  t.match(await lastReading(), {
    decided_by: ['client-access-report'],
    caller: { id: 'portal', source_system: 'portal' },
  });
  const strange = [
    await asClient('c-falcon-cfo', report),
    await asClient('c-alder-gc', { ...report, matter: 'M-2001' }),
    await asClient('c-alder-gc', { ...report, matter: 'M-9999' }),
    await search('u-lind', report),
    await search('u-okafor', { ...report, matter: 'M-2001' }),
    await search('u-okafor', { ...report, matter: 'M-9999' }),
  ];
  for (const { status, body } of strange) t.match({ status, body }, { status: 404, body: { code: 'not_found' } });
  t.equal((await search('u-okafor', { matter: 'M-1001' })).status, 404, 'the log itself is not theirs');
});

t.test('bytes count, not columns: a row that was moved in front of a wall stays behind it', async (t) => {
  const start = BASE - 25 * DAY;
  const moved = madeDecision(start, { subject: { id: 'u-moved' }, matter: 'M-2001', client: 'C-200' });
  await putRecords(writer, [moved], { matter_id: 'M-1001', client_id: 'C-100' });
  const broken = madeDecision(start + 1, { subject: { id: 'u-moved' } });
  await putRecords(writer, [broken], { bytes: 'no JSON \\ at all' });
  const { body } = await search('u-audley', { subject: 'u-moved' });
  t.match(body.decisions, [{ id: broken.id, kind: 'decision', outcome: null, subject: { id: null }, decided_by: [] }]);
  t.equal(body.decisions.length, 1);
});

t.test('real decisions, free text and all', async (t) => {
  const context = { ...OFFICE, purpose: 'Überprüfung \\ "now" \u2028', country: 'DE' };
  const { body } = await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-ü\\1'), context });
  const found = await search('u-audley', { resource_id: 'D-ü\\1' });
  t.match(found.body.decisions, [
    { id: body.context?.['evaluation_id'], resource: { id: 'D-ü\\1' }, subject: { id: 'u-okafor' } },
  ]);
  t.equal(JSON.stringify(found.body).includes('berpr'), false, 'a list shows no free text');
});

t.test('while the log cannot be read there is a 503, and no guess', async (t) => {
  const owner = await connect(t, rig.urls.owner);
  await owner.query('revoke select on decisions from privity_reader');
  t.match(await search('u-audley'), { status: 503, body: { code: 'overloaded' } });
  await owner.query('grant select on decisions to privity_reader');
  t.equal((await search('u-audley')).status, 200);
});
