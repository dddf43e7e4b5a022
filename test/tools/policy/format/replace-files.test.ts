// Several files change together or not at all, and what somebody else wrote meanwhile is never lost.
import { chmod, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { entryText, withEntries } from '../../../../tools/policy/format/entry-text.ts';
import { withoutMember } from '../../../../tools/policy/format/remove-member.ts';
import { replaceFiles } from '../../../../tools/policy/format/replace-files.ts';
import { makeFolder } from '../../../io/policies/folder.ts';

t.test('files are written, replaced and removed together', async (t) => {
  const dir = await makeFolder(t, { old: '1', gone: '2' });
  await chmod(path.join(dir, 'old'), 0o640);
  const file = (name: string) => path.join(dir, name);
  await replaceFiles([
    { file: file('old'), before: Buffer.from('1'), after: 'one' },
    { file: file('gone'), before: Buffer.from('2'), after: null },
    { file: file('a/b/new'), before: null, after: Buffer.from('new') },
  ]);
  t.same((await readdir(dir)).toSorted(), ['a', 'old']);
  t.equal(await readFile(file('old'), 'utf8'), 'one');
  t.equal((await stat(file('old'))).mode & 0o777, 0o640);
  t.equal(await readFile(file('a/b/new'), 'utf8'), 'new');
});

t.test('what changed meanwhile stops everything', async (t) => {
  const dir = await makeFolder(t, { one: 'theirs', two: '2' });
  const file = (name: string) => path.join(dir, name);
  const plans = [
    [
      { file: file('two'), before: Buffer.from('2'), after: 'x' },
      { file: file('one'), before: Buffer.from('ours'), after: 'x' },
    ],
    [
      { file: file('two'), before: Buffer.from('2'), after: 'x' },
      { file: file('one'), before: null, after: 'x' },
    ],
    [
      { file: file('two'), before: Buffer.from('2'), after: 'x' },
      { file: file('lost'), before: Buffer.from('1'), after: 'x' },
    ],
  ];
  for (const plan of plans) await t.rejects(replaceFiles(plan), /was changed meanwhile; nothing was written/);
  t.same([await readFile(file('one'), 'utf8'), await readFile(file('two'), 'utf8')], ['theirs', '2']);
});

t.test('a failure half-way is undone', async (t) => {
  const dir = await makeFolder(t, { one: '1', 'full/x': '' });
  const file = (name: string) => path.join(dir, name);
  await mkdir(file('folder/inside'), { recursive: true });
  await t.rejects(
    replaceFiles([
      { file: file('one'), before: Buffer.from('1'), after: 'changed' },
      { file: file('fresh'), before: null, after: 'fresh' },
      { file: file('folder'), before: null, after: 'cannot take the place of a folder' },
    ]),
  );
  t.equal(await readFile(file('one'), 'utf8'), '1');
  t.same((await readdir(dir)).toSorted(), ['folder', 'full', 'one']);
});

t.test('an entry joins a list in every form that a list has', (t) => {
  const entry = { id: 'b', at: '2026-01-01T00:00:00Z', people: ['u-1', 'u-2'] };
  const text = "  - id: b\n    at: '2026-01-01T00:00:00Z'\n    people: [u-1, u-2]\n";
  t.equal(entryText(entry, 2), text);
  const after = (file: string) => withEntries(file, 'walls', [entry]);
  t.equal(after(''), `walls:\n${text}`);
  t.equal(after('# only a comment'), `# only a comment\nwalls:\n${text}`);
  t.equal(after('walls: []\nversion: 1\n'), `walls:\n${text}version: 1\n`);
  t.equal(
    after('walls:\n  - id: a # first\n# end\nversion: 1\n'),
    `walls:\n  - id: a # first\n${text}# end\nversion: 1\n`,
  );
  t.equal(after('walls:\n- id: a\n'), `walls:\n- id: a\n${entryText(entry, 0)}`);
  t.equal(after('walls: [{ id: a }]\n'), null);
  t.equal(after('[1]\n'), null);
  t.end();
});

t.test('a member is taken out with the comments above it, and nothing else', (t) => {
  const text =
    '# head\nassistants:\n  a: [b]\n\n# who there is\npeople: # all\n  - id: c\n  - id: d # last\n\nmatters: []\n';
  t.equal(withoutMember(text, 'people'), '# head\nassistants:\n  a: [b]\n\nmatters: []\n');
  t.equal(
    withoutMember(text, 'assistants'),
    '# head\n\n# who there is\npeople: # all\n  - id: c\n  - id: d # last\n\nmatters: []\n',
  );
  t.equal(withoutMember(text, 'grants'), null);
  t.equal(withoutMember('{ people: [] }\n', 'people'), null);
  t.end();
});
