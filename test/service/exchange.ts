// One request over real HTTP and what came of it, remembered together with what was asked. It must never repeat a request, nor take
// half an answer for one.
import http from 'node:http';

type Json = Readonly<Record<string, unknown>>;

/** One question, and what the policies say to it where the test knows. */
export interface Asked {
  readonly person: string;
  readonly action: string;
  readonly type: string;
  readonly id: string;
  readonly expect: boolean | null;
}

export interface Attempt {
  /** Of this request alone. */
  readonly requestId: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What leaves records: decisions, the reading of one, or nothing because the request is bad. */
  readonly leaves: 'decisions' | 'reading' | 'nothing';
  /** Who asks, by the id in callers.yaml. */
  readonly caller: string;
  readonly questions: readonly Asked[];
  /** What an answer may say besides 503. */
  readonly statuses: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Json;
}

export interface Exchange {
  readonly attempt: Attempt;
  /** Null: the connection failed before all of an answer had arrived. */
  readonly answer: Answer | null;
}

/** Never rejects for what the network does. */
export function exchange(agent: http.Agent, url: string, attempt: Attempt): Promise<Exchange> {
  const { method, path, headers, body, requestId } = attempt;
  return new Promise((resolve) => {
    const fail = (): void => resolve({ attempt, answer: null });
    const request = http.request(new URL(path, url), {
      agent,
      method,
      headers: { ...headers, 'x-request-id': requestId, 'content-length': Buffer.byteLength(body) },
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('close', () => {
        if (!response.complete) return fail();
        const parsed = parse(Buffer.concat(chunks).toString('utf8'));
        return resolve({
          attempt,
          answer: { status: response.statusCode ?? 0, headers: response.headers, body: parsed },
        });
      });
    });
    request.end(body);
  });
}

/** What is no JSON object can be no answer of the service's: the judge will say so. */
function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

/** The decisions of an answer, in order; of a single question there is one. */
export function decisionsOf({ answer }: Exchange): readonly Json[] {
  if (answer?.status !== 200) return [];
  const { evaluations } = answer.body;
  return Array.isArray(evaluations) ? (evaluations as Json[]) : [answer.body];
}

export function evaluationId(decision: Json): string {
  return String((decision['context'] as Json | undefined)?.['evaluation_id']);
}
