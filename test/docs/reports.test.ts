// Every command of docs/reports.md is carried out as its reader would, on a service of the example firm.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { REPORTS } from '../../src/core/reports/catalogue.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { privity, REPOSITORY } from '../cli/privity.ts';

const markdown = await readFile(path.join(REPOSITORY, 'docs', 'reports.md'), 'utf8');
const commands = [...markdown.matchAll(/^\$ privity (audit report .+)$/gm)].map(([, words = '']) => words.split(' '));

t.test('the commands end well', { timeout: 300_000 }, async (t) => {
  const rig = await startApp(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-reports-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
  for (const person of ['u-lind', 'u-voss']) {
    await rig.ask(person, { action: { name: 'read' }, resource: document('D-1'), context: OFFICE });
  }
  t.ok(commands.length >= 6, `${commands.length} commands`);
  for (const words of commands) {
    const person = words.includes('access_report') ? 'u-okafor' : 'u-audley';
    const token = rig.personToken(person, { azp: 'privity-log-review' });
    const { code, out, err } = await privity(words, { cwd: folder, env: { PRIVITY_URL: url, PRIVITY_TOKEN: token } });
    t.equal(code, 0, `${words.join(' ')}: ${err}`);
    const file = words[words.indexOf('--out') + 1];
    const text = words.includes('--out') ? await readFile(path.join(folder, file ?? ''), 'utf8') : out;
    t.match(text, REPORTS.find(({ name }) => name === words[2])?.title.split(',', 1)[0] ?? 'no such report');
  }
});
