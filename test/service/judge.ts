// Compares what clients were answered with what the log holds: every answer has its record, exactly once, and says the same (P1, P4).
// It must never take the service's word for anything.
import { decisionsOf, evaluationId, type Asked, type Exchange } from './exchange.ts';
import type { LoggedRecord, ServiceLog } from './log.ts';

type Json = Readonly<Record<string, unknown>>;

/** Codes under which a service may refuse to answer at all. */
const UNAVAILABLE = new Set(['cannot_record', 'shutting_down', 'overloaded']);
const MOST = 20;

/** One line for each breach; empty when every promise was kept. */
export function judge(exchanges: readonly Exchange[], log: ServiceLog): readonly string[] {
  const breaches: string[] = [...log.problems];
  const byId = Map.groupBy(log.records, (record) => record.id);
  for (const [id, records] of byId) if (records.length > 1) breaches.push(`${id}: ${records.length} records`);
  const asked = log.records.filter((record) => record.kind === 'decision' || record.kind === 'read');
  const byRequest = Map.groupBy(asked, (record) => String(record.said['request_id']));
  const seen = new Set<string>();
  const known = new Set<string>();

  for (const one of exchanges) {
    const { attempt } = one;
    const found: string[] = [];
    known.add(attempt.requestId);
    found.push(...judgeAnswer(one), ...judgeRecords(one, byRequest.get(attempt.requestId) ?? []));
    decisionsOf(one).forEach((decision, index) => {
      const id = evaluationId(decision);
      if (attempt.leaves !== 'decisions') return;
      if (seen.has(id)) found.push(`answered the id ${id} a second time`);
      seen.add(id);
      found.push(...compare(one, decision, attempt.questions[index], byId.get(id)?.[0]));
    });
    breaches.push(...found.map((words) => `${attempt.requestId} ${attempt.path}: ${words}`));
  }
  for (const id of byRequest.keys()) if (!known.has(id)) breaches.push(`${id}: recorded, but nobody asked that`);
  return breaches.length > MOST ? [...breaches.slice(0, MOST), `and ${breaches.length - MOST} more`] : breaches;
}

function judgeAnswer({ attempt, answer }: Exchange): readonly string[] {
  if (answer === null) return [];
  const { status, headers, body } = answer;
  const found: string[] = [];
  if (headers['x-request-id'] !== attempt.requestId) found.push(`answered as ${String(headers['x-request-id'])}`);
  if (status === 503) {
    if (!UNAVAILABLE.has(String(body['code']))) found.push(`503 with ${JSON.stringify(body)}`);
    if (!(Number(headers['retry-after']) > 0)) found.push('503 without Retry-After');
  } else if (!attempt.statuses.includes(status)) {
    found.push(`${status} instead of ${attempt.statuses.join(' or ')}: ${JSON.stringify(body)}`);
  }
  if (
    status === 200 &&
    attempt.leaves === 'decisions' &&
    decisionsOf({ attempt, answer }).length !== attempt.questions.length
  ) {
    found.push(`not as many answers as questions`);
  }
  return found;
}

/** How many records there may be, and that those of one request were committed together. */
function judgeRecords({ attempt, answer }: Exchange, records: readonly LoggedRecord[]): readonly string[] {
  const full = attempt.leaves === 'nothing' ? 0 : attempt.leaves === 'reading' ? 1 : attempt.questions.length;
  const isAnswered = answer !== null && answer.status < 500;
  const counts = isAnswered ? [full] : [0, full];
  const found = counts.includes(records.length) ? [] : [`${records.length} records instead of ${counts.join(' or ')}`];
  const first = records[0];
  if (first === undefined) return found;
  const areTogether = records.every((one, index) => one.writer === first.writer && one.seq === first.seq + index);
  return areTogether ? found : [...found, 'the records of one request are apart'];
}

/** What was asked, what was answered, and what is on record, word for word. */
function compare({ attempt }: Exchange, decision: Json, asked: Asked | undefined, record: LoggedRecord | undefined) {
  if (record === undefined) return [`no record of ${evaluationId(decision)}`];
  const context = decision['context'] as Json;
  const { said } = record;
  const subject = said['subject'] as Json;
  const resource = said['resource'] as Json;
  const explained = ['decided_by', 'walls', 'grants'].filter((name) => name in context);
  const pairs: readonly (readonly [name: string, left: unknown, right: unknown])[] = [
    ['kind', 'decision', record.kind],
    ['subject', asked?.person, subject['id']],
    ['action', asked?.action, said['action']],
    ['type', asked?.type, resource['type']],
    ['resource', asked?.id, resource['id']],
    ['caller', attempt.caller, (said['caller'] as Json)['id']],
    ['request', attempt.requestId, said['request_id']],
    [`expected for ${asked?.person}`, asked?.expect ?? decision['decision'], decision['decision']],
    ['decision', decision['decision'], said['outcome'] === 'allow'],
    ['time', context['evaluated_at'], said['at']],
    ['revision', (context['policy'] as Json)['revision'], (said['policy'] as Json)['revision']],
    ['missing', context['missing'], said['missing']],
    ['obligations', (context['obligations'] as Json[]).map(({ id }) => id), said['obligations']],
    ...explained.map((name) => [name, context[name], said[name]] as const),
  ];
  return pairs
    .map(([name, left, right]) => [name, JSON.stringify(left), JSON.stringify(right)] as const)
    .filter(([, left, right]) => left !== right)
    .map(([name, left, right]) => `${name}: ${left} against ${right}`);
}
