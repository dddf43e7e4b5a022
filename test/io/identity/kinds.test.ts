import t from 'tap';
import type { IssuerEntry } from '../../../src/model/data.ts';
import { startIdentity } from '../../helpers/identity.ts';
import { base64url, signCompact } from '../../helpers/tokens.ts';

type Json = Readonly<Record<string, unknown>>;

t.test('4, 5 encrypted tokens, compression', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  const jwe = [{ alg: 'RSA-OAEP', enc: 'A256GCM' }, 'key', 'iv', 'text', 'tag'].map(base64url).join('.');
  t.match(await refuse(jwe), /^malformed: not a compact JWS: 5 parts/);
  for (const name of ['enc', 'zip']) {
    t.match(await refuse(issuer.mint({}, { header: { [name]: 'DEF' } })), /^malformed: header parameter/, name);
  }
  t.match(await refuse(issuer.mint({}, { header: { alg: 'PBES2-HS256+A128KW', p2c: 1e9 } })), /^not_trusted: alg/);
});

t.test('8 tokens of another kind', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  const kinds: readonly [string, Json][] = [
    ['ID token with nonce', { nonce: 'n' }],
    ['ID token with at_hash', { at_hash: 'x' }],
    ['ID token with c_hash', { c_hash: 'x' }],
    ['logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['DPoP proof', { htm: 'POST', htu: 'https://privity.firm.example/v1/authorize' }],
    ['Keycloak ID token', { typ: 'ID' }],
    ['Keycloak refresh token', { typ: 'Refresh' }],
    ['Cognito ID token', { token_use: 'id' }],
    ['bound to a DPoP key', { cnf: { jkt: 'x' } }],
    ['bound to a certificate', { cnf: { 'x5t#S256': 'x' } }],
    ['bound to nothing at all', { cnf: null }],
    ['groups overage', { _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } }],
    ['groups overage, implicit flow', { hasgroups: true }],
    ['groups overage as text', { hasgroups: 'true' }],
    ['for its own client', { aud: ['https://privity.firm.example/', 'dms-backend'] }],
  ];
  for (const [name, claims] of kinds) t.match(await refuse(issuer.mint(claims)), /^not_acceptable/, name);
});

t.test('8 typ, as the entry of the issuer says', async (t) => {
  const allowed: Readonly<Record<IssuerEntry['typ'], readonly (string | undefined)[]>> = {
    'at+jwt': ['at+jwt', 'AT+JWT', 'application/at+jwt'],
    JWT: ['JWT', 'jwt', 'application/jwt'],
    any: ['at+jwt', 'application/at+jwt', 'JWT', undefined, 'Bearer'],
  };
  const others = [
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'application/dpop+jwt',
    'id+jwt',
    '',
    'x/at+jwt',
    7,
    null,
    ['at+jwt'],
  ];
  for (const typ of ['at+jwt', 'JWT', 'any'] as const) {
    const { issuer, accept, refuse } = await startIdentity(t, { entry: { typ } });
    for (const good of allowed[typ]) t.ok(await accept(issuer.mint({}, { header: { typ: good } })), `${typ}: ${good}`);
    const bad = [...others, ...allowed.any, ...allowed.JWT].filter((one) => !allowed[typ].some((good) => good === one));
    for (const one of bad) {
      if (typ === 'any' && typeof one === 'string' && !one.endsWith('+jwt')) continue;
      t.match(
        await refuse(issuer.mint({}, { header: { typ: one } })),
        /^not_acceptable: typ/,
        `${typ}: ${String(one)}`,
      );
    }
  }
});

t.test('11 one key, one algorithm', async (t) => {
  const { issuer, refuse } = await startIdentity(t, {
    entry: { algorithms: ['RS256', 'PS256', 'RS512'] },
    alg: 'RS256',
  });
  for (const alg of ['PS256', 'RS512', 'PS512', 'RS1']) {
    const header = { alg, typ: 'at+jwt', kid: 'key-1' };
    const token = signCompact({
      header,
      payload: issuer.claims(),
      key: issuer.key.privateKey,
      alg: alg === 'RS1' ? 'RS256' : alg,
    });
    t.match(await refuse(token), /^not_trusted/, alg);
  }
  const ed = await startIdentity(t, { entry: { algorithms: ['Ed25519'] }, alg: 'Ed25519' });
  const polymorphic = signCompact({
    header: { alg: 'EdDSA', typ: 'at+jwt', kid: 'key-1' },
    payload: ed.issuer.claims(),
    key: ed.issuer.key.privateKey,
    alg: 'Ed25519',
  });
  t.match(await ed.refuse(polymorphic), /^not_trusted: alg/);
});

