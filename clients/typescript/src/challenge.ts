// Puts step-up advice into the words of RFC 9470. It must never let what a server sent break out of a header.
import type { AuthorizeAnswer } from './api.ts';

export interface StepUp {
  readonly acrValues: string;
  /** Seconds. */
  readonly maxAge: number | null;
}

/** RFC 6749, 3.3: printable ASCII without quote and backslash, separated by single spaces. */
const ACR_VALUES = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** What would turn a deny into an allow, where Privity says so; null otherwise. */
export function stepUpOf({ decision, context }: AuthorizeAnswer): StepUp | null {
  const { acr_values: acrValues, max_age: maxAge = null } = context;
  if (decision || typeof acrValues !== 'string' || !ACR_VALUES.test(acrValues)) return null;
  if (maxAge === null) return { acrValues, maxAge };
  return Number.isInteger(maxAge) && maxAge >= 0 ? { acrValues, maxAge } : null;
}

/** Value of `WWW-Authenticate` for a 401 (RFC 9470, section 3). */
export function challengeOf({ acrValues, maxAge }: StepUp): string {
  return [
    'Bearer error="insufficient_user_authentication"',
    'error_description="A more recent or stronger sign-in is needed"',
    `acr_values="${acrValues}"`,
    ...(maxAge === null ? [] : [`max_age="${maxAge}"`]),
  ].join(', ');
}
