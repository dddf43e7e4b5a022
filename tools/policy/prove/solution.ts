// Turns a solution of the solver into a request as a policy test states it. It must never change what the solution says.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Model } from '../smt/solver.ts';
import { int, type Term } from '../smt/term.ts';
import type { Universe } from '../smt/universe.ts';
import { LENGTH } from '../smt/variables.ts';
import type { EntryValue, Value } from '../smt/value.ts';
import type { Case } from './violation.ts';

/** What a mistyped value of nearly every type is. */
const MISTYPED = { mistyped: true };

interface Reading {
  value(term: Term): boolean | number;
  text(code: number, like: string): string;
}

/** @param set whose names and data the texts come from */
export function caseOf(set: PolicySet, universe: Universe, model: Model): Case {
  const { slots, absent, codes } = universe;
  const carried = set.firm.dictionary.attributes.filter(
    ({ slot, namespace }) => namespace !== 'data' && namespace !== 'matter' && slots[slot] !== undefined,
  );
  const scalars = new Set<Term>();
  const texts = new Set<Term>();
  for (const attribute of carried) {
    const value = slots[attribute.slot];
    if (value !== undefined) termsOf(value, attribute.type, scalars, texts);
    scalars.add(absent[attribute.slot] ?? false);
  }
  const first = readAll(model, [...scalars, ...texts]);
  const used = new Set([...texts].map((term) => Number(first(term))).filter((code) => code >= 0));
  for (const { slot, namespace, type } of set.firm.dictionary.attributes) {
    const is = namespace === 'matter' ? slots[slot]?.is : undefined;
    if (is?.kind === 'scalar' && type.kind !== 'boolean') used.add(Number(model.valuesOf([is.term])[0]));
  }
  const named = namedMembers(set);
  const candidates = (slot: number): readonly number[] => [
    ...new Set([...used, ...[...(named.get(slot) ?? [])].map((text) => codes.of(text))]),
  ];
  const lengths = [...used].filter((code) => codes.textOf(code) === undefined).map((code): Term => [LENGTH, int(code)]);
  const members = carried.flatMap(({ slot }) => {
    const is = slots[slot]?.is;
    return is?.kind === 'list' ? candidates(slot).map((code) => is.has(int(code))) : [];
  });
  const second = readAll(model, [...lengths, ...members]);
  const reading: Reading = {
    value: first,
    text: (code, like) => codes.textOf(code) ?? invented(code, like, Number(second([LENGTH, int(code)]))),
  };
  const has = (slot: number, list: (item: Term) => Term): readonly string[] =>
    candidates(slot)
      .filter((code) => second(list(int(code))) === true)
      .map((code) => reading.text(code, 'x'));

  const rawOf = (value: Value, type: AttributeType, like: string, slot = -1): unknown => {
    if (first(value.known) !== true) return type.kind === 'object' ? 'mistyped' : MISTYPED;
    const { is } = value;
    if (is.kind === 'list') return has(slot, (item) => is.has(item));
    if (is.kind === 'scalar') return rawScalar(first(is.term), type, (code) => reading.text(code, like));
    if (is.kind === 'object') return type.kind === 'object' ? rawFields(is.fields, type.fields) : MISTYPED;
    const fields =
      type.kind === 'list' && type.items.kind === 'object' ? type.items.fields : new Map<string, AttributeType>();
    return is.entries.filter(({ present }) => first(present) === true).map((entry) => rawFields(entry.fields, fields));
  };
  const rawFields = (
    fields: EntryValue['fields'],
    types: ReadonlyMap<string, AttributeType>,
  ): Record<string, unknown> =>
    Object.fromEntries(
      [...fields].flatMap(([name, value]) => {
        const type = types.get(name);
        return type === undefined || first(value.none) === true ? [] : [[name, rawOf(value, type, name)]];
      }),
    );
  const stated = (namespace: Attribute['namespace']): Record<string, unknown> =>
    Object.fromEntries(
      carried.flatMap((attribute) => {
        const value = slots[attribute.slot];
        const isStated =
          attribute.namespace === namespace &&
          (set.firm.dictionary.declared.includes(attribute) || attribute.namespace === 'context') &&
          first(absent[attribute.slot] ?? false) !== true;
        return isStated && value !== undefined
          ? [[attribute.name, rawOf(value, attribute.type, attribute.name, attribute.slot)]]
          : [];
      }),
    );
  const envelope = (slot: number, like: string): string => {
    const is = slots[slot]?.is;
    return is?.kind === 'scalar' ? reading.text(Number(first(is.term)), like) : like;
  };
  const actor = slots[SLOT.actorId];
  const hasActor = actor !== undefined && first(actor.known) === true;
  return {
    now: instantOf(Number(first(universe.now))),
    claims: {
      sub: envelope(SLOT.subjectId, 'somebody'),
      ...(hasActor ? { act: { sub: envelope(SLOT.actorId, 'assistant') } } : {}),
      ...stated('subject'),
    },
    action: envelope(SLOT.actionName, 'do-something'),
    resource: {
      type: envelope(SLOT.resourceType, 'something'),
      id: envelope(SLOT.resourceId, 'R'),
      properties: stated('resource'),
    },
    context: stated('context'),
  };
}

