import fc from 'fast-check';
import t from 'tap';
import { isUuid, randomNonce, uuidBytes, uuidv7, uuidv7Time } from '../../../src/core/record/uuid.ts';

t.test('the example of RFC 9562, A.6', async (t) => {
  t.equal(uuidv7Time('017f22e2-79b0-7cc3-98c4-dc0c0c07398f'), Date.parse('2022-02-22T19:22:22.000Z'));
  t.equal(uuidBytes('017f22e2-79b0-7cc3-98c4-dc0c0c07398f').toString('hex'), '017f22e279b07cc398c4dc0c0c07398f');
});

t.test('gives its time back, sorts by it, and has the bits of version 7', async () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, time, (earlier, later) => {
      const [a, b] = [uuidv7(earlier), uuidv7(later)];
      const wellFormed = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(a);
      return wellFormed && uuidv7Time(a) === earlier && (earlier === later || a < b === earlier < later) && isUuid(a);
    }),
    { numRuns: 300 },
  );
});

t.test('never repeats, across refills of the pool', async (t) => {
  const now = Date.parse('2026-03-10T14:00:00Z');
  const ids = new Set(Array.from({ length: 5_000 }, () => uuidv7(now)));
  const nonces = new Set(Array.from({ length: 5_000 }, randomNonce));
  t.equal(ids.size, 5_000);
  t.equal(nonces.size, 5_000);
  t.match([...nonces][0], /^[0-9a-f]{32}$/);
});

t.test('refuses other times and other texts', async (t) => {
  for (const ms of [-1, 0.5, Number.NaN, 2 ** 48]) t.throws(() => uuidv7(ms), { name: 'RangeError' });
  for (const text of ['', 'x', '017F22E2-79B0-7CC3-98C4-DC0C0C07398F', '017f22e279b07cc398c4dc0c0c07398f']) {
    t.notOk(isUuid(text));
    t.throws(() => uuidBytes(text), { name: 'TypeError' });
    t.throws(() => uuidv7Time(text), { name: 'TypeError' });
  }
  t.throws(() => uuidv7Time('2489e9ad-2ee2-4e00-8ec9-32d5f69181c0'), { name: 'TypeError' }, 'version 4');
});
