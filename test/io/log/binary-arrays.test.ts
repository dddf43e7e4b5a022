import { deepStrictEqual } from 'node:assert';
import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  arrayLiteral,
  byteaArray,
  int8Array,
  textArray,
  timestamptzArray,
  uuidArray,
} from '../../../src/io/log/binary-arrays.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';

const database = await createDatabase(t);
const client = await connect(t, database.urls.reader);

async function roundTrip(type: string, value: Buffer | string): Promise<readonly unknown[]> {
  const { rows } = await client.query<{ value: readonly unknown[] }>(`select $1::${type}[] as value`, [value]);
  return rows[0]?.value ?? [];
}

t.test('PostgreSQL reads every array as it was meant', async (t) => {
  // Text as Postgres can hold it: no U+0000, no half surrogate pairs.
  const text = fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter((value) => !value.includes('\u0000') && value.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, fc.constant(null)), { maxLength: 50 }), async (values) => {
      deepStrictEqual(await roundTrip('text', textArray(values)), values);
    }),
    { numRuns: 50 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(text, fc.constantFrom('', 'NULL', '{}', ',', '"', '\\', ' '))),
      async (values) => {
        deepStrictEqual(await roundTrip('text', arrayLiteral(values)), values);
      },
    ),
    { numRuns: 50 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.maxSafeInteger()), async (values) => {
      deepStrictEqual((await roundTrip('bigint', int8Array(values))).map(Number), values);
    }),
    { numRuns: 50 },
  );
  const instant = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(fc.array(instant), async (values) => {
      deepStrictEqual(await roundTrip('timestamptz', timestamptzArray(values.map(Number))), values);
    }),
    { numRuns: 50 },
  );
  const uuids = Array.from({ length: 20 }, () => randomUUID());
  t.same(await roundTrip('uuid', uuidArray(uuids)), uuids);
  const blobs = [0, 1, 100_000].map((size) => randomBytes(size));
  t.same(await roundTrip('bytea', byteaArray(blobs)), blobs);
});

t.test('refuses integers that would not survive', async (t) => {
  t.throws(() => int8Array([2 ** 53]), { name: 'RangeError' });
  t.throws(() => timestamptzArray([Number.NaN]), { name: 'RangeError' });
});
