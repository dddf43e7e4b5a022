import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { FILE_SCHEMAS } from '../../src/core/file-kind.ts';
import { generateSchemas, schemaFiles } from '../../tools/generate-schemas.ts';
import { fill, makeFolder } from '../io/policies/folder.ts';

t.test('schemas/ is up to date', async (t) => {
  t.strictSame(await generateSchemas({ check: true }), []);
});

t.test('one draft-07 schema for each kind of file, the same every time', async (t) => {
  const files = await schemaFiles();
  t.strictSame(
    [...files.keys()],
    Object.keys(FILE_SCHEMAS).map((kind) => `${kind}.schema.json`),
  );
  t.strictSame(files, await schemaFiles());
  for (const [name, text] of files) {
    const schema = JSON.parse(text) as Record<string, unknown>;
    t.equal(schema['$schema'], 'http://json-schema.org/draft-07/schema#', name);
    t.equal(schema['type'], 'object', name);
    t.notMatch(text, /"~|undefined/, name);
    t.ok(text.endsWith('}\n'), name);
  }
});

t.test('a check names what is stale and writes nothing; without it everything is written', async (t) => {
  const dir = await makeFolder(t, { 'rules.schema.json': '{}\n' });
  const folder = pathToFileURL(`${dir}/`);
  const all = [...(await schemaFiles()).keys()].map((name) => `schemas/${name}`);
  t.strictSame(await generateSchemas({ check: true, folder }), all);
  t.equal(await readFile(new URL('rules.schema.json', folder), 'utf8'), '{}\n');
  t.strictSame(await generateSchemas({ check: false, folder }), all);
  t.strictSame(await generateSchemas({ check: true, folder }), []);
  await fill(dir, { 'firm.schema.json': '{}' });
  t.strictSame(await generateSchemas({ check: true, folder }), ['schemas/firm.schema.json']);
});
