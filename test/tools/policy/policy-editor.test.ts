// The verb that prepares editors: schemas beside the policies, settings of VS Code, first lines; nothing of it changes what policies say.
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import { verb } from '../../../tools/policy/policy-editor.ts';
import { copyPolicies, REPOSITORY } from '../../cli/privity.ts';
import { compiled } from '../../helpers/policies.ts';
import { makeFolder } from '../../io/policies/folder.ts';
import { runVerb } from '../../helpers/run-verb.ts';

t.test('the command of the docs prepares a copy of the starter pack', async (t) => {
  const docs = await readFile(path.join(REPOSITORY, 'docs/policy-tools.md'), 'utf8');
  const command = /```sh editor\n\S+ policy editor (.*)\n```/.exec(docs)?.[1] ?? 'none';
  const folder = await makeFolder(t, {});
  await copyPolicies(folder);
  const { code, out, err } = await runVerb(verb, command.split(' '), { folder });
  t.equal(code, 0, err);
  t.match(out, /wrote policies\/\.privity\/schemas\/rules\.schema\.json/);
  t.equal((await runVerb(verb, ['--check', ...command.split(' ')], { folder })).code, 0);
});

t.test('schemas, settings and first lines; the revision stays', async (t) => {
  const folder = await makeFolder(t, {
    '.vscode/settings.json': '{ "editor.tabSize": 2, "yaml.schemas": { "./other.json": "x.yaml" } }',
  });
  const policies = path.join(folder, 'firm/policies');
  await cp(path.join(REPOSITORY, 'examples/small-firm'), policies, { recursive: true });
  const revision = async () => compiled((await readPolicyFolder(policies)).files).revision;
  const before = await revision();
  const run = (...words: string[]) => runVerb(verb, ['firm/policies', ...words], { folder });
  const stale = await run('--check', '--vscode');
  t.equal(stale.code, 1);
  t.match(stale.out, /not up to date firm\/policies\/\.privity\/schemas\/rules\.schema\.json/);
  t.equal((await run('--vscode')).code, 0);
  t.equal(await revision(), before);
  t.equal((await run('--check', '--vscode')).out, 'everything is up to date\n');
  const names = await readdir(path.join(policies, '.privity/schemas'));
  t.ok(names.includes('rules.schema.json') && names.includes('firm.schema.json'));
  const rules = await readFile(path.join(policies, '.privity/schemas/rules.schema.json'), 'utf8');
  t.match(rules, /"on_the_team"/);
  t.match(rules, /"resource\.final"/);
  t.match(JSON.parse(await readFile(path.join(folder, '.vscode/settings.json'), 'utf8')), {
    'editor.tabSize': 2,
    'yaml.schemas': {
      './other.json': 'x.yaml',
      './firm/policies/.privity/schemas/rules.schema.json': ['firm/policies/rules/**/*.{yaml,yml}'],
      './firm/policies/.privity/schemas/firm.schema.json': ['firm/policies/firm.yaml'],
    },
  });
  t.match((await run('--modelines')).out, /wrote firm\/policies\/rules\/rules\.yaml/);
  t.match(
    await readFile(path.join(policies, 'rules/rules.yaml'), 'utf8'),
    /^# yaml-language-server: \$schema=\.\.\/\.privity\/schemas\/rules\.schema\.json\nversion: 1\n/,
  );
  t.match(
    await readFile(path.join(policies, 'firm.yaml'), 'utf8'),
    /^# yaml-language-server: \$schema=\.privity\/schemas\/firm\.schema\.json\n/,
  );
  compiled((await readPolicyFolder(policies)).files);
});

t.test('settings with comments are left to their author, and then nothing is written', async (t) => {
  const folder = await makeFolder(t, { '.vscode/settings.json': '{ // mine\n}' });
  await cp(path.join(REPOSITORY, 'examples/small-firm'), path.join(folder, 'policies'), { recursive: true });
  const { code, err } = await runVerb(verb, ['policies', '--vscode'], { folder });
  t.equal(code, 2);
  t.match(err, /settings\.json is not plain JSON\nadd `yaml\.schemas` by hand/);
  t.notOk((await readdir(path.join(folder, 'policies'))).includes('.privity'));
  await writeFile(path.join(folder, 'policies/firm.yaml'), 'version: 2\n');
  t.match((await runVerb(verb, ['policies'], { folder })).err, /does not load/);
});
