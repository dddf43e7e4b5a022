// Exports of the log: what each format says, what is recorded, and how they behave when there is much, the reader slow, gone or walled.
import { createHash } from 'node:crypto';
import { writeFile, mkdir } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'csv-parse/sync';
import t from 'tap';
import { CSV_COLUMNS } from '../../src/core/reading/csv.ts';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { madeDecision, putManyRecords, putRecords, type MadeRecord } from '../helpers/log-rows.ts';
import { ocsfProblems } from '../helpers/ocsf.ts';
import { connect } from '../helpers/postgres.ts';

type Json = Readonly<Record<string, unknown>>;

const rig: TestApp = await startApp(t, { files: {} });
const writer = await connect(t, rig.urls.writer);
const DAY = 86_400_000;
const BASE = Date.now() - 40 * DAY;
await writer.query('select ensure_partitions($1, 3)', [new Date(BASE - 2 * DAY)]);
const tokenOf = (person: string): string => rig.personToken(person, { azp: 'privity-log-review' });

async function get(person: string, query: Readonly<Record<string, string>>) {
  const response = await rig.inject({
    method: 'GET',
    url: `/v1/decisions/export?${new URLSearchParams(query).toString()}`,
    headers: { authorization: `Bearer ${tokenOf(person)}` },
  });
  return { status: response.statusCode, headers: response.headers, text: response.body };
}

const lines = (text: string): Json[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Json);

async function readings(): Promise<readonly Json[]> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by at, seq`,
  );
  return rows.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as Json);
}

/** The two records of the export that was made last. */
async function lastExport(): Promise<{ begun: Json; end: Json }> {
  const all = (await readings()).filter(({ read }) => (read as Json)['what'] === 'export');
  const end = all.findLast(({ read }) => (read as Json)['export'] !== undefined) ?? { read: {} };
  const begun = all.find(({ id }) => id === (end['read'] as Json)['export']);
  return { begun: begun ?? {}, end };
}

const made: MadeRecord[] = [
  madeDecision(BASE, { subject: { id: 'u-f', actor: null } }),
  madeDecision(BASE + 1_000, {
    subject: { id: 'u-f', actor: null },
    context: { purpose: 'a name', country: 'DE' },
    free_text: ['context.purpose'],
  }),
  madeDecision(BASE + 2_000, {
    subject: { id: 'u-f', actor: null },
    resource: { type: 'document', id: '=HYPERLINK("http://x","y")' },
    request_id: '@SUM(1)',
    outcome: 'deny',
    decided_by: ['a', 'b'],
    walls: ['-1+1'],
  }),
  madeDecision(BASE + 3_000, {
    subject: { id: 'u-f', actor: null },
    resource: { type: 'document', id: 'ü \\ "q",\u2028\n' },
  }),
];
await putRecords(writer, made);
const MANY = 50_000;
const many = { subject: { id: 'u-many', actor: null }, context: { padding: 'x'.repeat(1_500) } };
await putManyRecords(await connect(t, rig.urls.owner), madeDecision(BASE - DAY, many), MANY);
const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
const ofMade = { subject: 'u-f', order: 'oldest' };

t.test('NDJSON: the records themselves, free text masked, byte for byte where nothing is masked', async (t) => {
  const { status, headers, text } = await get('u-audley', { format: 'ndjson', ...ofMade });
  t.equal(status, 200);
  t.match(headers, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': 'attachment; filename="decisions.ndjson"',
    'cache-control': 'no-store',
  });
  const said = made.map((one) => one.said);
  t.strictSame(lines(text), [
    said[0],
    { ...said[1], context: { purpose: '[masked]', country: 'DE' } },
    said[2],
    said[3],
  ]);

  const { body } = await rig.ask('u-okafor', {
    action: { name: 'read' },
    resource: document('D-hashed'),
    context: OFFICE,
  });
  const exported = await get('u-audley', { format: 'ndjson', resource_id: 'D-hashed' });
  const line = exported.text.trimEnd();
  const { rows } = await rig.reader.query<{ hash: Buffer }>(
    'select c.hash from commitments c join decisions d using (writer, seq) where d.id = $1',
    [body.context?.['evaluation_id']],
  );
  t.equal(createHash('sha256').update(Buffer.of(0)).update(line).digest('hex'), rows[0]?.hash.toString('hex'));
});

t.test('CSV: documented columns, and nothing that a spreadsheet would run', async (t) => {
  const { headers, text } = await get('u-audley', { format: 'csv', ...ofMade });
  t.equal(headers['content-type'], 'text/csv; charset=utf-8; header=present');
  const [head, ...rows] = parse(text, { record_delimiter: '\r\n' });
  t.strictSame(head, CSV_COLUMNS.log);
  t.equal(rows.length, made.length);
  for (const cell of rows.flat()) t.notMatch(cell, /^[=+\-@\t\r\n]/);
  const cellsOf = (row: readonly string[] | undefined): Json =>
    Object.fromEntries(CSV_COLUMNS.log.map((name, index) => [name, row?.[index]]));
  t.match(cellsOf(rows[2]), {
    at: new Date(BASE + 2_000).toISOString(),
    id: made[2]?.id,
    outcome: 'deny',
    subject: 'u-f',
    actor: '',
    resource_id: `'=HYPERLINK("http://x","y")`,
    decided_by: 'a b',
    walls: `'-1+1'`.slice(0, -1),
    request_id: `'@SUM(1)`,
  });
  t.equal(cellsOf(rows[3])['resource_id'], 'ü \\ "q",\u2028\n');
});

