// Whom a caller with the right `vouch` may name without a token: what policy data says of a person, and of what the caller says only what
// callers.yaml lets it say. It must never take roles, status or evidence of sign-in from a request.
import type { CallerEntry } from '../model/data.ts';
import type { Caller, Subject, TokenEvidence } from '../model/decision.ts';
import type { PolicySet } from './policy-set.ts';

/** As a request names it (AuthZEN 1.0, section 5.1). */
export interface NamedEntity {
  readonly type: string;
  readonly id: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface Vouched {
  readonly subject: Subject;
  /** The caller may not vouch for this type of subject: nobody has said who it is. */
  readonly isStranger: boolean;
}

const EVIDENCE: TokenEvidence = Object.freeze({
  kind: 'vouched',
  issuer: null,
  tokenId: null,
  keyId: null,
  claimsHash: null,
  droppedRoles: Object.freeze([]),
});
const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});

/** Only with its own token does a caller speak for others. */
export function mayVouch(caller: Caller): boolean {
  return caller.own && caller.rights.has('vouch');
}

/** What callers.yaml lets the caller vouch for. */
export function vouchOf(set: PolicySet, caller: unknown): CallerEntry['vouch'] {
  return set.callers.find(({ id }) => id === caller)?.vouch;
}

export function vouchedSubject(set: PolicySet, vouch: CallerEntry['vouch'], named: NamedEntity): Vouched {
  const { type, id, properties = NOTHING } = named;
  const isStranger = vouch?.subject_types.includes(type) !== true;
  const attributes = isStranger
    ? NOTHING
    : { ...set.data.directory.get(id), ...saidOf(vouch?.attributes ?? [], properties) };
  return { subject: { id, attributes, actor: null, evidence: EVIDENCE }, isStranger };
}

function saidOf(names: readonly string[], properties: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(properties, name) ? [[name, properties[name]]] : [])),
  );
}
