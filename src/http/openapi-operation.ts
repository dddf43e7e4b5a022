// What the description of an operation consists of, and the problems that many of them share. It must never hold one operation's words.
import type { ErrorCode } from '../model/errors.ts';

export interface Operation {
  readonly tag: 'decisions' | 'authzen' | 'log' | 'service';
  readonly summary: string;
  readonly description: string;
  /** Needs no token. */
  readonly open: boolean;
  /** Words for answers that are no problems, by status. */
  readonly success: Readonly<Record<string, string>>;
  readonly errors: readonly ErrorCode[];
}

export const EVERY: readonly ErrorCode[] = ['request_timeout', 'headers_too_large', 'internal_error'];
export const PROTECTED: readonly ErrorCode[] = [
  'token_refused',
  'caller_not_allowed',
  'client_certificate_required',
  'rate_limited',
  'no_policies',
  'overloaded',
  'shutting_down',
  'cannot_record',
  ...EVERY,
];
export const WITH_BODY: readonly ErrorCode[] = ['malformed_request', 'payload_too_large', ...PROTECTED];
