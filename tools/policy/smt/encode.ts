// Conditions, rules and decisions as terms, three-valued: when each is true, and when it is false. It must never differ from evaluate.ts and operators.ts.
import type { Expr, Operand, Order, Ref } from '../../../src/core/condition.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Rule, Selection } from '../../../src/core/rules.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import { and, compare, either, equal, int, not, or, real, type Term } from './term.ts';
import type { FrameTerms } from './universe.ts';
import { LENGTH } from './variables.ts';
import { isOneOf, known, literal, NOT_THERE, type EntryValue, type Value } from './value.ts';

/** Unknown where neither is true; both never are. */
export interface Truths {
  readonly isTrue: Term;
  readonly isFalse: Term;
}

export interface Encoder {
  condition(expr: Expr): Truths;
  /** Also of what is no rule and speaks of requests as one does. */
  rule(rule: Pick<Rule, 'branches'>): Truths;
  /** An allow by rules: every deny is false and an allow is true. Walls and lockdown can only refuse more. */
  allowed(): Term;
  /** Named parts, in the order in which they need each other. */
  readonly definitions: ReadonlyMap<string, Term>;
}

const SIGNS: Readonly<Record<Order, '<' | '<=' | '>' | '>='>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' };

/** Parts of several encoders of one universe: what says the same has the same name. */
export interface SharedParts {
  readonly definitions: Map<string, Term>;
  readonly names: Map<string, string>;
}

