// Examples of what proxies ask and are told. It must never show an answer that the service would not give.

/** By name, in headers. */
export const FORWARD_PARAMETERS: Readonly<Record<string, string>> = {
  'x-original-method': 'GET',
  'x-original-uri': '/clients/C-100/matters/M-1001',
  'x-forwarded-method': 'GET',
  'x-forwarded-uri': '/clients/C-100/matters/M-1001',
};

export function forwardExamples(id: string, at: string, denied: string) {
  const answer = (decision: boolean, reason: string) => ({
    decision,
    context: { evaluation_id: id, evaluated_at: at, reason_user: reason },
  });
  return {
    forwardAuth: {
      answers: {
        200: { allow: { summary: 'Allowed', value: answer(true, 'Access is permitted.') } },
        401: {
          step_up: {
            summary: 'Denied until the person has signed in again',
            value: answer(false, 'Confirm your identity again to take this document out.'),
          },
        },
        403: { deny: { summary: 'Denied, whatever the reason', value: answer(false, denied) } },
      },
    },
  };
}
