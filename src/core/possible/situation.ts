// All that is known while one case is followed: what each fact and relation can still be. It must never drop a possibility that two facts leave open.
import type { Expr, Ref } from '../condition.ts';
import { factOf, restrict, type Atom } from './atoms.ts';
import { initialRelation, link, type Relation } from './relations.ts';
import { THERE_VALUE, VALUES, variable, type Scene, type Variable } from './variables.ts';

export interface Situation {
  readonly scene: Scene;
  /** Of facts and relations, by their keys. */
  readonly variables: Map<string, Variable>;
  readonly relations: Map<string, Relation>;
  /** By fact: a list of entries. */
  readonly lists: Map<string, ListFacts>;
}

export interface ListFacts {
  /** Names of entries that are in it. */
  readonly entries: readonly string[];
  /** What holds of each of its entries. */
  readonly every: readonly { readonly where: Expr; readonly truths: number }[];
}

export function createSituation(scene: Scene): Situation {
  return { scene, variables: new Map(), relations: new Map(), lists: new Map() };
}

export function copyOf({ scene, variables, relations, lists }: Situation): Situation {
  return { scene, variables: new Map(variables), relations: new Map(relations), lists: new Map(lists) };
}

/** What a fact can still be, as bits of variables.ts. */
export function statesOf(situation: Situation, ref: Ref, entry: string): number {
  return factFor(situation, factOf(ref, entry), ref).states;
}

/** False: the list can have no entry. */
export function haveEntry(situation: Situation, ref: Ref, entry: string): boolean {
  const key = factOf(ref, entry);
  const { states, values, whenLeftOut } = factFor(situation, key, ref);
  const isEmpty = Array.isArray(whenLeftOut) && whenLeftOut.length === 0;
  const after = variable(states & (isEmpty ? THERE_VALUE : VALUES), values, whenLeftOut);
  if (after !== null) situation.variables.set(key, after);
  return after !== null;
}

/** The same as `narrow`, without taking it in. */
export function couldBe({ scene, variables }: Situation, atom: Atom, truths: number): boolean {
  const { key, facts, relation } = atom;
  const [only] = facts;
  const known = variables.get(key) ?? (relation === null && only !== undefined ? scene.initial(only[1]) : undefined);
  return known === undefined || restrict(known, atom, truths) !== null;
}

/** False: the comparison can have none of these truths here. */
export function narrow(situation: Situation, atom: Atom, truths: number): boolean {
  const { key, facts, relation } = atom;
  for (const [fact, ref] of facts) factFor(situation, fact, ref);
  if (relation !== null && !situation.relations.has(key)) addRelation(situation, relation);
  const before = situation.variables.get(key);
  const after = before === undefined ? null : restrict(before, atom, truths);
  if (after === null) return false;
  situation.variables.set(key, after);
  return true;
}

const MOST_ROUNDS = 6;

/** Lets facts and relations tell each other what they can still be. False: they exclude each other. */
export function conclude({ variables, relations }: Situation): boolean {
  for (let round = 0, changed = true; changed && round < MOST_ROUNDS; round++) {
    changed = false;
    for (const relation of relations.values()) {
      const [own, left, right] = [relation.key, relation.left, relation.right].map((key) => variables.get(key));
      if (own === undefined || left === undefined || right === undefined) continue;
      const linked = link(relation, { relation: own, left, right });
      if (linked === null) return false;
      if (!isSame(own, linked.relation) || !isSame(left, linked.left) || !isSame(right, linked.right)) changed = true;
      variables.set(relation.key, linked.relation);
      variables.set(relation.left, linked.left);
      if (relation.right !== relation.left) variables.set(relation.right, linked.right);
    }
  }
  return true;
}

function isSame(a: Variable, b: Variable): boolean {
  return (
    a.states === b.states &&
    (a.values === b.values ||
      (a.values.only?.size === b.values.only?.size &&
        a.values.not.size === b.values.not.size &&
        a.values.low.value === b.values.low.value &&
        a.values.high.value === b.values.high.value &&
        a.values.low.open === b.values.low.open &&
        a.values.high.open === b.values.high.open))
  );
}

function factFor(situation: Situation, key: string, ref: Ref): Variable {
  const { scene, variables } = situation;
  const known = variables.get(key);
  if (known !== undefined) return known;
  const fresh = scene.initial(ref);
  variables.set(key, fresh);
  const { attribute, field, type } = ref;
  if (attribute !== null && field !== null) {
    factFor(situation, attribute.path, { path: attribute.path, attribute, field: null, type: attribute.type });
    addRelation(situation, { key: `field ${key}`, kind: 'field', left: key, right: attribute.path, type });
  }
  return fresh;
}

function addRelation({ variables, relations }: Situation, relation: Relation): void {
  relations.set(relation.key, relation);
  variables.set(relation.key, initialRelation(relation));
}
