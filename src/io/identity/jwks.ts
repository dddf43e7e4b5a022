// Judges a published key set and makes it usable for verification. It must never let a secret, private, foreign-purpose or
// weak key in, and never keep a member (x5c, x5u, …) that leads elsewhere.
import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from 'jose';
import { isRecord } from './pointer.ts';
import { parseStrictJson } from './strict-json.ts';

export interface PublishedKeys {
  /** The usable keys as text, in an order of its own: equal text, equal keys. */
  readonly fingerprint: string;
  readonly count: number;
  /** Keys that were published but are not usable. */
  readonly ignored: number;
  /** Two different usable keys of one name: tokens that name it fit neither. */
  readonly ambiguous: boolean;
  /** Picks the one key that fits a token's `alg` and `kid`. */
  readonly resolve: JWTVerifyGetKey;
}

const MAX_KEYS = 100;
const MIN_RSA_BYTES = 256;
/** RFC 7518 6.2.2, 6.3.2, 6.4.1; `priv` is the private member of kty AKP. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const PUBLIC_MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e'] as const;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws when the bytes are no key set at all; a set without usable keys is a set, with count 0. */
export async function readJwks(bytes: Uint8Array, algorithms: readonly string[]): Promise<PublishedKeys> {
  const json = parseStrictJson(utf8.decode(bytes));
  if (!json.ok) throw new Error(`the key set is not JSON: ${json.problem}`);
  const published: unknown = isRecord(json.value) ? json.value['keys'] : undefined;
  if (!Array.isArray(published) || published.length > MAX_KEYS || !published.every(isRecord)) {
    throw new Error(`not a key set of up to ${MAX_KEYS} keys`);
  }
  const usable = new Map<string, JWK>();
  for (const entry of published) {
    const key = publicKey(entry);
    if (key !== null && (await importable(key, algorithms))) usable.set(JSON.stringify(key), key);
  }
  const texts = [...usable.keys()].sort();
  return {
    fingerprint: texts.join('\n'),
    count: usable.size,
    ignored: published.length - usable.size,
    ambiguous: areAmbiguous([...usable.values()]),
    resolve: createLocalJWKSet({ keys: [...usable.values()] }),
  };
}

function areAmbiguous(keys: readonly JWK[]): boolean {
  const names = keys.flatMap(({ kid, kty, crv }) => (kid === undefined ? [] : [JSON.stringify([kid, kty, crv])]));
  return new Set(names).size < names.length;
}

/** A private key that was published is known to the world: what it signs proves nothing. */
function publicKey(entry: Readonly<Record<string, unknown>>): JWK | null {
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(entry, name))) return null;
  const operations = entry['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  const key: JWK = {};
  for (const name of PUBLIC_MEMBERS) {
    const value = Object.hasOwn(entry, name) ? entry[name] : undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string' || (name === 'kid' && value.length > 256)) return null;
    key[name] = value;
  }
  return key.use === undefined || key.use === 'sig' ? key : null;
}

async function importable(key: JWK, algorithms: readonly string[]): Promise<boolean> {
  const alg = algorithms.find((name) => fits(key, name));
  if (alg === undefined) return false;
  if (key.kty === 'RSA' && Buffer.from(key.n ?? '', 'base64url').byteLength < MIN_RSA_BYTES) return false;
  try {
    await importJWK({ ...key }, alg);
    return true;
  } catch {
    return false;
  }
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** One key, one kind of algorithm (RFC 8725 3.1): a key that names its `alg` serves that one alone. */
function fits(key: JWK, alg: string): boolean {
  if (key.alg !== undefined && key.alg !== alg) return false;
  if (alg.startsWith('RS') || alg.startsWith('PS')) return key.kty === 'RSA';
  if (alg.startsWith('ES')) return key.kty === 'EC' && key.crv === CURVES[alg];
  return key.kty === 'OKP' && key.crv === 'Ed25519';
}
