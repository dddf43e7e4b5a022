// Looks at what came back before anybody trusts it. It must never take for an answer what lacks what the code after it relies on.
import type { AbilitiesAnswer, ApprovalAnswer, AuthorizeAnswer, FieldsAnswer, FilterAnswer } from './api.ts';
import { PrivityClientError } from './errors.ts';

type Members = Readonly<Record<string, unknown>>;

export function authorizeAnswer(value: unknown): AuthorizeAnswer {
  if (isAuthorizeAnswer(value)) return value;
  throw strange();
}

/** @param count number of questions: an answer too few would shift all that follow */
export function batchAnswer(value: unknown, count: number): readonly AuthorizeAnswer[] {
  const answers: unknown = isMembers(value) ? value['evaluations'] : undefined;
  if (isListOf(answers, isAuthorizeAnswer) && answers.length === count) return answers;
  throw strange();
}

export function fieldsAnswer(value: unknown): FieldsAnswer {
  if (isFieldsAnswer(value)) return value;
  throw strange();
}

export function filterAnswer(value: unknown): FilterAnswer {
  if (isFilterAnswer(value)) return value;
  throw strange();
}

export function abilitiesAnswer(value: unknown): AbilitiesAnswer {
  if (isAbilitiesAnswer(value)) return value;
  throw strange();
}

export function approvalAnswer(value: unknown): ApprovalAnswer {
  if (isApprovalAnswer(value)) return value;
  throw strange();
}

function strange(): PrivityClientError {
  return new PrivityClientError('bad_answer', 'the answer is not one of Privity');
}

function isAuthorizeAnswer(value: unknown): value is AuthorizeAnswer {
  return isMembers(value) && typeof value['decision'] === 'boolean' && hasObligations(value['context']);
}

function isFieldsAnswer(value: unknown): value is FieldsAnswer {
  return isMembers(value) && isListOf(value['fields'], isText) && hasObligations(value['context']);
}

/** A kind that is not known today is for filter.ts to judge: nothing passes it. */
function isFilterAnswer(value: unknown): value is FilterAnswer {
  return isMembers(value) && isText(value['kind']) && isTime(value['expires_at']);
}

function isAbilitiesAnswer(value: unknown): value is AbilitiesAnswer {
  return isMembers(value) && isListOf(value['rules'], Array.isArray) && isTime(value['expires_at']);
}

function isApprovalAnswer(value: unknown): value is ApprovalAnswer {
  return isMembers(value) && isText(value['approval_id']) && isTime(value['expires_at']);
}

function hasObligations(context: unknown): boolean {
  return isMembers(context) && isText(context['evaluation_id']) && isListOf(context['obligations'], isObligation);
}

function isObligation(value: unknown): value is Members {
  return isMembers(value) && isText(value['id']) && isText(value['type']) && isText(value['fulfilled_by']);
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTime(value: unknown): value is string {
  return isText(value) && !Number.isNaN(Date.parse(value));
}
