import fc from 'fast-check';
import t from 'tap';
import { MAX_DEPTH, readBody } from '../../src/http/body.ts';
import { PrivityError } from '../../src/model/errors.ts';
import { runs } from '../helpers/runs.ts';

function refusal(bytes: string | Uint8Array): { readonly detail: string; readonly pointer: string } {
  try {
    readBody(Buffer.from(bytes));
  } catch (error) {
    if (!(error instanceof PrivityError) || error.code !== 'malformed_request') throw error;
    return { detail: error.details.detail ?? '', pointer: error.details.pointer ?? '' };
  }
  throw new Error('nothing was refused');
}

t.test('reads what JSON can say, exactly as it was said', async (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value);
      // Names that are refused, and numbers that JSON itself cannot keep.
      if (/__proto__|\\u|\d[eE]|\d{16}/.test(text)) return true;
      return JSON.stringify(readBody(Buffer.from(text))) === JSON.stringify(JSON.parse(text));
    }),
    runs(500),
  );
  t.same(readBody(Buffer.from(' { "a" : [ 1 , { "b" : ":" } ] , "c\\"" : ":\\"\\\\" }\n')), {
    a: [1, { b: ':' }],
    'c"': ':"\\',
  });
  t.same(readBody(Buffer.from('{"a":"\\u00e9 \\ud83d\\ude00"}')), { a: 'é 😀' }, 'escapes of good text');
  t.same(readBody(Buffer.from('{"n":9007199254740991,"m":-9007199254740991,"e":1e3,"z":0e5}')), {
    n: Number.MAX_SAFE_INTEGER,
    m: -Number.MAX_SAFE_INTEGER,
    e: 1000,
    z: 0,
  });
});

t.test('finds duplicate names wherever they are, and nowhere else', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c:', 'd"', 'é'), fc.constantFrom('1', '":"', '{"a":1}', '[]')), {
        maxLength: 6,
      }),
      (members) => {
        const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
        const isDouble = new Set(members.map(([name]) => name)).size < members.length;
        try {
          readBody(Buffer.from(text));
          return !isDouble;
        } catch {
          return isDouble;
        }
      },
    ),
    runs(500),
  );
  t.match(refusal('{"a":1,"a":1}'), { pointer: '/a', detail: /twice/ });
  t.match(refusal('{"a":[{},{"b/c":{"~":1,"~":2}}]}'), { pointer: '/a/1/b~1c/~0' });
  t.match(refusal('{"a":1,"\\u0061":2}'), { pointer: '/a' }, 'the same name, written differently');
});

t.test('refuses what the record could not hold, and says where', async (t) => {
  t.match(refusal('{"a":{"b":"x\\u0000"}}'), { pointer: '/a/b', detail: /U\+0000/ });
  t.match(refusal('{"a":{"\\u0000":1}}'), { detail: /U\+0000/ });
  t.match(refusal('{"a":["\\ud800"]}'), { pointer: '/a/0', detail: /surrogate/ });
  t.match(refusal('{"a":["\\udc00\\ud800"]}'), { pointer: '/a/0', detail: /surrogate/ });
  for (const number of [
    '1e999',
    '-1e999',
    '1e-999',
    '9007199254740993',
    '-9007199254740992',
    '123456789012345678901234567890',
  ]) {
    t.match(refusal(`{"a":{"n":${number}}}`), { pointer: '/a/n', detail: /double/ }, number);
  }
  t.match(refusal('{"a":{"__proto__":{"x":1}}}'), { pointer: '/a/__proto__' });
  t.match(refusal('{"a":{"\\u005f_proto__":1}}'), { pointer: '/a/__proto__' });
});

t.test('refuses what is no object of UTF-8 JSON', async (t) => {
  t.match(refusal(''), { detail: /empty/ });
  for (const text of [
    '{',
    '{"a":1}x',
    '{a:1}',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":01}',
    '{"a":"\n"}',
    '\ufeff{}',
    '{"a":1,}',
    '//\n{}',
  ]) {
    t.match(refusal(text), { detail: /not valid JSON/, pointer: '' }, JSON.stringify(text));
  }
  for (const text of ['[]', '[{}]', 'null', '1', '"x"', 'true'])
    t.match(refusal(text), { detail: /must be an object/ }, text);
  t.match(
    refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    { detail: /UTF-8/ },
    'a byte that is no UTF-8',
  );
  t.match(
    refusal(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
    { detail: /UTF-8/ },
    'a surrogate encoded as if it were UTF-8',
  );
  t.match(refusal(Buffer.from([0x22, 0xc0, 0x80, 0x22])), { detail: /UTF-8/ }, 'an overlong U+0000');
  t.match(refusal(Buffer.from('{}', 'utf16le')), { detail: /not valid JSON/ });
});

t.test('bounds nesting before it can hurt', async (t) => {
  const nested = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  t.ok(readBody(Buffer.from(nested(MAX_DEPTH))));
  t.match(refusal(nested(MAX_DEPTH + 1)), { detail: /nested/ });
  t.match(refusal(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`), { detail: /nested/ });
  t.match(refusal('['.repeat(500_000)), { detail: /not valid JSON/ });
});
