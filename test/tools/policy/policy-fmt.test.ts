// The verb that formats: whole folders, single files, standard input; it writes all of a file or nothing, and says what it leaves alone.
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { verb } from '../../../tools/policy/policy-fmt.ts';
import { REPOSITORY } from '../../cli/privity.ts';
import { makeFolder } from '../../io/policies/folder.ts';
import { runVerb } from '../../helpers/run-verb.ts';

const UNTIDY = "# head\nrules:\n- effect: allow # yes\n  id: 'a'\n  actions: any\n  resources: any\nversion: 1\n";
const TIDY = "# head\nversion: 1\nrules:\n  - id: 'a'\n    effect: allow # yes\n    actions: any\n    resources: any\n";

t.test('the policies of the repository are in style', { timeout: 300_000 }, async (t) => {
  const { code, out, err } = await runVerb(verb, ['--check', 'policies', 'examples/small-firm'], {
    folder: REPOSITORY,
  });
  t.equal(out.trim().split('\n').at(-1), `${out.match(/(\d+) files/)?.[1] ?? ''} files: all in style`, out + err);
  t.equal(code, 0);
});

t.test('a folder is formatted once; a check changes nothing', async (t) => {
  const folder = await makeFolder(t, {
    'firm.yaml': 'version: 1\n',
    'rules/a.yaml': UNTIDY,
    'rules/broken.yaml': 'rules: [\n',
    'data/matters.csv': 'id,client_id\r\nM-1,C-1',
    'README.md': '#  Not   a policy',
  });
  const checked = await runVerb(verb, ['--check', '.'], { folder });
  t.equal(checked.code, 1);
  t.match(
    checked.out,
    /not in style data\/matters\.csv\nnot in style rules\/a\.yaml\n4 files: 2 not in style.*, 1 broken/,
  );
  t.match(checked.err, /rules\/broken\.yaml:2:1/);
  t.equal(await readFile(path.join(folder, 'rules/a.yaml'), 'utf8'), UNTIDY);
  const done = await runVerb(verb, ['--policies', '.'], { folder });
  t.match(done.out, /2 formatted, 1 broken/);
  t.equal(done.code, 1, 'the broken file is still there');
  t.equal(await readFile(path.join(folder, 'rules/a.yaml'), 'utf8'), TIDY);
  t.equal(await readFile(path.join(folder, 'data/matters.csv'), 'utf8'), 'id,client_id\nM-1,C-1\n');
  t.equal(await readFile(path.join(folder, 'rules/broken.yaml'), 'utf8'), 'rules: [\n');
  const again = await runVerb(verb, ['rules/a.yaml', 'data/matters.csv'], { folder });
  t.equal(again.out, '2 files: all in style\n');
  t.equal(again.code, 0);
  t.same((await readdir(path.join(folder, 'rules'))).toSorted(), ['a.yaml', 'broken.yaml'], 'nothing is left over');
});

t.test('a link is followed and stays one', async (t) => {
  const folder = await makeFolder(t, { 'rules/real.yaml': UNTIDY });
  await symlink('real.yaml', path.join(folder, 'rules/link.yaml'));
  await runVerb(verb, ['rules/link.yaml'], { folder });
  t.equal(await readFile(path.join(folder, 'rules/real.yaml'), 'utf8'), TIDY);
});

t.test('standard input, for an editor', async (t) => {
  const folder = await makeFolder(t);
  const done = await runVerb(verb, ['--stdin', 'rules/new.yaml'], { folder, input: UNTIDY });
  t.same(done, { code: 0, out: TIDY, err: '' });
  const broken = await runVerb(verb, ['--stdin', 'rules/new.yaml'], { folder, input: 'rules: [' });
  t.equal(broken.code, 1);
  t.match(broken.err, /rules\/new\.yaml:1:9/);
  t.equal(broken.out, '');
  t.match((await runVerb(verb, ['--stdin'], { folder })).err, /takes one FILE/);
  t.match((await runVerb(verb, ['--stdin', 'notes.txt'], { folder })).err, /no file of a policies folder/);
});

t.test('what is no policy is a usage error, and nothing is written', async (t) => {
  const folder = await makeFolder(t, { 'rules/a.yaml': UNTIDY, 'notes.txt': '' });
  const { code, err } = await runVerb(verb, ['rules/a.yaml', 'notes.txt', 'rules', 'gone.yaml'], { folder });
  t.equal(code, 2);
  t.match(
    err,
    /`notes\.txt` is no file of a policies folder\n`rules` is a part of a policies folder.*\nthere is no `gone\.yaml`/,
  );
  t.equal(await readFile(path.join(folder, 'rules/a.yaml'), 'utf8'), UNTIDY);
});

t.test('for programs', async (t) => {
  const folder = await makeFolder(t, { 'rules/a.yaml': UNTIDY, 'rules/b.yaml': 'a: [' });
  await writeFile(path.join(folder, 'rules/c.yaml'), TIDY);
  const words = ['--check', 'rules/a.yaml', 'rules/b.yaml', 'rules/c.yaml'];
  const { out } = await runVerb(verb, [...words, '--format', 'json'], { folder });
  const { files } = JSON.parse(out) as { files: { file: string; state: string }[] };
  t.same(
    files.map(({ state }) => state),
    ['to_format', 'broken', 'in_style'],
  );
  const tap = await runVerb(verb, [...words, '--format', 'tap'], { folder });
  t.match(tap.out, /^not ok .*style rules\/a\.yaml/m);
  t.match(tap.out, /^ok .*style rules\/c\.yaml/m);
});
