// The whole service for tests: real policies, real PostgreSQL, real tokens of the policies' own issuers, whose keys are swapped for the
// test's. It must never reach for the network, nor go around a door.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type pg from 'pg';
import { buildApp, type App, type AppExtras } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Config } from '../../src/environment.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import type { TrustSet } from '../../src/model/identity.ts';
import { connect, createDatabase, type TearsDown, type TestDatabase } from './postgres.ts';
import { makeKey, signCompact, type SigningKey } from './tokens.ts';

type Json = Readonly<Record<string, unknown>>;

export interface AppOptions {
  /** Files laid over the starter policies, or instead of them with `bare`; null removes one. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly bare?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly extras?: AppExtras;
  /** Another test server than the shared one. */
  readonly urls?: TestDatabase['urls'];
}

export interface TestApp {
  readonly app: App;
  readonly config: Config;
  readonly policiesDir: string;
  /** The writer, reader and owner roles of the test's database. */
  readonly urls: TestDatabase['urls'];
  /** Reads with the reader's rights. */
  readonly reader: pg.Client;
  /** Everything that was logged, as objects. */
  readonly log: readonly Json[];
  /** A caller's own token. */
  callerToken(caller?: string, claims?: Json): string;
  /** A person's token for a caller, which brings it along. */
  subjectToken(person: string, claims?: Json): string;
  /** A person's token for Privity, issued to the client of dms. */
  personToken(person: string, claims?: Json): string;
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** A question of a caller about a person, who signed in with MFA just now. */
  ask(person: string, question: Json, options?: AskOptions): Promise<Answer>;
  /** The JSON of a record's bytes. */
  record(id: string): Promise<Json>;
  count(kind: string): Promise<number>;
}

export interface AskOptions {
  readonly caller?: string;
  readonly claims?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  readonly body: { readonly decision?: boolean; readonly context?: Json; readonly [member: string]: unknown };
}

export const STARTER = fileURLToPath(new URL('../../policies', import.meta.url));
const CASES = path.join(STARTER, 'tests');
const KEYS = 'tests:';

export async function startApp(t: TearsDown, options: AppOptions = {}): Promise<TestApp> {
  const { urls } = options.urls === undefined ? await createDatabase(t) : { urls: options.urls };
  const policiesDir = options.environment?.['POLICIES_DIR'] ?? (await policiesFolder(t, options));
  const { config, problems } = readConfig({
    DATABASE_URL: urls.writer,
    DATABASE_READER_URL: urls.reader,
    POLICIES_DIR: policiesDir,
    ...options.environment,
  });
  if (config === null) throw new Error(problems.join('\n'));
  const key = makeKey('ES256');
  const log: Json[] = [];
  const app = await buildApp(config, {
    trustOf: trusting(),
    readKeyFile: (file) => (file.startsWith(KEYS) ? Buffer.from(JSON.stringify({ keys: [key.jwk] })) : null),
    logTo: { write: (line) => void log.push(JSON.parse(line) as Json) },
    ...options.extras,
  });
  t.teardown(() => app.stop());
  const reader = await connect(t, urls.reader);
  const tokens = createTokens(() => app.policies.current(), key);

  const inject = (request: InjectOptions): Promise<LightMyRequestResponse> => app.http.inject(request);
  return {
    app,
    config,
    policiesDir,
    urls,
    reader,
    log,
    ...tokens,
    inject,
    async ask(person, question, { caller = 'dms', claims = {}, headers = {}, path: url = '/v1/authorize' } = {}) {
      const response = await inject({
        method: 'POST',
        url,
        headers: {
          authorization: `Bearer ${tokens.callerToken(caller)}`,
          'content-type': 'application/json',
          ...headers,
        },
        payload: JSON.stringify({
          subject_token: tokens.subjectToken(person, { ...audienceOf(app, caller), ...claims }),
          ...question,
        }),
      });
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    async record(id) {
      const { rows } = await reader.query<{ bytes: Buffer }>('select bytes from decisions where id = $1', [id]);
      if (rows[0] === undefined || rows.length > 1) throw new Error(`${rows.length} records with the id ${id}`);
      return JSON.parse(rows[0].bytes.toString('utf8')) as Json;
    },
    async count(kind) {
      const { rows } = await reader.query<{ n: number }>('select count(*)::int as n from decisions where kind = $1', [
        kind,
      ]);
      return rows[0]?.n ?? 0;
    },
  };
}

/** A document of an open matter with everything that rules may ask for. */
export function document(id: string, properties: Json = {}): Json {
  return {
    type: 'document',
    id,
    properties: {
      matter_id: 'M-1001',
      client_id: 'C-100',
      matter_status: 'open',
      confidentiality: 'confidential',
      privileged: false,
      work_product: false,
      work_product_internal: false,
      phi: false,
      pii: false,
      export_controlled: false,
      data_region: 'EU',
      ...properties,
    },
  };
}

export const OFFICE: Json = {
  network_zone: 'office',
  device_managed: true,
  country: 'DE',
  bulk_count: 1,
  recent_downloads: 0,
};

async function policiesFolder(t: TearsDown, { files = {}, bare }: AppOptions): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-policies-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // A service has no use for the cases of tests/, and they are most of what there is to read.
  if (bare !== true) await cp(STARTER, folder, { recursive: true, filter: (from) => from !== CASES });
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await (text === null ? rm(file, { force: true }) : writeFile(file, text));
  }
  return folder;
}

