import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (path: string, content: string | Uint8Array) =>
  parseSourceFile(path, typeof content === 'string' ? bytes(content) : content);
const said = (path: string, content: string | Uint8Array) => parse(path, content).problems.map(formatDiagnostic);

t.test('a file keeps its path, bytes and hash', async (t) => {
  const file = parse('lockdown.yaml', 'version: 1\n');
  t.match(file, { path: 'lockdown.yaml', value: { version: 1 }, problems: [] });
  t.strictSame(file.bytes, bytes('version: 1\n'));
  t.equal(file.hash, createHash('sha256').update('version: 1\n').digest('hex'));
});

t.test('UTF-8 alone, with or without a byte order mark', async (t) => {
  t.strictSame(parse('firm.yaml', '\ufeffname: Ünïcode ✓\r\nversion: 1\r\n').value, { name: 'Ünïcode ✓', version: 1 });
  t.strictSame(said('firm.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0x62, 0x0a, 0x63, 0x3a, 0x20, 0xff, 0x0a)), [
    'firm.yaml:2:4: here is a byte that is not UTF-8 — save the file as UTF-8',
  ]);
  t.strictSame(said('firm.yaml', Buffer.from('\ufeffversion: 1\n', 'utf16le')), [
    'firm.yaml:1:1: the file is UTF-16, not UTF-8 — save the file as UTF-8',
  ]);
  t.equal(parse('firm.yaml', Uint8Array.of(0xff)).value, undefined);
});

t.test('no more than a file may hold', async (t) => {
  t.strictSame(said('rules/a.yaml', new Uint8Array(4 * 1024 * 1024 + 1)), [
    'rules/a.yaml:1:1: the file is larger than 4 MiB — write long lists as CSV or NDJSON',
  ]);
});

t.test('CSV and NDJSON are named after the list they hold', async (t) => {
  t.strictSame(parse('data/matters-2026.ndjson', '{"id":"M-1"}\n').value, { matters: [{ id: 'M-1' }] });
  t.strictSame(parse('walls/lateral.csv', 'id,kind\nW-1,exclusion\n').value, {
    walls: [{ id: 'W-1', kind: 'exclusion' }],
  });
  t.strictSame(said('data/matter.csv', 'id\n'), [
    'data/matter.csv:1:1: the name of the file begins with `matter`, which is no list — did you mean `matters.csv`?',
  ]);
  t.match(said('data/zebra.csv', 'id\n')[0], /name it after the list it holds: matters, grants, people/);
  t.strictSame(said('data/assistants.csv', 'id\n'), [
    'data/assistants.csv:1:1: `assistants` cannot be written as CSV — write it as YAML',
  ]);
  t.match(said('data/toString.ndjson', '{}')[0], /which is no list/);
  t.match(said('data/accept.csv', 'code,reason\n')[0], /`accept` cannot be written as CSV — write it as YAML/);
});

t.test('whatever the bytes, there are only problems, with places inside the file', async (t) => {
  const path = fc.constantFrom(
    'firm.yaml',
    'data/a.json',
    'data/matters.ndjson',
    'data/matters.csv',
    'walls/w.csv',
    'data/people.csv',
  );
  const pieces = fc.constantFrom(
    ...[
      'a',
      'id',
      'client_id',
      ': ',
      ':',
      '- ',
      '\n',
      '\r\n',
      '  ',
      '"',
      "'",
      ',',
      ';',
      '[',
      ']',
      '{',
      '}',
      '&x ',
      '*x',
      '!!str ',
      '|',
      '>',
      '#',
      '%YAML 1.1\n',
    ],
    ...[
      '---\n',
      '...',
      '? ',
      '<<',
      '\t',
      '\\',
      '\u0000',
      '\ud800',
      '1e999',
      '12345678901234567890',
      '~',
      '0x1f',
      '__proto__',
      '✓',
      '\ufeff',
      'properties.x',
      'team[]',
    ],
  );
  const text = fc.array(pieces, { maxLength: 40 }).map((parts) => bytes(parts.join('')));
  const check = (name: string, content: Uint8Array): boolean => {
    const file = parse(name, content);
    const lines = Buffer.from(content)
      .toString('latin1')
      .split(/\r\n?|\n/).length;
    const steps = file.locate(['matters', 3, 'properties', 'x']);
    return (
      (file.value !== undefined || file.problems.length > 0) &&
      [...file.problems, steps].every(({ line, column }) => line >= 1 && line <= lines && column >= 1) &&
      file.problems.every(
        ({ severity, code, message }) => severity === 'error' && /^[a-z0-9-]+$/.test(code) && message !== '',
      )
    );
  };
  t.doesNotThrow(() => fc.assert(fc.property(path, text, check), { numRuns: 2_000 }));
  t.doesNotThrow(() => fc.assert(fc.property(path, fc.uint8Array({ maxLength: 60 }), check), { numRuns: 1_000 }));
});

t.test('what JSON cannot say or Postgres cannot keep is refused in every format', async (t) => {
  t.strictSame(
    said(
      'data/a.json',
      '{ "matters": [ { "id": "a\\u0000" }, { "id": "\\ud800" }, { "n": 1e999 }, { "n": 9007199254740993 } ] }',
    ),
    [
      'data/a.json:1:18: the text holds a null character (U+0000) — remove it',
      'data/a.json:1:39: the text holds half of a surrogate pair — remove it',
      'data/a.json:1:59: this is not a number that JSON can hold',
      'data/a.json:1:75: the number is too large to be kept exactly — if it is an identifier, put it in quotes',
    ],
  );
  t.strictSame(said('data/a.yaml', 'matters:\n  - id: "a\\0"\n  - n: .inf\n  - n: 9007199254740993\n'), [
    'data/a.yaml:2:5: the text holds a null character (U+0000) — remove it',
    'data/a.yaml:3:5: this is not a number that JSON can hold',
    'data/a.yaml:4:5: the number is too large to be kept exactly — if it is an identifier, put it in quotes',
  ]);
  t.match(said('data/matters.csv', 'id,client_id\na\u0000,b\n'), [
    'data/matters.csv:2:2: the text holds a null character (U+0000) — remove it',
  ]);
});

t.test('nesting ends somewhere', async (t) => {
  for (const path of ['data/a.yaml', 'data/a.json', 'data/matters.ndjson']) {
    for (const depth of [100, 100_000]) {
      const file = parse(path, `${'['.repeat(depth)}${']'.repeat(depth)}`);
      t.match(file.problems, [{ code: 'too-deep' }], `${path} ${depth}`);
      const flow = parse(path, `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
      t.match(flow.problems, [{ code: 'too-deep' }], `${path} ${depth}`);
    }
  }
});

t.test('a file that is wrong everywhere is not quoted in full', async (t) => {
  const broken = { 'data/matters.ndjson': 'x\n', 'data/matters.csv': '"x"y,z\n', 'data/people.csv': 'a,b,c\n' };
  for (const [path, row] of Object.entries(broken)) {
    const { problems } = parse(path, `${path.endsWith('.csv') ? 'id,client_id\n' : ''}${row.repeat(1_000)}`);
    t.equal(problems.length, 201);
    t.match(problems.at(-1), { code: 'more-problems' });
  }
});
