// Everything that a request can bring before two policy sets, as variables that both read. It must never let one set see a request that the other does not.
import { compileReader, isAbsent, type AttributeType } from '../../../src/core/attribute-types.ts';
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { NONE, UNKNOWN_VALUE } from '../../../src/core/truth.ts';
import { USER_TYPES } from '../../../src/model/firm.ts';
import type { Codes } from '../smt/codes.ts';
import { and, not, type Sort, type Term } from '../smt/term.ts';
import type { Value } from '../smt/value.ts';
import { createVariables, LENGTH, type Bind, type Values, type Variables } from '../smt/variables.ts';
import { isCarriedByCaller } from '../prove/solution.ts';
import type { Case } from '../prove/violation.ts';
import { areApart, familyOf, onlyKnown, rawType, readAs, type SideIndex } from './raw-types.ts';

export type Sets = readonly [PolicySet, PolicySet];

export interface RawValue {
  readonly type: AttributeType;
  readonly value: Value;
  readonly bind: Bind;
}

export interface SharedAttribute {
  readonly path: string;
  readonly namespace: Attribute['namespace'];
  readonly name: string;
  readonly absent: string;
  /** One where both sets read it alike; two where it is of another kind in each. */
  readonly raws: readonly RawValue[];
  /** As each set reads what was stated; null: it declares no such attribute. */
  readonly read: readonly [Value | null, Value | null];
}

export interface SharedRequest {
  readonly codes: Codes;
  readonly symbols: Map<string, Sort>;
  readonly functions: Map<string, readonly [argument: Sort, result: Sort]>;
  readonly laws: Term[];
  readonly variables: Variables;
  readonly envelope: Readonly<Record<'subject' | 'actor' | 'action' | 'type' | 'id', Value>>;
  readonly now: Term;
  readonly attributes: ReadonlyMap<string, SharedAttribute>;
  /** Paths that are of another kind in each set: nothing that one reads is read by the other. */
  readonly apart: readonly string[];
  /** The variables as one request has them. @returns false: it has more entries in a list than there are variables for */
  bind(one: Case, now: number, into: Values): boolean;
}

const TEXT: AttributeType = { kind: 'string' };

/** @param entries of a list that are told apart */
export function createSharedRequest(sets: Sets, codes: Codes, entries: number): SharedRequest {
  const symbols = new Map<string, Sort>();
  const functions = new Map<string, readonly [Sort, Sort]>([[LENGTH, ['Int', 'Int']]]);
  const laws: Term[] = [];
  const variables = createVariables({ codes, symbols, functions, laws, entries });
  const binds: ((one: Case, now: number, into: Values) => boolean)[] = [];
  const made = (
    name: string,
    type: AttributeType,
    none: boolean,
    unknown: boolean,
    of: (one: Case) => unknown,
  ): Value => {
    const { value, bind } = variables.made(name, type, { none, unknown });
    binds.push((one, _, into) => bind(of(one), into));
    return value;
  };
  // A token without a subject is refused before any rule is asked.
  const envelope = {
    subject: made('subject', TEXT, false, false, ({ claims }) => claims['sub']),
    action: made('action', TEXT, false, false, ({ action }) => action),
    type: made('type', TEXT, false, false, ({ resource }) => resource.type),
    id: made('id', TEXT, false, true, ({ resource: { id } }) => (id === '' ? UNKNOWN_VALUE : id)),
    actor: variables.made('actor', TEXT, { none: true, unknown: false }),
  };
  binds.push(({ claims: { act } }, _, into) => {
    const sub = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : NONE;
    return envelope.actor.bind(sub, into);
  });
  const now = variables.symbol('now', 'Real');
  binds.push((_, at, into) => into.set(now, at) === into);
  for (const one of USER_TYPES) codes.of(one);

  const attributes = new Map<string, SharedAttribute>();
  const apart: string[] = [];
  const declared = sets.map(
    ({ firm }) =>
      new Map(
        [...firm.dictionary.declared, ...firm.dictionary.attributes.filter(isCarriedByCaller)].map(
          (one) => [one.path, one] as const,
        ),
      ),
  );
  for (const path of new Set(declared.flatMap((each) => [...each.keys()]))) {
    const both = declared.map((each) => each.get(path));
    const shared = attributeOf(path, both[0], both[1]);
    if (shared.raws.length > 1) apart.push(path);
    attributes.set(path, shared);
  }

  function attributeOf(path: string, a: Attribute | undefined, b: Attribute | undefined): SharedAttribute {
    const one = a ?? b;
    if (one === undefined) throw new Error(`${path} is declared nowhere`);
    const name = `${path.replaceAll(/[^A-Za-z0-9_.]/g, '_')}-${attributes.size}`;
    const absent = variables.symbol(`${name}.absent`, 'Bool');
    const { namespace, name: member } = one;
    binds.push((request, _, into) => into.set(absent, isAbsent(statedIn(request, namespace, member))) === into);
    const raw = (suffix: string, type: AttributeType): RawValue => {
      const { value, bind } = variables.made(`${name}${suffix}`, type, { none: false, unknown: true });
      const read = compileReader(type, one.source === 'token');
      binds.push((request, _, into) => {
        const said = statedIn(request, namespace, member);
        return bind(isAbsent(said) ? UNKNOWN_VALUE : read(path === 'subject.roles' ? knownRoles(said) : said), into);
      });
      return { type, value, bind };
    };
    const seen = ({ type, value }: RawValue, by: Attribute | undefined, side: SideIndex): Value | null => {
      if (by === undefined) return null;
      if (by.slot === SLOT.roles) return onlyKnown(value, sets[side].firm.names.roles.keys(), codes);
      return readAs(value, by.type, type, side, codes);
    };
    const base = { path, namespace, name: member, absent };
    if (a === undefined || b === undefined || familyOf(a.type) === familyOf(b.type)) {
      const shared = raw('', rawType((a ?? one).type, (b ?? one).type));
      return { ...base, raws: [shared], read: [seen(shared, a, 0), seen(shared, b, 1)] };
    }
    const [left, right] = [raw('.0', a.type), raw('.1', b.type)];
    if (areApart(a.type, b.type)) laws.push(not(and(left.value.known, right.value.known)));
    return { ...base, raws: [left, right], read: [left.value, right.value] };
  }

  /** Others are dropped by whoever reads the token. */
  function knownRoles(said: unknown): unknown {
    const isKnown = (role: unknown): boolean =>
      typeof role !== 'string' || sets.some(({ firm }) => firm.names.roles.has(role));
    return Array.isArray(said) ? said.filter(isKnown) : said;
  }

  return {
    ...{ codes, symbols, functions, laws, variables, now, attributes, apart },
    envelope: { ...envelope, actor: envelope.actor.value },
    bind: (one, at, into) => binds.every((bind) => bind(one, at, into)),
  };
}

export function statedIn(
  { claims, resource, context }: Case,
  namespace: Attribute['namespace'],
  name: string,
): unknown {
  const members = namespace === 'subject' ? claims : namespace === 'resource' ? resource.properties : context;
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined;
}
