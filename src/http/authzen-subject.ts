// Finds out whom an AuthZEN request is about and who says so: a token, or a caller that may vouch (standards: two trust modes). It must
// never believe a request about somebody whom neither speaks for.
import type { FastifyRequest } from 'fastify';
import { mayVouch, vouchedSubject, vouchOf, type NamedEntity } from '../core/vouch.ts';
import type { Caller, Subject } from '../model/decision.ts';
import { PrivityError } from '../model/errors.ts';
import { SUBJECT_TOKEN_HEADER } from '../model/search.ts';
import type { Asking, Gate } from './authenticate.ts';
import { malformed } from './body.ts';

export interface NamedSubject {
  readonly subject: Subject;
  readonly isStranger: boolean;
}

export interface SubjectSource {
  readonly caller: Caller;
  /** @param at pointer to the subject */
  of(named: NamedEntity, at: string): NamedSubject;
}

/**
 * One for each request, before its first question.
 * @throws PrivityError `token_refused` or `caller_not_allowed`
 */
export async function subjectSource(
  gate: Gate,
  request: FastifyRequest,
  asking: Asking,
  bodyToken: string | undefined,
): Promise<SubjectSource> {
  const { set, bearer } = asking;
  const { caller } = bearer;
  const token = bodyToken ?? headerToken(request);
  if (token !== undefined || !caller.own || (bearer.token.isService && !mayVouch(caller))) {
    const { subject } = await gate.subjectOf(request, asking, token);
    return { caller, of: (named, at) => ({ subject: mustBe(subject, named, at), isStranger: false }) };
  }
  if (!mayVouch(caller)) {
    throw new PrivityError('caller_not_allowed', {
      detail: 'without a subject token only a caller with the right `vouch` may ask about somebody',
    });
  }
  const vouch = vouchOf(set, caller.id);
  return { caller, of: (named) => vouchedSubject(set, vouch, named) };
}

function headerToken({ headers }: FastifyRequest): string | undefined {
  const token = headers[SUBJECT_TOKEN_HEADER];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** The token decides who it is; what the request says of properties does not count. */
function mustBe(subject: Subject, { id }: NamedEntity, at: string): Subject {
  if (subject.id === id) return subject;
  throw malformed('the token is about another subject', `${at}/id`);
}
