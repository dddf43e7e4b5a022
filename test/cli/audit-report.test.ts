// `privity audit report`, as somebody with a token uses it: a real service, a real process, terminal, pipes and files.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { REPORTS } from '../../src/core/reports/catalogue.ts';
import type { AuditReport } from '../../src/model/audit-report.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { privity, type Ended } from './privity.ts';

const rig = await startApp(t);
const folder = await mkdtemp(path.join(tmpdir(), 'privity-report-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
const HOSTILE = 'D-\u001b[31m=1+1';
for (const [person, id] of [
  ['u-lind', 'D-1'],
  ['u-lind', HOSTILE],
  ['u-voss', 'D-1'],
] as const) {
  await rig.ask(person, { action: { name: 'read' }, resource: document(id), context: OFFICE });
}

const ask = (person: string, ...words: string[]): Promise<Ended> => {
  const token = rig.personToken(person, { azp: 'privity-log-review' });
  return privity(['audit', 'report', ...words], { cwd: folder, env: { PRIVITY_URL: url, PRIVITY_TOKEN: token } });
};

t.test('for people: facts, tables, and nothing that a terminal would take as an order', async (t) => {
  const { code, out, err } = await ask('u-audley', 'blast-radius', '--account', 'u-lind');
  t.equal(code, 0, err);
  t.match(out, /^Blast radius$/m);
  t.match(out, /made for +u-audley/);
  t.match(out, /decisions +2 allowed, 0 denied/);
  t.match(out, /MATTER +CLIENT +RESPONSIBLE +ALLOWED +DENIED/);
  t.match(out, /M-1001 +C-100 +u-okafor +2 +0/);
  t.match(out, 'document D-\\u001b[31m=1+1');
  t.notMatch(out, '\u001b');
});

t.test('for programs, spreadsheets and printers', async (t) => {
  const json = await ask('u-audley', 'screen-certificate', '--wall', 'W-EX-1', '--format', 'json');
  const report = JSON.parse(json.out) as AuditReport;
  t.equal(report.report, 'screen-certificate');
  t.equal(report.is_complete, true);
  const csv = await ask('u-audley', 'blast-radius', '--account', 'u-lind', '--format', 'csv');
  t.match(csv.out, /^"report","Blast radius"\r\n/);
  const page = ['matter-access', '--matter', 'M-1001', '--format', 'html', '--out', 'page.html'];
  t.equal((await ask('u-audley', ...page)).code, 0);
  t.match(await readFile(path.join(folder, 'page.html'), 'utf8'), /^<!doctype html>[\s\S]*<svg [\s\S]*<\/html>\n$/);
  const again = await ask('u-audley', ...page);
  t.equal(again.code, 2);
  t.match(again.err, 'is there already');
});

t.test('what is not there, and what makes no sense', async (t) => {
  const hidden = await ask('u-lind', 'matter-access', '--matter', 'M-1001');
  t.equal(hidden.code, 1);
  t.match(hidden.err, 'nothing is here for you');
  for (const [words, said] of [
    [['matter-acess', '--matter', 'M-1001'], 'did you mean `matter-access`?'],
    [['matter-access'], 'needs `--matter`'],
    [['matter-access', '--matter', 'M-1001', '--wall', 'W-1'], '`--wall` means nothing'],
    [['blast-radius', '--account', 'u-lind', '--view', 'access_report'], '`--view access_report` means nothing'],
    [['person-on-a-date', '--subject', 'u-lind', '--date', '2026-02-30'], 'no day of the calendar'],
  ] as const) {
    const { code, err } = await ask('u-audley', ...words);
    t.equal(code, 2, words.join(' '));
    t.match(err, said);
  }
});

t.test('help lists every report in one table', async (t) => {
  const { code, out } = await privity(['audit', 'report', '--help']);
  t.equal(code, 0);
  for (const { name } of REPORTS) t.match(out, new RegExp(`^  ${name} +\\S`, 'm'));
});
