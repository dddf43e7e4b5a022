// Fetches an issuer's published keys as bytes: one GET, bounded in time and size. It must never follow a redirect, nor a URL found in a token.

/** Resolves with the bytes of a JWKS, or rejects; must give up when the signal says so. */
export type LoadKeys = (signal: AbortSignal) => Promise<Uint8Array>;

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json[ \t]*(?:;|$)/i;

export function keysFromUrl(url: string, limits: FetchLimits): LoadKeys {
  return async (signal) => {
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      // A redirect could be led to another host, or from https to http: whoever moves keys changes issuers.yaml.
      redirect: 'manual',
      // Covers the body too, so an endpoint that drips bytes is given up on like one that is silent.
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs)]),
    });
    const type = response.headers.get('content-type') ?? '';
    if (response.status !== 200 || !JSON_TYPE.test(type)) {
      await response.body?.cancel();
      throw new Error(response.status === 200 ? 'the answer is not JSON' : `the answer has status ${response.status}`);
    }
    return readBounded(response.body, limits.maxBytes);
  };
}

/** Counts what comes out of decompression, so a compressed bomb ends at the same bound. */
async function readBounded(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Short words for log and readiness; never a URL with its query, never a body. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  if (error.name === 'TimeoutError') return 'timed out';
  const code = codeOf(error.cause) ?? codeOf(error);
  return code ?? error.message;
}

function codeOf(value: unknown): string | null {
  return value instanceof Error && 'code' in value && typeof value.code === 'string' ? value.code : null;
}
