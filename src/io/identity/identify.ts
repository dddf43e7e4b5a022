// The door of identity: who asks, and about whom (DESIGN 4). It must never take a caller's token for a person's, a person's for
// a caller's, nor remember a verdict across requests: audience, registration and lockdown are judged each time.
import type { Caller, Subject } from '../../model/decision.ts';
import type { TrustSet } from '../../model/identity.ts';
import { CACHE_DEFAULTS, createTokenCache, type CacheLimits } from './cache.ts';
import { createKeys, type KeysDeps } from './keys.ts';
import type { KeyState } from './key-set.ts';
import { notAllowed, refused } from './refusal.ts';
import { createVerifier, mustBeTimely, type VerifiedToken } from './tokens.ts';
import { createTrust, type CallerRules, type Trust } from './trust.ts';

export interface IdentityDeps extends Omit<KeysDeps, 'elapsed'> {
  /** Milliseconds that never go back; default: the process's own. */
  readonly elapsed?: () => number;
  readonly cache?: CacheLimits;
  /** False: nothing is fetched unless `use`, `tick` or a token asks for it. */
  readonly background?: boolean;
}

/** About whom is asked, through which caller. */
export interface Asked {
  readonly caller: Caller;
  readonly subject: Subject;
  /** When the first of the tokens ends that it rests on, in milliseconds since 1970. */
  readonly until: number;
}

/** A verified bearer token and the caller it stands for. */
export interface Bearer {
  readonly caller: Caller;
  readonly token: VerifiedToken;
}

export interface IdentityState {
  /** Of the policy set in use. */
  readonly issuers: readonly KeyState[];
  readonly cache: { readonly entries: number; readonly bytes: number };
}

export interface Identity {
  /** For the set that is about to come into force: its keys are fetched from now on. Resolves when each was tried once, never rejects. */
  use(set: TrustSet): Promise<void>;
  /** @throws PrivityError `token_refused` or `caller_not_allowed` */
  authenticate(
    set: TrustSet,
    authorization: string | undefined,
    /** Thumbprint of the certificate that the connection's client has proven to own (`x5t#S256`); null without one. */
    certificate?: string | null,
  ): Promise<Bearer>;
  /** @throws PrivityError `token_refused` or `caller_not_allowed` */
  subjectOf(set: TrustSet, bearer: Bearer, subjectToken: string | undefined): Promise<Asked>;
  /** Fetches the keys that are due; happens by itself every second unless `background` is false. */
  tick(): Promise<void>;
  state(): IdentityState;
  close(): void;
}

export function createIdentity(deps: IdentityDeps): Identity {
  const keys = createKeys({ ...deps, elapsed: deps.elapsed ?? (() => performance.now()) });
  const cache = createTokenCache<VerifiedToken>(deps.cache ?? CACHE_DEFAULTS);
  const verify = createVerifier({ now: deps.now, cache });
  const trustOf = createTrust(keys.of);
  const timer = deps.background === false ? null : setInterval(() => void keys.tick(), 1_000).unref();

  async function verified(trust: Trust, token: string): Promise<VerifiedToken> {
    const found = await verify(trust, token);
    if (found.tokenId !== null && trust.lockdown.tokens.has(found.tokenId)) throw refused('locked', 'token locked');
    return found;
  }

  function mustStillBeTimely(trust: Trust, token: VerifiedToken): void {
    const rules = trust.issuers.get(token.issuer);
    if (rules != null) mustBeTimely(token.times, rules, deps.now());
  }

  return {
    use: (set) => keys.use(set.issuers),
    async authenticate(set, authorization, certificate = null) {
      const trust = trustOf(set);
      const token = await verified(trust, bearerToken(authorization));
      if (token.boundTo !== null && token.boundTo !== certificate) {
        throw refused('not_acceptable', 'the token is bound to a key (cnf)');
      }
      const audience = trust.issuers.get(token.issuer)?.audience;
      if (audience === undefined || !token.audiences.includes(audience)) {
        throw refused('not_acceptable', 'aud is not that of bearer tokens');
      }
      return bearerOf(callerOf(trust, token), token);
    },
    async subjectOf(set, bearer, subjectToken) {
      const { caller, token } = bearer;
      // The body may have taken its time to arrive, and so may this process.
      mustStillBeTimely(trustOf(set), token);
      const until = token.times.exp * 1_000;
      if (subjectToken === undefined) return { caller, subject: ownSubject(bearer), until };
      if (!caller.own) throw notAllowed('a subject token beside a bearer of a person');
      const trust = trustOf(set);
      const rules = callerOf(trust, token);
      if (rules.subjectTokens === null) throw notAllowed('the caller is not registered for subject tokens');
      const ofSubject = await verified(trust, subjectToken);
      const subject = subjectIn(trust, rules.subjectTokens, ofSubject);
      return { caller, subject, until: Math.min(until, ofSubject.times.exp * 1_000) };
    },
    tick: keys.tick,
    state: () => ({ issuers: keys.state(), cache: cache.state() }),
    close() {
      if (timer !== null) clearInterval(timer);
      keys.close();
    },
  };
}

