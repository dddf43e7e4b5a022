import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { folderSource, readPolicyFolder } from '../../../src/io/policies/read.ts';
import { createSourceCache, type PolicySnapshot } from '../../../src/io/policies/snapshot.ts';
import { fill, makeFolder, swapLink, type Contents } from './folder.ts';

const paths = ({ files }: PolicySnapshot) => files.map(({ path }) => path);
const said = ({ problems }: PolicySnapshot) => problems.map(formatDiagnostic);

t.test('policy files alone are read, sorted by path', async (t) => {
  const dir = await makeFolder(t, {
    'walls/b.yaml': 'walls: []\n',
    'walls/a.csv': 'id,kind\n',
    'rules/deep/er/x.yaml': 'version: 1\n',
    'firm.yaml': 'version: 1\n',
    'tests/a.yaml': 'tests: []\n',
    'keys/firm.json': '{ "keys": [] }\n',
    'README.md': '# words\n',
    'rules/README.md': '# words\n',
    '.hidden.yaml': 'a\n',
    'rules/.a.yaml.swp': 'a\n',
    'docs/a.yaml': 'a\n',
  });
  const snapshot = await readPolicyFolder(dir);
  t.strictSame(paths(snapshot), [
    'firm.yaml',
    'keys/firm.json',
    'rules/deep/er/x.yaml',
    'tests/a.yaml',
    'walls/a.csv',
    'walls/b.yaml',
  ]);
  t.match(snapshot, { commit: null, problems: [] });
  t.match(await readPolicyFolder(dir, { commit: 'abc' }), { commit: 'abc' });
});

t.test('what looks like policy but is not read is a finding', async (t) => {
  const dir = await makeFolder(t, {
    'lockdown.yml': 'a',
    'firms.yaml': 'a',
    'x.json': '{}',
    'wall/a.yaml': 'a',
    'rules/a.csv': 'a',
  });
  const snapshot = await readPolicyFolder(dir);
  t.strictSame(said(snapshot), [
    'firms.yaml:1:1: this file is not read — did you mean `firm.yaml`?',
    'lockdown.yml:1:1: this file is not read — did you mean `lockdown.yaml`?',
    'rules/a.csv:1:1: this file is not read — files in rules/ are yaml',
    'wall:1:1: this folder is not read — did you mean `walls/`?',
    'x.json:1:1: this file is not read — read are firm.yaml, issuers.yaml, callers.yaml, lockdown.yaml, retention.yaml, routes.yaml and the folders beside them',
  ]);
  t.ok(snapshot.problems.every(({ severity }) => severity === 'finding'));
});

t.test('links inside the folder are followed, links out of it are refused', async (t) => {
  const outside = await makeFolder(t, { 'secret.yaml': 'a: 1\n', 'rules/a.yaml': 'a: 1\n' });
  const dir = await makeFolder(t, {
    '..2026/firm.yaml': 'version: 1\n',
    '..2026/rules/a.yaml': 'version: 1\n',
    'data/people.yaml': 'people: []\n',
  });
  await symlink('..2026', join(dir, '..data'));
  await symlink('..data/firm.yaml', join(dir, 'firm.yaml'));
  await symlink(join(dir, '..data/rules'), join(dir, 'rules'));
  await symlink('../data/people.yaml', join(dir, 'data/more.yaml'));
  await symlink(join(outside, 'secret.yaml'), join(dir, 'callers.yaml'));
  await symlink(join(outside, 'rules'), join(dir, 'walls'));
  await symlink('nowhere.yaml', join(dir, 'issuers.yaml'));
  await symlink('loop.yaml', join(dir, 'data/loop.yaml'));
  const snapshot = await readPolicyFolder(dir);
  t.strictSame(paths(snapshot), ['data/more.yaml', 'data/people.yaml', 'firm.yaml', 'rules/a.yaml']);
  t.strictSame(said(snapshot), [
    'callers.yaml:1:1: this link leaves the policies folder',
    'data/loop.yaml:1:1: this leads nowhere',
    'issuers.yaml:1:1: this leads nowhere',
    'walls:1:1: this link leaves the policies folder',
  ]);
});