t.test('12 crit and b64', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  for (const header of [
    { crit: ['exp'], exp: 1 },
    { crit: [] },
    { crit: ['b64'], b64: false },
    { crit: ['b64'], b64: true },
    { b64: false },
    { crit: 'x' },
    { crit: null },
  ]) {
    t.match(await refuse(issuer.mint({}, { header })), /^malformed: header parameter/, JSON.stringify(header));
  }
});

t.test('whose own a token is, in the shapes that providers give it', async (t) => {
  const { issuer, accept } = await startIdentity(t);
  const bare: Json = { roles: undefined, user_type: undefined };
  const own: readonly [string, Json][] = [
    ['RFC 9068, Okta, Ping: sub is the client', { ...bare, sub: 'dms-backend' }],
    ['the same, with a user type', { ...bare, sub: 'dms-backend', user_type: 'service' }],
    ['null and empty user types say nothing', { ...bare, sub: 'dms-backend', user_type: '' }],
    ['Keycloak: a service account has an id of its own', { sub: '1f4db6ad', roles: [], user_type: 'service' }],
    ['Entra: oid of a service principal', { ...bare, sub: '5d1e', idtyp: 'app' }],
    ['Auth0: a suffix', { ...bare, sub: 'dms-backend@clients', gty: 'client-credentials' }],
  ];
  for (const [name, claims] of own) {
    const { caller, token } = await accept(issuer.mint(claims));
    t.match({ caller, token }, { caller: { own: true }, token: { clientCredentials: true } }, name);
  }
  const act = { act: { sub: 'svc-ai-assistant' } };
  const persons: readonly [string, Json][] = [
    ['a person', {}],
    ['a person who took the name of the client', { sub: 'u-dms', azp: 'u-dms' }],
    ['a person, whatever else the token says', { idtyp: 'app' }],
    ['a person, whatever Auth0 says', { gty: 'client-credentials' }],
    ['a user type that is not known', { sub: 'svc-x', user_type: 'robot', idtyp: 'app' }],
    ['a user type that is no text', { sub: 'svc-x', user_type: ['service'], idtyp: 'app' }],
    ['someone acts', { sub: 'svc-x', user_type: 'service', roles: [], ...act }],
    ['Entra says so', { sub: 'svc-x', user_type: 'service', roles: [], idtyp: 'user' }],
    ['nothing is said', { ...bare, sub: 'u-okafor' }],
  ];
  const users = await startIdentity(t, { callers: [{}, { id: 'portal', client_id: 'u-dms' }] });
  for (const [name, claims] of persons) {
    const { caller, token } = await users.accept(users.issuer.mint(claims));
    t.match({ caller, token }, { caller: { own: false }, token: { clientCredentials: false } }, name);
  }
});

t.test('sub must be there, wherever the id stands', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t, { entry: { claims: { id: '/oid', client: '/azp' } } });
  t.equal((await accept(issuer.mint({ oid: 'u-1', sub: 'pairwise' }))).token.subject?.id, 'u-1');
  for (const sub of [7, null, '', undefined, ['u-1']]) {
    t.match(await refuse(issuer.mint({ oid: 'u-1', sub })), /^not_acceptable: .*sub/, JSON.stringify(sub));
  }
});

t.test('a token for a client, where people have an id of their own', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t, { entry: { claims: { id: '/uid', client: '/cid' } } });
  const okta = { azp: undefined, cid: 'dms-backend' };
  t.ok((await accept(issuer.mint({ ...okta, sub: 'dms-backend' }))).caller.own, 'Okta: sub is the client, no uid');
  t.notOk(
    (await accept(issuer.mint({ ...okta, sub: 'dms-backend', uid: 'u-okafor' }))).caller.own,
    'a person of that login',
  );
  t.match(await refuse(issuer.mint({ ...okta, sub: 'jane@firm.example' })), /^not_acceptable/, 'a person without uid');
});
