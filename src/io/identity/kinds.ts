// Tells access tokens from the other things that are signed the same way, and a client's own from a person's.
// It must never decide by a claim that a person can set about themselves.
import type { MappedClaims } from './claims.ts';
import { isRecord } from './pointer.ts';
import { refused } from './refusal.ts';
import type { IssuerRules } from './trust.ts';

type Members = Readonly<Record<string, unknown>>;

/** Header parameters that change what is signed or how (RFC 7515 4.1.11, RFC 7797, RFC 7516); we know none of them. */
const FOREIGN_HEADER = ['crit', 'b64', 'enc', 'zip'];

/** Judged before the signature, so that nothing is computed for what cannot pass. `jku`, `x5u`, `jwk`, `x5c` are never looked at. */
export function mustBePlainHeader(header: Members, rules: IssuerRules): void {
  const alg = header['alg'];
  const typ = header['typ'];
  const kid = header['kid'];
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) throw refused('not_trusted', 'alg is not allowed');
  for (const name of FOREIGN_HEADER) {
    if (Object.hasOwn(header, name)) throw refused('malformed', `header parameter ${name}`);
  }
  if (kid !== undefined && (typeof kid !== 'string' || Buffer.byteLength(kid) > 256)) {
    throw refused('malformed', 'kid is not a short string');
  }
  if (!typeAllowed(typ, rules.typ))
    throw refused('not_acceptable', 'typ is not that of an access token of this issuer');
}

/** RFC 9068 2.1, RFC 8725 3.11. `any` is for providers that say JWT or nothing: still not for a token that says it is something else. */
function typeAllowed(typ: unknown, expected: IssuerRules['typ']): boolean {
  if (typ === undefined) return expected === 'any';
  if (typeof typ !== 'string') return false;
  const kind = typ.toLowerCase().replace(/^application\//, '');
  return expected === 'any' ? kind === 'at+jwt' || !kind.endsWith('+jwt') : kind === expected.toLowerCase();
}

/** Claims that only ID tokens, logout tokens, SETs and DPoP proofs have, and bindings that cannot be checked here. */
const NOT_AN_ACCESS_TOKEN = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'htm', 'htu'];
/** What Keycloak and Cognito call the other kinds in the payload. */
const OTHER_KINDS = new Set(['id', 'refresh', 'offline', 'logout']);

export function mustBeAccessToken(payload: Members): void {
  for (const name of NOT_AN_ACCESS_TOKEN) {
    if (Object.hasOwn(payload, name)) throw refused('not_acceptable', `not an access token: it has ${name}`);
  }
  for (const name of ['typ', 'token_use']) {
    const kind = payload[name];
    if (typeof kind === 'string' && OTHER_KINDS.has(kind.toLowerCase())) {
      throw refused('not_acceptable', `not an access token: ${name} says so`);
    }
  }
  // Entra leaves groups out beyond a number and says so like this; a wall on a missing group would not fire.
  const overage = Object.hasOwn(payload, '_claim_names') || Object.hasOwn(payload, '_claim_sources');
  if (overage || (payload['hasgroups'] !== undefined && payload['hasgroups'] !== false)) {
    throw refused('not_acceptable', 'groups_overage');
  }
  if (typeof payload['sub'] !== 'string' || payload['sub'] === '') throw refused('not_acceptable', 'sub is no string');
}

const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * The certificate that a token is bound to (`x5t#S256`, RFC 8705 3.1), which `identify` compares with that of the connection; null for
 * a plain bearer token. A binding of any other kind (RFC 7800 3.1) is to a key whose possession nobody proves here.
 */
export function readBinding(payload: Members): string | null {
  if (!Object.hasOwn(payload, 'cnf')) return null;
  const cnf = payload['cnf'];
  const thumbprint = isRecord(cnf) && Object.keys(cnf).length === 1 ? cnf['x5t#S256'] : undefined;
  if (typeof thumbprint === 'string' && THUMBPRINT.test(thumbprint)) return thumbprint;
  throw refused('not_acceptable', 'the token is bound to a key (cnf)');
}

/** RFC 7519 4.1.3. A token for its own client is an ID token (OpenID Connect Core 2). */
export function readAudiences(aud: unknown, client: string | null): readonly string[] {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const audiences = list.filter((entry) => typeof entry === 'string');
  if (audiences.length === 0 || audiences.length !== list.length || audiences.includes('')) {
    throw refused('not_acceptable', 'aud is not a string or a list of strings');
  }
  if (client !== null && audiences.includes(client)) throw refused('not_acceptable', 'aud is the client: an ID token');
  return audiences;
}

/**
 * Whether a client got this token for itself (client credentials), so that it is that client's own.
 * A token that says anything of a person is not: an actor, a person's user type, Entra's `idtyp: user`. Otherwise it is when
 * - id and client are the same (RFC 9068 2.2; Okta, Ping),
 * - or the user type is `service` (Keycloak gives a service account an id of its own),
 * - or the provider says so: Entra's `idtyp: app`, Auth0's `gty: client-credentials`.
 */
export function clientCredentials(payload: Members, claims: MappedClaims): boolean {
  const userType = claims.attributes['user_type'];
  const idtyp = payload['idtyp'];
  const gty = payload['gty'];
  if (claims.client === null || claims.actor !== null || idtyp === 'user') return false;
  if (userType === 'service') return true;
  // Absent, null or empty: nothing was said. Any other value, known or not, may be a person's.
  if (userType !== undefined && userType !== null && userType !== '') return false;
  // Okta's client tokens lack the id that people have (`uid`); their sub is the client.
  return (claims.id ?? payload['sub']) === claims.client || idtyp === 'app' || gty === 'client-credentials';
}
