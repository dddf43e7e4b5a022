// Every command of docs/audit-questions.md is carried out on a sealed log of the example firm, by whoever would ask.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { REPORTS } from '../../src/core/reports/catalogue.ts';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { privity, REPOSITORY } from '../cli/privity.ts';
import { document, OFFICE, STARTER, startApp } from '../helpers/app.ts';
import { createDatabase } from '../helpers/postgres.ts';

const markdown = await readFile(path.join(REPOSITORY, 'docs', 'audit-questions.md'), 'utf8');
const rows = markdown.split('\n').filter((line) => /^\| .*`privity /.test(line));
const commands = [...new Set(rows.map((row) => /`privity ([^`]+)`/.exec(row)?.[1] ?? ''))];

t.test('every question has a command and an answer, every framework is there', async (t) => {
  t.ok(rows.length > 40);
  for (const row of rows) t.match(row, /^(\|[^|`]+)?\|[^|]+\?[^|]*\||^\|[^|]*\|[^|]+\.\s*\| `privity|^\| Prove/, row);
  for (const criterion of ['CC6.1', 'CC6.2', 'CC6.3', 'CC7.2', 'CC8.1']) t.match(markdown, `| ${criterion}`);
  for (const control of [15, 16, 17, 18]) t.match(markdown, `| A.5.${control}`);
  for (const control of [2, 3, 4, 5, 15, 16, 17]) t.match(markdown, new RegExp(`\\| A\\.8\\.${control}\\s`));
  for (const { name } of REPORTS) t.match(markdown, `audit report ${name}`, 'every report answers some question');
});

t.test('the commands end well', { timeout: 600_000 }, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-questions-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string): string => path.join(folder, name);
  await cp(STARTER, at('policies'), { recursive: true });
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', at('policies'), '-c', 'user.name=A', '-c', 'user.email=a@firm.example', ...words]);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('-c', 'commit.gpgsign=false', 'commit', '-q', '-m', 'The policies\n\nReviewed-by: B <b@firm.example>');
  await generateWriterKey(at('writer.pem'));
  await generateWriterKey(at('checkpoint.pem'));
  const { urls } = await createDatabase(t);
  const settings = {
    WRITER_KEY_FILE: at('writer.pem'),
    CHECKPOINT_KEY_FILE: at('checkpoint.pem'),
    CHECKPOINT_DIR: at('published'),
    DATABASE_SEALER_URL: urls.sealer,
    LOG_NAME: 'log.firm.example',
  };
  await mkdir(at('published'));
  const rig = await startApp(t, { urls, environment: { POLICIES_DIR: at('policies'), ...settings } });
  const url = await rig.app.http.listen({ host: '127.0.0.1', port: 0 });
  let id = '';
  for (const person of ['u-voss', 'u-lind']) {
    const { body } = await rig.ask(person, { action: { name: 'read' }, resource: document('D-9001'), context: OFFICE });
    id = String(body.context?.['evaluation_id']);
  }
  for (const [option, name] of [
    ['--print-key', 'log.vkey'],
    ['--print-certifier', 'writers.pem'],
  ] as const) {
    const { out, code, err } = await privity(['seal', option], { env: { ...settings, DATABASE_URL: urls.writer } });
    t.equal(code, 0, err);
    await writeFile(at(name), out);
  }
  const sealed = async (): Promise<boolean> => {
    const { rows: found } = await rig.reader.query<{ size: number }>('select max(size)::int as size from checkpoints');
    return (found[0]?.size ?? 0) > 2;
  };
  while (!(await sealed())) await sleep(100);
  const waiting = commands.values();
  // One process for each command: three at a time.
  const runAll = async (): Promise<void> => {
    for (const command of waiting) {
      const words = command.split(' ').map((word) => (word === 'EVALUATION_ID' ? id : word));
      const person = words.includes('access_report') ? 'u-okafor' : 'u-audley';
      const token = rig.personToken(person, { azp: 'privity-log-review' });
      const env = { ...settings, PRIVITY_URL: url, PRIVITY_TOKEN: token, DATABASE_READER_URL: urls.reader };
      const { code, out, err } = await privity(words, { cwd: folder, env });
      t.equal(code, 0, `${command}: ${err}${out.slice(0, 500)}`);
      if (words[1] === 'report')
        t.match(out, REPORTS.find(({ name }) => name === words[2])?.title.split(',', 1)[0] ?? 'none');
      if (words[1] === 'verify') t.match(out, /^intact/);
      if (words.includes('--repository')) t.match(out, /Commits of the policy sets/);
    }
  };
  await Promise.all([runAll(), runAll(), runAll()]);
});