/** What conditions look for in each list, by slot. */
function namedMembers({ rules, firm }: PolicySet): ReadonlyMap<number, ReadonlySet<string>> {
  const found = new Map<number, Set<string>>();
  const visit = (expr: Expr): void => {
    const wanted =
      expr.op === 'has_any'
        ? expr.values
        : expr.op === 'has' && expr.right.kind === 'literal'
          ? [expr.right.value]
          : [];
    const slot = 'left' in expr ? expr.left.attribute?.slot : undefined;
    if (slot !== undefined && wanted.length > 0) {
      const members = found.get(slot) ?? new Set();
      for (const one of wanted) if (typeof one === 'string') members.add(one);
      found.set(slot, members);
    }
    childrenOf(expr).forEach(visit);
  };
  for (const { branches } of rules) for (const { expr } of branches) visit(expr);
  for (const { slot, type } of firm.dictionary.declared)
    if (type.kind === 'list' && type.items.kind === 'enum') found.set(slot, new Set(type.items.values));
  return found;
}

function readAll(model: Model, terms: readonly Term[]): (term: Term) => boolean | number {
  const asked = terms.filter((term) => typeof term !== 'boolean');
  const found = model.valuesOf(asked);
  const known = new Map(asked.map((term, index) => [JSON.stringify(term), found[index] ?? false]));
  return (term) => (typeof term === 'boolean' ? term : (known.get(JSON.stringify(term)) ?? false));
}

function termsOf({ known, none, is }: Value, type: AttributeType, scalars: Set<Term>, texts: Set<Term>): void {
  scalars.add(known).add(none);
  if (is.kind === 'scalar') {
    const isText = type.kind === 'string' || type.kind === 'person' || type.kind === 'enum';
    (isText ? texts : scalars).add(is.term);
  } else if (is.kind === 'object' && type.kind === 'object') {
    for (const [name, value] of is.fields) {
      const field = type.fields.get(name);
      if (field !== undefined) termsOf(value, field, scalars, texts);
    }
  } else if (is.kind === 'entries' && type.kind === 'list' && type.items.kind === 'object') {
    for (const { present, fields } of is.entries) {
      scalars.add(present);
      for (const [name, value] of fields) {
        const field = type.items.fields.get(name);
        if (field !== undefined) termsOf(value, field, scalars, texts);
      }
    }
  }
}

function rawScalar(value: boolean | number, { kind }: AttributeType, text: (code: number) => string): unknown {
  if (typeof value === 'boolean' || kind === 'number') return value;
  if (kind === 'timestamp') return instantOf(value);
  return kind === 'duration' ? `PT${Math.max(0, Math.round(value / 1000))}S` : text(value);
}

const LAST_MS = 8.64e15;

function instantOf(ms: number): string {
  return new Date(Math.min(LAST_MS, Math.max(0, Math.round(ms)))).toISOString();
}

/** A text of the length that the solution needs, another one for every code. */
function invented(code: number, like: string, length: number): string {
  const name = `${like}-${code}`;
  if (!Number.isSafeInteger(length) || length < 1 || length > 200) return name;
  if (length >= name.length) return name.padEnd(length, '-');
  return code.toString(36).padStart(length, 'x').slice(-length);
}
