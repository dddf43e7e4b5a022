// Reads since when a question about use is asked: an instant, a day, or a length of time before now. It must never guess.
import { parseDuration, parseTimestamp } from '../../../src/core/time.ts';
import { UsageError } from '../../../src/cli/shell/verb.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const HINT = 'write `90d`, `12w`, `P90D`, a day such as 2026-08-24, or an instant such as 2026-08-24T00:00:00Z';

/** Milliseconds since 1970. */
export function sinceWhen(text: string, now: number): number {
  const at = instantOf(text) ?? before(text, now);
  if (at === undefined || at < 0) throw new UsageError(`\`--since ${text}\` is no time`, HINT);
  if (at >= now) throw new UsageError(`\`--since ${text}\` is not over yet`, HINT);
  return Math.floor(at);
}

function instantOf(text: string): number | undefined {
  return parseTimestamp(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
}

function before(text: string, now: number): number | undefined {
  const [, amount = '', unit = ''] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const length = amount === '' ? parseDuration(text) : Number(amount) * (UNITS[unit] ?? 0);
  return length === undefined || length === 0 ? undefined : now - length;
}
