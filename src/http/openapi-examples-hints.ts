// Example of a hint for front ends. It must never show an answer that the service would not give.

export const HINT_PARAMETERS = { context: '{"network_zone":"office"}' };

export function hintExamples(id: string, at: string, expiresAt: string, policy: object) {
  const rules = [['read,list', 'invoice', { 'matter.responsible_attorney': { $eq: 'u-okafor' } }]];
  const value = { rules, expires_at: expiresAt, evaluation_id: id, evaluated_at: at, policy };
  return { readAbilities: { answers: { 200: { partner: { summary: 'Part of a partner’s', value } } } } };
}
