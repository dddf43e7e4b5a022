// The bytes of a record: the members that every record has, and those of its kind, as one canonical object (RECORD.md, "Bytes").
// It must never let a kind's members pass for one of every record's.
import { type CanonicalMember, canonicalMembers, joinMembers } from './canonical.ts';

export const RECORD_VERSION = 1;

export interface Envelope {
  readonly kind: string;
  readonly id: string;
  readonly writer: string;
  readonly seq: number;
  /** Hash of the writer's record before, lower-case hex; null for its first. */
  readonly prev: string | null;
  /** 128 random bits, lower-case hex. */
  readonly nonce: string;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
}

/** In canonical order. */
const ENVELOPE_NAMES = ['at', 'id', 'kind', 'nonce', 'prev', 'seq', 'v', 'writer'];

/** The members of a kind in canonical form, to stand between those of the envelope; a TypeError for what cannot be recorded. */
export function bodyMembers(body: Readonly<Record<string, unknown>>): readonly CanonicalMember[] {
  const taken = ENVELOPE_NAMES.find((name) => Object.hasOwn(body, name));
  if (taken !== undefined) throw new TypeError(`cannot be recorded: /${taken} belongs to the envelope`);
  return canonicalMembers(body, ENVELOPE_NAMES);
}

/** The canonical text of a record. Ids, hashes and kinds are known to need no escaping. */
export function recordText(envelope: Envelope, body: readonly CanonicalMember[]): string {
  const { kind, id, writer, seq, prev, nonce, at } = envelope;
  const own: readonly CanonicalMember[] = [
    { name: 'at', text: `"at":"${timestamp(at)}"` },
    { name: 'id', text: `"id":"${id}"` },
    { name: 'kind', text: `"kind":"${kind}"` },
    { name: 'nonce', text: `"nonce":"${nonce}"` },
    { name: 'prev', text: prev === null ? '"prev":null' : `"prev":"${prev}"` },
    { name: 'seq', text: `"seq":${seq}` },
    { name: 'v', text: `"v":${RECORD_VERSION}` },
    { name: 'writer', text: `"writer":"${writer}"` },
  ];
  return joinMembers(body, own);
}

let lastTime = Number.NaN;
let lastTimestamp = '';

/** RFC 3339 with milliseconds, UTC; the same for many records in a row. */
function timestamp(ms: number): string {
  if (ms !== lastTime) {
    lastTimestamp = new Date(ms).toISOString();
    lastTime = ms;
  }
  return lastTimestamp;
}
