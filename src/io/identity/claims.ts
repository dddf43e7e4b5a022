// Reads what a verified token says about someone: claims by pointer, wire types, `act`, and what the issuer may assert.
// It must never let an issuer say more than issuers.yaml grants it, nor read a claim that no pointer names.
import { USER_TYPES } from '../../model/firm.ts';
import type { IssuerEntry } from '../../model/data.ts';
import { compilePointer, isRecord, member, type Lookup } from './pointer.ts';
import { refused } from './refusal.ts';

/** An issuer's claim map and limits, compiled once per policy set. */
export interface ClaimRules {
  readonly id: Lookup;
  readonly client: Lookup | null;
  readonly tokenId: Lookup;
  readonly actors: readonly Lookup[];
  readonly attributes: readonly { readonly name: string; readonly lookup: Lookup; readonly as: WireType | null }[];
  readonly idAllowed: (id: string) => boolean;
  readonly userTypes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
}

type WireType = 'epoch_seconds' | 'rfc3339';
type Payload = Readonly<Record<string, unknown>>;

/** What the firm knows, whoever the issuer is. */
export interface FirmNames {
  readonly roles: ReadonlySet<string>;
  readonly aiAssistants: ReadonlySet<string>;
}

export interface MappedClaims {
  /** Null when absent, as in the client tokens of some providers: then the token speaks of nobody. */
  readonly id: string | null;
  /** False when the issuer may not speak of this id. */
  readonly idAllowed: boolean;
  readonly client: string | null;
  readonly tokenId: string | null;
  readonly actor: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly droppedRoles: readonly string[];
}

const MAX_IDENTIFIER_BYTES = 256;
const MAX_ACTORS = 10;
const RESERVED = new Set(['id', 'client', 'token_id', 'act']);
const KNOWN_USER_TYPES: ReadonlySet<string> = new Set(USER_TYPES);

export function compileClaims(issuer: IssuerEntry): ClaimRules {
  const sources = Object.entries(issuer.claims).map(([name, source]) => ({
    name,
    lookup: compilePointer(typeof source === 'string' ? source : source.pointer),
    as: typeof source === 'string' ? null : (source.as ?? null),
  }));
  const special = (name: string): Lookup | null => sources.find((source) => source.name === name)?.lookup ?? null;
  const act = special('act');
  return {
    id: special('id') ?? compilePointer('/sub'),
    client: special('client'),
    tokenId: special('token_id') ?? compilePointer('/jti'),
    // A top-level `act` counts even if the map says nothing of it: who acts must not get lost (RFC 8693 4.1).
    actors: act === null ? [compilePointer('/act')] : [act, compilePointer('/act')],
    attributes: sources.filter((source) => !RESERVED.has(source.name)),
    idAllowed: compileIdPatterns(issuer.may_assert.ids),
    userTypes: new Set(issuer.may_assert.user_types),
    roles: new Set(issuer.may_assert.roles),
  };
}

/** An id exactly, or a prefix ending in `*`; compared by code unit, never normalised. */
export function compileIdPatterns(patterns: readonly string[]): (id: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (id) => exact.has(id) || prefixes.some((prefix) => id.startsWith(prefix));
}

/** @throws PrivityError `token_refused`, class not_acceptable */
export function readClaims(rules: ClaimRules, payload: Payload, firm: FirmNames): MappedClaims {
  const id = identifier(rules.id(payload), 'id');
  // Without prototype, so that an attribute called `constructor` is absent unless the token has it.
  const attributes: Record<string, unknown> = { __proto__: null };
  for (const { name, lookup, as } of rules.attributes) {
    const value = wireValue(lookup(payload), as, name);
    if (value !== undefined) attributes[name] = value;
  }
  mustAssert(attributes['user_type'], KNOWN_USER_TYPES, rules.userTypes, 'user_type');
  mustAssert(attributes['roles'], firm.roles, rules.roles, 'role');
  const droppedRoles = dropUnknownRoles(attributes, firm.roles);
  return {
    id,
    idAllowed: id !== null && rules.idAllowed(id),
    client: rules.client === null ? null : identifier(rules.client(payload), 'client'),
    tokenId: identifier(rules.tokenId(payload), 'token_id'),
    actor: readActor(rules.actors, payload, firm.aiAssistants),
    attributes: compact(attributes),
    droppedRoles,
  };
}

