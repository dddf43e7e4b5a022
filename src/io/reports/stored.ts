// What every reader of stored records shares: bytes as an object, and what a log that cannot be read is called. It must never let a
// record that was tampered with stop a report.
import { PrivityError } from '../../model/errors.ts';

export type StoredObject = Readonly<Record<string, unknown>>;

/** Bytes that were tampered with need not be JSON any more. */
export function parseStored(bytes: Buffer): StoredObject {
  try {
    return objectOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    return {};
  }
}

/** An empty one for everything else. */
export function objectOf(value: unknown): StoredObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as StoredObject) : {};
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function cannotRead(cause: unknown): PrivityError {
  return new PrivityError('overloaded', { detail: 'the log cannot be read just now', retryAfterSeconds: 2, cause });
}