t.test('OCSF: API Activity with the profile security_control, for every kind of record', async (t) => {
  await rig.ask('u-okafor', { action: { name: 'read' }, resource: document('D-ocsf'), context: OFFICE });
  await rig.inject({ method: 'GET', url: '/v1/policy', headers: { authorization: 'Bearer nonsense' } });
  await sleep(50);
  const { text } = await get('u-audley', { format: 'ocsf', order: 'oldest', from: new Date(BASE).toISOString() });
  const events = lines(text);
  for (const event of events) t.strictSame(ocsfProblems(event), []);
  t.match(
    events.find(({ metadata }) => (metadata as Json)['uid'] === made[2]?.id),
    {
      class_uid: 6003,
      type_uid: 600302,
      activity_id: 2,
      action_id: 2,
      disposition_id: 2,
      status_id: 1,
      time: BASE + 2_000,
      actor: {
        user: { uid: 'u-f' },
        authorizations: [{ decision: 'deny', policy: { uid: 'a', version: 'sha256:1' } }, {}],
      },
      api: { operation: 'read' },
      src_endpoint: { svc_name: 'dms' },
      metadata: { correlation_uid: '@SUM(1)', profiles: ['security_control'] },
      unmapped: { matter: 'M-1001', walls: ['-1+1'] },
    },
  );
  const { rows } = await rig.reader.query<{ kind: string }>('select distinct kind from decisions where at >= $1', [
    new Date(BASE),
  ]);
  const kinds = new Set(events.map(({ metadata }) => (metadata as Json)['log_name']));
  for (const { kind } of rows) if (kind !== 'read') t.ok(kinds.has(kind), kind);
  t.notOk(text.includes('a name'), 'no free text');
});

t.test('an export is recorded before the first row, and its rows before the end', async (t) => {
  await get('u-audley', { format: 'csv', ...ofMade, outcome: 'allow' });
  const { begun, end } = await lastExport();
  t.match(begun, {
    kind: 'read',
    outcome: 'allow',
    action: 'export',
    subject: { id: 'u-audley' },
    resource: { type: 'decision_log', id: 'export' },
    read: {
      what: 'export',
      format: 'csv',
      view: 'log',
      filter: { subject: 'u-f', outcome: 'allow' },
      order: 'oldest',
      rows: null,
    },
  });
  t.match(end, { outcome: 'allow', read: { what: 'export', export: begun['id'], ended: 'complete', rows: 3 } });
});

