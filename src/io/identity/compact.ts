// Takes a compact JWS apart (RFC 7515 7.1) before anything is verified. It must never accept two spellings of one token.
import { refused } from './refusal.ts';
import { isRecord } from './pointer.ts';
import { parseStrictJson } from './strict-json.ts';

/** Bytes, and characters, since only ASCII passes. */
export const MAX_TOKEN_LENGTH = 16_384;

export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Exactly what was signed as payload, after base64url. */
  readonly payloadBytes: Uint8Array;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
// ignoreBOM keeps a byte order mark in the text, where JSON.parse refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws PrivityError `token_refused`, class malformed */
export function readCompact(token: string): CompactJws {
  if (token.length > MAX_TOKEN_LENGTH) throw refused('malformed', 'token longer than 16 KiB');
  // White space, padding, JSON serialisation, an empty signature (alg none) and five parts (JWE) all end here.
  if (!COMPACT.test(token)) {
    throw refused('malformed', `not a compact JWS: ${token.split('.').length} parts`);
  }
  const [header = '', payload = '', signature = ''] = token.split('.');
  decodePart(signature, 'signature');
  const payloadBytes = decodePart(payload, 'payload');
  return {
    header: parsePart(decodePart(header, 'header'), 'header'),
    payload: parsePart(payloadBytes, 'payload'),
    payloadBytes,
  };
}

/** RFC 4648 3.5: unused bits must be zero, or many texts would stand for the same bytes. */
function decodePart(part: string, name: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw refused('malformed', `${name} is not canonical base64url`);
  return bytes;
}

function parsePart(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw refused('malformed', `${name} is not UTF-8`);
  }
  const json = parseStrictJson(text);
  if (!json.ok) throw refused('malformed', `${name}: ${json.problem}`);
  if (!isRecord(json.value)) throw refused('malformed', `${name} is not a JSON object`);
  return json.value;
}
