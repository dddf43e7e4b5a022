// Turns every way a token or caller can fail into the error a door answers: a reason class outside, the fine reason for the log.
// It must never put a token, a signature or a claim's value into an error: the value of `iss` is the one exception, for operators.
import { errors } from 'jose';
import { PrivityError, type RefusalReason } from '../../model/errors.ts';

export function refused(reason: RefusalReason, internal: string): PrivityError {
  return new PrivityError('token_refused', { reason, internal });
}

export function notAllowed(internal: string): PrivityError {
  return new PrivityError('caller_not_allowed', { internal });
}

const MALFORMED = new Set(['ERR_JWS_INVALID', 'ERR_JWT_INVALID']);

/** No `cause` is kept: jose's errors carry the payload, which is personal data. */
export function refusedByJose(error: unknown): PrivityError {
  if (error instanceof PrivityError) return error;
  if (error instanceof errors.JWTExpired) return refused('expired', `${error.code} claim=${error.claim}`);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused('not_acceptable', `${error.code} claim=${error.claim} reason=${error.reason}`);
  }
  if (error instanceof errors.JOSEError) {
    return refused(MALFORMED.has(error.code) ? 'malformed' : 'not_trusted', error.code);
  }
  // Node's own errors: a key that does not fit, for one. Whatever it is, nothing was verified.
  return refused('not_trusted', `verification failed: ${error instanceof Error ? error.name : typeof error}`);
}
