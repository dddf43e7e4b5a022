// A token issuer of the tests' own: keys, an endpoint that publishes them, tokens of every shape, hostile ones included, and the
// policy entries that go with them. It signs with node:crypto, so that nothing here depends on what is under test.
import { constants, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { CallerEntry, IssuerEntry } from '../../src/model/data.ts';
import { PrivityError, type ErrorCode, type RefusalReason } from '../../src/model/errors.ts';
import type { TrustSet } from '../../src/model/identity.ts';
import { startKeyEndpoint, type KeyEndpoint, type TearsDown } from './key-endpoint.ts';

type Json = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** With kid, alg and use, as an endpoint publishes it. */
  readonly jwk: Json;
}

const EC_CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function makeKey(alg = 'ES256', kid = 'key-1', rsaBits = 2048): SigningKey {
  const curve = EC_CURVES[alg];
  const pair =
    curve !== undefined
      ? generateKeyPairSync('ec', { namedCurve: curve })
      : alg.startsWith('Ed')
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { alg, kid, ...pair, jwk };
}

export const base64url = (value: string | Uint8Array | Json): string => {
  const bytes = typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value);
  return Buffer.from(bytes).toString('base64url');
};

/** Header and payload may be any text or bytes; `alg` says how to sign, whatever the header says. */
export function signCompact(token: {
  readonly header: string | Uint8Array | Json;
  readonly payload: string | Uint8Array | Json;
  readonly key: KeyObject | Uint8Array;
  readonly alg: string;
}): string {
  const input = `${base64url(token.header)}.${base64url(token.payload)}`;
  return `${input}.${signature(token.alg, input, token.key).toString('base64url')}`;
}

function signature(alg: string, input: string, key: KeyObject | Uint8Array): Buffer {
  const data = Buffer.from(input);
  const hash = `sha${alg.slice(-3)}`;
  if (key instanceof Uint8Array) return createHmac(hash, key).update(data).digest();
  if (alg.startsWith('Ed')) return sign(null, data, key);
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('PS')) {
    return sign(hash, data, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
  }
  return sign(hash, data, key);
}

export interface LocalIssuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Key that tokens are signed with unless told otherwise. */
  readonly key: SigningKey;
  readonly requests: KeyEndpoint['requests'];
  readonly behave: KeyEndpoint['behave'];
  readonly publish: KeyEndpoint['publish'];
  /** A new key that alone is published and signs from now on. */
  rotate(kid: string, alg?: string): SigningKey;
  mint(claims?: Json, options?: { readonly header?: Json; readonly key?: SigningKey }): string;
  /** Claims as `mint` makes them, for tokens that are signed by hand. */
  claims(claims?: Json): Json;
  /** Entry of issuers.yaml for this issuer. */
  entry(overrides?: Partial<IssuerEntry>): IssuerEntry;
}

export interface IssuerOptions {
  readonly issuer?: string;
  readonly alg?: string;
  readonly now?: () => number;
}

export const BEARER_AUDIENCE = 'https://privity.firm.example/';

export async function startIssuer(t: TearsDown, options: IssuerOptions = {}): Promise<LocalIssuer> {
  const issuer = options.issuer ?? 'https://login.firm.example/';
  const now = options.now ?? Date.now;
  let key = makeKey(options.alg ?? 'ES256');
  const endpoint = await startKeyEndpoint(t);
  endpoint.publish(key.jwk);

  return {
    issuer,
    jwksUrl: endpoint.url,
    get key() {
      return key;
    },
    requests: endpoint.requests,
    behave: endpoint.behave,
    publish: endpoint.publish,
    rotate(kid, alg = key.alg) {
      key = makeKey(alg, kid);
      endpoint.publish(key.jwk);
      return key;
    },
    mint(claims = {}, { header = {}, key: signer = key } = {}) {
      return signCompact({
        header: { alg: signer.alg, typ: 'at+jwt', kid: signer.kid, ...header },
        payload: { ...personClaims(issuer, now()), ...claims },
        key: signer.privateKey,
        alg: signer.alg,
      });
    },
    claims: (claims = {}) => ({ ...personClaims(issuer, now()), ...claims }),
    entry: (overrides = {}) => ({
      issuer,
      keys: { url: endpoint.url },
      algorithms: ['ES256', 'RS256', 'Ed25519'],
      audience: BEARER_AUDIENCE,
      typ: 'at+jwt',
      claims: {
        id: '/sub',
        client: '/azp',
        token_id: '/jti',
        act: '/act',
        roles: '/roles',
        user_type: '/user_type',
        amr: '/amr',
        auth_time: { pointer: '/auth_time', as: 'epoch_seconds' },
        training_until: { pointer: '/training_until', as: 'rfc3339' },
        practice_groups: '/practice_groups',
      },
      may_assert: { user_types: ['internal', 'service'], roles: ['partner', 'associate'], ids: ['u-*', 'svc-*'] },
      clock_tolerance: 'PT0S',
      ...overrides,
    }),
  };
}

let minted = 0;

/** A partner's token for Privity, issued to the client of the caller dms; undefined members are left out by JSON. */
function personClaims(issuer: string, now: number): Json {
  const seconds = Math.floor(now / 1000);
  minted += 1;
  return {
    iss: issuer,
    sub: 'u-okafor',
    aud: BEARER_AUDIENCE,
    azp: 'dms-backend',
    iat: seconds,
    exp: seconds + 3600,
    jti: `token-${minted}`,
    roles: ['partner'],
    user_type: 'internal',
  };
}

/** A system that asks with its own token and brings the tokens of its users along. */
export function callerEntry(issuer: string, overrides: Partial<CallerEntry> = {}): CallerEntry {
  return {
    id: 'dms',
    issuer,
    client_id: 'dms-backend',
    source_system: 'dms',
    may: ['authorize', 'batch', 'explain'],
    subject_tokens: { audiences: ['dms'], clients: ['dms-web', 'dms-desktop'] },
    ...overrides,
  };
}

let sets = 0;

/** Each set has a digest of its own unless told otherwise. */
export function trustSet(overrides: Partial<TrustSet> = {}): TrustSet {
  sets += 1;
  return {
    trustDigest: `digest-${sets}`,
    issuers: [],
    callers: [],
    roles: new Set(['partner', 'associate', 'client_user', 'security_officer']),
    aiAssistants: new Set(['svc-ai-assistant']),
    lockdown: { callers: new Set(), tokens: new Set() },
    ...overrides,
  };
}

/** A caller's own token: client credentials, as RFC 9068 shapes it. */
export const callerClaims = (client = 'dms-backend'): Json => ({
  sub: client,
  azp: client,
  roles: undefined,
  user_type: undefined,
});

/** A person's token for the caller dms instead of Privity. */
export const subjectClaims: Json = { aud: 'dms', azp: 'dms-web' };

/** How a promise was refused; fails when it was not, or with anything but our own error. */
export async function refusalOf(
  promise: Promise<unknown>,
): Promise<{ readonly code: ErrorCode; readonly reason: RefusalReason | undefined; readonly internal: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof PrivityError)) throw error;
    return { code: error.code, reason: error.details.reason, internal: error.details.internal ?? '' };
  }
  throw new Error('nothing was refused');
}
