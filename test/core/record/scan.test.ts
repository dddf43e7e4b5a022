import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../../src/core/record/canonical.ts';
import { scanRecord, wantedMembers } from '../../../src/core/record/scan.ts';
import { runs } from '../../helpers/runs.ts';

const PATHS = ['a', 'b.c', 'b.d', 'b', 'list', 'z.deep'];
const wanted = wantedMembers(PATHS);

/** What the scanner says of the text, wherever it stands; and the texts of the members it found. */
function scan(text: Buffer): { readonly verdict: string; readonly found: Readonly<Record<string, string>> } {
  const spans = new Int32Array(wanted.count * 2);
  const block = Buffer.concat([Buffer.from('"}'), text, Buffer.from('"]}')]);
  const verdict = scanRecord(block, 2, 2 + text.length, wanted, spans);
  const found = PATHS.flatMap((path, index) => {
    const [from = -1, to = -1] = spans.subarray(index * 2, index * 2 + 2);
    return from < 0 ? [] : [[path, block.subarray(from, to).toString()] as const];
  });
  return { verdict, found: Object.fromEntries(found) };
}

/** Slowly: parsed, written anew, compared. */
function isCanonical(text: Buffer): boolean {
  try {
    const words = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
    const value: unknown = JSON.parse(words);
    return typeof value === 'object' && value !== null && !Array.isArray(value) && canonicalize(value) === words;
  } catch {
    return false;
  }
}

function agrees(text: Buffer): boolean {
  const { verdict } = scan(text);
  return verdict === 'undecided' || (verdict === 'canonical') === isCanonical(text);
}

const json = fc.dictionary(
  fc.oneof(fc.constantFrom('a', 'b', 'c', 'list', 'z'), fc.string()),
  fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
);

function canonical(value: unknown): Buffer | null {
  try {
    return Buffer.from(canonicalize(value));
  } catch {
    return null;
  }
}

t.test('agrees with the canonical writer on what is canonical', async () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonical(value);
      return text === null || (agrees(text) && scan(text).verdict !== 'not_canonical');
    }),
    runs(500),
  );
});

t.test('agrees on texts with any byte changed, lost or doubled', async () => {
  fc.assert(
    fc.property(json, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('change', 'bit', 'cut', 'double'), (...args) => {
      const [value, place, byte, how] = args;
      const text = canonical(value);
      if (text === null) return true;
      const index = place % text.length;
      const [head, tail] = [text.subarray(0, index), text.subarray(index + 1)];
      const old = text[index] ?? 0;
      const changed = { change: [byte], bit: [old ^ (1 << (byte % 8))], cut: [], double: [old, old] }[how];
      return agrees(Buffer.concat([head, Buffer.from(changed), tail]));
    }),
    runs(3_000),
  );
});

t.test('agrees on known forms', async (t) => {
  const texts = [
    '{}',
    '',
    '[]',
    '"a"',
    '{',
    '{"a":1',
    '{"a":1}x',
    '{"a":1,}',
    '{"a":1 }',
    '{"b":1,"a":2}',
    '{"a":1,"a":2}',
    '{"a":01}',
    '{"a":-0}',
    '{"a":0}',
    '{"a":-1}',
    '{"a":1.0}',
    '{"a":1.5}',
    '{"a":1e3}',
    '{"a":1e+21}',
    '{"a":1e21}',
    '{"a":1E+21}',
    '{"a":123456789012345}',
    '{"a":1234567890123456789}',
    '{"a":1234567890123456800}',
    '{"a":9007199254740993}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":true,"b":false,"c":null}',
    '{"a":truth}',
    '{"a":"\\u0001"}',
    '{"a":"\\u001f"}',
    '{"a":"\\u001F"}',
    '{"a":"\\u0000"}',
    '{"a":"\\u0009"}',
    '{"a":"\\t\\n\\b\\f\\r\\"\\\\"}',
    '{"a":"\\/"}',
    '{"a":"\\u00e9"}',
    '{"a":"é\u{1f600}\u007f"}',
    '{"a":"\u0001"}',
    '{"a":[1,[2,[]],{}]}',
    '{"a":[1,]}',
    '{"é":1,"z":2}',
    '{"é":1,"ö":2}',
    '{"z":1,"é":2}',
    '{"a":"\\ud800"}',
  ].map((text) => Buffer.from(text));
  const bytes = [Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])];
  for (const text of [...texts, ...bytes]) t.ok(agrees(text), text.toString());
  t.equal(scan(Buffer.from(`{"a":${'['.repeat(70)}${']'.repeat(70)}}`)).verdict, 'undecided');
  t.equal(scan(Buffer.from('{"é":1,"ö":2}')).verdict, 'canonical');
  for (const name of ['\u{1f600}', '\uff00', '\\n']) t.equal(scan(Buffer.from(`{"${name}":1}`)).verdict, 'undecided');
});

t.test('finds members and what stands below them', async (t) => {
  const value = { a: [1, 'x'], b: { a: 0, c: 'é"', cc: {}, d: null }, c: { d: 1 }, list: [], zz: { deep: 1 } };
  t.strictSame(scan(Buffer.from(canonicalize(value))), {
    verdict: 'canonical',
    found: { a: '[1,"x"]', b: '{"a":0,"c":"é\\"","cc":{},"d":null}', 'b.c': '"é\\""', 'b.d': 'null', list: '[]' },
  });
  t.same(scan(Buffer.from('{"b":"text","z":{"deep":{"er":1}}}')).found, { b: '"text"', 'z.deep': '{"er":1}' });
});
