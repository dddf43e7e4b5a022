// Puts a decision into AuthZEN's words (AuthZEN 1.0, section 5.5; obligations profile). It must never say more than was asked for, nor
// let an obligation go untold.
import type { AuthorizeAnswer } from '../model/evaluation.ts';
import type { EvaluationAnswer } from '../model/authzen.ts';

/** What a request's context may ask about its answer; not attributes, so that no policy reads them. */
export interface AnswerWishes {
  readonly withContext: boolean;
}

export function evaluationAnswer(answer: AuthorizeAnswer, { withContext }: AnswerWishes): EvaluationAnswer {
  const { decision, context } = answer;
  const { obligations } = context;
  if (withContext) return { decision, context: fullContext(answer) };
  return obligations.length === 0 ? { decision } : { decision, context: { obligations } };
}

/** Reasons by code, as the examples of AuthZEN 1.0 (section 6.2) have them; the rest has our own names. */
function fullContext({ decision, context }: AuthorizeAnswer): Record<string, unknown> {
  const { reason_user: user, reason_admin: admin, decided_by: decidedBy, ...rest } = context;
  const code = decision ? '200' : '403';
  return {
    ...rest,
    reason_user: { [code]: user },
    ...(decidedBy === undefined ? {} : { reason_admin: { [code]: decidedBy.join(', ') }, decided_by: decidedBy }),
    ...(admin === undefined ? {} : { rules: admin }),
  };
}
