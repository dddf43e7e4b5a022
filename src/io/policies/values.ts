// Refuses values that JSON, Postgres or a record cannot hold faithfully (RECORD, Bytes). It must never repair one.
import type { Path } from '../../core/report.ts';

/** Deeper nesting has no meaning in any policy file, and would exhaust the stack of whoever walks it. */
export const DEEPEST = 64;

export const NULL_CHARACTER = 'the text holds a null character (U+0000)';

export type Refuse = (path: Path, code: string, message: string, hint?: string) => void;

/** Walks a parsed value; the trail names where it stands and is only copied when something is wrong. */
export function refuseUnfaithful(value: unknown, trail: (string | number)[], refuse: Refuse): void {
  if (typeof value === 'string') {
    refuseText(value, trail, refuse);
  } else if (typeof value === 'number') {
    refuseNumber(value, trail, refuse);
  } else if (typeof value === 'object' && value !== null) {
    if (trail.length >= DEEPEST) {
      refuse([...trail], 'too-deep', `nested deeper than ${DEEPEST} levels`);
      return;
    }
    const depth = trail.length;
    if (Array.isArray(value)) {
      for (const [index, entry] of value.entries()) {
        trail[depth] = index;
        refuseUnfaithful(entry, trail, refuse);
      }
    } else {
      for (const [name, member] of Object.entries(value)) {
        trail[depth] = name;
        refuseName(name, trail, refuse);
        refuseUnfaithful(member, trail, refuse);
      }
    }
    trail.length = depth;
  }
}

export function refuseName(name: string, trail: Path, refuse: Refuse): void {
  if (name === '__proto__') refuse([...trail], 'bad-name', '`__proto__` cannot be a name');
  else refuseText(name, trail, refuse);
}

export function refuseText(text: string, trail: Path, refuse: Refuse): void {
  if (text.includes('\u0000')) refuse([...trail], 'bad-character', NULL_CHARACTER, 'remove it');
  else if (!text.isWellFormed())
    refuse([...trail], 'bad-character', 'the text holds half of a surrogate pair', 'remove it');
}

export function refuseNumber(value: number, trail: Path, refuse: Refuse): void {
  if (!Number.isFinite(value)) {
    refuse([...trail], 'bad-number', 'this is not a number that JSON can hold');
  } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    refuse(
      [...trail],
      'bad-number',
      'the number is too large to be kept exactly',
      'if it is an identifier, put it in quotes',
    );
  }
}
