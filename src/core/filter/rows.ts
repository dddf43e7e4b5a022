// Puts a filter together: resources on file one by one, then rows by their matter, each judged as the check would. It must never leave a
// matter that is on file to what a column says.
import { SLOT } from '../dictionary.ts';
import type { PolicyData } from '../merge-data.ts';
import type { PolicySet } from '../policy-set.ts';
import { FALSE, TRUE } from '../truth.ts';
import { createBounds, mattersWith, smallest, union, type Bound } from './bounds.ts';
import {
  ABSENT,
  and,
  factor,
  leavesOf,
  NEVER,
  NONE_OF_THEM,
  or,
  points,
  refused,
  registered,
  unite,
  type Field,
  type Formula,
  type Point,
  type PointSet,
} from './formula.ts';
import { clientsNamed, mattersNamed, mattersShut } from './guards.ts';
import { createJudge, rulesFor, type Judge } from './judge.ts';
import type { Situation } from './situation.ts';
import { NOT_IN_TABLE, type Situations } from './situations.ts';

/** Ids that one filter may hold. */
export const MOST_IDS = 10_000;
/** Matters that are named one by one even where a table could stand for them. */
const FEW = 20;
/** Resources of one type that may be on file. */
const MOST_RESOURCES = 1_000;
/** Situations between two chances for others. */
const STEP = 50;

const TOO_MANY_IDS = `more than ${MOST_IDS} ids; a table of matters (\`matters\`, postgresql) can stand for them`;
const TOO_MANY_RESOURCES = `more than ${MOST_RESOURCES} resources of this type in policy data`;

/** Which rows are allowed. */
export function* rowsAllowed(set: PolicySet, situations: Situations): Generator<void, Formula> {
  const { idField, question, hasTable } = situations;
  const any = situations.ofResource(null);
  const rules = rulesFor(set, situations, any);
  let steps = 0;

  const boundOf = (at: Situation): Bound => {
    const bounds = createBounds(set, situations, at);
    const exprs = (effect: 'allow' | 'deny') =>
      rules.flatMap(({ rule, exprs }) => (rule.effect === effect ? exprs : []));
    return smallest<() => Bound>(
      [
        () => union(exprs('allow'), (expr) => bounds.of(expr, TRUE)),
        () => smallest(exprs('deny'), (expr) => bounds.of(expr, FALSE)),
      ],
      (one) => one(),
    );
  };

  const onFile = resourcesOnFile(set.data, question.resource.type);
  const ownFiles = new Set(onFile);

  /** Rows of one resource on file, or of all that are not. */
  function* ofPart(resource: string | null): Generator<void, Formula> {
    const at = situations.ofResource(resource);
    const judge = createJudge(set, situations, at, rules);
    if (judge.always === NEVER) return NEVER;
    const field = at.fields[SLOT.matterId];
    return and([judge.always, field === undefined ? judge.of(at) : yield* byMatter(resource, at, field, judge)]);
  }

  function* byMatter(resource: string | null, at: Situation, field: Field, judge: Judge): Generator<void, Formula> {
    const groups = createGroups(field);
    const addEach = function* (ids: Iterable<string>): Generator<void, void> {
      for (const id of ids) {
        if (++steps % STEP === 0) yield;
        // Of a matter that is on file as a resource itself, its own part speaks.
        if (resource === null && field === idField && ownFiles.has(id)) continue;
        groups.add({ ...NONE_OF_THEM, values: new Set([id]) }, judge.of(situations.ofMatterId(id, resource)));
      }
    };
    const bound = boundOf(at);
    const isShort = bound !== null && bound.size <= (hasTable ? FEW : MOST_IDS);
    const inTable = situations.ofAnyMatter(true, resource);
    const listed = hasTable && !isShort ? judge.of(inTable) : refused(TOO_MANY_IDS);
    const isMapped = ![...leavesOf(listed)].some(({ op }) => op === 'refused');
    if (isShort || (!isMapped && bound !== null && bound.size <= MOST_IDS)) {
      yield* addEach(bound);
      return groups.formula();
    }

    const unregistered = judge.of(situations.ofAnyMatter(false, resource));
    groups.add(ABSENT, judge.of(situations.ofNoMatter(resource)));
    const apart = mattersNamed(set, at);
    const shut = mattersShut(set, at, apart);
    if (isMapped) {
      for (const id of situations.mattersApart()) apart.add(id);
      if (inTable.fields[SLOT.matterClient]?.type === NOT_IN_TABLE) {
        for (const client of clientsNamed(set, at))
          for (const id of mattersWith(set.data.matters, 'clientId', client)) apart.add(id);
      }
    } else if (set.data.matters.size <= MOST_IDS) for (const id of set.data.matters.keys()) apart.add(id);
    else return refused(TOO_MANY_IDS);
    if (apart.size > MOST_IDS) return refused(TOO_MANY_IDS);
    yield* addEach(apart.difference(shut));
    const others: PointSet = { values: apart, complement: true, absent: false };
    if (!isMapped || listed.key === unregistered.key) {
      groups.add(others, unregistered);
      return groups.formula();
    }
    const inOrOut = or([and([registered(field, true), listed]), and([registered(field, false), unregistered])]);
    return or([groups.formula(), and([points(field, others), inOrOut])]);
  }

  if (onFile.length > MOST_RESOURCES) return refused(TOO_MANY_RESOURCES);
  const byId = createGroups(idField);
  for (const id of onFile) byId.add({ ...NONE_OF_THEM, values: new Set([id]) }, yield* ofPart(id));
  const rest = yield* ofPart(null);
  const notOnFile = points(idField, { values: new Set(onFile), complement: true, absent: true });
  const whole = or([byId.formula(), and([notOnFile, rest])]);
  return countIds(whole) > MOST_IDS ? refused(TOO_MANY_IDS) : whole;
}

interface Groups {
  add(where: PointSet, formula: Formula): void;
  formula(): Formula;
}

/** Values of one field, by what holds for their rows. */
function createGroups(field: Field): Groups {
  const groups = new Map<string, { readonly values: Set<Point>; set: PointSet; readonly formula: Formula }>();
  return {
    add(where, formula) {
      if (formula === NEVER) return;
      const group = groups.get(formula.key);
      if (group === undefined) {
        const values = new Set(where.values);
        groups.set(formula.key, { values, set: { ...where, values }, formula });
      } else if (!where.complement && !group.set.complement) {
        for (const value of where.values) group.values.add(value);
        group.set = { ...group.set, absent: group.set.absent || where.absent };
      } else group.set = unite(group.set, where);
    },
    formula() {
      const all = [...groups.values()];
      const { common, rest } = factor(all.map(({ formula }) => formula));
      return and([common, or(all.map(({ set }, index) => and([points(field, set), rest[index] ?? NEVER])))]);
    },
  };
}

export function countIds(formula: Formula): number {
  let count = 0;
  for (const leaf of leavesOf(formula)) if (leaf.op === 'points') count += leaf.values.size;
  return count;
}

const onFileByType = new WeakMap<object, ReadonlyMap<string, readonly string[]>>();

function resourcesOnFile({ resources }: PolicyData, type: string): readonly string[] {
  let known = onFileByType.get(resources);
  if (known === undefined) {
    const made = new Map<string, string[]>();
    for (const key of resources.keys()) {
      const end = key.indexOf('\u0000');
      const [of, id] = [key.slice(0, end), key.slice(end + 1)];
      const list = made.get(of);
      if (list === undefined) made.set(of, [id]);
      else list.push(id);
    }
    onFileByType.set(resources, (known = made));
  }
  return known.get(type) ?? [];
}
