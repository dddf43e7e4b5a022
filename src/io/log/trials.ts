// In charge of what a trial of the database leads to: the session is proven, or given up, or nothing is accepted, or the alarm is
// raised. It must never let a session pass whose server lacks our last committed batch.
import type { RecorderClock } from './clock.ts';
import type { AlarmCode } from './events.ts';
import { judgeFailure } from './failure.ts';
import type { Lineage } from './lineage.ts';
import type { Link } from './link.ts';
import { lookAtHead, tryToWrite } from './probes.ts';
import type { Session } from './session.ts';
import type { WriterChain } from './writer-chain.ts';

export interface TrialDeps {
  readonly link: Link;
  readonly lineage: Lineage;
  readonly clock: RecorderClock;
  readonly sendTimeoutMs: number;
  /** Nothing is accepted until a trial succeeds. */
  readonly refuse: (code: string) => void;
  readonly raise: (code: AlarmCode, seq: number) => void;
}

/** Each tells whether all is well. They never reject. */
export interface Trials {
  /** Compares clocks, and raises the alarm if our last committed batch is not there any more. */
  look(session: Session): Promise<boolean>;
  write(session: Session, chain: WriterChain): Promise<boolean>;
  /** Puts back what the database lost, after an alarm. */
  mend(): Promise<boolean>;
}

export function createTrials({ link, lineage, clock, sendTimeoutMs, refuse, raise }: TrialDeps): Trials {
  async function tryOut(trial: () => Promise<void>): Promise<boolean> {
    try {
      await trial();
      link.prove();
      return true;
    } catch (error) {
      const failure = judgeFailure(error);
      if (failure.fate === 'unknown') link.drop(false, failure.code);
      else refuse(failure.code);
      return false;
    }
  }

  return {
    look: (session) => {
      const chain = lineage.current();
      return tryOut(async () => {
        const found = await lookAtHead(session, chain, clock, sendTimeoutMs);
        if (found === 'lost') raise('head_lost', chain?.delivered()?.seq ?? 0);
        if (found === 'not_durable') link.drop(false, 'fsync_off');
      });
    },
    write: (session, chain) => tryOut(() => tryToWrite(session, chain, clock, sendTimeoutMs)),
    mend: async () => {
      try {
        await lineage.mend();
        return true;
      } catch (error) {
        // Over a connection of its own: ours is not to blame.
        refuse(judgeFailure(error).code);
        return false;
      }
    },
  };
}
