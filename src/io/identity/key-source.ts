// Fetches an issuer's published keys as bytes: one GET or one file, bounded in time and size. It must never follow a redirect, nor a URL
// found in a token.
import { constants, open } from 'node:fs/promises';

/** Resolves with the bytes of a JWKS, or rejects; must give up when the signal says so. */
export type LoadKeys = (signal: AbortSignal) => Promise<Uint8Array>;

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json[ \t]*(?:;|$)/i;

export function keysFromUrl(url: string, limits: FetchLimits): LoadKeys {
  return async (signal) => (await fetchKeys(url, limits, signal)).bytes;
}

/** `date`: the endpoint's clock, as its answer says. */
export async function fetchKeys(
  url: string,
  limits: FetchLimits,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly date: string | null }> {
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
  return { bytes: await readBounded(response.body, limits.maxBytes), date: response.headers.get('date') };
}

/** A pipe or a device in the place of the file would keep whoever reads it waiting, or never end. */
export async function readKeyFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('the key file is no file');
    if (stats.size > maxBytes) throw new Error(`the key file is longer than ${maxBytes} bytes`);
    const bytes = Buffer.alloc(stats.size);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
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
