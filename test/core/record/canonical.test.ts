import canonicalizePeer from 'canonicalize';
import fc from 'fast-check';
import t from 'tap';
import { canonicalize, canonicalMembers, joinMembers } from '../../../src/core/record/canonical.ts';

t.test('the example of RFC 8785, 3.2.2 and 3.2.4', async (t) => {
  const value: unknown = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  const text = canonicalize(value);
  t.equal(
    text,
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
  t.equal(
    Buffer.from(text, 'utf8').toString('hex'),
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c' +
      '31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d',
  );
});

t.test('the order of RFC 8785, 3.2.3: by UTF-16 code units', async (t) => {
  const value: unknown = JSON.parse(String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  }`);
  t.same(canonicalize(value).match(/:"[^"]*"/g), [
    ':"Carriage Return"',
    ':"One"',
    ':"Control"',
    ':"Latin Small Letter O With Diaeresis"',
    ':"Euro Sign"',
    ':"Emoji: Grinning Face"',
    ':"Hebrew Letter Dalet With Dagesh"',
  ]);
});

t.test('the numbers of RFC 8785, appendix B', async (t) => {
  const samples: readonly (readonly [string, string])[] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ];
  for (const [bits, text] of samples) {
    const value = Buffer.from(bits, 'hex').readDoubleBE();
    t.equal(canonicalize(value), text, bits);
    t.equal(canonicalize({ value, array: [value] }), `{"array":[${text}],"value":${text}}`, bits);
  }
});

t.test('refuses what JSON or Postgres would not give back', async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const refused: readonly (readonly [unknown, string])[] = [
    [undefined, 'the value is of type undefined'],
    [{ a: { b: undefined } }, '/a/b is of type undefined'],
    [{ a: [1, undefined] }, '/a/1 is of type undefined'],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what it is about
    [{ a: [1, , 2] }, '/a/1 is of type undefined'],
    [{ a: Number.NaN }, '/a is NaN'],
    [{ a: Number.POSITIVE_INFINITY }, '/a is Infinity'],
    [[Number.NEGATIVE_INFINITY], '/0 is -Infinity'],
    [{ a: 'x\u0000y' }, '/a holds U+0000'],
    [{ 'x\u0000y': 1 }, 'the value holds U+0000'],
    [{ a: '\ud800' }, '/a holds half a surrogate pair'],
    [{ a: ['\udc00x'] }, '/a/0 holds half a surrogate pair'],
    [{ '\ud800': 1 }, 'the value holds half a surrogate pair'],
    ['\ud800', 'the value holds half a surrogate pair'],
    [{ a: 1n }, '/a is of type bigint'],
    [{ a: Symbol('s') }, '/a is of type symbol'],
    [{ a: () => 1 }, '/a is of type function'],
    [{ a: new Date(0) }, '/a is not a plain object'],
    [{ a: new Map() }, '/a is not a plain object'],
    [{ a: Buffer.from('x') }, '/a is not a plain object'],
    [{ a: Object.create({ inherited: 1 }) }, '/a is not a plain object'],
    [{ a: { toJSON: () => 'other' } }, '/a/toJSON is of type function'],
    [cycle, `${'/self'.repeat(64)} is nested too deeply`],
  ];
  for (const [value, problem] of refused) {
    t.throws(() => canonicalize(value), { name: 'TypeError', message: `cannot be recorded: ${problem}` });
  }
  t.throws(() => canonicalMembers(Object.create({ inherited: 1 }), []), { name: 'TypeError' });
  t.throws(() => canonicalMembers({ a: undefined }, []), { name: 'TypeError' });
});

t.test('keeps what only looks like something to refuse', async (t) => {
  const values = [
    String.raw`a\u0000b`,
    String.raw`\\ud800`,
    '\ud83d\ude00',
    '\u0001\u001f\u007f\u2028',
    JSON.parse('{"__proto__":{"b":1,"a":2},"constructor":3}'),
    JSON.parse('{"b":1,"__proto__":2,"10":3,"9":4,"a":{"2":1,"1":1,"10":1}}'),
    Object.assign(Object.create(null), { b: 1, a: 2 }),
  ];
  for (const value of values) {
    const text = canonicalize(value);
    // Not through t.equal: a test's name must not hold control characters.
    t.ok(text === canonicalizePeer(value));
    t.ok(text === canonicalize(JSON.parse(text)));
  }
  t.equal(canonicalize(values[5]), '{"10":3,"9":4,"__proto__":2,"a":{"1":1,"10":1,"2":1},"b":1}');
});

t.test('agrees with another implementation, whatever the order of members', async (t) => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('at', 'id', '10', '9', '__proto__'),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 5 }),
      // From entries, so that members come in any order, and __proto__ as a member.
      fc.uniqueArray(fc.tuple(name, tie('value')), { selector: ([key]) => key, maxLength: 8 }).map(Object.fromEntries),
    ),
  }));
  fc.assert(
    fc.property(value, (input) => {
      const expected = canonicalizePeer(input) ?? '';
      if (/(?:^|[^\\])(?:\\\\)*\\u0000/.test(expected)) {
        t.throws(() => canonicalize(input), { name: 'TypeError' });
      } else if (canonicalize(input) !== expected) {
        throw new Error(`${canonicalize(input)} is not ${expected}`);
      }
    }),
    { numRuns: 2_000 },
  );
});

t.test('members joined are what the joined object gives', async (t) => {
  const part = fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer())));
  fc.assert(
    fc.property(part, part, (left, right) => {
      const rest = Object.fromEntries(Object.entries(right).filter(([key]) => !Object.hasOwn(left, key)));
      const [ours, theirs] = [left, rest].map((one) => Object.keys(one).toSorted());
      const joined = joinMembers(canonicalMembers(left, theirs ?? []), canonicalMembers(rest, ours ?? []));
      return joined === canonicalize({ ...left, ...rest });
    }),
  );
  const twice = () => joinMembers(canonicalMembers({ a: 1, b: 2 }, ['b']), canonicalMembers({ b: 3 }, ['a', 'b']));
  t.throws(twice, /\/b is given twice/);
});
