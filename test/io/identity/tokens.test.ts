import { createHash } from 'node:crypto';
import t from 'tap';
import type { IssuerEntry } from '../../../src/model/data.ts';
import { START, startIdentity } from '../../helpers/identity.ts';
import { base64url, callerEntry, makeKey, signCompact, startIssuer, trustSet } from '../../helpers/tokens.ts';

type Json = Readonly<Record<string, unknown>>;

t.test('accepts a good token of each algorithm', async (t) => {
  for (const alg of [
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'Ed25519',
    'EdDSA',
  ]) {
    const algorithms = [alg] as IssuerEntry['algorithms'];
    const { issuer, accept } = await startIdentity(t, { entry: { algorithms }, alg });
    t.equal((await accept(issuer.mint())).token.subject?.id, 'u-okafor', alg);
  }
});

t.test('describes what it verified, and lets nobody change it', async (t) => {
  const { issuer, accept } = await startIdentity(t);
  const token = issuer.mint({ jti: 'j-1', roles: ['partner', 'zz'] });
  const { token: verified } = await accept(token);
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url');
  t.match(verified, { issuer: issuer.issuer, client: 'dms-backend', tokenId: 'j-1', clientCredentials: false });
  t.same(verified.subject?.evidence, {
    kind: 'token',
    issuer: issuer.issuer,
    tokenId: 'j-1',
    keyId: 'key-1',
    claimsHash: createHash('sha256').update(payload).digest('hex'),
    droppedRoles: ['zz'],
  });
  t.ok(Object.isFrozen(verified.subject?.attributes));
  t.ok(Object.isFrozen(verified.subject?.attributes['roles']));
  t.equal((await accept(token)).token, verified, 'remembered');
});

t.test('1 alg none in every spelling', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  const payload = base64url(issuer.claims());
  for (const alg of ['none', 'None', 'NONE', 'noNE', 'nOnE ']) {
    const unsigned = `${base64url({ alg, typ: 'at+jwt' })}.${payload}`;
    t.match(await refuse(`${unsigned}.`), /^malformed/, alg);
    t.match(await refuse(`${unsigned}.AAAA`), /^not_trusted: alg/, alg);
    t.match(await refuse(`${unsigned}.${issuer.mint().split('.')[2] ?? ''}`), /^not_trusted: alg/, alg);
  }
});

t.test('2, 3 the public key, or a weak secret, as HMAC secret', async (t) => {
  const { issuer, refuse } = await startIdentity(t, { entry: { algorithms: ['RS256'] }, alg: 'RS256' });
  const secrets = [
    issuer.key.publicKey.export({ type: 'spki', format: 'pem' }),
    issuer.key.publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(issuer.key.jwk),
    '',
    'secret',
  ];
  for (const secret of secrets) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const header = { alg, typ: 'at+jwt', kid: 'key-1' };
      const token = signCompact({ header, payload: issuer.claims(), key: Buffer.from(secret), alg });
      t.match(await refuse(token), /^not_trusted: alg/, alg);
    }
  }
});

t.test('6 JSON that readers read differently', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  const sign = (header: string | Uint8Array, payload: string | Uint8Array): string =>
    signCompact({ header, payload, key: issuer.key.privateKey, alg: 'ES256' });
  const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' });
  const payload = JSON.stringify(issuer.claims());
  t.match(
    await refuse(sign(header, payload.replace('{', '{"sub":"u-evil",'))),
    /^malformed: payload: duplicate_member/,
  );
  t.match(await refuse(sign(header, payload.replace('{', String.raw`{"r\u006fles":[],`))), /duplicate_member/);
  t.match(await refuse(sign(header.replace('{', '{"alg":"none",'), payload)), /^malformed: header: duplicate_member/);
  t.match(await refuse(sign(header, Buffer.from(payload.replace('u-okafor', 'u-\u00ff'), 'latin1'))), /not UTF-8/);
  t.match(await refuse(sign(header, payload.replace('u-okafor', String.raw`u-\u0000`))), /nul_character/);
  t.match(await refuse(sign(header, `${payload} {}`)), /syntax/);
  t.match(await refuse(sign(header, '[]')), /not a JSON object/);
});