/** The policies' issuers as they are, with the test's keys. */
function trusting(): (set: PolicySet) => TrustSet {
  const known = new WeakMap<PolicySet, TrustSet>();
  return (set) => {
    const { trustDigest, callers, roles, aiAssistants, lockdown } = set;
    const issuers = set.issuers.map((issuer) => ({ ...issuer, keys: { file: KEYS + issuer.issuer } }));
    const trust = known.get(set) ?? { trustDigest, issuers, callers, roles, aiAssistants, lockdown };
    known.set(set, trust);
    return trust;
  };
}

/** What a token must say to be a subject token of the caller. */
function audienceOf(app: App, caller: string): Json {
  const tokens = app.policies.current().callers.find(({ id }) => id === caller)?.subject_tokens;
  return tokens === undefined ? {} : { aud: tokens.audiences[0], azp: tokens.clients[0] };
}

let minted = 0;

function createTokens(current: () => PolicySet, key: SigningKey) {
  const mint = (issuer: string | undefined, claims: Json): string => {
    const now = Math.floor(Date.now() / 1000);
    minted += 1;
    return signCompact({
      header: { alg: key.alg, typ: 'at+jwt', kid: key.kid },
      payload: { iss: issuer, iat: now, exp: now + 3600, jti: `token-${minted}`, ...claims },
      key: key.privateKey,
      alg: key.alg,
    });
  };
  const issuerOf = (person: string) => {
    const { issuers } = current();
    const speaksOf = (pattern: string): boolean =>
      pattern.endsWith('*') ? person.startsWith(pattern.slice(0, -1)) : person === pattern;
    return issuers.find(({ may_assert: { ids } }) => ids.some(speaksOf));
  };
  const callerOf = (id: string) => {
    const found = current().callers.find((caller) => caller.id === id);
    if (found === undefined) throw new Error(`no caller ${id}`);
    return found;
  };
  const person = (id: string): Json => ({
    ...current().data.directory.get(id),
    sub: id,
    amr: ['pwd', 'mfa'],
    auth_time: Math.floor(Date.now() / 1000),
    idtyp: 'user',
  });
  return {
    callerToken(caller = 'dms', claims: Json = {}) {
      const { issuer, client_id: client } = callerOf(caller);
      const audience = current().issuers.find((one) => one.issuer === issuer)?.audience;
      return mint(issuer, { aud: audience, sub: client, azp: client, ...claims });
    },
    subjectToken(id: string, claims: Json = {}) {
      return mint(issuerOf(id)?.issuer, { ...person(id), aud: 'dms', azp: 'dms-web', ...claims });
    },
    personToken(id: string, claims: Json = {}) {
      const issuer = issuerOf(id);
      return mint(issuer?.issuer, { ...person(id), aud: issuer?.audience, azp: 'dms-backend', ...claims });
    },
  };
}
