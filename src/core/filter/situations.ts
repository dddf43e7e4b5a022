// Makes the situations that a filter is put together from: any row, rows of one matter, one resource that is on file. It must never let a
// column outrank what is on file.
import type { DecisionRequest } from '../../model/decision.ts';
import type { MatterColumn } from '../../model/filter.ts';
import type { AttributeType } from '../attribute-types.ts';
import { SLOT, type Attribute } from '../dictionary.ts';
import type { OnFile } from '../data-entries.ts';
import { gatherFacts } from '../facts.ts';
import { resourceKey } from '../merge-data.ts';
import type { PolicySet } from '../policy-set.ts';
import type { Field } from './formula.ts';
import { ANOTHER } from './leaf.ts';
import { without, type Situation } from './situation.ts';

/** Everything of a request but the row. */
export interface FilterQuestion extends Omit<DecisionRequest, 'resource' | 'approvals'> {
  readonly resource: { readonly type: string; readonly properties: Readonly<Record<string, unknown>> };
}

/** Where the caller keeps what each row says: attribute of the resource to column; `id` is always among them. */
export interface Mapping {
  readonly columns: Readonly<Record<string, string>>;
  /** Columns of a table of matters: facts of the register, and attributes that matters have on file. Null: there is no table. */
  readonly matters: Readonly<Record<string, string>> | null;
}

export interface Situations {
  readonly question: FilterQuestion;
  /** The caller has a table of matters. */
  readonly hasTable: boolean;
  /** Null: no row says to which matter it belongs. */
  readonly matterField: Field | null;
  readonly idField: Field;
  /** Slots whose values depend on the matter of a row, on file. */
  readonly ofMatter: ReadonlySet<number>;
  /** What is on file of a resource; null: of none that is. */
  ofResource(id: string | null): Situation;
  ofMatterId(id: string, resource?: string | null): Situation;
  /** A row of no matter. */
  ofNoMatter(resource?: string | null): Situation;
  /** Any matter that nothing names. */
  ofAnyMatter(isRegistered: boolean, resource?: string | null): Situation;
  /** Matters that say something of their resources which the table of matters does not. */
  mattersApart(): readonly string[];
}

const MATTER_SLOTS: Readonly<Record<MatterColumn, number>> = {
  client_id: SLOT.matterClient,
  practice_group: SLOT.matterPracticeGroup,
  responsible_attorney: SLOT.matterResponsible,
  proposing_partner: SLOT.matterProposing,
  team: SLOT.matterTeam,
};
/** Of a fact that the caller's table of matters does not hold: no comparison can be made with it. */
export const NOT_IN_TABLE: AttributeType = { kind: 'object', fields: new Map() };
/** No client is called this. */
export const NO_CLIENT = '\u0000client';

