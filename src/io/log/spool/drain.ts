// What becomes of batches of the journal that were sent to Postgres. It must never take one out of the journal that is not committed,
// durably and whole, nor pass one over: what Postgres will not take stops everything until somebody has seen to it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../commit.ts';
import type { AlarmCode, Counters } from '../events.ts';
import { type Failure, isPartitionMissing } from '../failure.ts';
import { type Flight, flightOf } from '../flight.ts';
import type { Lineage } from '../lineage.ts';
import type { Link } from '../link.ts';
import type { Trouble } from '../trouble.ts';
import type { SealedBatch } from '../writer-chain.ts';
import type { Spooler } from './spooler.ts';

export interface DrainDeps {
  readonly spooler: Spooler;
  readonly lineage: Lineage;
  readonly link: Link;
  readonly trouble: Trouble;
  readonly counters: Counters;
  /** Never rejects. */
  readonly ensurePartitions: () => Promise<void>;
  /** A new writer opens; what waits for the old one is rejected. */
  readonly startOver: (reason: AlarmCode) => void;
}

/** What is to be done with the batches: they are `done`, or sent again as they are or one by one. */
export type DrainVerdict = 'done' | 'again' | 'one_by_one';

export interface Drain {
  /** The oldest of the journal, many at once; null if there are none, or they cannot be read. */
  load(): Promise<Flight | null>;
  judge(drained: Flight, outcome: Outcome): Promise<DrainVerdict>;
}

const TRANSIENT_TRIES = 5;
const TRANSIENT_PAUSE_MS = 20;

export function createDrain(deps: DrainDeps): Drain {
  const { spooler, lineage, link, trouble, counters } = deps;
  const alarmed = new Set<string>();
  /** After a refusal of what batches hold, until one has come through. */
  let isCautious = false;
  let isMended = false;

  async function arrive({ batch, journaled }: Flight): Promise<void> {
    const chain = lineage.current();
    if (chain?.writer === batch.writer) chain.deliver(batch.head);
    link.prove();
    trouble.end();
    spooler.block(null);
    [isCautious, isMended] = [false, false];
    await spooler.drop(journaled);
  }

  /** Once for each writer and alarm; the writer that writes now is given up. */
  function raise(code: AlarmCode, { writer, head }: SealedBatch): void {
    if (alarmed.has(`${code} ${writer}`)) return;
    alarmed.add(`${code} ${writer}`);
    // A look at the session may have been first.
    if (lineage.alarms().some((alarm) => alarm.code === code && alarm.writer === writer)) return;
    counters.alarms[code]++;
    lineage.raise(code, head.seq, writer);
    if (lineage.current()?.writer === writer) deps.startOver(code);
  }

  function stop(code: string): DrainVerdict {
    trouble.begin(code);
    spooler.block(code);
    return 'again';
  }

  async function rollBack(drained: Flight, failure: Failure): Promise<DrainVerdict> {
    if (failure.fate === 'transient' && drained.tries < TRANSIENT_TRIES) {
      await sleep(TRANSIENT_PAUSE_MS * (drained.tries + 1));
      return 'again';
    }
    if (failure.fate !== 'data') {
      trouble.begin(failure.code);
      return 'again';
    }
    if (isPartitionMissing(failure) && !isMended) {
      isMended = true;
      await deps.ensurePartitions();
      return 'again';
    }
    if (drained.journaled === 1) return stop(failure.code);
    isCautious = true;
    return 'one_by_one';
  }

  return {
    load: async () => {
      try {
        const next = await spooler.next(isCautious);
        if (next === null) return null;
        return flightOf({ batch: next.batch, units: [], isOwn: false, since: performance.now() }, next.batches);
      } catch {
        stop('unreadable');
        return null;
      }
    },
    judge: async (drained, outcome) => {
      switch (outcome.fate) {
        case 'committed':
          await arrive(drained);
          return 'done';
        case 'head_lost':
          // These rows are there; what is missing lies before them, and stays missing.
          raise('head_lost', drained.batch);
          await arrive(drained);
          return 'done';
        case 'chain_conflict':
          raise('chain_conflict', drained.batch);
          return stop('chain_conflict');
        case 'not_durable':
          link.drop(false, 'fsync_off');
          return 'again';
        case 'unknown':
          link.drop(true, outcome.failure.code);
          counters.retries++;
          return 'again';
        case 'undecided':
          link.drop(false, outcome.failure.code);
          trouble.begin(outcome.failure.code);
          return 'again';
        case 'rolled_back':
          return rollBack(drained, outcome.failure);
      }
    },
  };
}