t.test('files that cannot be read are named', async (t) => {
  const dir = await makeFolder(t, { 'firm.yaml': 'version: 1\n', 'data/matters.csv': '', 'rules/a.yaml': '' });
  await truncate(join(dir, 'data/matters.csv'), 64 * 1024 * 1024 + 1);
  await truncate(join(dir, 'rules/a.yaml'), 4 * 1024 * 1024 + 1);
  spawnSync('mkfifo', [join(dir, 'lockdown.yaml')]);
  const snapshot = await readPolicyFolder(dir);
  t.strictSame(said(snapshot), [
    'lockdown.yaml:1:1: this is no file',
    'data/matters.csv:1:1: the file is larger than 64 MiB — split it, or write long lists as CSV or NDJSON',
    'rules/a.yaml:1:1: the file is larger than 4 MiB — split it, or write long lists as CSV or NDJSON',
  ]);
  t.not(snapshot.seenAs, null);
  if (process.getuid?.() === 0) return;
  await chmod(join(dir, 'firm.yaml'), 0);
  t.ok(
    said(await readPolicyFolder(dir)).includes(
      'firm.yaml:1:1: the service may not read this file — check its permissions',
    ),
  );
});

t.test('a folder that is not there', async (t) => {
  const dir = await makeFolder(t);
  const snapshot = await readPolicyFolder(join(dir, 'none'));
  t.match(snapshot, { files: [], seenAs: null, problems: [{ code: 'unreadable-folder', severity: 'error' }] });
});

t.test('an unchanged file is not parsed again', async (t) => {
  const dir = await makeFolder(t, {
    'firm.yaml': 'version: 1\n',
    'rules/a.yaml': 'version: 1\n',
    'rules/b.yaml': `version: 1\nabout: ${'x'.repeat(20_000)}\n`,
  });
  const cache = createSourceCache();
  const first = await readPolicyFolder(dir, { cache });
  await fill(dir, { 'rules/a.yaml': 'version: 2\n' });
  const second = await readPolicyFolder(dir, { cache });
  t.equal(second.files[0], first.files[0]);
  t.equal(second.files[2], first.files[2]);
  t.match(second.files[1], { value: { version: 2 } });
  await rename(join(dir, 'rules/b.yaml'), join(dir, 'rules/c.yaml'));
  const third = await readPolicyFolder(dir, { cache });
  t.match(third.files[2], { path: 'rules/c.yaml', value: { version: 1 }, problems: [] });
  t.strictSame(third.files[2]?.locate(['about']), { line: 2, column: 1 });
});

t.test('long YAML in the other thread gives what it gives in this one', async (t) => {
  const long = `walls:\n${'  - { id: W, kind: exclusion }\n'.repeat(2_000)}`;
  const texts = {
    'walls/good.yaml': long,
    'walls/bad.yaml': `${long}  - { id: [\n`,
    'walls/double.yaml': `${long}walls: []\n`,
    'walls/bytes.yaml': long,
  };
  const dir = await makeFolder(t, texts);
  await writeFile(join(dir, 'walls/bytes.yaml'), Buffer.from(`${long}\u00ff`, 'latin1'));
  const cache = createSourceCache();
  await cache.parse([]);
  const beside = await readPolicyFolder(dir, { cache });
  const alone = await readPolicyFolder(dir);
  t.strictSame(said(beside), said(alone));
  t.equal(beside.files.length, 4);
  for (const [index, file] of alone.files.entries()) {
    const other = beside.files[index];
    t.strictSame({ ...other, locate: 0 }, { ...file, locate: 0 });
    t.strictSame(other?.locate(['walls', 1_999, 'kind']), file.locate(['walls', 1_999, 'kind']));
  }
});

