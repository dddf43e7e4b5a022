import fc from 'fast-check';
import t from 'tap';
import { parseStrictJson } from '../../../src/io/identity/strict-json.ts';
import { runs } from '../../helpers/runs.ts';

const problemOf = (text: string): string => {
  const json = parseStrictJson(text);
  return json.ok ? 'none' : `${json.problem} ${json.pointer}`;
};

t.test('reads whatever JSON.stringify writes, and reads it the same', async (t) => {
  const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000'));
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      wellFormed,
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(wellFormed, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(tree, fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const json = parseStrictJson(text);
      return json.ok && JSON.stringify(json.value) === JSON.stringify(JSON.parse(text));
    }),
    runs(500),
  );
  t.pass('held');
});

t.test('finds a repeated member wherever it stands, however it is spelled', async (t) => {
  t.equal(problemOf('{"a":1,"a":1}'), 'duplicate_member /a');
  t.equal(problemOf(String.raw`{"roles":[],"r\u006fles":["partner"]}`), 'duplicate_member /roles');
  t.equal(problemOf('{"x":[{},{"b":{"c":1,"d":[],"c":2}}]}'), 'duplicate_member /x/1/b/c');
  t.equal(problemOf('{"a/b":{"~":1,"~":2}}'), 'duplicate_member /a~1b/~0');
  t.equal(problemOf('{"__proto__":1,"__proto__":2}'), 'duplicate_member /__proto__');
  t.equal(problemOf('[{"a":1},{"a":1},{"b":{"a":1},"a":[{"a":{}}]}]'), 'none', 'other objects have names of their own');
  t.equal(problemOf('{"a":"a","b":"a","c":["a","a"]}'), 'none', 'values are no names');
});

t.test('a repeated member is found in any object of any document', async (t) => {
  const names = fc.uniqueArray(
    fc.string({ minLength: 1, maxLength: 5 }).filter((name) => !name.includes('\u0000')),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(names, fc.nat(4), fc.boolean(), (list, pick, nested) => {
      const members = [...list, list[pick % list.length] ?? ''].map((name) => `${JSON.stringify(name)}:{"x":[1]}`);
      const object = `{${members.join(',')}}`;
      const json = parseStrictJson(nested ? `[0,{"deep":${object}}]` : object);
      return !json.ok && json.problem === 'duplicate_member';
    }),
    runs(300),
  );
  t.pass('held');
});

t.test('refuses text that no record could keep', async (t) => {
  t.equal(problemOf(String.raw`{"a":"\u0000"}`), 'nul_character /a');
  t.equal(problemOf(String.raw`{"a\u0000b":1}`), 'nul_character /a\u0000b');
  t.equal(problemOf(String.raw`["x","\ud800"]`), 'lone_surrogate /1');
  t.equal(problemOf(String.raw`{"\udc00":1}`), 'lone_surrogate /\ufffd');
  t.equal(problemOf(String.raw`["\ud83d\ude00","😀"]`), 'none', 'a pair is a character');
});

t.test('refuses numbers that become others', async (t) => {
  for (const literal of ['1e999', '-1e999', '9007199254740992', '12345678901234567890', '1e-999', '0.0001e-400']) {
    t.equal(problemOf(`{"n":${literal}}`), 'number_out_of_range /n', literal);
  }
  for (const literal of ['0', '-0', '0.0', '0e5', '-0.00E-9', '9007199254740991', '1.5e300', '0.1', '1e21']) {
    t.equal(problemOf(`{"n":${literal}}`), 'none', literal);
  }
});

t.test('bounds nesting, and survives what is bottomless', async (t) => {
  t.equal(problemOf('['.repeat(32) + ']'.repeat(32)), 'none');
  t.match(problemOf('['.repeat(33) + ']'.repeat(33)), /^nested_too_deep/);
  t.match(problemOf('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)), /^(nested_too_deep|syntax)/);
});

t.test('what is no JSON is no JSON', async (t) => {
  for (const text of ['', '{', '{"a":1}x', "{'a':1}", '{"a":01}', '{"a":NaN}', '\ufeff{}', '{"a":1,}', '"\n"']) {
    t.equal(problemOf(text), 'syntax ', JSON.stringify(text));
  }
});
