import t from 'tap';
import { formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';

const parse = (text: string) => parseSourceFile('rules/a.yaml', new TextEncoder().encode(text));
const said = (text: string) => parse(text).problems.map((one) => formatDiagnostic(one).replace('rules/a.yaml:', ''));

t.test('YAML 1.2 core: what looks like text is text', async (t) => {
  const { value, problems } = parse(`
yes: no
date: 2026-03-01
time: 07:00
octal: 0o17
old: 017
flag: true
none: ~
number: 1.5
007: [a, "b", 'c']
true: x
text: |
  two
  lines
<<: { a: 1 }
`);
  t.strictSame(problems, []);
  t.strictSame(value, {
    yes: 'no',
    date: '2026-03-01',
    time: '07:00',
    octal: 15,
    old: 17,
    flag: true,
    none: null,
    number: 1.5,
    '007': ['a', 'b', 'c'],
    true: 'x',
    text: 'two\nlines\n',
    '<<': { a: 1 },
  });
});

t.test('names and entries are found again, and what is not there leads to its parent', async (t) => {
  const { locate } = parse(`version: 1
rules:
  - id: a
    when:
      $or: [{ resource.state: draft }, {"x":
        1}]

  # a comment
  -
    id: b
`);
  t.strictSame(locate([]), { line: 1, column: 1 });
  t.strictSame(locate(['rules']), { line: 2, column: 1 });
  t.strictSame(locate(['rules', 0]), { line: 3, column: 5 });
  t.strictSame(locate(['rules', 0, 'when', '$or']), { line: 5, column: 7 });
  t.strictSame(locate(['rules', 0, 'when', '$or', 0, 'resource.state']), { line: 5, column: 15 });
  t.strictSame(locate(['rules', 0, 'when', '$or', 1, 'x']), { line: 5, column: 41 });
  t.strictSame(locate(['rules', 1, 'id']), { line: 10, column: 5 });
  t.strictSame(locate(['rules', 1, 'effect', 'more']), { line: 10, column: 5 });
  t.strictSame(locate(['rules', 7]), { line: 2, column: 1 });
  t.strictSame(locate(['rules', 'length']), { line: 2, column: 1 });
  t.strictSame(locate(['toString']), { line: 1, column: 1 });
});

t.test('CRLF and a byte order mark move nothing', async (t) => {
  const { locate, problems } = parse('\ufeffversion: 1\r\nrules:\r\n  - id: a\r\n');
  t.strictSame(problems, []);
  t.strictSame(locate(['version']), { line: 1, column: 1 });
  t.strictSame(locate(['rules', 0, 'id']), { line: 3, column: 5 });
});

t.test('all mistakes of a file at once', async (t) => {
  t.strictSame(said('a: [1, 2\nb: "x\nc: }\n').length > 1, true);
  t.strictSame(said('a: 1\n\tb: 2\n'), ['2:1: tabs are not allowed as indentation']);
  t.strictSame(
    said(`a: &x [1]
b: *x
c: !!binary aGk=
d: !firm 1
a: 2
__proto__: { polluted: true }
nested: { k: 1, k: 2, k: 3 }
`),
    [
      '2:1: the alias `*x` has no place here — write the value out; use groups and terms to share names',
      '3:1: the tag `tag:yaml.org,2002:binary` has no place here — put text in quotes instead',
      '4:1: the tag `!firm` has no place here — put text in quotes instead',
      '5:1: `a` stands twice in one map — it is first given in line 1',
      '6:1: `__proto__` cannot be a name',
      '7:17: `k` stands twice in one map — it is first given in line 7',
      '7:23: `k` stands twice in one map — it is first given in line 7',
    ],
  );
  t.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

t.test('one document, of this version, that is not empty', async (t) => {
  t.strictSame(said(''), ['1:1: the file is empty']);
  t.strictSame(said('# only words\n'), ['1:1: the file is empty']);
  t.strictSame(said('---\n...\n'), ['1:1: the file is empty']);
  t.match(said('a: 1\n---\nb: 2\n'), [/^2:1: .*multiple documents/]);
  t.strictSame(said('%YAML 1.1\n---\na: yes\n'), [
    '1:1: a %YAML directive has no place here — remove the line; policy files are YAML 1.2',
  ]);
  t.strictSame(parse('%YAML 1.1\n---\na: yes\n').value, { a: 'yes' });
  t.match(said('? [a]\n: 1\n'), [/with stringKeys, all keys must be strings/]);
});

t.test('an alias bomb stays small', async (t) => {
  const lines = ['a0: &a0 [x, x]'];
  for (let level = 1; level < 40; level++) lines.push(`a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`);
  t.equal(said(lines.join('\n')).length, 78);
});

t.test('5,000 entries', async (t) => {
  const entry = (n: number) => `  - id: M-${n}\n    client_id: C-${n % 99}\n    team: [u-1, u-${n % 77}]\n`;
  const { value, problems, locate } = parse(`matters:\n${Array.from({ length: 5_000 }, (_, n) => entry(n)).join('')}`);
  t.strictSame(problems, []);
  t.match(value, { matters: { length: 5_000, 4999: { id: 'M-4999', team: ['u-1', 'u-71'] } } });
  t.strictSame(locate(['matters', 4_999, 'team', 1]), { line: 15_001, column: 17 });
});