t.test('7 substitution: audience, issuer', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t);
  const privity = 'https://privity.firm.example/';
  t.ok(await accept(issuer.mint({ aud: [privity, 'other'] })));
  const audiences: readonly unknown[] = [
    'other',
    ['other'],
    [],
    '',
    privity.slice(0, -1),
    `${privity}x`,
    privity.toUpperCase(),
    [[privity]],
    { 0: privity },
    [privity, 7],
    [privity, ''],
    null,
    true,
  ];
  for (const aud of audiences) t.match(await refuse(issuer.mint({ aud })), /^not_acceptable/, JSON.stringify(aud));
  const issuers: readonly unknown[] = [
    'https://login.firm.example',
    'https://login.firm.example//',
    'HTTPS://login.firm.example/',
    ' https://login.firm.example/',
    'https://evil.example/',
    '__proto__',
    'constructor',
    '',
  ];
  for (const iss of issuers)
    t.match(await refuse(issuer.mint({ iss })), /^not_trusted: the issuer/, JSON.stringify(iss));
  for (const iss of [null, 7, ['https://login.firm.example/'], {}]) {
    t.match(await refuse(issuer.mint({ iss })), /^not_acceptable: iss/, JSON.stringify(iss));
  }
});

t.test('9 kid is looked up, never used; header keys are never followed', async (t) => {
  const { issuer, accept, refuse, clock } = await startIdentity(t);
  const evil = makeKey('ES256', 'evil');
  const kids = ['../../../dev/null', "' or 1=1 --", '__proto__', 'constructor', 'key-1\u0000', '', 'evil', 'KEY-1'];
  for (const kid of kids) {
    t.match(await refuse(issuer.mint({}, { header: { kid } })), /^(not_trusted: ERR_JWKS_NO|malformed)/, kid);
  }
  for (const kid of [7, null, ['key-1'], 'k'.repeat(257)]) {
    t.match(await refuse(issuer.mint({}, { header: { kid } })), /^malformed: kid/);
  }
  const elsewhere = await startIssuer(t);
  elsewhere.publish(evil.jwk);
  clock.elapsed += 60_000;
  for (const header of [
    { jku: elsewhere.jwksUrl },
    { x5u: elsewhere.jwksUrl },
    { jwk: evil.jwk },
    { x5c: ['AAAA'] },
    { jku: elsewhere.jwksUrl, kid: 'key-1', jwk: evil.jwk },
  ]) {
    const names = Object.keys(header).join();
    t.match(await refuse(issuer.mint({}, { key: evil, header })), /^not_trusted/, names);
    t.ok(await accept(issuer.mint({}, { header: { ...header, kid: 'key-1' } })), `${names} is ignored on a good token`);
  }
  t.equal(elsewhere.requests(), 0);
});

t.test('9 a token without kid is good when one key fits, and only then', async (t) => {
  const { issuer, accept, refuse, clock, identity } = await startIdentity(t);
  const token = issuer.mint({}, { header: { kid: undefined } });
  t.equal((await accept(token)).token.subject?.evidence.keyId, null);
  issuer.publish(issuer.key.jwk, makeKey('ES256', 'key-2').jwk);
  clock.elapsed += 600_000;
  await identity.tick();
  t.match(await refuse(token), /^not_trusted: ERR_JWKS_MULTIPLE_MATCHING_KEYS/);
});

t.test('10 every other shape of a token', async (t) => {
  const { issuer, refuse } = await startIdentity(t);
  const good = issuer.mint();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const shapes = [
    `${header}.${payload}`,
    `${good}.${signature}`,
    `${good}.`,
    `${good}=`,
    `${header}=.${payload}.${signature}`,
    ` ${good}`,
    `${good} `,
    `${good}\t`,
    `${good},${good}`,
    `"${good}"`,
    JSON.stringify({ payload, protected: header, signature }),
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    `${header}.${payload}.${signature}AAA`,
  ];
  for (const shape of shapes) t.match(await refuse(shape), /^malformed/, shape.slice(-12));
});

t.test('13 time', async (t) => {
  const seconds = START / 1000;
  const { issuer, accept, refuse } = await startIdentity(t, {
    entry: { clock_tolerance: 'PT30S', max_token_age: 'PT1H' },
  });
  const good: readonly Json[] = [
    { exp: seconds - 29 },
    { exp: seconds + 0.5 },
    { nbf: seconds + 30 },
    { iat: seconds + 30 },
    { iat: seconds - 3630 },
  ];
  for (const claims of good) t.ok(await accept(issuer.mint(claims)), JSON.stringify(claims));
  for (const claims of [{ exp: seconds - 30 }, { exp: 0 }, { exp: 1, iat: 0 }, { iat: seconds - 3631 }]) {
    t.match(await refuse(issuer.mint(claims)), /^expired/, JSON.stringify(claims));
  }
  const bad: readonly Json[] = [
    { nbf: seconds + 31 },
    { iat: seconds + 31 },
    { exp: undefined },
    { iat: undefined },
    { exp: String(seconds + 60) },
    { exp: null },
    { exp: [seconds + 60] },
    { exp: 253_402_300_800 },
    { exp: 1e300 },
    { iat: String(seconds) },
    { nbf: String(seconds) },
    { nbf: null },
    { nbf: -1 },
  ];
  for (const claims of bad) t.match(await refuse(issuer.mint(claims)), /^not_acceptable/, JSON.stringify(claims));
  t.match(await refuse(issuer.mint({ exp: -1 })), /^expired/);
});

