// A value of a frame as terms: whether it is known, a known none or unknown, and what it is when it is known. It must never be two of the three at once.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Codes } from './codes.ts';
import { equal, int, or, real, type Sort, type Term } from './term.ts';

export interface Value {
  /** Exactly one of the three is true. */
  readonly known: Term;
  readonly none: Term;
  readonly unknown: Term;
  readonly is: Content;
}

export type Content =
  | { readonly kind: 'scalar'; readonly term: Term }
  | { readonly kind: 'list'; has(item: Term): Term }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Value> }
  | { readonly kind: 'entries'; readonly entries: readonly EntryValue[] };

export interface EntryValue {
  readonly present: Term;
  readonly fields: ReadonlyMap<string, Value>;
}

const NO_VALUE: Content = { kind: 'scalar', term: false };

/** Unknown, and nothing is said of its value. */
export const NOT_THERE: Value = { known: false, none: false, unknown: true, is: NO_VALUE };
/** A known none. */
export const NONE_THERE: Value = { known: false, none: true, unknown: false, is: NO_VALUE };

export function sortOf({ kind }: AttributeType): Sort {
  if (kind === 'boolean') return 'Bool';
  return kind === 'number' || kind === 'timestamp' || kind === 'duration' ? 'Real' : 'Int';
}

/** A typed value of policy data or of a rule, as the loader reads it. */
export function literal(value: unknown, codes: Codes, type: AttributeType): Term {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return real(value);
  if (typeof value === 'string' && sortOf(type) === 'Int') return int(codes.of(value));
  throw new Error(`no literal of type ${type.kind}: ${String(value)}`);
}

export function known(is: Content): Value {
  return { known: true, none: false, unknown: false, is };
}

export function isOneOf(term: Term, texts: Iterable<string>, codes: Codes): Term {
  return or(...[...texts].map((text) => equal(term, int(codes.of(text)))));
}
