// Verifies one token against the one issuer it names: signature, header, kind, time, claims. It must never try a second issuer's
// keys, nor say who may use the token for what: audience, caller and lockdown are identify's.
import { createHash } from 'node:crypto';
import { jwtVerify, errors } from 'jose';
import type { Subject, TokenEvidence } from '../../model/decision.ts';
import { readClaims } from './claims.ts';
import type { TokenCache } from './cache.ts';
import { readCompact, type CompactJws } from './compact.ts';
import type { UsableKeys } from './key-set.ts';
import { clientCredentials, mustBeAccessToken, mustBePlainHeader, readAudiences, readBinding } from './kinds.ts';
import { refused, refusedByJose } from './refusal.ts';
import type { IssuerRules, Trust } from './trust.ts';

/** Frozen, and shared by every request that comes with the same token. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly client: string | null;
  readonly audiences: readonly string[];
  readonly tokenId: string | null;
  /** Thumbprint of the certificate without which the token is worth nothing; null: none is needed. Judged on every use. */
  readonly boundTo: string | null;
  /** True when the client got the token for itself, not for a person. */
  readonly clientCredentials: boolean;
  /** Who the token speaks of; null when the issuer may not speak of that id, or none is in it. */
  readonly subject: Subject | null;
  readonly isService: boolean;
  readonly times: { readonly exp: number; readonly iat: number; readonly nbf: number | null };
}

export interface VerifierDeps {
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number;
  readonly cache: TokenCache<VerifiedToken>;
}

/** @throws PrivityError `token_refused` */
export type VerifyToken = (trust: Trust, token: string) => Promise<VerifiedToken>;

const REQUIRED = ['iss', 'exp', 'sub', 'aud', 'iat'];
/** The last second of the year 9999: what lies beyond is no date anybody meant. */
const LAST_SECOND = 253_402_300_799;

export function createVerifier(deps: VerifierDeps): VerifyToken {
  return async (trust, token) => {
    const known = remembered(deps.cache, trust, token);
    const verified = known ?? (await verifyAnew(deps, trust, token));
    const rules = rulesOf(trust, verified.issuer);
    try {
      mustBeTimely(verified.times, rules, deps.now());
    } catch (error) {
      deps.cache.delete(token);
      throw error;
    }
    return verified;
  };
}

/** Nothing is remembered of an issuer whose keys have changed since, or may no longer be used. */
function remembered(cache: TokenCache<VerifiedToken>, trust: Trust, token: string): VerifiedToken | null {
  const entry = cache.get(token, trust.digest);
  if (entry === null) return null;
  return trust.issuers.get(entry.token.issuer)?.keys.peek()?.generation === entry.generation ? entry.token : null;
}

async function verifyAnew(deps: VerifierDeps, trust: Trust, token: string): Promise<VerifiedToken> {
  const jws = readCompact(token);
  const rules = issuerOf(trust, jws);
  mustBePlainHeader(jws.header, rules);
  const generation = await verifySignature(rules, token, deps.now());
  mustBeAccessToken(jws.payload);
  const verified = describeToken(rules, trust, jws);
  deps.cache.put(token, { token: verified, digest: trust.digest, generation });
  return verified;
}

/** The name in `iss` is compared exactly and decides whose keys are tried: those and no others (RFC 8725 3.8). */
function issuerOf(trust: Trust, jws: CompactJws): IssuerRules {
  const iss = jws.payload['iss'];
  if (typeof iss !== 'string') throw refused('not_acceptable', 'iss is no string');
  return rulesOf(trust, iss);
}

function rulesOf(trust: Trust, issuer: string): IssuerRules {
  const rules = trust.issuers.get(issuer) ?? null;
  if (rules === null)
    throw refused('not_trusted', `the issuer is not trusted: ${JSON.stringify(issuer.slice(0, 128))}`);
  return rules;
}

async function verifySignature(rules: IssuerRules, token: string, now: number): Promise<number> {
  const keys = await rules.keys.current();
  if (keys === null) throw refused('not_trusted', 'the issuer has no usable keys');
  try {
    await verifyWith(keys, rules, token, now);
    return keys.generation;
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw refusedByJose(error);
  }
  // A key we have not seen: perhaps it is new.
  const newer = await rules.keys.newerThan(keys);
  if (newer === null) throw refused('not_trusted', 'ERR_JWKS_NO_MATCHING_KEY');
  try {
    await verifyWith(newer, rules, token, now);
    return newer.generation;
  } catch (error) {
    throw refusedByJose(error);
  }
}

async function verifyWith(keys: UsableKeys, rules: IssuerRules, token: string, now: number): Promise<void> {
  await jwtVerify(token, keys.resolve, {
    algorithms: [...rules.algorithms],
    issuer: rules.issuer,
    requiredClaims: REQUIRED,
    currentDate: new Date(now),
    clockTolerance: rules.clockToleranceSeconds,
    ...(rules.typ === 'any' ? {} : { typ: rules.typ }),
    ...(rules.maxTokenAgeSeconds === null ? {} : { maxTokenAge: rules.maxTokenAgeSeconds }),
  });
}

function describeToken(rules: IssuerRules, trust: Trust, jws: CompactJws): VerifiedToken {
  const { payload, header } = jws;
  const claims = readClaims(rules.claims, payload, trust.firm);
  const audiences = readAudiences(payload['aud'], claims.client);
  const evidence: TokenEvidence = {
    kind: 'token',
    issuer: rules.issuer,
    tokenId: claims.tokenId,
    keyId: typeof header['kid'] === 'string' ? header['kid'] : null,
    claimsHash: createHash('sha256').update(jws.payloadBytes).digest('hex'),
    droppedRoles: claims.droppedRoles,
  };
  return deepFreeze({
    issuer: rules.issuer,
    client: claims.client,
    audiences,
    tokenId: claims.tokenId,
    boundTo: readBinding(payload),
    clientCredentials: clientCredentials(payload, claims),
    isService: claims.attributes['user_type'] === 'service',
    subject:
      claims.id === null || !claims.idAllowed
        ? null
        : { id: claims.id, attributes: claims.attributes, actor: claims.actor, evidence },
    times: {
      exp: second(payload['exp'], 'exp'),
      iat: second(payload['iat'], 'iat'),
      nbf: payload['nbf'] === undefined ? null : second(payload['nbf'], 'nbf'),
    },
  });
}

function second(value: unknown, claim: string): number {
  if (typeof value === 'number' && value >= 0 && value <= LAST_SECOND) return value;
  throw refused('not_acceptable', `${claim} is not a number of seconds since 1970`);
}

/** Judged on every use, remembered or not (RFC 7519 4.1.4 to 4.1.6). */
export function mustBeTimely(times: VerifiedToken['times'], rules: IssuerRules, nowMs: number): void {
  const tolerance = rules.clockToleranceSeconds;
  const now = Math.floor(nowMs / 1000);
  if (times.exp <= now - tolerance) throw refused('expired', 'exp is past');
  if (times.nbf !== null && times.nbf > now + tolerance) throw refused('not_acceptable', 'nbf is in the future');
  if (times.iat > now + tolerance) throw refused('not_acceptable', 'iat is in the future');
  const max = rules.maxTokenAgeSeconds;
  if (max !== null && now - times.iat - tolerance > max) throw refused('expired', 'older than max_token_age');
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
