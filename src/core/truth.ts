// Three-valued logic (Kleene): the numbers are chosen so that AND is min, OR is max, NOT is 2 - x. It must never turn unknown into false.

export const FALSE = 0;
export const UNKNOWN = 1;
export const TRUE = 2;
export type Truth = typeof FALSE | typeof UNKNOWN | typeof TRUE;

export function not(truth: Truth): Truth {
  return truth === UNKNOWN ? UNKNOWN : truth === TRUE ? FALSE : TRUE;
}

export function and(a: Truth, b: Truth): Truth {
  return a < b ? a : b;
}

export function or(a: Truth, b: Truth): Truth {
  return a > b ? a : b;
}

export function known(value: boolean): Truth {
  return value ? TRUE : FALSE;
}

/** An attribute that is absent where absence is a known, harmless fact. */
export const NONE: unique symbol = Symbol('none');
/** An attribute that is required and absent, or mistyped. */
export const UNKNOWN_VALUE: unique symbol = Symbol('unknown');
