// The example firm's service as an attacker meets it: a process of its own, sockets, issuers that publish their keys at endpoints, and
// the log beside it. It must never reach into the process, nor count a refusal that left no record.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Test } from 'tap';
import { generateWriterKey } from '../../src/io/log/writer-key.ts';
import { document, OFFICE } from './app.ts';
import { startKeyEndpoint, type KeyEndpoint, type TearsDown } from './key-endpoint.ts';
import { scratch } from './launch.ts';
import { connect, createDatabase, type TestDatabase } from './postgres.ts';
import { createFirm, type FirmFiles } from './service-firm.ts';
import { startService, type Service, type ServiceOptions } from './service.ts';
import { makeKey, signCompact, type SigningKey } from './tokens.ts';

export type Json = Readonly<Record<string, unknown>>;

export const LOGIN = 'https://login.firm.example/';
export const PARTNERS = 'https://partners.firm.example/';
/** Signs with Ed25519 and nothing else. */
export const EDWARDS = 'https://ed.firm.example/';
/** Says JWT, or nothing, in `typ`. */
export const LAX = 'https://lax.firm.example/';
export const AUDIENCE = 'https://privity.firm.example/';

export interface AttackedIssuer {
  readonly endpoint: KeyEndpoint;
  /** The key that signs unless told otherwise. */
  readonly key: SigningKey;
  /** RSA, published beside it; null where the issuer has none. */
  readonly rsa: SigningKey | null;
}

/** A token before it is signed. */
export interface Draft {
  readonly header: Json;
  readonly payload: Json;
  readonly key: SigningKey;
}

/** Where a token is put: both places are judged by the same code, and both must refuse. */
export type Position = 'bearer' | 'subject';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
}

export interface AttackRig {
  readonly service: Service;
  readonly database: TestDatabase;
  readonly reader: pg.Client;
  readonly issuers: Readonly<Record<string, AttackedIssuer>>;
  /** Nobody's key. */
  readonly strange: SigningKey;
  /** A good token of a person in that position, not signed yet. */
  draft(position: Position, claims?: Json): Draft;
  /** A caller's own token. */
  callerToken(client?: string, claims?: Json): string;
  personToken(claims?: Json): string;
  subjectToken(claims?: Json): string;
  /** POST; with the token in the position, and everything else as it should be. */
  send(position: Position, token: string, requestId?: string): Promise<Answer>;
  post(path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /** Waits for what a request left in the log. */
  recordOf(requestId: string): Promise<Json>;
  decisions(): Promise<number>;
}

export const QUESTION: Json = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };

const STARTER = fileURLToPath(new URL('../../policies', import.meta.url));
const MANY = 100_000;

export interface AttackOptions {
  readonly files?: FirmFiles;
  readonly environment?: ServiceOptions['environment'];
  /** Whether checkpoints are signed. */
  readonly seals?: boolean;
  /** More of issuers.yaml, below `issuers:`. */
  readonly issuers?: string;
  /** More of callers.yaml, below `callers:`. */
  readonly callers?: string;
}

export async function startAttackRig(t: TearsDown, options: AttackOptions = {}): Promise<AttackRig> {
  const database = await createDatabase(t);
  const issuers: Readonly<Record<string, AttackedIssuer>> = {
    [LOGIN]: await startIssuer(t, 'ES256'),
    [PARTNERS]: await startIssuer(t, 'ES256'),
    [EDWARDS]: await startIssuer(t, 'Ed25519'),
    [LAX]: await startIssuer(t, 'ES256'),
  };
  const firm = await createFirm(t, {
    'issuers.yaml': issuersFile(issuers) + (options.issuers ?? ''),
    'callers.yaml': `${readFileSync(`${STARTER}/callers.yaml`, 'utf8')}${CALLERS}${options.callers ?? ''}`,
    ...options.files,
  });
  const environment = {
    ...(options.seals === true ? await sealing(t, database.urls.sealer) : {}),
    ...options.environment,
  };
  const service = await startService(t, {
    urls: database.urls,
    firm,
    environment,
    // Every refusal is listed by itself, and a new key is looked for whenever a token names one.
    limits: { refused: { perSecond: MANY, burst: MANY, maxWaiting: MANY, maxCounters: 200, countMs: 5_000 } },
    keyTimes: { cooldownMs: 0 },
  });
  const reader = await connect(t, database.urls.reader);
  const draft = (position: Position, claims: Json = {}): Draft => draftOf(issuers, position, claims);
  const rig: AttackRig = {
    service,
    database,
    reader,
    issuers,
    strange: makeKey('ES256', 'strange'),
    draft,
    callerToken: (client = 'dms-backend', claims = {}) =>
      signDraft(draft('bearer', { sub: client, azp: client, roles: undefined, user_type: undefined, ...claims })),
    personToken: (claims = {}) => signDraft(draft('bearer', claims)),
    subjectToken: (claims = {}) => signDraft(draft('subject', claims)),
    send(position, token, requestId = randomUUID()) {
      const headers = { 'content-type': 'application/json', 'x-request-id': requestId };
      return position === 'bearer'
        ? rig.post('/v1/authorize', QUESTION, { ...headers, authorization: `Bearer ${token}` })
        : rig.post(
            '/v1/authorize',
            { subject_token: token, ...QUESTION },
            { ...headers, authorization: `Bearer ${rig.callerToken()}` },
          );
    },
    async post(door, body, headers) {
      const response = await fetch(service.url + door, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Json };
    },
    async recordOf(requestId) {
      for (;;) {
        const { rows } = await reader.query<{ bytes: Buffer }>('select bytes from decisions where request_id = $1', [
          requestId,
        ]);
        if (rows[0] !== undefined) return JSON.parse(rows[0].bytes.toString('utf8')) as Json;
        await sleep(10);
      }
    },
    async decisions() {
      const { rows } = await reader.query<{ n: number }>(
        `select count(*)::int as n from decisions where kind = 'decision'`,
      );
      return rows[0]?.n ?? 0;
    },
  };
  return rig;
}

