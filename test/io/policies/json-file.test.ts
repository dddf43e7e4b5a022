import fc from 'fast-check';
import t from 'tap';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';

const parse = (path: string, text: string) => parseSourceFile(path, new TextEncoder().encode(text));
const said = (path: string, text: string) =>
  parse(path, text).problems.map((one) => formatDiagnostic(one).slice(path.length + 1));

t.test('JSON with its places', async (t) => {
  const file = parse('data/a.json', '{\n  "matters": [\n    { "id": "M-1", "team": ["u-1", "u-2"] }\n  ]\n}\n');
  t.strictSame(file.value, { matters: [{ id: 'M-1', team: ['u-1', 'u-2'] }] });
  t.strictSame(file.locate(['matters', 0, 'team', 1]), { line: 3, column: 36 });
});

t.test('what is not JSON is said where it begins', async (t) => {
  t.strictSame(said('data/a.json', '{\n  "a": 1,\n}'), ['3:1: this is not JSON: expected double-quoted property name']);
  t.strictSame(said('data/a.json', '{ "a": [1'), ["1:10: this is not JSON: expected ',' or ']' after array element"]);
  t.strictSame(said('data/a.json', '{ "a": 1 } x'), ['1:12: this is not JSON: unexpected non-whitespace character']);
  t.strictSame(said('data/a.json', '{ a: 1 }'), ["1:3: this is not JSON: expected property name or '}'"]);
  t.strictSame(said('data/a.json', ' \n'), ['1:1: the file is empty']);
  t.match(said('data/a.json', 'nul'), [/^1:\d: this is not JSON: /]);
});

t.test('no name twice', async (t) => {
  t.strictSame(said('data/a.json', '{ "a": { "b:": 1, "c": ":\\":", "b\\u003a": 2 }, "a": 3 }'), [
    '1:32: `b:` stands twice in one map',
    '1:48: `a` stands twice in one map',
  ]);
  t.equal(parse('data/a.json', '{ "a": 1, "a": 2 }').value, undefined);
  const long = 'x'.repeat(2_000);
  t.strictSame(said('data/a.json', `{ "${long}": 1, "${long}": 2 }`), [
    `1:2010: \`${'x'.repeat(60)}\` stands twice in one map`,
  ]);
  t.strictSame(said('data/a.json', '{ "__proto__": 1 }'), ['1:1: `__proto__` cannot be a name']);
});

t.test('any JSON value comes back as it is, unless a name stands twice', async (t) => {
  const name = fc
    .string({ minLength: 1, maxLength: 5, unit: 'binary' })
    .filter((one) => one !== '__proto__' && !one.includes('\u0000'));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      name,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }).map((members) => ({ members })),
    ),
  }));
  // Written out by hand, because an object cannot hold one name twice.
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const { members } = value as { members: [string, unknown][] };
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${write(member)}`).join(',')}}`;
  };
  const hasTwice = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(hasTwice);
    if (typeof value !== 'object' || value === null) return false;
    const { members } = value as { members: [string, unknown][] };
    return new Set(members.map(([key]) => key)).size < members.length || members.some(([, member]) => hasTwice(member));
  };
  const property = fc.property(tree, (value) => {
    const text = write(value);
    const file = parse('data/a.json', text);
    if (hasTwice(value)) return file.value === undefined && file.problems.every(({ code }) => code === 'duplicate-key');
    return file.problems.length === 0 && JSON.stringify(file.value) === JSON.stringify(JSON.parse(text));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }));
});

t.test('NDJSON: rows know their line, and one broken row does not hide the others', async (t) => {
  const file = parse(
    'data/matters.ndjson',
    '{"id":"M-1"}\r\n\r\n  {"id":"M-2"}  \n{"id":\n[1]\n{"id":"M-3","id":"M-4"}\n{"id":"M-5"}',
  );
  t.strictSame(file.value, { matters: [{ id: 'M-1' }, { id: 'M-2' }, { id: 'M-5' }] });
  t.strictSame(file.problems.map(formatDiagnostic), [
    'data/matters.ndjson:4:7: this is not JSON: unexpected end of JSON input',
    'data/matters.ndjson:5:1: each line must be one JSON object',
    'data/matters.ndjson:6:13: `id` stands twice in one map',
  ]);
  t.strictSame(file.locate(['matters', 1, 'id']), { line: 3, column: 1 });
  t.strictSame(file.locate(['matters', 2]), { line: 7, column: 1 });
  t.strictSame(file.locate(['matters']), { line: 1, column: 1 });
  t.strictSame(parse('data/matters.ndjson', '').value, { matters: [] });
});
