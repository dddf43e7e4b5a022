// The development issuer: a key of this machine's own and tokens for trying things out. It must never be part of `privity serve`;
// whoever reads its key file can be anybody, so it is for loopback and made-up data.
import { chmod, link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import type { CallerEntry, IssuerEntry } from '../../model/data.ts';
import { USER_TYPES } from '../../model/firm.ts';
import type { TrustSet } from '../../model/identity.ts';
import { member } from './pointer.ts';
import { parseStrictJson } from './strict-json.ts';

export const DEVELOPMENT_ISSUER = 'http://127.0.0.1/dev-issuer';
/** Of bearer tokens. */
export const DEVELOPMENT_AUDIENCE = 'http://127.0.0.1/privity';
/** Of subject tokens, whichever the caller. */
export const DEVELOPMENT_SUBJECT_AUDIENCE = 'privity-dev';
/** What the issuer's entry names as key file; a colon keeps it apart from files of a policies folder. */
export const DEVELOPMENT_KEYS = 'development-issuer:keys';

const ALGORITHM = 'Ed25519';
const KEY_FILE = 'dev-issuer.jwk.json';

export interface DevelopmentIssuerOptions {
  /** Folder of this machine's state, such as `.privity`; made if it is not there. */
  readonly stateDir: string;
  readonly now: () => number;
  readonly lifetimeSeconds?: number;
}

export interface DevelopmentIssuer {
  /** The public key set: what `readKeyFile` gives for DEVELOPMENT_KEYS. */
  readonly keyBytes: Uint8Array;
  /** The set as it is trusted in development: this issuer, and every caller as a client of it. The same object for the same set. */
  trust(set: TrustSet, subjectAttributes: Iterable<string>): TrustSet;
  /**
   * A token by which the caller asks: client credentials. A service account that is to ask about itself needs claims
   * (user_type, roles).
   */
  mintCallerToken(caller: CallerEntry, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /**
   * A token about a person or service. `claims` pass through unchanged; iss, aud, azp, iat, exp, jti and idtyp are added where
   * they are missing. Good as bearer (for the caller whose client it was issued to) and as subject token under any caller.
   */
  mintPersonToken(token: {
    readonly claims: Readonly<Record<string, unknown>>;
    readonly client: string;
  }): Promise<string>;
}

export async function developmentIssuer(options: DevelopmentIssuerOptions): Promise<DevelopmentIssuer> {
  const { privateKey, publicKey } = await loadOrMake(options.stateDir);
  const key = await importJWK(privateKey, ALGORITHM);

  async function mint(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const iat = Math.floor(options.now() / 1000);
    const exp = iat + (options.lifetimeSeconds ?? 12 * 60 * 60);
    return new SignJWT({ iss: DEVELOPMENT_ISSUER, iat, exp, jti: randomUUID(), ...claims })
      .setProtectedHeader({
        alg: ALGORITHM,
        typ: 'at+jwt',
        ...(publicKey.kid === undefined ? {} : { kid: publicKey.kid }),
      })
      .sign(key);
  }

  const trusted = new WeakMap<TrustSet, TrustSet>();

  return {
    trust(set, subjectAttributes) {
      const known = trusted.get(set) ?? withDevelopmentIssuer(set, subjectAttributes);
      trusted.set(set, known);
      return known;
    },
    keyBytes: Buffer.from(JSON.stringify({ keys: [publicKey] })),
    mintCallerToken: ({ client_id: client }, claims = {}) =>
      mint({ aud: DEVELOPMENT_AUDIENCE, sub: client, azp: client, ...claims }),
    // `idtyp: user` says that this is not client credentials, so that a service's claims work as subject token too.
    mintPersonToken: ({ claims, client }) =>
      mint({ aud: [DEVELOPMENT_AUDIENCE, DEVELOPMENT_SUBJECT_AUDIENCE], azp: client, idtyp: 'user', ...claims }),
  };
}

function withDevelopmentIssuer(set: TrustSet, subjectAttributes: Iterable<string>): TrustSet {
  return {
    trustDigest: `${set.trustDigest}+development`,
    issuers: [...set.issuers, developmentIssuerEntry({ roles: set.roles, subjectAttributes })],
    callers: [...set.callers, ...mirrorCallers(set.callers)],
    roles: set.roles,
    aiAssistants: set.aiAssistants,
    lockdown: set.lockdown,
  };
}

/** May assert everything the firm has; claim names are attribute names, and values pass as they are. */
export function developmentIssuerEntry(firm: {
  readonly roles: Iterable<string>;
  readonly subjectAttributes: Iterable<string>;
}): IssuerEntry {
  const names = [...new Set([...firm.subjectAttributes, 'roles', 'user_type'])];
  const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return {
    issuer: DEVELOPMENT_ISSUER,
    keys: { file: DEVELOPMENT_KEYS },
    algorithms: [ALGORITHM],
    audience: DEVELOPMENT_AUDIENCE,
    typ: 'at+jwt',
    claims: {
      ...Object.fromEntries(names.map((name) => [name, pointer(name)])),
      id: '/sub',
      client: '/azp',
      token_id: '/jti',
      act: '/act',
    },
    may_assert: { user_types: [...USER_TYPES], roles: [...firm.roles], ids: ['*'] },
  };
}

/** Every registered caller once more, as a client of the development issuer: same id, rights, source system and client id. */
export function mirrorCallers(callers: readonly CallerEntry[]): readonly CallerEntry[] {
  const mirrored: CallerEntry[] = [];
  const clients = new Set<string>();
  for (const caller of callers) {
    if (caller.issuer === DEVELOPMENT_ISSUER) continue;
    // Two issuers may use one client id for different callers; here they must differ.
    const client = clients.has(caller.client_id) ? `${caller.client_id}#${caller.id}` : caller.client_id;
    clients.add(client);
    mirrored.push({ ...caller, issuer: DEVELOPMENT_ISSUER, client_id: client });
  }
  for (const caller of callers) for (const client of caller.subject_tokens?.clients ?? []) clients.add(client);
  const subjectTokens = { audiences: [DEVELOPMENT_SUBJECT_AUDIENCE], clients: [...clients] };
  return mirrored.map((caller) => ({ ...caller, subject_tokens: subjectTokens }));
}

/** Made once; two processes that start together agree on the one whose file came first. */
async function loadOrMake(stateDir: string): Promise<{ privateKey: JWK; publicKey: JWK }> {
  const path = join(stateDir, KEY_FILE);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const text = (await readIfThere(path)) ?? (await makeKeyFile(path));
  // A copy or a restore may have opened it up.
  await chmod(path, 0o600);
  const json = parseStrictJson(text);
  const x = member(json.ok && json.value, 'x');
  const d = member(json.ok && json.value, 'd');
  if (typeof x !== 'string' || typeof d !== 'string') {
    throw new Error(`${path} holds no key: delete it, and a new one will be made`);
  }
  const key = { kty: 'OKP', crv: 'Ed25519', x };
  const kid = await calculateJwkThumbprint(key);
  return { privateKey: { ...key, d }, publicKey: { ...key, kid, use: 'sig', alg: ALGORITHM } };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Written aside and linked into place: never half a file, never over another's. */
async function makeKeyFile(path: string): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, `${JSON.stringify(await exportJWK(privateKey))}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(aside, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(aside);
  }
  return readFile(path, 'utf8');
}
