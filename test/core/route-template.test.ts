import fc from 'fast-check';
import t from 'tap';
import { fits, overlap, parseTemplate, type Segment } from '../../src/core/route-template.ts';
import { runs } from '../helpers/runs.ts';

function segments(path: string): readonly Segment[] {
  const parsed = parseTemplate(path);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.segments;
}

t.test('what may stand in a template', async (t) => {
  t.strictSame(segments('/matters/{matter_id:M-#}/documents/{id}'), [
    { kind: 'text', text: 'matters' },
    { kind: 'parameter', name: 'matter_id', prefix: 'M-', rest: 'digits' },
    { kind: 'text', text: 'documents' },
    { kind: 'parameter', name: 'id', prefix: '', rest: 'any' },
  ]);
  t.strictSame(segments('/'), [{ kind: 'text', text: '' }]);
  t.strictSame(segments('/a/'), [
    { kind: 'text', text: 'a' },
    { kind: 'text', text: '' },
  ]);
  const wrong = ['//', '/a//b', '/*', '/a/*', '/..', '/a.', '/a;b', '/a+b', '/a%20b', '/{Id}', '/{id:D-}', '/x{id}'];
  for (const path of [...wrong, '/{id:#D}', '/{}', '/a b', '/a\\b', '/é', '/a?b', '/{id}/{id}'])
    t.ok('problem' in parseTemplate(path), path);
});

t.test('a part fits exactly, digits are those of ASCII, and nothing is no value', async (t) => {
  const id = (pattern: string) => segments(`/${pattern}`)[0] ?? { kind: 'text', text: '' };
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['matters', 'matters', true],
    ['matters', 'Matters', false],
    ['{id}', 'x', true],
    ['{id}', '', false],
    ['{id:D-*}', 'D-', true],
    ['{id:D-*}', 'd-1', false],
    ['{id:D-#}', 'D-', false],
    ['{id:D-#}', 'D-17', true],
    ['{id:D-#}', 'D-1x', false],
    ['{id:D-#}', 'D-١', false],
    ['{id:D-#}', 'D-1\n', false],
  ];
  for (const [pattern, value, isSo] of cases) t.equal(fits(id(pattern), value), isSo, `${pattern} ${value}`);
});

t.test('two templates overlap exactly when some request fits both', async (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', '1'), maxLength: 3 });
  const part = fc.oneof(
    letters.map((text): Segment => ({ kind: 'text', text: text || 'a' })),
    fc
      .tuple(letters, fc.constantFrom('any' as const, 'digits' as const))
      .map(([prefix, rest]): Segment => ({ kind: 'parameter', name: 'x', prefix, rest })),
  );
  // Whatever fits two patterns of at most three letters, some value of at most four does.
  const values = [''];
  for (let at = 0; values[at] !== undefined && (values[at]?.length ?? 0) < 4; at++)
    values.push(`${values[at]}a`, `${values[at]}1`);
  let overlapping = 0;
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 2 }),
      fc.array(part, { minLength: 1, maxLength: 2 }),
      (a, b) => {
        const both = (one: Segment, other: Segment | undefined): boolean =>
          values.some((value) => fits(one, value) && other !== undefined && fits(other, value));
        const expected = a.length === b.length && a.every((one, index) => both(one, b[index]));
        overlapping += expected ? 1 : 0;
        return overlap(a, b) === expected && overlap(b, a) === expected;
      },
    ),
    runs(3_000),
  );
  t.ok(overlapping > 200);
});
