// The loop that seals and publishes, at least every second while there is something new. It must never seal while it does not know
// what was published, nor end by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { NoteSigner } from '../../../core/sealing/signed-note.ts';
import type { Place } from './places.ts';
import { seal, type Sealed, type SealingAlarm, SealingStopped } from './seal.ts';

/** Why records are not sealed or not published, or what else an operator should look at. */
export type SealingProblem = SealingAlarm | 'sealing_failed' | 'checkpoints_not_published' | 'records_missing';

export interface SealerState {
  readonly problems: readonly SealingProblem[];
  /** Leaves under the last checkpoint that is out everywhere. */
  readonly published: number;
  readonly sealed: number;
  /** Milliseconds since everything that was committed then was sealed and published; null before the first time. */
  readonly behindMs: number | null;
}

export interface SealerDeps {
  readonly connect: () => Promise<pg.Client>;
  readonly origin: string;
  readonly signers: readonly [NoteSigner, ...NoteSigner[]];
  readonly places: readonly Place[];
  readonly now: () => number;
  readonly report: (level: 'info' | 'warn' | 'error', code: string, detail: Readonly<Record<string, unknown>>) => void;
  readonly everyMs?: number;
  readonly limit?: number;
}

export interface Sealer {
  /** Seals and publishes everything that is committed now. @throws what kept it from it */
  sealNow(): Promise<Sealed>;
  /** Runs until `close`; never rejects. */
  run(): Promise<void>;
  state(): SealerState;
  close(): Promise<void>;
}

const EVERY_MS = 1_000;
/** Of one transaction: a tree of 10,000 more leaves is hashed and written in about a second. */
const LIMIT = 10_000;
const LONGEST_PAUSE_MS = 30_000;
const END_TIMEOUT_MS = 1_000;

export function createSealer(deps: SealerDeps): Sealer {
  const { places, report, everyMs = EVERY_MS, limit = LIMIT } = deps;
  const stopping = new AbortController();
  let client: pg.Client | null = null;
  let problems: readonly SealingProblem[] = [];
  let last: Sealed | null = null;
  let published = 0;
  let caughtUpAt: number | null = null;
  let running: Promise<void> | undefined;
  /** The last note at each place, as far as we know: a place that forgets it was tampered with. */
  const out = new Map<Place, string>();
  /** Places that did not answer, or took nothing, this time. */
  const unreachable = new Map<Place, unknown>();

  async function sealNow(): Promise<Sealed> {
    for (;;) {
      const sealed = await sealOnce();
      if (!sealed.isPartial || stopping.signal.aborted) return sealed;
    }
  }

  async function sealOnce(): Promise<Sealed> {
    unreachable.clear();
    const known = (await Promise.all(places.map(latestAt))).flatMap((one) => (one === null ? [] : [one]));
    const remembered = last?.note ?? null;
    client ??= await deps.connect();
    const sealed = await seal(client, {
      origin: deps.origin,
      signers: deps.signers,
      published: remembered === null ? known : [...known, { place: 'this process', note: remembered }],
      limit,
    });
    last = sealed;
    const { note } = sealed;
    if (note !== null) await Promise.all(places.map((place) => publishAt(place, note)));
    if (unreachable.size === 0) published = sealed.size;
    return sealed;
  }

  /** Of a place that does not answer, what we published there ourselves; without that nothing may be signed. */
  async function latestAt(place: Place): Promise<{ readonly place: string; readonly note: string } | null> {
    const own = out.get(place);
    let note: string | null;
    try {
      note = await place.latest();
    } catch (cause) {
      unreachable.set(place, cause);
      if (own === undefined) throw new Unpublished(`${place.name}: ${reasonOf(cause)}`, { cause });
      note = own;
    }
    if (note === null && own !== undefined) {
      throw new SealingStopped('published_not_ours', `what was published at ${place.name} is gone`);
    }
    if (note === null) return null;
    out.set(place, note);
    return { place: place.name, note };
  }

  async function publishAt(place: Place, note: string): Promise<void> {
    if (unreachable.has(place) || out.get(place) === note) return;
    try {
      await place.publish(note, deps.now());
      out.set(place, note);
    } catch (cause) {
      unreachable.set(place, cause);
    }
  }

  async function step(): Promise<void> {
    const begun = deps.now();
    try {
      const sealed = await sealNow();
      for (const { writer, missing } of sealed.gaps) tell('records_missing', { writer, seq: missing });
      for (const [{ name }, cause] of unreachable)
        tell('checkpoints_not_published', { place: name, reason: reasonOf(cause) });
      const found: SealingProblem[] = [];
      if (sealed.gaps.length > 0) found.push('records_missing');
      if (unreachable.size > 0) found.push('checkpoints_not_published');
      settle(found);
      if (found.length === 0) caughtUpAt = begun;
    } catch (error) {
      await leave();
      const code =
        error instanceof SealingStopped
          ? error.alarm
          : error instanceof Unpublished
            ? 'checkpoints_not_published'
            : 'sealing_failed';
      tell(code, { reason: error instanceof Error ? error.message : String(error) });
      settle([code]);
    }
  }

  /** Once for each time that it begins. */
  function tell(code: SealingProblem, detail: Readonly<Record<string, unknown>>): void {
    if (!problems.includes(code)) report('error', code, detail);
  }

  function settle(now: readonly SealingProblem[]): void {
    for (const ended of problems.filter((one) => !now.includes(one)))
      report('info', 'sealing_recovered', { from: ended });
    problems = now;
  }

  async function loop(): Promise<void> {
    let pauseMs = everyMs;
    while (!stopping.signal.aborted) {
      await step();
      pauseMs = problems.length === 0 ? everyMs : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  async function leave(): Promise<void> {
    const ending = client;
    client = null;
    if (ending === null) return;
    const timer = setTimeout(() => ending.connection.stream.destroy(), END_TIMEOUT_MS);
    await ending.end().catch(() => undefined);
    clearTimeout(timer);
  }

  return {
    sealNow,
    run: () => (running ??= loop()),
    state: () => ({
      problems,
      published,
      sealed: last?.size ?? 0,
      behindMs: caughtUpAt === null ? null : Math.max(0, deps.now() - caughtUpAt),
    }),
    async close() {
      stopping.abort();
      await running;
      await leave();
    },
  };
}

class Unpublished extends Error {}

function reasonOf(cause: unknown): string {
  // A failed fetch says why only in its cause.
  const inner = cause instanceof TypeError && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
