// Which payloads leave the log and the record that says so before they do. It must never let one go that is on hold, or whose place the
// record does not name.
import { createHash } from 'node:crypto';
import type { RecordEntry } from '../model/record.ts';
import { NO_COLUMNS } from '../model/record.ts';
import { PURGEABLE_KINDS, type PurgeRequest } from '../model/retention.ts';
import type { PolicySet } from './policy-set.ts';
import { canonicalize } from './record/canonical.ts';
import { ENGINE_VERSION } from './record/decision-record.ts';
import { uuidv7 } from './record/uuid.ts';
import { classOf, cutoffOf, heldMattersOf, isHeld, type Payload, type Retention } from './retention.ts';

/** A row of the log, as far as it decides about its payload. */
export interface Candidate extends Payload {
  readonly id: string;
  readonly writer: string;
  readonly seq: number;
  readonly at: number;
  readonly subject: string | null;
}

export type Scope = Pick<PurgeRequest, 'subject'> & { readonly asOf: number; readonly before: number };

export type Fate = { readonly fate: 'goes' | 'held' | 'kept'; readonly class: string };

/** The same one for all candidates: what is on file is looked up once for each matter. */
export function createPurgeJudge({ data }: PolicySet, retention: Retention, scope: Scope): (one: Candidate) => Fate {
  const known = new Map<string, { readonly id: string; readonly cutoff: number }>();
  const kinds = new Set<string>(PURGEABLE_KINDS);
  return (one) => {
    const key = `${one.kind}\u0000${one.matter ?? ''}`;
    let found = known.get(key);
    if (found === undefined) {
      const { id, keep } = classOf(retention, data, one);
      known.set(key, (found = { id, cutoff: cutoffOf(keep, scope.asOf) }));
    }
    const concerned = scope.subject === null ? one.at < found.cutoff : one.subject === scope.subject;
    if (!kinds.has(one.kind) || one.at >= scope.before || !concerned) return { fate: 'kept', class: found.id };
    return { fate: isHeld(retention, data, one) ? 'held' : 'goes', class: found.id };
  };
}

export interface Part {
  /** Ids of the first and the last record. */
  readonly ids: { readonly from: string; readonly to: string };
  readonly records: number;
  /** Places by writer, as `purgedPlaces` reads them. */
  readonly purged: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;
}

/** Records of one part: one purge record of bounded size, one transaction of bounded length. */
const MOST_RECORDS = 50_000;

/** Takes candidates that go, in the order of their ids. */
export function createParts(most = MOST_RECORDS): { add(one: Candidate): void; finish(): readonly Part[] } {
  const parts: Part[] = [];
  let open: Candidate[] = [];
  const close = (): void => {
    const [first, last] = [open[0], open.at(-1)];
    if (first === undefined || last === undefined) return;
    const byWriter = Map.groupBy(open, ({ writer }) => writer);
    const purged = Object.fromEntries(
      [...byWriter].map(([writer, own]) => [writer, rangesOf(own.map(({ seq }) => seq))]),
    );
    parts.push({ ids: { from: first.id, to: last.id }, records: open.length, purged });
    open = [];
  };
  return {
    add(one) {
      open.push(one);
      if (open.length === most) close();
    },
    finish() {
      close();
      return parts;
    },
  };
}

function rangesOf(places: readonly number[]): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const seq of places.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}

/** What two people approve: `resource.id` of their approvals. Nobody finds the subject of an erasure in it. */
export function purgeHash(request: PurgeRequest): string {
  return `sha256:${createHash('sha256').update(canonicalize(request)).digest('hex')}`;
}

export interface PurgeEvent {
  readonly request: PurgeRequest;
  readonly approvals: readonly { readonly id: string; readonly by: string; readonly roles: readonly string[] }[];
  readonly part: Part;
  readonly number: number;
  readonly of: number;
  readonly at: number;
}

/** Committed before anything goes; whoever verifies the log reads in it which payloads are missing rightly. */
export function purgeEntry(set: PolicySet, retention: Retention, event: PurgeEvent): RecordEntry {
  const { request, approvals, part, number, of, at } = event;
  const { id, reason, requester, as_of: asOf, before, subject } = request;
  return {
    kind: 'purge',
    id: uuidv7(at),
    at,
    body: {
      approvals: approvals.map((one) => ({ by: one.by, id: one.id, roles: [...one.roles] })),
      held: { clients: [...retention.heldClients].sort(), matters: heldMattersOf(retention, set.data) },
      ids: part.ids,
      part: { number, of, records: part.records },
      policy: { commit: set.commit, engine: ENGINE_VERSION, revision: set.revision },
      purged: part.purged,
      reason,
      request: { as_of: asOf, before, hash: purgeHash(request), id },
      requester,
      scope: subject === null ? 'retention' : 'erasure',
    },
    columns: NO_COLUMNS,
  };
}

/** What a purge record says of its request; null for anything else. */
export function purgeRequestOf(
  record: Readonly<Record<string, unknown>>,
): { readonly id: string; readonly hash: string } | null {
  const { kind, request } = record;
  if (kind !== 'purge' || typeof request !== 'object' || request === null) return null;
  const [id, hash]: readonly unknown[] = [Reflect.get(request, 'id'), Reflect.get(request, 'hash')];
  return typeof id === 'string' && typeof hash === 'string' ? { id, hash } : null;
}