async function sealing(t: TearsDown, url: string): Promise<Readonly<Record<string, string>>> {
  const folder = await scratch(t);
  const key = path.join(folder, 'checkpoint.pem');
  await generateWriterKey(key);
  return { DATABASE_SEALER_URL: url, CHECKPOINT_KEY_FILE: key, CHECKPOINT_DIR: folder, LOG_NAME: 'log.firm.example' };
}

export function signDraft({ header, payload, key }: Draft): string {
  return signCompact({ header, payload, key: key.privateKey, alg: key.alg });
}

/**
 * Refused as it must be: the status, the class of the reason and nothing finer, one record with that class, and nothing of the token
 * in answer, record or log.
 */
export async function mustRefuse(
  t: Test,
  rig: AttackRig,
  token: string,
  answer: Answer,
  expected: { readonly reason: string | null; readonly status?: 401 | 403 },
): Promise<void> {
  const { reason, status = 401 } = expected;
  t.equal(answer.status, status, 'status');
  const requestId = answer.headers.get('x-request-id') ?? '';
  t.match(answer.body, { code: status === 401 ? 'token_refused' : 'caller_not_allowed', request_id: requestId });
  if (status === 401) {
    const realm = 'Bearer realm="privity"';
    const error = `, error="invalid_token", error_description="${reason}"`;
    t.equal(answer.headers.get('www-authenticate'), reason === 'missing' ? realm : realm + error);
  }
  const record = await rig.recordOf(requestId);
  t.match(record, { kind: 'refused', code: answer.body['code'], reason }, 'recorded');
  const said = [
    answer.text,
    JSON.stringify([...answer.headers]),
    JSON.stringify(record),
    JSON.stringify(rig.service.log),
  ];
  for (const piece of piecesOf(token)) {
    if (said.some((text) => text.includes(piece))) t.fail(`echoed: ${piece}`);
  }
}

/** Stretches of a token that appear nowhere else by chance. */
function piecesOf(token: string): readonly string[] {
  const pieces: string[] = [];
  for (const part of token.split('.')) {
    for (let at = 0; at + PIECE <= part.length; at += PIECE) pieces.push(part.slice(at, at + PIECE));
  }
  return pieces;
}

const PIECE = 20;

async function startIssuer(t: TearsDown, alg: string): Promise<AttackedIssuer> {
  const endpoint = await startKeyEndpoint(t);
  const key = makeKey(alg, 'main');
  const rsa = alg === 'ES256' ? makeKey('RS256', 'rsa') : null;
  endpoint.publish(key.jwk, ...(rsa === null ? [] : [rsa.jwk]));
  return { endpoint, key, rsa };
}

function draftOf(issuers: AttackRig['issuers'], position: Position, claims: Json): Draft {
  const now = Math.floor(Date.now() / 1000);
  const iss = typeof claims['iss'] === 'string' ? claims['iss'] : LOGIN;
  const key = (issuers[iss] ?? issuers[LOGIN])?.key;
  if (key === undefined) throw new Error('no issuer');
  return {
    header: { alg: key.alg, typ: iss === LAX ? 'JWT' : 'at+jwt', kid: key.kid },
    payload: {
      iss,
      sub: 'u-okafor',
      aud: position === 'bearer' ? AUDIENCE : 'dms',
      azp: position === 'bearer' ? 'dms-backend' : 'dms-web',
      iat: now,
      exp: now + 3600,
      jti: randomUUID(),
      auth_time: now,
      amr: ['pwd', 'mfa'],
      user_type: 'internal',
      roles: ['partner'],
      employee_status: 'active',
      contract_type: 'permanent',
      training_until: '2030-12-31T00:00:00Z',
      practice_groups: ['litigation'],
      ...claims,
    },
    key,
  };
}

/** The starter's issuers, their keys at endpoints here, and two more that trust other shapes of tokens. */
function issuersFile(issuers: AttackRig['issuers']): string {
  const url = (name: string): string => issuers[name]?.endpoint.url ?? '';
  const text = readFileSync(`${STARTER}/issuers.yaml`, 'utf8')
    .replace('https://login.firm.example/jwks', url(LOGIN))
    .replace('https://partners.firm.example/jwks', url(PARTNERS));
  const claims = `{ id: /sub, client: /azp, token_id: /jti, act: /act, roles: /roles, user_type: /user_type, employee_status: /employee_status, contract_type: /contract_type, amr: /amr, training_until: { pointer: /training_until, as: rfc3339 }, auth_time: { pointer: /auth_time, as: epoch_seconds } }`;
  const more = (name: string, algorithm: string, typ: string, prefix: string): string => `
  - issuer: ${name}
    keys: { url: '${url(name)}' }
    algorithms: [${algorithm}]
    audience: ${AUDIENCE}
    typ: ${typ}
    claims: ${claims}
    may_assert: { user_types: [internal], roles: [partner, associate], ids: ['${prefix}-*'] }
`;
  return text + more(EDWARDS, 'Ed25519', 'at+jwt', 'e') + more(LAX, 'ES256', 'any', 'l');
}

const CALLERS = `
  - { id: ed-app, issuer: '${EDWARDS}', client_id: dms-backend, source_system: dms, may: [authorize] }
  - { id: lax-app, issuer: '${LAX}', client_id: dms-backend, source_system: dms, may: [authorize] }
`;
