// `privity audit search|show|export`, as somebody with a token uses them: a real service, a real process, files and pipes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import t from 'tap';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { madeDecision, putManyRecords } from '../helpers/log-rows.ts';
import { connect } from '../helpers/postgres.ts';
import { BINARY, environment, privity, type Ended } from './privity.ts';

type Json = Readonly<Record<string, unknown>>;

const rig = await startApp(t);
const folder = await mkdtemp(path.join(tmpdir(), 'privity-audit-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
const many = madeDecision(Date.now() - 60_000, {
  subject: { id: 'u-many', actor: null },
  context: { padding: 'x'.repeat(500) },
});
await putManyRecords(await connect(t, rig.urls.owner), many, 3_000);
const ids: string[] = [];
for (const [person, id] of [
  ['u-okafor', 'D-1'],
  ['u-adler', 'D-\u001b[31m2'],
  ['u-okafor', 'D-3'],
] as const) {
  const context = { ...OFFICE, purpose: 'told by a client' };
  const { body } = await rig.ask(person, { action: { name: 'read' }, resource: document(id), context });
  ids.push(String(body.context?.['evaluation_id']));
}

const tokenOf = (person: string): string => rig.personToken(person, { azp: 'privity-log-review' });
const audit = (person: string, ...words: string[]): Promise<Ended> =>
  privity(['audit', ...words], { cwd: folder, env: { PRIVITY_URL: url, PRIVITY_TOKEN: tokenOf(person) } });

t.test('search: a table for people, JSON for programs', async (t) => {
  const shown = await audit(
    'u-audley',
    'search',
    '--matter',
    'M-1001',
    '--resource-type',
    'document',
    '--caller',
    'dms',
    '--limit',
    '3',
  );
  t.equal(shown.code, 0, shown.err);
  const [head, ...rows] = shown.out.trimEnd().split('\n');
  t.match(head, /RECORD +TIME +WHO +DID +TO +MATTER +DECIDED BY/);
  t.equal(rows.length, 3);
  t.match(rows[0], new RegExp(`^allow +${ids[2]} .* u-okafor +read +document D-3 +M-1001 +.*team-lawyers`));
  t.match(rows[1], /^deny .*document D-\\u001b\[31m2.*exclusion/, 'nothing that a terminal would take as an order');
  t.match(shown.err, '3 records; there are more');
  const { out } = await audit(
    'u-audley',
    'search',
    '--subject',
    'u-many',
    '--limit',
    '450',
    '--order',
    'oldest',
    '--json',
  );
  const { decisions, more } = JSON.parse(out) as { decisions: Json[]; more: boolean };
  t.equal(decisions.length, 450, 'of several pages');
  t.equal(new Set(decisions.map(({ id }) => id)).size, 450);
  t.ok(more);
  const none = await audit('u-audley', 'search', '--subject', 'u-nobody');
  t.match(none, { code: 0, out: '', err: '0 records\n' });
});

t.test('show: everything that a record says, free text masked', async (t) => {
  const shown = await audit('u-audley', 'show', ids[0] ?? '');
  t.equal(shown.code, 0, shown.err);
  t.match(shown.out, `decision ${ids[0]} allow`);
  t.match(shown.out, /context\.purpose +\[masked\]/);
  t.match(shown.out, /allow +true +team-lawyers +rules\/matter-teams\.yaml:\d+/);
  t.match(shown.out, /intact +yes/);
  t.notMatch(shown.out, 'told by a client');
  const json = JSON.parse((await audit('u-audley', 'show', ids[0] ?? '', '--json')).out) as Json;
  t.match(json, { id: ids[0], record: { outcome: 'allow' }, proof: { intact: true } });
  t.match(await audit('u-audley', 'show', '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'), {
    code: 1,
    out: '',
    err: /nothing is here for you/,
  });
  t.match(await audit('u-audley', 'show'), { code: 2 });
});

t.test('export: to a file that appears when it is whole, or to a pipe', async (t) => {
  const ended = await audit('u-audley', 'export', '--format', 'csv', '--subject', 'u-many', '--out', 'many.csv');
  t.equal(ended.code, 0, ended.err);
  t.match(ended.err, /^3,001 lines, /);
  const rows = parse(await readFile(path.join(folder, 'many.csv')), { columns: true });
  t.equal(rows.length, 3_000);
  t.match(await audit('u-audley', 'export', '--out', 'many.csv'), { code: 2, err: /there already/ });
  const piped = await audit('u-audley', 'export', '--resource-id', 'D-3');
  t.match(JSON.parse(piped.out), { id: ids[2], context: { purpose: '[masked]' } });
  t.strictSame(await readdir(folder), ['many.csv'], 'nothing else is left');

  const child = spawn(process.execPath, [BINARY, 'audit', 'export', '--subject', 'u-many'], {
    env: environment({ PRIVITY_URL: url, PRIVITY_TOKEN: tokenOf('u-audley') }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.once('close', resolve));
  t.equal(code, 0, 'a reader that has seen enough is no failure');
});

t.test('a partner sees the report of the matter, and nothing of the log', async (t) => {
  const report = await audit('u-okafor', 'search', '--matter', 'M-1001', '--report', '--resource-id', 'D-3');
  t.equal(report.code, 0, report.err);
  t.notMatch(report.out, /DECIDED BY|team-lawyers/);
  t.match(report.out, ids[2]);
  t.match(await audit('u-okafor', 'search', '--matter', 'M-1001'), {
    code: 1,
    out: '',
    err: /nothing is here for you/,
  });
  t.match(await audit('u-secord', 'export'), { code: 1, out: '', err: /nothing is here for you/ });
});

t.test('where the token comes from, and where it never goes', async (t) => {
  const file = path.join(folder, 'token');
  await writeFile(file, `${tokenOf('u-audley')}\n`);
  const words = ['audit', 'search', '--limit', '1'];
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closed = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  t.match(await privity([...words, '--url', url, '--token-file', file]), { code: 0 });
  t.match(await privity([...words, '--url', `${url}/`], { env: { PRIVITY_TOKEN_FILE: file } }), { code: 0 });
  t.match(await privity([...words, '--url', url, '--token-file', '-'], { input: tokenOf('u-audley') }), { code: 0 });
  t.match(await privity([...words, '--url', url]), { code: 2, err: /there is no token/ });
  t.match(await privity([...words, '--url', url, '--token-file', 'no-such-file']), {
    code: 2,
    err: /cannot be read \(ENOENT\)/,
  });
  t.match(await privity([...words, '--url', url], { env: { PRIVITY_TOKEN: 'nonsense' } }), {
    code: 2,
    err: /token was refused/,
  });
  const clear = await privity([...words, '--url', 'http://privity.firm.example', '--token-file', file]);
  t.match(clear, { code: 2, err: /in clear/ });
  t.match(await privity([...words, '--url', 'ftp://x', '--token-file', file]), { code: 2, err: /no address/ });
  t.match(await privity([...words, '--url', closed, '--token-file', file]), {
    code: 2,
    err: /does not answer: ECONNREFUSED/,
  });
});

t.test('wrong filters are said in words', async (t) => {
  t.match(await audit('u-audley', 'search', '--from', 'yesterday'), { code: 2, err: /`from` must be an instant/ });
  t.match(await audit('u-audley', 'search', '--kind', 'decisions'), { code: 2, err: /did you mean `decision`/ });
  t.match(await audit('u-audley', 'search', '--limit', '0'), { code: 2, err: /no number from 1/ });
  t.match(await audit('u-audley', 'export', '--format', 'xlsx'), { code: 2, err: /ndjson, csv, ocsf/ });
  const day = await audit('u-audley', 'search', '--from', '2026-03-10', '--to', '2026-03-11', '--json');
  t.equal(day.code, 0, 'days are taken');
});