/** Objects that were born without a prototype are tables, several times slower to go through: every decision does. Frozen, for they are kept. */
function compact(attributes: Record<string, unknown>): Readonly<Record<string, unknown>> {
  return Object.freeze(Object.setPrototypeOf({ ...attributes }, null) as Readonly<Record<string, unknown>>);
}

/** Null for absent (missing, null or empty). */
function identifier(value: unknown, claim: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw refused('not_acceptable', `the claim for ${claim} is not a string`);
  mustBeShort(value, claim);
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw refused('not_acceptable', `the claim for ${claim} has control characters`);
  }
  return value;
}

function wireValue(value: unknown, as: WireType | null, name: string): unknown {
  for (const text of stringsIn(value)) mustBeShort(text, name);
  if (as === null) return value;
  if (value === undefined || value === null || value === '') return undefined;
  if (as === 'epoch_seconds') return fromEpochSeconds(value, name);
  if (typeof value !== 'string') throw refused('not_acceptable', `the claim for ${name} is not a string`);
  return value;
}

/** RFC 3339 has years 0000 to 9999 only. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;

function fromEpochSeconds(value: unknown, name: string): string {
  if (typeof value !== 'number' || !(value >= FIRST_SECOND && value <= LAST_SECOND)) {
    throw refused('not_acceptable', `the claim for ${name} is not a number of seconds since 1970`);
  }
  return new Date(Math.floor(value * 1000)).toISOString();
}

/** Every string counts, however it is wrapped, so that a mistyped list smuggles nothing past the limits. */
function mustAssert(
  value: unknown,
  known: ReadonlySet<string>,
  allowed: ReadonlySet<string>,
  kind: 'role' | 'user_type',
): void {
  for (const text of stringsIn(value)) {
    if (known.has(text) && !allowed.has(text)) {
      throw refused('not_acceptable', `${kind} \`${text}\` is outside what the issuer may assert`);
    }
  }
}

/** Only a list of strings has roles to drop; anything else stays as it is, which policy treats as unknown. */
function dropUnknownRoles(attributes: Record<string, unknown>, known: ReadonlySet<string>): readonly string[] {
  const roles = attributes['roles'];
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) return [];
  attributes['roles'] = roles.filter((role) => known.has(role));
  return [...new Set(roles.filter((role) => !known.has(role)))].sort();
}

function readActor(lookups: readonly Lookup[], payload: Payload, assistants: ReadonlySet<string>): string | null {
  let actor: string | null = null;
  for (const lookup of lookups) {
    const value = lookup(payload);
    if (value === undefined) continue;
    const named = actorNamed(value);
    if (!assistants.has(named)) throw refused('not_acceptable', 'act names no declared AI assistant');
    if (actor !== null && actor !== named) throw refused('not_acceptable', 'the token names two actors');
    actor = named;
  }
  return actor;
}

/** The outermost actor alone counts; those inside it are history, but must be of the right shape (RFC 8693 4.1). */
function actorNamed(act: unknown): string {
  let depth = 0;
  for (let inner = act; inner !== undefined; inner = member(inner, 'act')) {
    depth += 1;
    if (!isRecord(inner) || depth > MAX_ACTORS) throw refused('not_acceptable', 'act is not an object of actors');
  }
  const sub = identifier(member(act, 'sub'), 'act.sub');
  if (sub === null) throw refused('not_acceptable', 'act has no sub');
  return sub;
}

function mustBeShort(text: string, claim: string): void {
  // A code unit is at most three bytes of UTF-8.
  if (text.length * 3 > MAX_IDENTIFIER_BYTES && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) {
    throw refused('not_acceptable', `the claim for ${claim} is longer than ${MAX_IDENTIFIER_BYTES} bytes`);
  }
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* stringsIn(inner);
}
