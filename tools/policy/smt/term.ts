// Terms of SMT-LIB 2 (smt-lib.org, version 2.7) as plain data: how to make them small, print them, and judge them for given values. It must
// never change what a term means while it makes it smaller.

/** Symbols are strings; an application is a list that begins with the name of what is applied. */
export type Term = boolean | string | { readonly int: number } | { readonly real: number } | Application;
export type Application = readonly [name: string, ...args: Term[]];

export type Sort = 'Bool' | 'Int' | 'Real';

export const int = (value: number): Term => ({ int: value });
export const real = (value: number): Term => ({ real: value });

export function and(...terms: readonly Term[]): Term {
  const kept: Term[] = [];
  for (const term of terms) {
    if (term === false) return false;
    if (term === true) continue;
    if (isApplication(term) && term[0] === 'and') kept.push(...argsOf(term));
    else kept.push(term);
  }
  const [only] = kept;
  return only === undefined ? true : kept.length === 1 ? only : ['and', ...kept];
}

export function or(...terms: readonly Term[]): Term {
  const kept: Term[] = [];
  for (const term of terms) {
    if (term === true) return true;
    if (term === false) continue;
    if (isApplication(term) && term[0] === 'or') kept.push(...argsOf(term));
    else kept.push(term);
  }
  const [only] = kept;
  return only === undefined ? false : kept.length === 1 ? only : ['or', ...kept];
}

export function not(term: Term): Term {
  if (typeof term === 'boolean') return !term;
  return isApplication(term) && term[0] === 'not' ? (term[1] ?? true) : ['not', term];
}

export function implies(premise: Term, conclusion: Term): Term {
  return or(not(premise), conclusion);
}

export function equal(a: Term, b: Term): Term {
  if (typeof a === 'boolean') return a ? b : not(b);
  if (typeof b === 'boolean') return b ? a : not(a);
  const [left, right] = [literalOf(a), literalOf(b)];
  if (left !== null && right !== null) return left === right;
  return a === b ? true : ['=', a, b];
}

/** Of numbers; both sides of one sort. */
export function compare(order: '<' | '<=' | '>' | '>=', a: Term, b: Term): Term {
  const [left, right] = [literalOf(a), literalOf(b)];
  return left !== null && right !== null ? inOrder(order, left, right) : [order, a, b];
}

/** One of two numbers, or of two truths. */
export function either(condition: Term, yes: Term, no: Term): Term {
  if (condition === true) return yes;
  if (condition === false) return no;
  if (typeof yes === 'boolean' || typeof no === 'boolean') return or(and(condition, yes), and(not(condition), no));
  return ['ite', condition, yes, no];
}

export function print(term: Term): string {
  if (typeof term === 'boolean') return String(term);
  if (typeof term === 'string') return term;
  if ('int' in term) return numeral(term.int, String(Math.abs(term.int)));
  if ('real' in term) return numeral(term.real, decimal(Math.abs(term.real)));
  return `(${term.map(print).join(' ')})`;
}

/** What symbols and functions stand for while a term is judged. */
export interface Meaning {
  /** A truth or a number; undefined symbols are an error. */
  valueOf(symbol: string): unknown;
  apply(name: string, argument: unknown): unknown;
}

/** Judges terms as a solver would, for one meaning. @throws Error for what is not defined */
export function judge(term: Term, meaning: Meaning): unknown {
  if (typeof term === 'boolean') return term;
  if (typeof term === 'string') return meaning.valueOf(term);
  if ('int' in term) return term.int;
  if ('real' in term) return term.real;
  const args = argsOf(term);
  const [a, b, c] = args;
  const valueOf = (one: Term | undefined): unknown => (one === undefined ? undefined : judge(one, meaning));
  switch (term[0]) {
    case 'and':
      return args.every((one) => judge(one, meaning) === true);
    case 'or':
      return args.some((one) => judge(one, meaning) === true);
    case 'not':
      return valueOf(a) !== true;
    case '=':
      return valueOf(a) === valueOf(b);
    case 'ite':
      return valueOf(a) === true ? valueOf(b) : valueOf(c);
    case '-':
      return Number(valueOf(a)) - Number(valueOf(b));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return inOrder(term[0], Number(valueOf(a)), Number(valueOf(b)));
    default:
      return meaning.apply(term[0], valueOf(a));
  }
}

function isApplication(term: Term): term is Application {
  return Array.isArray(term);
}

function argsOf([, ...args]: Application): readonly Term[] {
  return args;
}

function literalOf(term: Term): number | null {
  if (typeof term !== 'object' || isApplication(term)) return null;
  return 'int' in term ? term.int : term.real;
}

function inOrder(order: '<' | '<=' | '>' | '>=', a: number, b: number): boolean {
  if (order === '<') return a < b;
  if (order === '<=') return a <= b;
  return order === '>' ? a > b : a >= b;
}

function numeral(value: number, digits: string): string {
  return value < 0 ? `(- ${digits})` : digits;
}

/** Exactly the number: SMT-LIB has neither exponents nor decimals without a point. */
function decimal(value: number): string {
  if (Number.isInteger(value)) return `${BigInt(value)}.0`;
  let [numerator, denominator] = [value, 1];
  while (!Number.isInteger(numerator)) [numerator, denominator] = [numerator * 2, denominator * 2]; // exact in binary
  return `(/ ${BigInt(numerator)}.0 ${BigInt(denominator)}.0)`;
}
