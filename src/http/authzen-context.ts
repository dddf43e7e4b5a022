// What of an AuthZEN request's context is for policies, and what is for Privity. It must never let one pass for the other's answer.

import { issuableTypes } from '../core/obligation-types.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { malformed } from './body.ts';
import { checkId } from './envelope.ts';

type Values = Readonly<Record<string, unknown>>;

/** Asks for what an answer says of itself. */
const WITH_CONTEXT = 'response_context';
/** What a request for access came to. */
const APPROVAL = 'approval';
/** Obligations profile. */
const SUPPORTED = 'supported_obligations';

/** How something is done belongs to its circumstances, where policies read it; what the context itself says counts. */
export function circumstancesOf(
  action: { readonly properties?: Values } | undefined,
  context: Values | undefined,
): Values {
  return { ...action?.properties, ...context };
}

export function wantsContext(context: Values): boolean {
  return context[WITH_CONTEXT] === true;
}

/**
 * Types, sorted. An obligation that nobody says they fulfil is not fulfilled; what the metadata does not list does not count
 * (obligations profile, section 6).
 */
export function supportedOf(set: PolicySet, context: Values): readonly string[] {
  const types: unknown = context[SUPPORTED];
  return Array.isArray(types) ? issuableTypes(set.firm).filter((one) => types.includes(one)) : [];
}

/**
 * The id of what access was requested with (access request and approval profile, section 7); null where the context names none. What is
 * no id of Privity's cannot be found, and so adds nothing.
 * @throws PrivityError `malformed_request`
 */
export function approvalOf(context: Values, at: string): string | null {
  const approval = context[APPROVAL];
  if (approval === undefined) return null;
  const id: unknown = typeof approval === 'object' && approval !== null ? Reflect.get(approval, 'id') : undefined;
  if (typeof id !== 'string')
    throw malformed('must be the approval of a request for access', `${at}/context/${APPROVAL}`);
  checkId(id, `${at}/context/${APPROVAL}/id`);
  return id;
}
