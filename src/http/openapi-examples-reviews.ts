// Examples of reviews of accesses. It must never show an answer that the service would not give.

const REVIEW_ID = '0195f4c2-19aa-7d10-8b3c-6e0f1a2b3c4d';
const REVIEWED_AT = '2026-03-10T19:30:00.456Z';
const FOUND = { outcome: 'justified', reason: 'The hearing was moved up.' };

export function reviewExamples(id: string, at: string) {
  const review = {
    evaluation_id: id,
    at,
    due: '2026-03-11T14:00:00.123Z',
    state: 'done',
    overdue: false,
    subject: { id: 'u-quinn', actor: null },
    action: 'read',
    resource: { type: 'document', id: 'D-9001' },
    matter: 'M-1001',
    client: 'C-100',
    decided_by: ['break-glass'],
    obligations: ['notify:responsible_attorney', 'notify:security_officer', 'review:24h'],
    reviews: [{ review_id: REVIEW_ID, at: REVIEWED_AT, by: 'u-secord', ...FOUND }],
  };
  const given = { review_id: REVIEW_ID, evaluation_id: id, at: REVIEWED_AT, outcome: FOUND.outcome };
  return {
    listReviews: {
      answers: { 200: { last: { summary: 'One emergency access', value: { reviews: [review], next: null } } } },
    },
    giveReview: {
      request: { justified: { summary: 'It was needed', value: FOUND } },
      answers: { 201: { given: { summary: 'Recorded', value: given } } },
    },
  };
}