export function createEncoder(set: PolicySet, universe: FrameTerms, shared: SharedParts | null = null): Encoder {
  const { codes } = universe;
  const definitions = shared?.definitions ?? new Map<string, Term>();
  const terms = new Map<number, Truths>();
  const rules = new Map<Pick<Rule, 'branches'>, Truths>();

  const define = (name: string, { isTrue, isFalse }: Truths): Truths => {
    const named = (suffix: string, term: Term): Term => {
      if (typeof term === 'boolean' || typeof term === 'string') return term;
      if (shared === null) {
        definitions.set(`${name}.${suffix}`, term);
        return `${name}.${suffix}`;
      }
      const content = JSON.stringify(term);
      const known = shared.names.get(content);
      if (known !== undefined) return known;
      const own = `part-${definitions.size}`;
      definitions.set(own, term);
      shared.names.set(content, own);
      return own;
    };
    return { isTrue: named('true', isTrue), isFalse: named('false', isFalse) };
  };

  const encode = (expr: Expr, entry: EntryValue | null): Truths => {
    switch (expr.op) {
      case 'all': {
        const parts = expr.args.map((arg) => encode(arg, entry));
        return {
          isTrue: and(...parts.map(({ isTrue }) => isTrue)),
          isFalse: or(...parts.map(({ isFalse }) => isFalse)),
        };
      }
      case 'any': {
        const parts = expr.args.map((arg) => encode(arg, entry));
        return {
          isTrue: or(...parts.map(({ isTrue }) => isTrue)),
          isFalse: and(...parts.map(({ isFalse }) => isFalse)),
        };
      }
      case 'not':
        return opposite(encode(expr.arg, entry));
      case 'term': {
        const done = terms.get(expr.index);
        if (done !== undefined) return done;
        const made = define(`term-${expr.index}`, encode(expr.arg, null));
        terms.set(expr.index, made);
        return made;
      }
      case 'eq':
        return equality(expr.left, expr.right, entry);
      case 'ne':
        return opposite(equality(expr.left, expr.right, entry));
      case 'lt':
      case 'lte':
      case 'gt':
      case 'gte':
        return order(expr.op, expr.left, expr.right, entry);
      case 'in':
        return membership(expr.left, expr.right, entry);
      case 'nin':
        return opposite(membership(expr.left, expr.right, entry));
      case 'has':
        return contains(operand(expr.right, expr.left, entry), read(expr.left, entry));
      case 'has_any': {
        const list = read(expr.left, entry);
        const { type } = expr.left;
        const items = type.kind === 'list' ? type.items : type;
        const found =
          list.is.kind === 'list' ? or(...expr.values.map((one) => hasIn(list, literal(one, codes, items)))) : false;
        return settled(list, found);
      }
      case 'exists':
      case 'none':
        return presence(expr.op, expr.left, expr.want, entry);
      case 'same': {
        const [a, b] = [read(expr.left, entry), read(expr.right, entry)];
        const isTrue = or(and(a.none, b.none), and(a.known, b.known, equal(scalar(a), scalar(b))));
        return { isTrue, isFalse: and(not(a.unknown), not(b.unknown), not(isTrue)) };
      }
      case 'age':
      case 'length': {
        const value = read(expr.left, entry);
        const measured: Term = expr.op === 'age' ? ['-', universe.now, scalar(value)] : [LENGTH, scalar(value)];
        const limit = expr.op === 'age' ? real : int;
        return settled(
          value,
          and(...expr.bounds.map((bound) => compare(SIGNS[bound.order], measured, limit(bound.value)))),
        );
      }
      case 'during': {
        const value = read(expr.left, entry);
        return settled(value, [universe.during(expr.calendar), scalar(value)]);
      }
      case 'some': {
        const list = read(expr.left, entry);
        if (list.is.kind !== 'entries') return { isTrue: false, isFalse: list.none };
        const each = list.is.entries.map((one) => ({ one, truths: encode(expr.where, one) }));
        return {
          isTrue: and(list.known, or(...each.map(({ one, truths }) => and(one.present, truths.isTrue)))),
          isFalse: or(
            list.none,
            and(list.known, ...each.map(({ one, truths }) => or(not(one.present), truths.isFalse))),
          ),
        };
      }
    }
  };

  const read = ({ attribute, field }: Ref, entry: EntryValue | null): Value => {
    if (attribute === null) return (field === null ? undefined : entry?.fields.get(field)) ?? NOT_THERE;
    const value = universe.slots[attribute.slot];
    if (value === undefined) throw new Error(`${attribute.path} has no terms`);
    if (field === null) return value;
    const part = value.is.kind === 'object' ? value.is.fields.get(field) : undefined;
    if (part === undefined) return NOT_THERE;
    return {
      known: and(value.known, part.known),
      none: or(value.none, and(value.known, part.none)),
      unknown: or(value.unknown, and(value.known, part.unknown)),
      is: part.is,
    };
  };

  const operand = (right: Operand, left: Ref, entry: EntryValue | null): Value => {
    if (right.kind === 'ref') return read(right.ref, entry);
    const type = left.type.kind === 'list' ? left.type.items : left.type;
    return known({ kind: 'scalar', term: literal(right.value, codes, type) });
  };

  /** A known none equals nothing, not even another. */
  const equality = (left: Ref, right: Operand, entry: EntryValue | null): Truths => {
    const [a, b] = [read(left, entry), operand(right, left, entry)];
    const isTrue = and(a.known, b.known, equal(scalar(a), scalar(b)));
    return { isTrue, isFalse: and(not(a.unknown), not(b.unknown), not(isTrue)) };
  };

  const order = (op: Order, left: Ref, right: Operand, entry: EntryValue | null): Truths => {
    const [a, b] = [read(left, entry), operand(right, left, entry)];
    const { type } = left;
    const place = (value: Value): Term => (type.kind === 'enum' ? rank(scalar(value), type.values) : scalar(value));
    const isListed = (value: Value): Term => (type.kind === 'enum' ? isOneOf(scalar(value), type.values, codes) : true);
    const isTrue = and(a.known, b.known, isListed(a), isListed(b), compare(SIGNS[op], place(a), place(b)));
    return { isTrue, isFalse: and(not(a.unknown), not(b.unknown), not(isTrue)) };
  };

  const rank = (term: Term, values: readonly string[]): Term =>
    values.reduceRight<Term>(
      (rest, value, index) => either(equal(term, int(codes.of(value))), int(index), rest),
      int(values.length),
    );

  const membership = (
    left: Ref,
    right: Extract<Expr, { op: 'in' | 'nin' }>['right'],
    entry: EntryValue | null,
  ): Truths => {
    const value = read(left, entry);
    if (right.kind === 'ref') return contains(value, read(right.ref, entry));
    const values = right.kind === 'list' ? right.values : [right.value];
    return settled(value, or(...values.map((one) => equal(scalar(value), literal(one, codes, left.type)))));
  };

  const contains = (item: Value, list: Value): Truths => {
    const isTrue = and(list.known, item.known, hasIn(list, scalar(item)));
    return { isTrue, isFalse: and(not(list.unknown), not(item.unknown), not(isTrue)) };
  };

  /** `$exists` asks whether it was sent: what is required and was left out is known not to be there. */
  const presence = (op: 'exists' | 'none', left: Ref, want: boolean, entry: EntryValue | null): Truths => {
    const value = read(left, entry);
    const left_out: Term =
      op === 'exists' && left.attribute !== null ? (universe.absent[left.attribute.slot] ?? false) : false;
    const there = op === 'exists' ? value.known : value.none;
    const isThere = and(not(left_out), there);
    const isNotThere = or(left_out, and(not(value.unknown), not(there)));
    return want ? { isTrue: isThere, isFalse: isNotThere } : { isTrue: isNotThere, isFalse: isThere };
  };

  const [action, type] = [SLOT.actionName, SLOT.resourceType].map((slot) => universe.slots[slot] ?? NOT_THERE);
  const spoken = ({ names, others }: Selection, all: ReadonlyMap<string, unknown>, value: Value | undefined): Term => {
    const term = scalar(value ?? NOT_THERE);
    const named = isOneOf(term, names, codes);
    return others ? or(named, not(isOneOf(term, all.keys(), codes))) : named;
  };

  const ruleTruths = (rule: Pick<Rule, 'branches'>): Truths => {
    const branches = rule.branches.map((branch) => {
      const applies = and(
        spoken(branch.actions, set.firm.names.actions, action),
        spoken(branch.resources, set.firm.names.resourceTypes, type),
      );
      const { isTrue, isFalse } = encode(branch.expr, null);
      return { isTrue: and(applies, isTrue), isFalse: or(not(applies), isFalse) };
    });
    return {
      isTrue: or(...branches.map(({ isTrue }) => isTrue)),
      isFalse: and(...branches.map(({ isFalse }) => isFalse)),
    };
  };

  const rule = (one: Pick<Rule, 'branches'>): Truths => {
    const done = rules.get(one);
    if (done !== undefined) return done;
    const made = define(`rule-${rules.size}`, ruleTruths(one));
    rules.set(one, made);
    return made;
  };

  return {
    definitions,
    condition: (expr) => encode(expr, null),
    rule,
    allowed: () =>
      and(
        ...set.rules.flatMap((one) => (one.effect === 'deny' ? [rule(one).isFalse] : [])),
        or(...set.rules.flatMap((one) => (one.effect === 'allow' ? [rule(one).isTrue] : []))),
      ),
  };
}

function scalar({ is }: Value): Term {
  return is.kind === 'scalar' ? is.term : false;
}

function hasIn({ is }: Value, item: Term): Term {
  return is.kind === 'list' ? is.has(item) : false;
}

function opposite({ isTrue, isFalse }: Truths): Truths {
  return { isTrue: isFalse, isFalse: isTrue };
}

/** Of a test of one value: a known none is false. */
function settled(value: Value, test: Term): Truths {
  return { isTrue: and(value.known, test), isFalse: or(value.none, and(value.known, not(test))) };
}
