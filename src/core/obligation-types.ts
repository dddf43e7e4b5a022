// Puts obligations into the words of the AuthZEN obligations profile (draft 1, sections 2 and 4). It must never give the name of a type
// that the profile defines to what lacks a member that this type requires: nobody could fulfil it.
import type { ObligationResult } from '../model/decision.ts';
import type { Firm } from './firm.ts';

/** Section 2; nothing else may stand in it. */
export interface StandardObligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Section 4.1. */
export const STEP_UP = 'step-up';
/** Section 4.4: its meaning is agreed between the firm and the system that asks. */
const CUSTOM = 'custom';

/** Members that the types of the profile require, each a text (sections 4.1 to 4.3). */
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  [STEP_UP, ['acr_value']],
  ['notification', ['to', 'body']],
  ['session_termination', ['subject']],
]);

type Named = Pick<ObligationResult, 'type' | 'properties'>;

/** What the profile calls an obligation of firm.yaml. */
export function standardType({ type, properties }: Named): string {
  const required = REQUIRED.get(type);
  return required?.every((name) => typeof properties[name] === 'string') === true ? type : CUSTOM;
}

export function standardObligation({ id, type, properties }: ObligationResult): StandardObligation {
  const standard = standardType({ type, properties });
  // Which of the firm's own obligations it is; the id names this one among them.
  return standard === CUSTOM
    ? { id, type: CUSTOM, properties: { ...properties, obligation: type } }
    : { id, type: standard, properties };
}

const known = new WeakMap<Firm, readonly string[]>();

/** Types that an answer may hold: what the metadata says, and all that counts of what a request says (sections 5 and 6). Sorted. */
export function issuableTypes(firm: Firm): readonly string[] {
  const made = known.get(firm);
  if (made !== undefined) return made;
  const types = new Set<string>();
  for (const [id, { fulfilled_by: by = 'caller', properties = {} }] of firm.obligations) {
    if (by === 'caller') types.add(standardType({ type: typeOf(id), properties }));
  }
  for (const { acr_values } of firm.advice.values()) if (acr_values !== undefined) types.add(STEP_UP);
  const sorted = [...types].sort();
  known.set(firm, sorted);
  return sorted;
}

/** An obligation's id begins with its type. */
export function typeOf(id: string): string {
  return id.split(':', 1)[0] ?? id;
}
