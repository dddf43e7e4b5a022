// One value of a frame as variables of a solver, and how a frame gives them their values. It must never leave out what a frame can hold.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { isEntryTable } from '../../../src/core/frame.ts';
import { NONE, UNKNOWN_VALUE } from '../../../src/core/truth.ts';
import type { Codes } from './codes.ts';
import { and, int, not, type Sort, type Term } from './term.ts';
import { isOneOf, sortOf, type Content, type EntryValue, type Value } from './value.ts';

export type Values = Map<string, unknown>;

/** @returns false: there are not enough variables */
export type Bind = (actual: unknown, into: Values) => boolean;

/** Which of the three a value can be, besides known. */
export interface States {
  readonly none: boolean;
  readonly unknown: boolean;
}

/** What variables are added to. */
export interface Declared {
  readonly codes: Codes;
  readonly symbols: Map<string, Sort>;
  readonly functions: Map<string, readonly [argument: Sort, result: Sort]>;
  readonly laws: Term[];
  /** Entries of a list that are told apart. */
  readonly entries: number;
}

export interface Variables {
  symbol(name: string, sort: Sort): string;
  made(name: string, type: AttributeType, states: States): { readonly value: Value; readonly bind: Bind };
}

/** Of a text, in code points. */
export const LENGTH = 'length-of';

export function createVariables({ codes, symbols, functions, laws, entries }: Declared): Variables {
  const symbol = (name: string, sort: Sort): string => {
    symbols.set(name, sort);
    return name;
  };

  const made = (name: string, type: AttributeType, states: States): ReturnType<Variables['made']> => {
    const knownTerm: Term = states.none || states.unknown ? symbol(`${name}.known`, 'Bool') : true;
    const none: Term = states.none ? (states.unknown ? symbol(`${name}.none`, 'Bool') : not(knownTerm)) : false;
    if (states.none && states.unknown) laws.push(not(and(knownTerm, none)));
    const content = contentOf(name, type);
    const value: Value = { known: knownTerm, none, unknown: and(not(knownTerm), not(none)), is: content.is };
    const bind: Bind = (actual, into) => {
      const isKnown = actual !== NONE && actual !== UNKNOWN_VALUE;
      if (typeof knownTerm === 'string') into.set(knownTerm, isKnown);
      if (typeof none === 'string') into.set(none, actual === NONE);
      return content.bind(isKnown ? actual : undefined, into);
    };
    return { value, bind };
  };

  const contentOf = (name: string, type: AttributeType): { readonly is: Content; readonly bind: Bind } => {
    if (type.kind === 'list' && type.items.kind === 'object') return entriesOf(name, type.items.fields);
    if (type.kind === 'list') return listOf(name, type.items);
    if (type.kind === 'object') {
      const fields = fieldsOf(name, type.fields);
      return { is: { kind: 'object', fields: fields.values }, bind: fields.bind };
    }
    const sort = sortOf(type);
    const term = symbol(`${name}.value`, sort);
    if (sort === 'Int')
      laws.push(type.kind === 'enum' && type.open !== true ? isOneOf(term, type.values, codes) : ['>=', term, int(0)], [
        '>=',
        [LENGTH, term],
        int(1),
      ]);
    const fallback: unknown = sort === 'Bool' ? false : sort === 'Real' ? 0 : codeOfFirst(type);
    return {
      is: { kind: 'scalar', term },
      bind: (actual, into) => {
        into.set(term, actual === undefined ? fallback : codeOf(actual));
        return true;
      },
    };
  };

  const codeOf = (actual: unknown): unknown => (typeof actual === 'string' ? codes.of(actual) : actual);
  const codeOfFirst = (type: AttributeType): number => codes.of(type.kind === 'enum' ? (type.values[0] ?? 'x') : 'x');

  const listOf = (name: string, items: AttributeType): { readonly is: Content; readonly bind: Bind } => {
    const member = `${name}.has`;
    functions.set(member, [sortOf(items), 'Bool']);
    const closed = items.kind === 'enum' && items.open !== true ? items.values : null;
    const has = (item: Term): Term =>
      closed === null ? [member, item] : and([member, item], isOneOf(item, closed, codes));
    const bind: Bind = (actual, into) => {
      const list: readonly unknown[] = Array.isArray(actual) ? actual : actual instanceof Set ? [...actual] : [];
      into.set(member, new Set(list.map(codeOf)));
      return true;
    };
    return { is: { kind: 'list', has }, bind };
  };

  const fieldsOf = (name: string, types: ReadonlyMap<string, AttributeType>) => {
    const all = [...types].map(
      ([field, type]) => [field, made(`${name}.${field}`, type, { none: true, unknown: true })] as const,
    );
    const bind: Bind = (actual, into) =>
      all.every(([field, one]) =>
        one.bind(typeof actual === 'object' && actual !== null ? Reflect.get(actual, field) : NONE, into),
      );
    return { values: new Map(all.map(([field, { value }]) => [field, value])), bind };
  };

  const entriesOf = (
    name: string,
    types: ReadonlyMap<string, AttributeType>,
  ): { readonly is: Content; readonly bind: Bind } => {
    const all = Array.from({ length: entries }, (_, index) => {
      const present = symbol(`${name}.${index}.present`, 'Bool');
      return { present, fields: fieldsOf(`${name}.${index}`, types) };
    });
    const bind: Bind = (actual, into) => {
      const list: readonly unknown[] = isEntryTable(actual) ? actual.entries : Array.isArray(actual) ? actual : [];
      for (const [index, { present, fields }] of all.entries()) {
        into.set(present, index < list.length);
        if (!fields.bind(list[index], into)) return false;
      }
      return list.length <= all.length;
    };
    const each = all.map(({ present, fields }): EntryValue => ({ present, fields: fields.values }));
    return { is: { kind: 'entries', entries: each }, bind };
  };

  return { symbol, made };
}
