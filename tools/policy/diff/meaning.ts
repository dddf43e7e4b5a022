// What the variables of a pair are for one request, without a solver: how the terms are compared with the engine. It must never know what the engine says.
import type { OnFile } from '../../../src/core/data-entries.ts';
import { SLOT } from '../../../src/core/dictionary.ts';
import { gatherFacts } from '../../../src/core/facts.ts';
import { resourceKey } from '../../../src/core/merge-data.ts';
import { codePoints } from '../../../src/core/operators.ts';
import { requestOfTest } from '../../../src/core/run-tests.ts';
import { parseTimestamp } from '../../../src/core/time.ts';
import { UNKNOWN_VALUE } from '../../../src/core/truth.ts';
import type { Case } from '../prove/violation.ts';
import type { Meaning } from '../smt/term.ts';
import { LENGTH, type Values } from '../smt/variables.ts';
import { byField, type ChangedData } from './changed-data.ts';
import type { Pair } from './pair.ts';

/** Null: no token says it, or there are not enough variables for its entries. */
export function meaningOf(pair: Pair, changed: ChangedData, one: Case): Meaning | null {
  const { request, sets, matters, data, calendars } = pair;
  const { codes } = request;
  const now = parseTimestamp(one.now);
  if (now === undefined) return null;
  const values: Values = new Map();
  if (!request.bind(one, now, values)) return null;
  const said = (onFile: OnFile | undefined): void => {
    for (const { path, value } of onFile ?? []) {
      const attribute = request.attributes.get(path);
      if (attribute === undefined) continue;
      values.set(attribute.absent, false);
      for (const { bind } of attribute.raws) bind(value, values);
    }
  };
  // What both sets have on file outranks what was said: it is as if that had been said.
  const [person, own] = [String(one.claims['sub']), resourceKey(one.resource.type, one.resource.id)];
  if (!changed.people.has(person)) said(sets[1].data.people.get(person));
  if (!changed.resources.has(own)) said(sets[1].data.resources.get(own));
  for (const side of [0, 1] as const) {
    // Whoever acts is judged apart: a strange one is refused before there are facts.
    const made = requestOfTest(sets[side], { ...one, claims: { ...one.claims, act: undefined } });
    if ('refused' in made) return null;
    const { slots } = gatherFacts(sets[side], made.request).frame;
    const id = slots[SLOT.matterId];
    const isAlike = typeof id === 'string' && !changed.matters.has(id);
    const ownFile = sets[side].data.resources.get(own) ?? [];
    if (isAlike)
      said(sets[side].data.matters.get(id)?.onFile.filter(({ slot }) => !ownFile.some((each) => each.slot === slot)));
    const { registered, binds } = matters[side];
    if (typeof registered === 'string') values.set(registered, isAlike && slots[SLOT.matterRegistered] === true);
    for (const [slot, bind] of binds) bind(isAlike ? slots[slot] : UNKNOWN_VALUE, values);
  }
  const known = sets[1].data;
  for (const [path, { bind }] of data) {
    const list = path.slice('data.consents.'.length);
    const alike =
      path === 'data.grants'
        ? [...byField(known.grants, 'id')].flatMap(([id, entry]) => (changed.grants.has(id) ? [] : [entry]))
        : path === 'data.services'
          ? [...byField(known.services, 'sub')].flatMap(([id, entry]) => (changed.services.has(id) ? [] : [entry]))
          : [...(known.consents.get(list) ?? [])];
    if (!bind(alike, values)) return null;
  }
  return {
    valueOf(name) {
      if (!values.has(name)) throw new Error(`${name} has no value`);
      return values.get(name);
    },
    apply(name, argument) {
      if (name === LENGTH) return codePoints(codes.textOf(Number(argument)) ?? 'x');
      const contains = calendars.get(name);
      if (contains !== undefined) return contains(Number(argument));
      const members = values.get(name);
      return members instanceof Set && members.has(argument);
    },
  };
}
