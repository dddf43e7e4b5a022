// What docs/operations.md tells operators to type is carried out, on a service of theirs: its commands, its SQL (undone afterwards).
import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { privity, REPOSITORY } from '../cli/privity.ts';
import { createPatient } from '../helpers/doctor.ts';
import { connect } from '../helpers/postgres.ts';

const markdown = await readFile(path.join(REPOSITORY, 'docs/operations.md'), 'utf8');
const blocks = [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', info = '', text = '']) => ({ language, info, text }),
);
const of = (language: string): readonly string[] =>
  blocks.filter((one) => one.language === language).map(({ text }) => text);
const patient = await createPatient(t);

t.test('every block is one of those that are carried out here', async (t) => {
  for (const { language, info } of blocks) {
    t.ok(['console', 'sql', 'sh'].includes(language), language);
    t.equal(info, 'operator');
  }
});

t.test('commands', async (t) => {
  const commands = of('console').flatMap((text) => text.split('\n').filter((line) => line.startsWith('$ privity ')));
  t.ok(commands.length >= 5);
  for (const command of commands) {
    const { code, out, err } = await privity(command.split(' ').slice(2), { env: patient.env });
    t.equal(code, 0, `${command}\n${err}${out}`);
  }
});

t.test('SQL', async (t) => {
  const admin = await connect(t, patient.database.superuserUrl);
  for (const text of of('sql')) {
    await admin.query('begin');
    await t.resolves(admin.query(text), text);
    await admin.query('rollback');
  }
});

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not here';
t.test('shell: the key that it makes is one that the service takes', { skip: noOpenssl }, async (t) => {
  const folder = path.join(patient.home, 'made');
  await mkdir(folder);
  for (const text of of('sh')) {
    const { status, stderr } = spawnSync('bash', ['-ec', text], { cwd: folder, encoding: 'utf8' });
    t.equal(status, 0, stderr);
  }
  const { check } = await patient.diagnose({ WRITER_KEY_FILE: path.join(folder, 'writer.pem') });
  t.equal(check('keys.writer').verdict, 'ok');
});
