// Which records of the log a verb decides again, as its options say. It must never take a range that holds nothing for one that was checked.
import { parseTimestamp } from '../../core/time.ts';
import { type Arguments, UsageError } from '../shell/verb.ts';

export interface ReplayRange {
  /** Milliseconds since 1970; from is in, to is out. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly subject: string | undefined;
  readonly matter: string | undefined;
}

/** @throws UsageError where a time is none, or nothing can lie between them */
export function replayRangeOf(args: Arguments): ReplayRange {
  const [from, to] = [timeOf(args, 'from'), timeOf(args, 'to')];
  if (from !== undefined && to !== undefined && from >= to) {
    throw new UsageError('the range is empty', '--to must be later than --from');
  }
  return { from, to, subject: args.text('subject'), matter: args.text('matter') };
}

function timeOf(args: Arguments, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const time = parseTimestamp(text);
  if (time === undefined || time < 0) {
    throw new UsageError(`\`--${option} ${text}\` is no RFC 3339 instant`, 'such as 2026-03-01T00:00:00Z');
  }
  return Math.ceil(time);
}
