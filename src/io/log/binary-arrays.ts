// Arrays as PostgreSQL's binary wire format has them (array_recv in its source), so that a batch of any size is a fixed number of
// parameters and no byte is escaped. It must never be given two lengths for one batch: rows are taken in lockstep.

type Write = (target: Buffer, offset: number, index: number) => number;

// Type numbers are fixed in pg_type.dat.
const BYTEA = 17;
const INT8 = 20;
const TEXT = 25;
const TIMESTAMPTZ = 1184;
const UUID = 2950;

const HEADER_BYTES = 20;
const NULL_LENGTH = -1;
/** Midnight of 2000-01-01 UTC, from which PostgreSQL counts microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const TWO_POWER_32 = 2 ** 32;

export function byteaArray(values: readonly Uint8Array[]): Buffer {
  const size = values.reduce((sum, value) => sum + value.length, 0);
  return encode(BYTEA, values.length, size, false, (target, offset, index) => {
    const value = values[index] ?? new Uint8Array();
    target.set(value, offset);
    return value.length;
  });
}

export function uuidArray(values: readonly string[]): Buffer {
  return encode(UUID, values.length, values.length * 16, false, (target, offset, index) =>
    target.write((values[index] ?? '').replaceAll('-', ''), offset, 'hex'),
  );
}

export function int8Array(values: readonly number[]): Buffer {
  return encode(INT8, values.length, values.length * 8, false, (target, offset, index) =>
    writeInt64(target, offset, values[index] ?? 0),
  );
}

/** Of milliseconds since 1970. */
export function timestamptzArray(values: readonly number[]): Buffer {
  return encode(TIMESTAMPTZ, values.length, values.length * 8, false, (target, offset, index) =>
    writeInt64(target, offset, ((values[index] ?? 0) - POSTGRES_EPOCH_MS) * 1000),
  );
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let hasNull = false;
  let size = 0;
  for (const value of values) {
    if (value === null) hasNull = true;
    else size += value.length * 3; // UTF-8 takes up to three bytes for a UTF-16 code unit
  }
  return encode(TEXT, values.length, size, hasNull, (target, offset, index) => {
    const value = values[index] ?? null;
    return value === null ? NULL_LENGTH : target.write(value, offset, 'utf8');
  });
}

/** The text of a one-dimensional array of text (PostgreSQL documentation, 8.15.6), for an array in every row. */
export function arrayLiteral(values: readonly string[]): string {
  return values.length === 0 ? '{}' : `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function encode(type: number, count: number, bytes: number, hasNull: boolean, write: Write): Buffer {
  const target = Buffer.allocUnsafe(HEADER_BYTES + count * 4 + bytes);
  target.writeInt32BE(count === 0 ? 0 : 1, 0); // dimensions
  target.writeInt32BE(hasNull ? 1 : 0, 4);
  target.writeInt32BE(type, 8);
  if (count === 0) return target.subarray(0, 12);
  target.writeInt32BE(count, 12);
  target.writeInt32BE(1, 16); // lower bound
  let offset = HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    const length = write(target, offset + 4, index);
    target.writeInt32BE(length, offset);
    offset += 4 + Math.max(length, 0);
  }
  return target.subarray(0, offset);
}

function writeInt64(target: Buffer, offset: number, value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a 64-bit integer that survives: ${value}`);
  target.writeInt32BE(Math.floor(value / TWO_POWER_32), offset);
  target.writeUInt32BE(value - Math.floor(value / TWO_POWER_32) * TWO_POWER_32, offset + 4);
  return 8;
}
