// What the writers of filters share: names of columns, and how they refuse. It must never hold the words of one target.
import { PrivityError } from '../../model/errors.ts';
import type { Field } from './formula.ts';
import { isText } from './situation.ts';

/** @param what of the request alone: an attribute, a comparison or a number, never a rule, wall, person or matter */
export function notTranslatable(what: string): PrivityError {
  return new PrivityError('filter_not_translatable', { detail: `a filter cannot say: ${what}` });
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*){0,2}$/;

/** A column, or a table, with up to two names before it, each as long as PostgreSQL allows. */
export function isSqlName(name: string): boolean {
  return NAME.test(name) && name.split('.').every((part) => part.length <= 63);
}

/** A row in which it is '' does not state it. */
export function isTextual({ type }: Field): boolean {
  return isText(type) || type.kind === 'enum';
}