t.test('who may list but not export gets nothing, and nobody a hidden matter', async (t) => {
  for (const person of ['u-secord', 'u-okafor']) {
    const { status, text } = await get(person, { format: 'ndjson' });
    t.match({ status, ...JSON.parse(text) }, { status: 404, code: 'not_found' });
    t.match((await readings()).at(-1), { outcome: 'deny', read: { what: 'export', rows: 0 } });
  }
  await putRecords(writer, [madeDecision(BASE + DAY, { matter: 'M-2001', client: 'C-200', subject: { id: 'u-h' } })]);
  const hidden = await get('u-audley', { format: 'csv', matter: 'M-2001' });
  const unheard = await get('u-audley', { format: 'csv', matter: 'M-9999' });
  t.strictSame([hidden.status, hidden.text], [unheard.status, unheard.text]);
  t.equal((await get('u-audley', { format: 'ndjson', subject: 'u-h' })).text, '');
});

t.test('an access report is exported by those whom policy lets, without reasons', async (t) => {
  const query = { format: 'csv', view: 'access_report', matter: 'M-1001', subject: 'u-f' };
  const partner = await get('u-okafor', query);
  t.equal(partner.status, 200);
  const [head, ...rows] = parse(partner.text, { record_delimiter: '\r\n' });
  t.strictSame(head, CSV_COLUMNS.access_report);
  t.equal(rows.length, made.length);
  t.notMatch(partner.text, /-1\+1|SUM/);
  const asJson = lines((await get('u-okafor', { ...query, format: 'ndjson' })).text);
  t.strictSame(Object.keys(asJson[0] ?? {}).toSorted(), [
    'action',
    'at',
    'client',
    'id',
    'matter',
    'outcome',
    'resource',
    'source_system',
    'subject',
  ]);
  t.equal((await get('u-okafor', { ...query, format: 'ocsf' })).status, 400);
  t.equal((await get('u-lind', query)).status, 404);
});

t.test('what cannot be answered', async (t) => {
  const wrong: [Readonly<Record<string, string>>, string][] = [
    [{}, '/format'],
    [{ format: 'xml' }, '/format'],
    [{ format: 'csv', limit: '5' }, '/limit'],
    [{ format: 'csv', cursor: 'x' }, '/cursor'],
    [{ format: 'csv', from: 'x' }, '/from'],
  ];
  for (const [query, pointer] of wrong) {
    const { status, text } = await get('u-audley', query);
    t.match({ status, ...JSON.parse(text) }, { status: 400, errors: [{ pointer }] }, pointer);
  }
});

interface Slow {
  readonly response: http.IncomingMessage;
  readonly request: http.ClientRequest;
}

/** Connected, with the head of the answer, and nothing read of its body. */
async function begin(person: string, query: Readonly<Record<string, string>>): Promise<Slow> {
  const request = http.get(`${url}/v1/decisions/export?${new URLSearchParams(query).toString()}`, {
    headers: { authorization: `Bearer ${tokenOf(person)}` },
    agent: false,
  });
  request.on('error', () => undefined);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  response.pause();
  return { response, request };
}

/** What came, and whether it ended in order. */
async function rest({ response }: Slow, onBytes: (bytes: number) => Promise<void> | void = () => undefined) {
  let rows = 0;
  let bytes = 0;
  let isWhole = false;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) rows += 1;
      await onBytes(bytes);
    }
    isWhole = response.complete;
  } catch {
    isWhole = false;
  }
  return { rows, bytes, isWhole };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 400) throw new Error('it did not come to that');
    await sleep(25);
  }
}

const rowsOf = ({ read }: Json): number => Number((read as Json)['rows']);

