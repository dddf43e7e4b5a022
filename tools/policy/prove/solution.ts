// Turns a solution of the solver into a request as a policy test states it. It must never change what the solution says.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Codes } from '../smt/codes.ts';
import type { Model } from '../smt/solver.ts';
import { int, type Term } from '../smt/term.ts';
import type { FrameTerms } from '../smt/universe.ts';
import { LENGTH } from '../smt/variables.ts';
import { NOT_THERE, type EntryValue, type Value } from '../smt/value.ts';
import type { Case } from './violation.ts';

/** What a mistyped value of nearly every type is. */
const MISTYPED = { mistyped: true };

interface Reading {
  value(term: Term): boolean | number;
  text(code: number, like: string): string;
}

/** What a request can say, as terms. */
export interface RequestTerms {
  readonly codes: Codes;
  readonly now: Term;
  readonly envelope: Readonly<Record<'subject' | 'actor' | 'action' | 'type' | 'id', Value>>;
  readonly stated: readonly StatedTerms[];
  /** Texts of other places, which lists may hold as well. */
  readonly texts: readonly Term[];
  /** What conditions look for in lists, by path. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
}

/** An attribute that a token, caller or request may carry. */
export interface StatedTerms {
  readonly path: string;
  readonly namespace: Attribute['namespace'];
  readonly name: string;
  readonly type: AttributeType;
  readonly value: Value;
  readonly absent: Term;
}

export function requestTerms(set: PolicySet, { codes, now, slots, absent }: FrameTerms): RequestTerms {
  const { dictionary } = set.firm;
  const slot = (index: number): Value => slots[index] ?? NOT_THERE;
  const carried = new Set([...dictionary.declared, ...dictionary.attributes.filter(isCarriedByCaller)]);
  return {
    codes,
    now,
    envelope: {
      subject: slot(SLOT.subjectId),
      actor: slot(SLOT.actorId),
      action: slot(SLOT.actionName),
      type: slot(SLOT.resourceType),
      id: slot(SLOT.resourceId),
    },
    stated: [...carried].map(({ path, namespace, name, type, slot: index }) => ({
      ...{ path, namespace, name, type, value: slot(index), absent: absent[index] ?? false },
    })),
    texts: matterTexts(set, slots),
    named: namedMembers(set),
  };
}

export function isCarriedByCaller({ slot }: Attribute): boolean {
  return slot === SLOT.sourceSystem || slot === SLOT.approvals;
}

export function matterTexts({ firm }: PolicySet, slots: FrameTerms['slots']): readonly Term[] {
  return firm.dictionary.attributes.flatMap(({ slot, namespace, type }) => {
    const is = namespace === 'matter' || namespace === 'client' ? slots[slot]?.is : undefined;
    return is?.kind === 'scalar' && type.kind !== 'boolean' ? [is.term] : [];
  });
}

export function caseOf({ codes, now, envelope, stated, texts: others, named }: RequestTerms, model: Model): Case {
  const scalars = new Set<Term>();
  const texts = new Set<Term>();
  for (const value of Object.values(envelope)) termsOf(value, { kind: 'string' }, scalars, texts);
  for (const { value, type, absent } of stated) {
    termsOf(value, type, scalars, texts);
    scalars.add(absent);
  }
  const first = readAll(model, [now, ...scalars, ...texts, ...others]);
  const used = new Set([...texts, ...others].map((term) => Number(first(term))).filter((code) => code >= 0));
  const candidates = (path: string): readonly number[] => [
    ...new Set([...used, ...[...(named.get(path) ?? [])].map((text) => codes.of(text))]),
  ];
  const lengths = [...used].filter((code) => codes.textOf(code) === undefined).map((code): Term => [LENGTH, int(code)]);
  const members = stated.flatMap(({ path, value: { is } }) =>
    is.kind === 'list' ? candidates(path).map((code) => is.has(int(code))) : [],
  );
  const second = readAll(model, [...lengths, ...members]);
  const reading: Reading = {
    value: first,
    text: (code, like) => codes.textOf(code) ?? invented(code, like, Number(second([LENGTH, int(code)]))),
  };
  const has = (path: string, list: (item: Term) => Term): readonly string[] =>
    candidates(path)
      .filter((code) => second(list(int(code))) === true)
      .map((code) => reading.text(code, 'x'));

  const rawOf = (value: Value, type: AttributeType, like: string, path = ''): unknown => {
    if (first(value.known) !== true) return type.kind === 'object' ? 'mistyped' : MISTYPED;
    const { is } = value;
    if (is.kind === 'list') return has(path, (item) => is.has(item));
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
  const statedIn = (wanted: Attribute['namespace']): Record<string, unknown> =>
    Object.fromEntries(
      stated.flatMap(({ namespace, name, type, value, absent, path }) =>
        namespace === wanted && first(absent) !== true ? [[name, rawOf(value, type, name, path)]] : [],
      ),
    );
  const text = ({ known, is }: Value, like: string): string =>
    is.kind === 'scalar' && first(known) === true ? reading.text(Number(first(is.term)), like) : '';
  return {
    now: instantOf(Number(first(now))),
    claims: {
      sub: text(envelope.subject, 'somebody'),
      ...(first(envelope.actor.known) === true ? { act: { sub: text(envelope.actor, 'assistant') } } : {}),
      ...statedIn('subject'),
    },
    action: text(envelope.action, 'do-something'),
    resource: {
      type: text(envelope.type, 'something'),
      id: text(envelope.id, 'R'),
      properties: statedIn('resource'),
    },
    context: statedIn('context'),
  };
}

/** What conditions look for in each list, by path. */
export function namedMembers({ rules, firm }: PolicySet): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const visit = (expr: Expr): void => {
    const wanted =
      expr.op === 'has_any'
        ? expr.values
        : expr.op === 'has' && expr.right.kind === 'literal'
          ? [expr.right.value]
          : [];
    const path = 'left' in expr ? expr.left.attribute?.path : undefined;
    if (path !== undefined && wanted.length > 0) {
      const members = found.get(path) ?? new Set();
      for (const one of wanted) if (typeof one === 'string') members.add(one);
      found.set(path, members);
    }
    childrenOf(expr).forEach(visit);
  };
  for (const { branches } of rules) for (const { expr } of branches) visit(expr);
  for (const { path, type } of firm.dictionary.declared)
    if (type.kind === 'list' && type.items.kind === 'enum') found.set(path, new Set(type.items.values));
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