t.test('fingerprints: published is what a link leads to, loose is every file', async (t) => {
  const base = await makeFolder(t, {
    'a/firm.yaml': 'version: 1\n',
    'b/firm.yaml': 'version: 1\n',
    'b/v1/x': '',
    'b/v2/x': '',
  });
  await symlink('a', join(base, 'current'));
  const source = folderSource(join(base, 'current'));
  const marks = async () => [await source.fingerprint(false), await source.fingerprint(true)];
  const before = await marks();
  t.strictSame(await marks(), before);
  await fill(base, { 'a/firm.yaml': 'version: 2\n' });
  const touched = await marks();
  t.equal(touched[0], before[0]);
  t.not(touched[1], before[1]);
  await swapLink(join(base, 'current'), 'b');
  const swapped = await marks();
  t.not(swapped[0], before[0]);
  await symlink('v1', join(base, 'b/..data'));
  const linked = await marks();
  t.not(linked[0], swapped[0]);
  await swapLink(join(base, 'b/..data'), 'v2');
  t.not((await marks())[0], linked[0]);
  await rename(join(base, 'b'), join(base, 'old'));
  await fill(base, { 'b/firm.yaml': 'version: 1\n' });
  const replaced = await marks();
  t.not(replaced[0], swapped[0]);
  const { seenAs } = await source.read();
  t.strictSame(seenAs && [seenAs.published, seenAs.loose], await marks());
  await rm(join(base, 'current'));
  await t.rejects(source.fingerprint(false));
});

/** Every file of a version says which one it is, so that a mixed set shows. */
const version = (name: string): Contents =>
  Object.fromEntries(
    Array.from({ length: 25 }, (_, n) => [`rules/r${n}.yaml`, `about: ${name}\n`]).concat([
      ['firm.yaml', `name: ${name}\n`],
    ]),
  );

function versionsIn({ files }: PolicySnapshot): Set<string> {
  return new Set(files.map(({ value }) => Object.values(value as Record<string, string>)[0] ?? ''));
}

t.test('a link that is swapped all the time never yields files of two versions', async (t) => {
  const base = await makeFolder(t);
  await fill(join(base, 'a'), version('a'));
  await fill(join(base, 'b'), version('b'));
  // The folder itself is a link, and its entries are links through `..data`, as in a mounted ConfigMap.
  await fill(join(base, 'mount/..a'), version('a'));
  await fill(join(base, 'mount/..b'), version('b'));
  await symlink('..a', join(base, 'mount/..data'));
  await symlink('..data/rules', join(base, 'mount/rules'));
  await symlink('..data/firm.yaml', join(base, 'mount/firm.yaml'));
  await symlink('a', join(base, 'current'));
  let storming = true;
  const storm = (async () => {
    for (let turn = 0; storming; turn++) {
      const name = turn % 2 === 0 ? 'b' : 'a';
      await swapLink(join(base, 'current'), name);
      await swapLink(join(base, 'mount/..data'), `..${name}`);
    }
  })();
  let read = 0;
  for (const folder of ['current', 'mount']) {
    for (let round = 0; round < 4; round++) {
      const snapshot = await readPolicyFolder(join(base, folder));
      if (snapshot.seenAs === null) {
        t.match(said(snapshot), [/^\.:1:1: the policies folder cannot be read: it changes while it is read/]);
      } else {
        read++;
        t.equal(versionsIn(snapshot).size, 1);
        t.equal(snapshot.files.length, 26);
      }
    }
  }
  storming = false;
  await storm;
  t.comment(`${read} of 8 readings found a quiet moment`);
  t.equal(versionsIn(await readPolicyFolder(join(base, 'current'))).size, 1);
});

t.test('files replaced in place while they are read are noticed, whatever their times say', async (t) => {
  const dir = await makeFolder(t, version('a'));
  let writing = true;
  const storm = (async () => {
    const then = new Date('2026-01-01T00:00:00Z');
    for (let turn = 0; writing; turn++) {
      const next = version(turn % 2 === 0 ? 'b' : 'a');
      await mkdir(join(dir, '.next'), { recursive: true });
      for (const [path, text] of Object.entries(next)) {
        await writeFile(join(dir, '.next/file'), text);
        await utimes(join(dir, '.next/file'), then, then);
        await rename(join(dir, '.next/file'), join(dir, path));
      }
    }
  })();
  for (let round = 0; round < 4; round++) {
    const snapshot = await readPolicyFolder(dir);
    if (snapshot.seenAs !== null) {
      // A reading between two replacements may see a folder that is half replaced; it must be what was there.
      t.equal(snapshot.files.length, 26);
      t.equal(snapshot.seenAs.loose.length, 64);
    } else t.match(snapshot.problems, [{ code: 'unreadable-folder' }]);
  }
  writing = false;
  await storm;
  t.equal(versionsIn(await readPolicyFolder(dir)).size, 1);
});