t.test('much of it through a slow reader: all rows, in bounded memory', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const slow = await begin('u-audley', { format: 'ndjson', subject: 'u-many' });
  await sleep(300);
  // As it flows: what the first pieces take is no growth.
  let before: NodeJS.MemoryUsage | null = null;
  const most = { rss: 0, heap: 0 };
  let turns = 0;
  const { rows, bytes, isWhole } = await rest(slow, async (arrived) => {
    if (arrived < (turns + 1) * 6 * 2 ** 20) return;
    turns += 1;
    await sleep(20);
    collect();
    const now = process.memoryUsage();
    before ??= now;
    most.rss = Math.max(most.rss, now.rss - before.rss);
    most.heap = Math.max(most.heap, now.heapUsed + now.external - before.heapUsed - before.external);
  });
  t.equal(rows, MANY);
  t.ok(isWhole);
  const all = Math.round(bytes / 2 ** 20);
  t.ok(all > 100, `${all} MiB`);
  t.ok(turns > 10, 'there was a look at it now and then');
  t.ok(most.heap < 24 * 2 ** 20, `${most.heap} bytes more in use for ${all} MiB`);
  t.ok(most.rss < 80 * 2 ** 20, `${most.rss} bytes more held for ${all} MiB`);
  t.match((await lastExport()).end, { read: { ended: 'complete', rows: MANY } });
});

t.test('a reader who stops takes the export with it', async (t) => {
  const slow = await begin('u-audley', { format: 'ndjson', subject: 'u-many' });
  const { begun } = await lastExport();
  const before = begun['id'];
  await sleep(300);
  slow.request.destroy();
  await until(async () => (await lastExport()).begun['id'] !== before);
  const { end } = await lastExport();
  t.match(end, { read: { ended: 'client_gone' } });
  t.ok(rowsOf(end) > 0 && rowsOf(end) < MANY, `${rowsOf(end)} rows of ${MANY} were read`);
});

t.test('so many at once and no more; each that ends makes room', async (t) => {
  const many = await Promise.all(
    Array.from({ length: 16 }, () => begin('u-audley', { format: 'ndjson', subject: 'u-many' })),
  );
  const refused = await get('u-audley', { format: 'csv', ...ofMade });
  t.equal(refused.status, 503, refused.text);
  t.match({ status: refused.status, ...JSON.parse(refused.text) }, { status: 503, code: 'overloaded' });
  t.equal(refused.headers['retry-after'], '5');
  for (const { request } of many) request.destroy();
  await until(async () => (await get('u-audley', { format: 'csv', ...ofMade })).status === 200);
});

t.test('policies that come into force meanwhile take rows away or end the export, and never add any', async (t) => {
  const folder = rig.policiesDir;
  const wall = (id: string, more: string): string =>
    `walls:\n  - id: ${id}\n    kind: exclusion\n${more}    excluded_people: [u-audley]\n    reason: conflict\n    valid_from: '2026-01-01T00:00:00Z'\n`;
  const change = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
    const { diagnostics } = await rig.app.policies.load();
    t.strictSame(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    );
  };
  const slow = await begin('u-audley', { format: 'ndjson', subject: 'u-many' });
  await sleep(300);
  await change('walls/meanwhile.yaml', wall('W-NEW', '    matter_id: M-1001\n'));
  const { rows, isWhole } = await rest(slow);
  t.ok(isWhole);
  t.ok(rows > 0 && rows < MANY, `${rows} rows had left when the wall came`);
  t.match((await lastExport()).end, { read: { ended: 'complete', rows } });
  t.equal((await get('u-audley', { format: 'ndjson', subject: 'u-many' })).text, '', 'and none leaves later');
  await change('walls/meanwhile.yaml', wall('W-NEW', '    matter_id: M-7777\n'));

  const cut = await begin('u-audley', { format: 'ndjson', subject: 'u-many' });
  await sleep(300);
  await change('lockdown.yaml', 'version: 1\npeople: [u-audley]\n');
  const short = await rest(cut);
  t.notOk(short.isWhole, 'it breaks off');
  t.ok(short.rows < MANY);
  await until(
    async () => (await lastExport()).end['outcome'] === 'allow' && rowsOf((await lastExport()).end) >= short.rows,
  );
  t.match((await lastExport()).end, { read: { ended: 'not_permitted' } });
  t.ok(rowsOf((await lastExport()).end) >= short.rows, 'the record never says fewer than left');
});
