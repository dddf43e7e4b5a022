// What an asker can see of an answer: everything but the id, the time and the names of this one request. It must leave nothing else out.
type Json = Readonly<Record<string, unknown>>;

export interface Visible {
  readonly status: number;
  readonly headers: Json;
  readonly body: unknown;
  readonly length: number;
}

/** Members that differ between any two answers, whatever is answered; their lengths never do. */
const OF_ONE_REQUEST = new Set(['evaluation_id', 'evaluated_at', 'request_id']);
const HEADERS_OF_ONE_REQUEST = new Set(['date', 'x-request-id', 'privity-evaluation-id']);

const IS_JSON = /^application\/(?:problem\+)?json\b/;

export function visibleOf(answer: {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}): Visible {
  return {
    status: answer.status,
    headers: Object.fromEntries([...answer.headers].filter(([name]) => !HEADERS_OF_ONE_REQUEST.has(name))),
    body: IS_JSON.test(answer.headers.get('content-type') ?? '') ? blanked(JSON.parse(answer.text)) : answer.text,
    length: Buffer.byteLength(answer.text),
  };
}

/** The order of members is visible too, and kept. */
function blanked(value: unknown, inside?: string): unknown {
  if (Array.isArray(value)) return value.map((one) => blanked(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([name, member]) => [
    name,
    OF_ONE_REQUEST.has(name) || isEndOfOffer(name, inside) ? String(member).length : blanked(member, name),
  ]);
}

/** Always as long after the deny. What else ends is not left out: a wall could end it. */
function isEndOfOffer(name: string, inside: string | undefined): boolean {
  return inside === 'access_request' && name === 'expires_at';
}
