// In charge of what waits to be recorded and of its order: bounded in number and in bytes, first come first served, refused tokens
// after decisions. It must never take part of a call, nor keep one whose requester has its 503.
import type { PrivityError } from '../../model/errors.ts';
import type { RecordEntry } from '../../model/record.ts';
import type { RefusedLane } from './refused-lane.ts';
import { createPatientUnit, isPatient, type Unit } from './unit.ts';

export interface SupplyLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Of one batch; a single call may be larger. */
  readonly batchEntries: number;
  readonly batchBytes: number;
}

export interface Supply {
  /** False if it is full. */
  offer(unit: Unit): boolean;
  /** The next batch; `everything` also takes counts of refused tokens before they are due. */
  take(everything: boolean): Unit[];
  /** A batch whose data was refused: each half is tried on its own, before anything else. */
  putBackHalves(units: readonly Unit[]): void;
  /** What was rolled back and nobody waits for. */
  putBack(units: readonly Unit[]): void;
  /** Rejects every call that waits (`now` absent), or those that are due. Returns the number of their entries. */
  reject(error: PrivityError, now?: number): number;
  hasCalls(): boolean;
  /** Of those that wait; infinite if nobody does. */
  oldestDeadline(): number;
  entries(): number;
  bytes(): number;
}

/** Refused tokens in one batch. */
const LANE_SHARE = 64;

export function createSupply(limits: SupplyLimits, lane: RefusedLane, onRefusedLost: () => void): Supply {
  let calls: Unit[] = [];
  let groups: Unit[][] = [];
  let entries = 0;
  let bytes = 0;

  function takeGroup(): Unit[] {
    while (groups.length > 0) {
      const group = groups.shift()?.filter((unit) => !unit.isSettled()) ?? [];
      if (group.length > 0) return group;
    }
    return [];
  }

  function takeCalls(): Unit[] {
    let count = 0;
    let takenEntries = 0;
    let takenBytes = 0;
    for (const unit of calls) {
      const nextEntries = takenEntries + unit.entries.length;
      const nextBytes = takenBytes + unit.bytes;
      if (count > 0 && (nextEntries > limits.batchEntries || nextBytes > limits.batchBytes)) break;
      [takenEntries, takenBytes] = [nextEntries, nextBytes];
      count++;
    }
    entries -= takenEntries;
    bytes -= takenBytes;
    return calls.splice(0, count);
  }

  /** None later than a call that still waits: time in the chain never goes back, and a decision keeps the time it was made at. */
  function takeRefused(everything: boolean): Unit[] {
    const notAfter = calls[0]?.entries[0]?.entry.at;
    return lane.take(LANE_SHARE, everything, notAfter).flatMap((entry) => patient(entry) ?? []);
  }

  function patient(entry: RecordEntry): Unit | undefined {
    try {
      return createPatientUnit([entry], onRefusedLost);
    } catch {
      onRefusedLost();
      return undefined;
    }
  }

  function reject(error: PrivityError, now = Number.POSITIVE_INFINITY): number {
    const isDue = (unit: Unit): boolean => !isPatient(unit) && !unit.isSettled() && unit.deadline <= now;
    // Every call has the same patience: where the first is not due, none is.
    const due = calls[0] !== undefined && isDue(calls[0]) ? calls.filter(isDue) : [];
    if (due.length > 0) {
      calls = calls.filter((unit) => !isDue(unit));
      for (const unit of due) {
        entries -= unit.entries.length;
        bytes -= unit.bytes;
      }
    }
    due.push(...groups.flat().filter(isDue));
    for (const unit of due) unit.reject(error);
    return due.reduce((sum, unit) => sum + unit.entries.length, 0);
  }

  return {
    offer: (unit) => {
      const fits = entries + unit.entries.length <= limits.maxEntries && bytes + unit.bytes <= limits.maxBytes;
      // A call larger than the bounds gets through when nothing else waits.
      if (!fits && entries > 0) return false;
      calls.push(unit);
      entries += unit.entries.length;
      bytes += unit.bytes;
      return true;
    },
    take: (everything) => {
      const group = takeGroup();
      return group.length > 0 ? group : [...takeCalls(), ...takeRefused(everything)];
    },
    putBackHalves: (units) => {
      const middle = units.length >> 1;
      groups = [units.slice(0, middle), units.slice(middle), ...groups];
    },
    putBack: (units) => {
      if (units.length > 0) groups = [[...units], ...groups];
    },
    reject,
    hasCalls: () => calls.length > 0 || groups.flat().some((unit) => !isPatient(unit) && !unit.isSettled()),
    oldestDeadline: () => Math.min(...[calls[0], ...groups.flat()].flatMap((unit) => unit?.deadline ?? [])),
    entries: () => entries,
    bytes: () => bytes,
  };
}