export function createSituations(set: PolicySet, question: FilterQuestion, mapping: Mapping): Situations {
  const { dictionary } = set.firm;
  const { type, properties } = question.resource;
  const attribute = (path: string): Attribute | undefined => dictionary.byPath.get(path);
  const none = attribute('resource.id');
  if (none === undefined) throw new Error('the dictionary lacks resource.id');

  const fields: (Field | undefined)[] = [];
  const add = (path: string, column: string, of: Field['of'], slots: readonly number[]): Field | null => {
    const known = attribute(path);
    if (known === undefined) return null;
    const field: Field = { path, column, of, type: known.type, slots };
    for (const slot of slots) fields[slot] = field;
    return field;
  };
  for (const [name, column] of Object.entries(mapping.columns)) {
    const known = attribute(`resource.${name}`);
    if (known === undefined || name === 'type') continue;
    add(known.path, column, 'row', slotsOfColumn(name, known.slot, type));
  }
  const idField = fields[SLOT.resourceId];
  if (idField === undefined) throw new Error('a mapping without the id of the resource');
  const matterField = fields[SLOT.matterId] ?? null;

  const ofTable: (Field | undefined)[] = [];
  for (const [name, slot] of Object.entries(MATTER_SLOTS)) {
    const column = mapping.matters?.[name];
    const known = attribute(`matter.${name}`);
    if (known === undefined) continue;
    const type = column === undefined ? NOT_IN_TABLE : known.type;
    ofTable[slot] = { path: known.path, column: column ?? '', of: 'matter', type, slots: [slot] };
  }

  const { onFile: keptOfMatters } = filesOf(set);
  for (const [name, column] of Object.entries(mapping.matters ?? {})) {
    const known = attribute(`resource.${name}`);
    if (Object.hasOwn(MATTER_SLOTS, name) || known === undefined || !keptOfMatters.has(known.slot)) continue;
    if (Object.hasOwn(properties, name)) continue; // the register's matters are then judged one by one
    const otherwise = fields[known.slot]?.column;
    const field: Field = { path: known.path, column, of: 'matter', type: known.type, slots: [known.slot] };
    ofTable[known.slot] = otherwise === undefined ? field : { ...field, otherwise };
  }

  const gather = (id: string, matter: string | null) => {
    const stated = matter === null || type === 'matter' ? properties : { ...properties, matter_id: matter };
    return gatherFacts(set, { ...question, approvals: [], resource: { type, id, properties: stated } });
  };
  const nothing = gather('', null).frame;
  const unstated = { slots: nothing.slots.slice(), absent: nothing.absent.slice() };

  const ownSlots = (id: string | null): OnFile =>
    id === null ? [] : (set.data.resources.get(resourceKey(type, id)) ?? []);
  const isOnFile = (slot: number, id: string | null): boolean => ownSlots(id).some((one) => one.slot === slot);

  const situation = (id: string | null, matter: string | null): Situation => {
    const ofItself = type === 'matter' ? matter : null;
    const { frame, onFile } = gather(id ?? ofItself ?? '', matter);
    let left = fields;
    const settle = (field: Field | null | undefined): void => {
      if (field != null) left = without(left, field);
    };
    if (id !== null) settle(idField);
    if (matter !== null) settle(matterField);
    for (const path of onFile) settle(left[attribute(path)?.slot ?? -1]);
    return { frame, fields: left, unstated };
  };

  return {
    question,
    hasTable: mapping.matters !== null,
    matterField,
    idField,
    ofMatter: slotsOfMatter(set, matterField),
    mattersApart: () => mattersApart(set, (slot) => ofTable[slot] !== undefined),
    ofResource: (id) => situation(id, null),
    ofMatterId: (id, resource = null) => situation(resource, id),
    ofNoMatter(resource = null) {
      const any = situation(resource, null);
      return matterField === null ? any : { ...any, fields: without(any.fields, matterField) };
    },
    ofAnyMatter(isRegistered, resource = null) {
      const { frame, fields: left } = situation(resource, ANOTHER);
      const open = left.slice();
      // Which one it is stays open; walls and data on file see one that they do not know.
      for (const slot of matterField?.slots ?? []) open[slot] = matterField ?? undefined;
      if (!isRegistered) return { frame, fields: open, unstated };
      frame.slots[SLOT.matterRegistered] = true;
      const known = { slots: unstated.slots.slice(), absent: unstated.absent.slice() };
      for (const [slot, field] of ofTable.entries()) {
        // What is on file of the resource itself outranks its matter.
        if (field === undefined || isOnFile(slot, resource)) continue;
        open[slot] = field;
        known.slots[slot] = frame.slots[slot];
        known.absent[slot] = frame.absent[slot] ?? 0;
      }
      // Matters of a client that is named are judged one by one, where the table does not say whose they are.
      if (ofTable[SLOT.matterClient]?.type === NOT_IN_TABLE) frame.slots[SLOT.matterClient] = NO_CLIENT;
      return { frame, fields: open, unstated: known };
    },
  };
}

/** The id of a matter or client is the matter or client; of every other type the attribute is. */
function slotsOfColumn(name: string, slot: number, type: string): readonly number[] {
  if (name === 'id') return [slot, ...(type === 'matter' ? [SLOT.matterId] : []), ...(type === 'client' ? [SLOT.clientId] : [])]; // prettier-ignore
  if (name === 'matter_id' && type !== 'matter') return [slot, SLOT.matterId];
  return name === 'client_id' && type !== 'client' ? [slot, SLOT.clientId] : [slot];
}

const kept = new WeakMap<object, { readonly onFile: ReadonlySet<number> }>();

/** Attributes that some matter has on file. */
function filesOf({ data }: PolicySet): { readonly onFile: ReadonlySet<number> } {
  let known = kept.get(data.matters);
  if (known === undefined) {
    const slots = new Set<number>();
    for (const { onFile } of data.matters.values()) for (const { slot } of onFile) slots.add(slot);
    kept.set(data.matters, (known = { onFile: slots }));
  }
  return known;
}

/** What the register says of a matter, and attributes that some matter has on file. */
function slotsOfMatter(set: PolicySet, matterField: Field | null): ReadonlySet<number> {
  if (matterField === null) return new Set();
  const known = [SLOT.matterRegistered, ...Object.values(MATTER_SLOTS)];
  return new Set([...matterField.slots, ...known, ...filesOf(set).onFile]);
}

const NO_MATTERS: readonly string[] = [];

function mattersApart(set: PolicySet, isInTable: (slot: number) => boolean): readonly string[] {
  if ([...filesOf(set).onFile].every(isInTable)) return NO_MATTERS;
  return [...set.data.matters].flatMap(([id, { onFile }]) => (onFile.some(({ slot }) => !isInTable(slot)) ? [id] : []));
}
