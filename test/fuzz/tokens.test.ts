// Random tokens: what nobody signed is refused, what was signed is judged as a second, plain reading of the same claims judges it, and
// a refusal is a refusal, never a failure.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import t from 'tap';
import { createIdentity } from '../../src/io/identity/identify.ts';
import { PrivityError } from '../../src/model/errors.ts';
import { BEARER_AUDIENCE, callerEntry, signCompact, trustSet } from '../helpers/tokens.ts';
import { fuzz } from './guided.ts';

t.setTimeout(3_600_000);

type Json = Readonly<Record<string, unknown>>;

const NOW = 1_773_151_200;
const ISSUER = 'https://login.firm.example/';
const ROLES = ['partner', 'associate'];
/** Always the same key, so that inputs mean the same tomorrow; it signs nothing but these tests. RFC 8410, 7. */
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});
const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: 'key-1', alg: 'Ed25519', use: 'sig' };
const set = trustSet({
  issuers: [
    {
      issuer: ISSUER,
      keys: { file: 'keys.json' },
      algorithms: ['Ed25519'],
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
      },
      may_assert: { user_types: ['internal'], roles: ROLES as ['partner', 'associate'], ids: ['u-*'] },
      max_token_age: 'PT24H',
      clock_tolerance: 'PT0S',
    },
  ],
  callers: [callerEntry(ISSUER)],
});
const identity = createIdentity({
  now: () => NOW * 1000,
  elapsed: () => 0,
  readKeyFile: async () => Buffer.from(JSON.stringify({ keys: [jwk] })),
  background: false,
});
t.teardown(() => identity.close());
await identity.use(set);

const sign = (header: string | Buffer, payload: string | Buffer): string =>
  signCompact({ header, payload, key, alg: 'Ed25519' });

/** Tokens that were signed here. */
const signed = new Set<string>();

/**
 * First line `token`: what follows is one, as it came. First line `claims`: the second is a header, the rest a payload, to be signed.
 * First line `known`: what follows is laid over a token that is good.
 */
async function run(input: Buffer): Promise<void> {
  const [kind, ...lines] = splitLines(input);
  const [first = Buffer.alloc(0)] = lines;
  const rest = input.subarray((kind?.length ?? 0) + 1);
  if (kind?.toString() === 'claims') {
    const payload = rest.subarray(first.length + 1);
    const token = sign(first, payload);
    signed.add(token);
    await judge(token, first, payload);
  } else if (kind?.toString() === 'known') {
    const good = sign(JSON.stringify(HEADER), JSON.stringify(CLAIMS));
    const at = (first[0] ?? 0) % good.length;
    await judgeText(good.slice(0, at) + rest.subarray(1).toString('latin1') + good.slice(at), good);
  } else {
    await judgeText(rest.toString('latin1'), null);
  }
  if (signed.size > 10_000) signed.clear();
}

const HEADER: Json = { alg: 'Ed25519', typ: 'at+jwt', kid: 'key-1' };
const CLAIMS: Json = {
  ...{ iss: ISSUER, sub: 'u-okafor', aud: BEARER_AUDIENCE, azp: 'dms-backend', iat: NOW, exp: NOW + 3600, jti: 'j-1' },
  ...{ roles: ['partner'], user_type: 'internal', amr: ['mfa'], auth_time: NOW },
};

function splitLines(input: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start <= input.length && parts.length < 3;) {
    const end = input.indexOf('\n', start);
    parts.push(input.subarray(start, end < 0 ? input.length : end));
    start = end < 0 ? input.length + 1 : end + 1;
  }
  return parts;
}

/** The text of a token that was not signed as it stands, unless it is `good`. */
async function judgeText(text: string, good: string | null): Promise<void> {
  const accepted = await accepts(text);
  if (accepted !== null) assert.ok(text === good || signed.has(text), `accepted what nobody signed: ${text}`);
}

async function accepts(token: string): Promise<Awaited<ReturnType<typeof identity.authenticate>> | null> {
  try {
    return await identity.authenticate(set, `Bearer ${token}`);
  } catch (error) {
    if (!(error instanceof PrivityError)) throw error;
    assert.ok(error.code === 'token_refused' || error.code === 'caller_not_allowed', error.code);
    const [, payload = '', signature = ''] = token.split('.');
    const said = `${error.stack ?? ''}${JSON.stringify(error.details)}`;
    for (const part of [payload, signature]) assert.ok(part.length < 20 || !said.includes(part), 'the token is told');
    return null;
  }
}

/** What must hold of everything that is accepted, read without any of the code under test. */
async function judge(token: string, headerText: Buffer, payloadText: Buffer): Promise<void> {
  const bearer = await accepts(token);
  if (bearer === null) return;
  const header = JSON.parse(headerText.toString()) as Json;
  const claims = JSON.parse(payloadText.toString()) as Json;
  assert.equal(header['alg'], 'Ed25519');
  assert.match(String(header['typ']), /^(application\/)?at\+jwt$/i);
  for (const name of ['crit', 'b64', 'enc', 'zip']) assert.ok(!(name in header), name);
  assert.equal(claims['iss'], ISSUER);
  assert.ok([claims['aud']].flat().includes(BEARER_AUDIENCE));
  assert.ok(Number(claims['exp']) > NOW && Number(claims['iat']) <= NOW && Number(claims['iat']) >= NOW - 86_400);
  assert.ok(claims['nbf'] === undefined || Number(claims['nbf']) <= NOW);
  assert.equal(claims['azp'], 'dms-backend');
  for (const name of ['cnf', 'nonce', 'at_hash', 'c_hash', 'events', 'htm', 'htu', '_claim_names']) {
    assert.ok(!Object.hasOwn(claims, name), name);
  }
  const { subject } = bearer.token;
  if (bearer.caller.own) {
    const says = claims['idtyp'] === 'app' || claims['gty'] === 'client-credentials';
    assert.ok(says || claims['sub'] === 'dms-backend', 'a token of a client');
    assert.ok(
      [undefined, null, ''].some((none) => none === claims['user_type']),
      'no person',
    );
    return;
  }
  assert.equal(subject?.id, claims['sub']);
  assert.match(String(claims['sub']), /^u-/);
  assert.ok(!/"(service|client|external)"/.test(JSON.stringify(claims['user_type'] ?? null)), 'user_type');
  assert.ok(!/"(client_user|security_officer)"/.test(JSON.stringify(claims['roles'] ?? null)), 'roles');
  const actor = Object.hasOwn(claims, 'act') ? (claims['act'] as Json)['sub'] : null;
  assert.equal(subject?.actor, actor);
}

t.test('nothing that nobody signed, and nothing that says more than it may', (t) =>
  fuzz(t, { name: 'tokens', watched: /\/src\/io\/identity\//, run }, { executions: 1_500, minutes: 5 }),
);
