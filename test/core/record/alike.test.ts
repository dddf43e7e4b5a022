import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { createAlikeScanner } from '../../../src/core/record/alike.ts';
import { canonicalize } from '../../../src/core/record/canonical.ts';
import { scanRecord, wantedMembers } from '../../../src/core/record/scan.ts';
import { runs } from '../../helpers/runs.ts';

const wanted = wantedMembers(['a', 'b.c', 'b.d', 'b', 'list', 'z.deep', 'z.c.d']);

interface Said {
  readonly verdict: string;
  readonly spans: readonly number[];
}

/** The texts follow each other in one block, as records in a file. */
function scanAll(texts: readonly Uint8Array[], scan: ReturnType<typeof createAlikeScanner>['scan']): readonly Said[] {
  const block = Buffer.concat(texts.flatMap((text) => [Buffer.from('"}'), text, Buffer.from('"]}')]));
  let at = 0;
  return texts.map(({ length }) => {
    const spans = new Int32Array(wanted.count * 2);
    const verdict = scan(block, at + 2, at + 2 + length, spans);
    at += length + 5;
    return { verdict, spans: verdict === 'canonical' ? [...spans] : [] };
  });
}

function saysTheSame(texts: readonly Uint8Array[]): void {
  const { scan } = createAlikeScanner(wanted);
  const plain = scanAll(texts, (text, from, to, spans) => scanRecord(text, from, to, wanted, spans));
  deepStrictEqual(scanAll(texts, scan), plain);
}

const scalar = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ maxLength: 40 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(null, true, false, '', 0, '"', '\\', 'é'),
);
const name = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'deep', 'list', 'z'), fc.string({ maxLength: 3 }));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value')),
  ),
}));
const record = fc.dictionary(name, value, { minKeys: 1, maxKeys: 7 });

function canonical(of: unknown): Buffer | null {
  try {
    return Buffer.from(canonicalize(of));
  } catch {
    return null;
  }
}

type Json = { readonly [name: string]: unknown };

/** The same shape with other values in some places, some of them of another shape. */
function vary(of: unknown, words: readonly unknown[], next: () => number): unknown {
  const dice = next();
  if (dice % 11 === 0) return words[dice % words.length];
  if (Array.isArray(of)) return of.map((item) => vary(item, words, next));
  if (typeof of === 'object' && of !== null) {
    return Object.fromEntries(Object.entries(of as Json).map(([key, item]) => [key, vary(item, words, next)]));
  }
  return dice % 3 === 0 ? words[dice % words.length] : of;
}

function* numbers(seed: number): Generator<number, never> {
  for (let state = seed | 1; ;) yield (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 8;
}

const values = fc.array(fc.oneof(scalar, value), { minLength: 4, maxLength: 8 });

t.test('says the same as a scan of records that look alike', async () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), values, fc.nat(), (shapes, words, seed) => {
      const random = numbers(seed);
      const next = (): number => random.next().value;
      const texts = Array.from({ length: 12 }, () => canonical(vary(shapes[next() % shapes.length], words, next)));
      saysTheSame(texts.flatMap((text) => (text?.[0] === 0x7b ? [text] : [])));
    }),
    runs(150),
  );
});

t.test('says the same of alike records in which any byte is changed, lost or doubled', async () => {
  fc.assert(
    fc.property(
      record,
      values,
      fc.nat(),
      fc.array(fc.nat({ max: 255 }), { minLength: 12, maxLength: 12 }),
      (...args) => {
        const [shape, words, seed, bytes] = args;
        const random = numbers(seed);
        const next = (): number => random.next().value;
        const [whole, other] = [canonical(shape), canonical(vary(shape, words, next))];
        if (whole === null || other === null) return;
        const changed = bytes.map((byte) => {
          const text = next() % 2 === 0 ? whole : other;
          const place = next() % text.length;
          const old = text[place] ?? 0;
          const instead = [[byte], [old ^ (1 << (byte % 8))], [], [old, old], [0x2c], [0x22], [0]][next() % 7] ?? [];
          return Buffer.concat([text.subarray(0, place), Buffer.from(instead), text.subarray(place + 1)]);
        });
        saysTheSame([whole, other, whole, ...changed, whole]);
      },
    ),
    runs(300),
  );
});

t.test('a number may go on where it ended in the record before', async () => {
  saysTheSame(
    ['{"a":12}', '{"a":123}', '{"a":1}', '{"a":12,"b":1}', '{"a":"12"}', '{"a":[12]}'].map((text) => Buffer.from(text)),
  );
});

t.test('what stands elsewhere is found there', async () => {
  const texts = [
    '{"a":1,"b":{"c":2,"d":3},"list":[],"z":{"c":{"d":1},"deep":[{"deep":1}]}}',
    '{"a":[1,2],"b":{"c":[2],"d":{"c":1}},"list":[1,{"c":1}],"z":{"c":{"d":[1]},"deep":[{"deep":"é"}]}}',
    '{"a":{"b":1},"b":{"d":3,"e":[]},"list":[[[]]],"z":{"deep":4}}',
    '{"a":1,"b":{"c":2,"d":3,"e":5},"list":"","z":{"c":{"d":1,"e":2},"deep":[]}}',
  ].map((text) => Buffer.from(text));
  saysTheSame([...texts, ...texts.toReversed(), ...texts]);
});