/** RFC 6750 2.1, one space; the scheme's case does not matter (RFC 9110 11.1). What follows is judged by the verifier. */
function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined || authorization === '') throw refused('missing', 'no authorization header');
  if (!/^bearer /i.test(authorization)) throw refused('missing', 'the authorization scheme is not Bearer');
  return authorization.slice('Bearer '.length);
}

/** A caller is an issuer and a client of it, together: the same client id at another issuer is somebody else. */
function callerOf(trust: Trust, token: VerifiedToken): CallerRules {
  const rules = token.client === null ? null : (trust.issuers.get(token.issuer)?.callers.get(token.client) ?? null);
  if (rules === null) throw notAllowed('the client of the token is not a registered caller');
  if (trust.lockdown.callers.has(rules.id)) throw notAllowed(`the caller ${rules.id} is locked`);
  return rules;
}

function bearerOf(rules: CallerRules, token: VerifiedToken): Bearer {
  if (token.clientCredentials) return { caller: rules.own, token };
  // Said now, since a bearer that speaks of a person must be good before the body is read.
  if (token.subject === null) throw refused('not_acceptable', 'the issuer may not speak of this id');
  return { caller: rules.forPerson, token };
}

/** Without a subject token a person asks about themselves, and so does a service account; a mere client has nobody to ask about. */
function ownSubject({ caller, token }: Bearer): Subject {
  if (caller.own && !token.isService) throw notAllowed('a token of the caller alone, without a subject token');
  if (token.subject === null) throw refused('not_acceptable', 'the issuer may not speak of this id');
  return token.subject;
}

function subjectIn(trust: Trust, accepted: NonNullable<CallerRules['subjectTokens']>, token: VerifiedToken): Subject {
  // Bound to the certificate of the client that got it, which is not at this end of the caller's connection.
  if (token.boundTo !== null) throw refused('not_acceptable', 'the token is bound to a key (cnf)');
  if (!accepted.issuers.has(token.issuer)) throw refused('not_acceptable', 'subject token of another issuer');
  if (!token.audiences.some((audience) => accepted.audiences.has(audience))) {
    throw refused('not_acceptable', 'aud of the subject token is not for this caller');
  }
  if (token.client === null || !accepted.clients.has(token.client)) {
    throw refused('not_acceptable', 'the subject token was issued to another client');
  }
  if (token.clientCredentials && trust.issuers.get(token.issuer)?.callers.has(token.client)) {
    throw refused('not_acceptable', 'a token of a caller is no subject token');
  }
  if (token.subject === null) throw refused('not_acceptable', 'the issuer may not speak of this id');
  return token.subject;
}
