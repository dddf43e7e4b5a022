import fc from 'fast-check';
import t from 'tap';
import { compilePointer } from '../../../src/io/identity/pointer.ts';
import { runs } from '../../helpers/runs.ts';

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

t.test('every value of a document is found at its pointer', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (document) => {
      const visit = (value: unknown, pointer: string): boolean => {
        if (pointer !== '' && compilePointer(pointer)(document) !== value) return false;
        if (typeof value !== 'object' || value === null) return true;
        return Object.entries(value).every(([name, inner]) => visit(inner, `${pointer}/${escape(name)}`));
      };
      return visit(document, '');
    }),
    runs(500),
  );
  t.pass('held');
});

t.test('nothing is found that the document does not say', async (t) => {
  const inherited = fc.constantFrom(
    'constructor',
    '__proto__',
    'toString',
    'length',
    'map',
    'hasOwnProperty',
    'at',
    '-',
  );
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(inherited, { minLength: 1, maxLength: 3 }),
      (document, path) => {
        const pointer = path.map((name) => `/${name}`).join('');
        const said = path.reduce<unknown>(
          (value, name) =>
            typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
              ? (value as Record<string, unknown>)[name]
              : undefined,
          document,
        );
        return compilePointer(pointer)(document) === said;
      },
    ),
    runs(300),
  );
  t.pass('held');
});

t.test('the cases of RFC 6901, section 5', async (t) => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'm~n': 8, ' ': 7, 'k"l': 6, '~1': 9 };
  const expected: readonly [string, unknown][] = [
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/~01', 9],
    ['/foo/01', undefined],
    ['/foo/-', undefined],
    ['/foo/2', undefined],
    ['/foo/1e0', undefined],
    ['/foo/bar', undefined],
  ];
  for (const [pointer, value] of expected) t.same(compilePointer(pointer)(document), value, pointer);
});

t.test('claims with dots and slashes in their names', async (t) => {
  const payload = { 'https://firm.example/roles': ['partner'], realm_access: { roles: ['associate'] }, 'a.b': 1 };
  t.same(compilePointer('/https:~1~1firm.example~1roles')(payload), ['partner']);
  t.same(compilePointer('/realm_access/roles')(payload), ['associate']);
  t.equal(compilePointer('/a.b')(payload), 1);
});

t.test('a member called __proto__ is a member like any other', async (t) => {
  const payload: unknown = JSON.parse('{"__proto__":{"roles":["partner"]}}');
  t.equal(compilePointer('/roles')(payload), undefined);
  t.same(compilePointer('/__proto__/roles')(payload), ['partner']);
});

t.test('what is no pointer to a member is not compiled', async (t) => {
  for (const pointer of ['', 'roles', '/a~2', '/~', '#/a']) t.throws(() => compilePointer(pointer), pointer);
});
