// Turns a policy set's issuers and callers into the tables that requests look things up in, once per set.
// It must never merge two entries: what is ambiguous (two issuers or callers of one name) is trusted by nobody.
import { parseDuration } from '../../core/time.ts';
import type { Caller } from '../../model/decision.ts';
import type { CallerEntry, IssuerEntry } from '../../model/data.ts';
import type { TrustSet } from '../../model/identity.ts';
import { compileClaims, type ClaimRules, type FirmNames } from './claims.ts';
import type { KeySet } from './key-set.ts';

export interface CallerRules {
  readonly id: string;
  /** As its requests see it when the bearer is its own token, and when it is a person's. */
  readonly own: Caller;
  readonly forPerson: Caller;
  readonly subjectTokens: {
    readonly audiences: ReadonlySet<string>;
    readonly clients: ReadonlySet<string>;
    readonly issuers: ReadonlySet<string>;
  } | null;
}

export interface IssuerRules {
  readonly issuer: string;
  readonly algorithms: readonly string[];
  readonly audience: string;
  readonly typ: IssuerEntry['typ'];
  readonly maxTokenAgeSeconds: number | null;
  readonly clockToleranceSeconds: number;
  readonly claims: ClaimRules;
  readonly keys: KeySet;
  /** By client id: a caller is known by issuer and client together. Null: registered, but ambiguous. */
  readonly callers: ReadonlyMap<string, CallerRules | null>;
}

export interface Trust {
  readonly digest: string;
  readonly issuers: ReadonlyMap<string, IssuerRules | null>;
  readonly firm: FirmNames;
  readonly lockdown: TrustSet['lockdown'];
}

/** What is in use against clocks that differ a little; issuers.yaml may say otherwise. */
const DEFAULT_TOLERANCE_SECONDS = 5;

export function createTrust(keysOf: (issuer: IssuerEntry) => KeySet): (set: TrustSet) => Trust {
  const compiled = new WeakMap<TrustSet, Trust>();
  return (set) => {
    const known = compiled.get(set);
    if (known !== undefined) return known;
    const trust = compile(set, keysOf);
    compiled.set(set, trust);
    return trust;
  };
}

function compile(set: TrustSet, keysOf: (issuer: IssuerEntry) => KeySet): Trust {
  const issuers = set.issuers.map((entry) => issuerRules(entry, set.callers, keysOf(entry)));
  return {
    digest: set.trustDigest,
    issuers: byName(issuers.map((rules) => [rules.issuer, rules])),
    firm: { roles: set.roles, aiAssistants: set.aiAssistants },
    lockdown: set.lockdown,
  };
}

function issuerRules(entry: IssuerEntry, callers: readonly CallerEntry[], keys: KeySet): IssuerRules {
  const registered = callers.filter((caller) => caller.issuer === entry.issuer);
  return {
    issuer: entry.issuer,
    algorithms: entry.algorithms,
    audience: entry.audience,
    typ: entry.typ,
    maxTokenAgeSeconds: entry.max_token_age === undefined ? null : seconds(entry.max_token_age),
    clockToleranceSeconds:
      entry.clock_tolerance === undefined ? DEFAULT_TOLERANCE_SECONDS : seconds(entry.clock_tolerance),
    claims: compileClaims(entry),
    keys,
    callers: byName(registered.map((caller) => [caller.client_id, callerRules(caller)])),
  };
}

function callerRules(entry: CallerEntry): CallerRules {
  const caller = {
    id: entry.id,
    sourceSystem: entry.source_system,
    rights: new Set(entry.may),
    aiAssistant: entry.ai_assistant ?? null,
  };
  const tokens = entry.subject_tokens;
  return {
    id: entry.id,
    own: Object.freeze({ ...caller, own: true }),
    forPerson: Object.freeze({ ...caller, own: false }),
    subjectTokens:
      tokens === undefined
        ? null
        : {
            audiences: new Set(tokens.audiences),
            clients: new Set(tokens.clients),
            // Client ids mean something within one issuer only, so another issuer counts only when it is named.
            issuers: new Set(tokens.issuers ?? [entry.issuer]),
          },
  };
}

function byName<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T | null> {
  const table = new Map<string, T | null>();
  for (const [name, entry] of entries) table.set(name, table.has(name) ? null : entry);
  return table;
}

function seconds(duration: string): number {
  const ms = parseDuration(duration);
  if (ms === undefined) throw new Error(`\`${duration}\` is not a duration`); // no loaded set holds one
  return ms / 1000;
}
