// Whether Postgres will take what a unit says in its columns. It must never let into the journal what the database would refuse later,
// when the answer is out.
import type { Unit } from '../unit.ts';

export function fitsColumns(unit: Unit): boolean {
  return unit.entries.every(({ entry }) => Object.values(entry.columns).flat().every(isStorable));
}

/** A text of PostgreSQL is UTF-8 without NUL (its documentation, 8.3). */
function isStorable(value: string | null): boolean {
  return value === null || (value.isWellFormed() && !value.includes('\u0000'));
}
