import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { recordHash } from '../../../src/core/record/hash.ts';

t.test('is the hash of an RFC 9162 leaf', async (t) => {
  // The empty leaf: also the published test vector of Certificate Transparency.
  t.equal(
    recordHash(Buffer.alloc(0)).toString('hex'),
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
  for (const length of [1, 2_048, 16_383, 16_384, 16_385, 200_000, 3]) {
    const bytes = randomBytes(length);
    const expected = createHash('sha256').update(Buffer.of(0)).update(bytes).digest();
    t.ok(recordHash(bytes).equals(expected), `${length} bytes`);
    t.ok(recordHash(new Uint8Array(bytes)).equals(expected));
  }
});