t.test('13 without a limit of age, iat still must be there and not lie ahead', async (t) => {
  const seconds = START / 1000;
  const { issuer, accept, refuse } = await startIdentity(t);
  t.ok(await accept(issuer.mint({ iat: seconds - 10_000_000 })));
  t.match(await refuse(issuer.mint({ iat: seconds + 1 })), /^not_acceptable: iat/);
  t.match(await refuse(issuer.mint({ iat: undefined })), /^not_acceptable: .*iat/);
  t.match(await refuse(issuer.mint({ iat: 'x' })), /^not_acceptable/);
  t.match(await refuse(issuer.mint({ iat: -1 })), /^not_acceptable: iat/);
});

t.test('14 oversize', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t);
  t.ok(await accept(issuer.mint({ padding: 'x'.repeat(11_000) })));
  t.match(await refuse(issuer.mint({ padding: 'x'.repeat(13_000) })), /^malformed: token longer/);
  t.match(await refuse('A'.repeat(1_000_000)), /^malformed: token longer/);
  t.match(
    await refuse(issuer.mint({ deep: JSON.parse('['.repeat(100) + ']'.repeat(100)) as unknown })),
    /nested_too_deep/,
  );
});

t.test('16 claims of the wrong type', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t);
  for (const sub of [7, null, ['u-okafor'], { id: 'u-okafor' }, '', undefined, true]) {
    t.match(await refuse(issuer.mint({ sub })), /^not_acceptable/, JSON.stringify(sub));
  }
  for (const roles of ['partner', { partner: true }, 7, null, ['partner', 7], [['partner']]]) {
    const { token } = await accept(issuer.mint({ roles }));
    t.same(token.subject?.attributes['roles'], roles, 'for policy to find unknown');
  }
  t.match(await refuse(issuer.mint({ azp: 7 })), /^not_acceptable/);
  t.match(await refuse(issuer.mint({ jti: { id: 1 } })), /^not_acceptable/);
  t.match(await refuse(issuer.mint({ sub: 'u-'.padEnd(257, 'x') })), /^not_acceptable: .*longer/);
});

t.test('no key of another issuer, and none of nobody', async (t) => {
  const one = await startIdentity(t);
  const two = await startIssuer(t, { issuer: 'https://two.example/', now: () => START });
  const set = trustSet({
    issuers: [one.issuer.entry(), two.entry({ may_assert: { user_types: ['client'], roles: [], ids: ['c-*'] } })],
    callers: [callerEntry(one.issuer.issuer)],
  });
  t.ok(await one.accept(one.issuer.mint(), set));
  t.match(await one.refuse(one.issuer.mint({}, { key: two.key }), set), /^not_trusted: ERR_JWS_SIGNATURE/, 'same kid');
  t.match(await one.refuse(two.mint({ iss: one.issuer.issuer }), set), /^not_trusted/);
  t.match(await one.refuse(one.issuer.mint({ iss: two.issuer }), set), /^not_trusted/);
  t.match(await one.refuse(two.mint(), set), /^not_acceptable: user_type/, 'staff, says the provider of a client');
  const twice = trustSet({ issuers: [one.issuer.entry(), one.issuer.entry()], callers: set.callers });
  t.match(await one.refuse(one.issuer.mint(), twice), /^not_trusted/, 'an issuer listed twice is nobody');
});

t.test('refusals carry no token, no signature, no personal data', async (t) => {
  const { issuer, accept } = await startIdentity(t);
  const token = issuer.mint({ sub: 'u-secret-person', exp: 1, iat: 0 });
  try {
    await accept(token);
    t.fail('accepted');
  } catch (error) {
    const everything = JSON.stringify([error, String(error), (error as Error).cause ?? null, (error as Error).stack]);
    for (const part of [...token.split('.'), 'u-secret-person']) t.notOk(everything.includes(part));
  }
});
