// What is committed together or not at all: the entries of one call, or one refused token. It must never hold an entry that could not be recorded.
import { bodyMembers } from '../../core/record/envelope.ts';
import { isUuid } from '../../core/record/uuid.ts';
import { PrivityError } from '../../model/errors.ts';
import { type Receipt, RECORD_KINDS, type RecordEntry } from '../../model/record.ts';
import type { PreparedEntry } from './writer-chain.ts';

export interface Unit {
  readonly entries: readonly PreparedEntry[];
  readonly bytes: number;
  /** On the monotonic clock; infinite where nobody waits. */
  readonly deadline: number;
  /** Whether its requester has an answer. */
  isSettled(): boolean;
  /** These two do nothing once it is settled. */
  commit(receipts: readonly Receipt[]): void;
  reject(error: PrivityError): void;
}

/** What the envelope and the row add to a body, about. */
const OVERHEAD_BYTES = 500;
const KINDS: ReadonlySet<string> = new Set(RECORD_KINDS);

/** A unit whose requester waits for the receipts. */
export interface Call {
  readonly unit: Unit;
  readonly receipts: Promise<readonly Receipt[]>;
}

/** Throws a TypeError if an entry cannot be recorded. */
export function createCall(entries: readonly RecordEntry[], deadline: number): Call {
  const prepared = entries.map(prepareEntry);
  let settled = false;
  const { promise, resolve, reject } = Promise.withResolvers<readonly Receipt[]>();
  const settle = (how: () => void): void => {
    settled = true;
    how();
  };
  return {
    receipts: promise,
    unit: {
      entries: prepared,
      bytes: bytesOf(prepared),
      deadline,
      isSettled: () => settled,
      commit: (receipts) => settle(() => resolve(receipts)),
      reject: (error) => settle(() => reject(error)),
    },
  };
}

/** Entries that nobody waits for. Throws a TypeError if one cannot be recorded. */
export function createPatientUnit(entries: readonly RecordEntry[], onLoss: () => void): Unit {
  const prepared = entries.map(prepareEntry);
  return {
    entries: prepared,
    bytes: bytesOf(prepared),
    deadline: Number.POSITIVE_INFINITY,
    isSettled: () => false,
    commit: () => undefined,
    reject: onLoss,
  };
}

export function isPatient(unit: Unit): boolean {
  return unit.deadline === Number.POSITIVE_INFINITY;
}

export function prepareEntry(entry: RecordEntry): PreparedEntry {
  if (!isUuid(entry.id)) throw new TypeError('cannot be recorded: /id is not a UUID');
  if (!KINDS.has(entry.kind)) throw new TypeError('cannot be recorded: /kind is not known');
  if (!Number.isSafeInteger(entry.at)) throw new TypeError('cannot be recorded: /at is not a time');
  return { entry, members: bodyMembers(entry.body) };
}

function bytesOf(entries: readonly PreparedEntry[]): number {
  let bytes = 0;
  for (const { members } of entries) {
    bytes += OVERHEAD_BYTES;
    for (const member of members) bytes += member.text.length;
  }
  return bytes;
}
