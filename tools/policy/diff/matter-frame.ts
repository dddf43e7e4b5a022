// What is on file about the matter of a shared request, and the data that rules look things up in: what both sets have alike as variables or as
// loaded, what they have differently as each has it. It must never let one set see data of the other.
import { SLOT, type Attribute } from '../../../src/core/dictionary.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { isOnTeam, loadedContent, loadedValue } from '../smt/data-values.ts';
import { and, either, not, type Term } from '../smt/term.ts';
import { isOneOf, known, NONE_THERE, NOT_THERE, type EntryValue, type Value } from '../smt/value.ts';
import type { Bind } from '../smt/variables.ts';
import { byField, type ChangedData } from './changed-data.ts';
import { choose } from './choose.ts';
import { rawType, readAs, type SideIndex } from './raw-types.ts';
import { isText, termOf, type Frame } from './side-frame.ts';
import type { Sets, SharedRequest } from './shared-request.ts';

/** Whether data that both sets have alike are any there could be, or those that there are. */
export type DataMode = 'any' | 'loaded';

/** Variables for what is on file about some matter. */
export interface MatterVariables {
  readonly registered: Term;
  readonly values: ReadonlyMap<number, Value>;
  readonly binds: ReadonlyMap<number, Bind>;
}

const FACTS = [
  SLOT.matterClient,
  SLOT.matterPracticeGroup,
  SLOT.matterResponsible,
  SLOT.matterProposing,
  SLOT.matterTeam,
] as const;

/** The built-in attributes of matters have the same types and slots in every set. */
export function matterVariables({ firm }: PolicySet, { variables }: SharedRequest, prefix: string): MatterVariables {
  const registered = variables.symbol(`${prefix}matter.registered`, 'Bool');
  const values = new Map<number, Value>();
  const binds = new Map<number, Bind>();
  for (const slot of FACTS) {
    const attribute = firm.dictionary.attributes[slot];
    if (attribute === undefined) continue;
    const none = slot !== SLOT.matterClient && slot !== SLOT.matterTeam;
    const { value, bind } = variables.made(`${prefix}${attribute.path}`, attribute.type, { none, unknown: false });
    values.set(slot, value);
    binds.set(slot, bind);
  }
  return { registered, values, binds };
}

export function addMatter(
  set: PolicySet,
  { slots }: Frame,
  { codes }: SharedRequest,
  variables: MatterVariables,
  changed: ChangedData,
  mode: DataMode,
): void {
  const id = slots[SLOT.matterId] ?? NOT_THERE;
  const same = and(id.known, variables.registered);
  const isIt = new Map([...changed.matters].map((one) => [one, isText(id, one, codes)] as const));
  let registered = same;
  for (const [one, condition] of isIt) registered = either(condition, set.data.matters.has(one), registered);
  const isThere = not(id.unknown);
  slots[SLOT.matterRegistered] = {
    ...{ known: isThere, none: false, unknown: id.unknown },
    is: { kind: 'scalar', term: registered },
  };
  const unchanged: PolicySet = {
    ...set,
    data: { ...set.data, matters: new Map([...set.data.matters].filter(([one]) => !changed.matters.has(one))) },
  };
  for (const slot of FACTS) {
    const attribute = set.firm.dictionary.attributes[slot];
    const own = variables.values.get(slot);
    if (attribute === undefined || own === undefined) continue;
    let value: Value;
    if (slot === SLOT.matterTeam) {
      const member = (item: Term): Term =>
        mode === 'loaded'
          ? isOnTeam(unchanged, termOf(id), item, codes)
          : own.is.kind === 'list'
            ? own.is.has(item)
            : false;
      value = {
        ...{ known: isThere, none: false, unknown: id.unknown },
        is: { kind: 'list', has: (item) => and(same, member(item)) },
      };
    } else {
      const stated = and(same, own.known);
      value = { known: stated, none: and(isThere, not(stated)), unknown: id.unknown, is: own.is };
    }
    for (const [one, condition] of isIt) value = choose(condition, factOf(set, one, attribute, codes), value);
    slots[slot] = value;
  }
}

function factOf({ data }: PolicySet, id: string, { slot, type }: Attribute, codes: SharedRequest['codes']): Value {
  const facts = data.matters.get(id);
  if (slot === SLOT.matterTeam) return loadedContent(facts?.team ?? [], type, codes);
  if (facts === undefined) return NONE_THERE;
  const { clientId, practiceGroup, responsible, proposing } = facts;
  const value = {
    [SLOT.matterClient]: clientId,
    [SLOT.matterPracticeGroup]: practiceGroup,
    [SLOT.matterResponsible]: responsible,
    [SLOT.matterProposing]: proposing,
  }[slot];
  return loadedContent(value, type, codes);
}

/** Variables for grants, services and consents that both sets have alike, by path; made once. */
export type DataVariables = Map<string, { readonly type: AttributeType; readonly value: Value; readonly bind: Bind }>;

export function addData(
  sets: Sets,
  side: SideIndex,
  { slots }: Frame,
  request: SharedRequest,
  changed: ChangedData,
  mode: DataMode,
  made: DataVariables,
): void {
  const { codes } = request;
  const [set, other] = [sets[side], sets[side === 0 ? 1 : 0]];
  const alike = (attribute: Attribute, type: AttributeType): Value => {
    let one = made.get(attribute.path);
    if (one === undefined) {
      const raw = rawType(attribute.type, type);
      const name = `${attribute.path.replaceAll(/[^A-Za-z0-9_.]/g, '_')}-data-${made.size}`;
      one = { type: raw, ...request.variables.made(name, raw, { none: false, unknown: false }) };
      made.set(attribute.path, one);
    }
    return readAs(one.value, attribute.type, one.type, side, codes);
  };
  for (const attribute of set.firm.dictionary.attributes) {
    if (attribute.namespace !== 'data') continue;
    const { slot, path, name } = attribute;
    const type = other.firm.dictionary.byPath.get(path)?.type;
    slots[slot] =
      mode === 'loaded' || type === undefined
        ? loadedValue(set, attribute, codes)
        : withChanges(set, attribute, alike(attribute, type), changed, name, codes);
  }
}

function withChanges(
  { data }: PolicySet,
  { path, type }: Attribute,
  alike: Value,
  changed: ChangedData,
  name: string,
  codes: SharedRequest['codes'],
): Value {
  const { is } = alike;
  if (is.kind === 'list') {
    const list = name.slice('consents.'.length);
    const clients = changed.consents.get(list);
    if (clients === undefined) return alike;
    const own = [...clients].filter((client) => data.consents.get(list)?.has(client) === true);
    const has = (item: Term): Term => either(isOneOf(item, clients, codes), isOneOf(item, own, codes), is.has(item));
    return known({ kind: 'list', has });
  }
  if (is.kind !== 'entries') throw new Error(`${path} has no terms`);
  const isGrants = path === 'data.grants';
  const [entries, names] = isGrants
    ? [byField(data.grants, 'id'), changed.grants]
    : [byField(data.services, 'sub'), changed.services];
  const own = loadedContent(
    [...names].flatMap((id) => entries.get(id) ?? []),
    type,
    codes,
  );
  const more: readonly EntryValue[] = own.is.kind === 'entries' ? own.is.entries : [];
  return known({ kind: 'entries', entries: [...is.entries, ...more] });
}
