// Attacks on what a signed token says and on how it is written (RFC 8725, 3.7 to 3.12), over HTTP against a running service. The
// signatures are good: only a careful reader refuses these.
import { randomUUID } from 'node:crypto';
import t from 'tap';
import {
  AUDIENCE,
  EDWARDS,
  LAX,
  LOGIN,
  mustRefuse,
  QUESTION,
  signDraft,
  startAttackRig,
  type Draft,
  type Json,
} from '../helpers/attack-rig.ts';
import { signCompact } from '../helpers/tokens.ts';
import { runAttacks, withClaims, withHeader, type Attack } from './table.ts';

t.setTimeout(300_000);

const rig = await startAttackRig(t);

const said = (name: string, reason: string, claims: Json): Attack => ({
  name,
  reason,
  forge: (good) => signDraft(withClaims(good, claims)),
});
const typed = (typ: unknown): Attack => ({
  name: `8 typ ${encodeURIComponent(String(typ))}`,
  reason: 'not_acceptable',
  forge: (good) => signDraft(withHeader(good, { typ })),
});
/** Header and payload as text, signed like that. */
const written = (name: string, reason: string, rewrite: (payload: string) => string | Buffer): Attack => ({
  name,
  reason,
  forge: ({ header, payload, key }) =>
    signCompact({ header, payload: rewrite(JSON.stringify(payload)), key: key.privateKey, alg: key.alg }),
});

const json: readonly Attack[] = [
  written('6 a member twice', 'malformed', (text) => text.replace('{', '{"sub":"u-evil",')),
  written('6 a member twice, once escaped', 'malformed', (text) =>
    text.replace('{', String.raw`{"\u0073ub":"u-evil",`),
  ),
  written('6 a member twice, deep inside', 'malformed', (text) => text.replace('{', '{"x":[{"y":1,"y":2}],')),
  written('6 bytes that are not UTF-8', 'malformed', (text) =>
    Buffer.from(text.replace('u-okafor', 'u-\u00ff'), 'latin1'),
  ),
  written('6 UTF-16', 'malformed', (text) => Buffer.from(text, 'utf16le')),
  written('6 a byte order mark', 'malformed', (text) => `\ufeff${text}`),
  written('6 half a surrogate pair', 'malformed', (text) => text.replace('u-okafor', String.raw`u-\ud800`)),
  written('6 the character U+0000', 'malformed', (text) => text.replace('u-okafor', String.raw`u-okafor\u0000x`)),
  written('6 something after the object', 'malformed', (text) => `${text} {}`),
  written('6 a comment', 'malformed', (text) => `${text}/**/`),
  written('6 a list', 'malformed', (text) => `[${text}]`),
  written('6 no JSON', 'malformed', () => 'sub=u-okafor'),
  written('6 a number that is none', 'malformed', (text) => text.replace(/"exp":\d+/, '"exp":1e999')),
  {
    name: '6 alg twice in the header',
    reason: 'malformed',
    forge: ({ header, payload, key }) =>
      signCompact({
        header: JSON.stringify(header).replace('{', '{"alg":"none",'),
        payload,
        key: key.privateKey,
        alg: key.alg,
      }),
  },
];

const others: readonly Json[] = [
  { aud: 'https://other.example/' },
  { aud: [] },
  { aud: '' },
  { aud: null },
  { aud: true },
  { aud: undefined },
  { aud: { 0: AUDIENCE } },
  { aud: [[AUDIENCE, 'dms']] },
  { aud: [AUDIENCE, 'dms', 7] },
  { aud: [AUDIENCE, 'dms', ''] },
  { aud: 'https://privity.firm.example' },
  { aud: 'https://privity.firm.example/x' },
  { aud: `${AUDIENCE} dms` },
  { aud: 'DMS' },
  { aud: ['dms-web', 'dms-backend', 'dms', AUDIENCE] },
];
const substitution: readonly Attack[] = [
  ...others.map((claims) => said(`7 ${JSON.stringify(claims)}`, 'not_acceptable', claims)),
  ...[
    'https://login.firm.example',
    'https://login.firm.example//',
    'HTTPS://login.firm.example/',
    ' https://login.firm.example/',
    'https://evil.example/',
    'https://login.firm.example/?',
    'https://login.firm.example:443/',
    '__proto__',
    'constructor',
    '',
  ].map((iss) => said(`7 iss ${JSON.stringify(iss)}`, 'not_trusted', { iss })),
  ...[null, 7, [LOGIN], {}, undefined].map((iss) => said(`7 iss ${JSON.stringify(iss)}`, 'not_acceptable', { iss })),
];

const ID_TOKENS: readonly Attack[] = [
  { iss: LAX, sub: 'l-1', nonce: 'n' },
  { iss: LAX, sub: 'l-1', aud: 'dms-backend' },
  { iss: LAX, sub: 'l-1', at_hash: 'x' },
].map((claims) => ({
  name: `8 an ID token of an issuer that says JWT: ${Object.keys(claims).at(-1)}`,
  reason: 'not_acceptable',
  positions: ['bearer'],
  forge: () => signDraft(rig.draft('bearer', claims)),
}));

const kinds: readonly Attack[] = [
  ...ID_TOKENS,
  said('8 an ID token with nonce', 'not_acceptable', { nonce: 'n' }),
  said('8 an ID token with at_hash', 'not_acceptable', { at_hash: 'x' }),
  said('8 an ID token with c_hash', 'not_acceptable', { c_hash: 'x' }),
  said('8 an ID token of Keycloak', 'not_acceptable', { typ: 'ID' }),
  said('8 a refresh token of Keycloak', 'not_acceptable', { typ: 'Refresh' }),
  said('8 an offline token of Keycloak', 'not_acceptable', { typ: 'Offline' }),
  said('8 an ID token of Cognito', 'not_acceptable', { token_use: 'id' }),
  said('8 a logout token', 'not_acceptable', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
  said('8 a security event', 'not_acceptable', { events: {} }),
  said('8 a DPoP proof', 'not_acceptable', { htm: 'POST', htu: `${AUDIENCE}v1/authorize` }),
  said('8 a client assertion', 'not_acceptable', { iss: LOGIN, sub: 'dms-backend', aud: LOGIN }),
  ...[
    'JWT',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'id+jwt',
    'client-authentication+jwt',
    '',
    'x/at+jwt',
    7,
    null,
  ].map(typed),
  typed(undefined),
  typed(['at+jwt']),
  said('8 bound to a DPoP key', 'not_acceptable', { cnf: { jkt: 'x' } }),
  said('8 bound to a certificate', 'not_acceptable', { cnf: { 'x5t#S256': 'x' } }),
  said('8 bound to a key inside', 'not_acceptable', { cnf: { jwk: rig.strange.jwk } }),
  said('8 bound to nothing', 'not_acceptable', { cnf: null }),
  said('8 bound to an empty object', 'not_acceptable', { cnf: {} }),
  said('8 groups left out', 'not_acceptable', { _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } }),
  said('8 groups left out, implicit flow', 'not_acceptable', { hasgroups: true }),
];

const reshape = (name: string, shape: (token: string, parts: readonly string[]) => string): Attack => ({
  name: `10 ${name}`,
  reason: 'malformed',
  forge: (good) => {
    const token = signDraft(good);
    return shape(token, token.split('.'));
  },
});
const shapes: readonly Attack[] = [
  reshape('two parts', (_, [header, payload]) => `${header}.${payload}`),
  reshape('four parts', (token, [, , signature]) => `${token}.${signature}`),
  reshape('a dot at the end', (token) => `${token}.`),
  reshape('a dot before', (token) => `.${token}`),
  reshape('padding', (token) => `${token}=`),
  reshape('padding inside', (_, [header, payload, signature]) => `${header}=.${payload}.${signature}`),
  reshape('two tokens', (token) => `${token},${token}`),
  reshape('two tokens and a space', (token) => `${token} ${token}`),
  reshape('quotes', (token) => `"${token}"`),
  reshape('braces', (token) => `{${token}}`),
  reshape('white space inside', (token) => token.replace('.', ' .')),
  reshape('percent encoding', (token) => token.replace('.', '%2E')),
  reshape('the flattened serialisation', (_, [header, payload, signature]) =>
    JSON.stringify({ payload, protected: header, signature }),
  ),
  reshape('the general serialisation', (_, [header, payload, signature]) =>
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
  ),
  reshape('base64 for base64url', (_, [header, payload]) => `${header}.${payload}.+/+/`),
  reshape('another spelling of the signature', (_, [header, payload, signature = '']) => {
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(signature.at(-1) ?? '');
    const twin = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last ^ 1] ?? '';
    return `${header}.${payload}.${signature.slice(0, -1)}${twin}`;
  }),
  reshape('more after the signature', (token) => `${token}AAAA`.slice(0, -1)),
  reshape('bearer in it', (token) => `Bearer ${token}`),
];

const now = Math.floor(Date.now() / 1000);
const times: readonly Attack[] = [
  ...[{ exp: now - 31 }, { exp: 0 }, { exp: -1 }, { iat: now - 90_000, exp: now + 60 }].map((claims) =>
    said(`13 ${JSON.stringify(Object.entries(claims).map(([name, at]) => [name, at - now]))}`, 'expired', claims),
  ),
  ...[
    { exp: undefined },
    { iat: undefined },
    { exp: String(now + 60) },
    { exp: null },
    { exp: [now + 60] },
    { exp: 253_402_300_800 },
    { exp: 1e300 },
    { iat: String(now) },
    { iat: now + 3600, exp: now + 7200 },
    { nbf: now + 3600 },
    { nbf: String(now) },
    { nbf: null },
    { nbf: -1 },
  ].map((claims) =>
    said(`13 ${Object.keys(claims)[0]} ${JSON.stringify(Object.values(claims))}`, 'not_acceptable', claims),
  ),
];

const long = (size: number): string => 'x'.repeat(size);
const sizes: readonly Attack[] = [
  // In the body the schema has the first word; the next test is about that.
  { ...said('14 longer than 16 KiB', 'malformed', { padding: long(13_000) }), positions: ['bearer'] },
  said('14 nested too deep', 'malformed', { deep: JSON.parse('['.repeat(100) + ']'.repeat(100)) as unknown }),
  said('14 an id longer than 256 bytes', 'not_acceptable', { sub: `u-${long(255)}` }),
  said('14 an id longer than 256 bytes, in fewer characters', 'not_acceptable', { sub: `u-${'\u20ac'.repeat(86)}` }),
  said('14 a token id longer than 256 bytes', 'not_acceptable', { jti: long(257) }),
  said('14 a role longer than 256 bytes', 'not_acceptable', { roles: [long(257)] }),
  said('14 control characters in an id', 'not_acceptable', { sub: 'u-okafor\nu-evil' }),
];

const types: readonly Attack[] = [
  ...[7, null, ['u-okafor'], { id: 'u-okafor' }, '', undefined, true].map((sub) =>
    said(`16 sub ${JSON.stringify(sub)}`, 'not_acceptable', { sub }),
  ),
  said('16 azp is a number', 'not_acceptable', { azp: 7 }),
  said('16 jti is an object', 'not_acceptable', { jti: { id: 1 } }),
  said('16 auth_time is text', 'not_acceptable', { auth_time: String(now) }),
  said('16 auth_time beyond the year 9999', 'not_acceptable', { auth_time: 1e15 }),
  said('16 training_until is a number', 'not_acceptable', { training_until: now }),
  ...['client_user', ['client_user'], [['client_user']], { a: { b: ['client_user'] } }].map((roles) =>
    said(`16 a role beyond may_assert in ${JSON.stringify(roles)}`, 'not_acceptable', { roles }),
  ),
  said('17 no sub, but a mail address and a name', 'not_acceptable', {
    sub: undefined,
    email: 'okafor@firm.example',
    upn: 'u-okafor',
    preferred_username: 'u-okafor',
    oid: 'u-okafor',
    username: 'u-okafor',
  }),
];

const TABLES = { json, substitution, kinds, shapes, times, sizes, types };
for (const [name, attacks] of Object.entries(TABLES)) {
  t.test(name, (t) => runAttacks(t, rig, attacks));
}

async function ask(position: 'bearer' | 'subject', draft: Draft) {
  const answer = await rig.send(position, signDraft(draft));
  const context = answer.body['context'] as Json | undefined;
  return { answer, record: await rig.recordOf(answer.headers.get('x-request-id') ?? ''), context };
}

t.test('14 what is too long for a header or a body', async (t) => {
  const token = signDraft(withClaims(rig.draft('bearer'), { padding: long(30_000) }));
  const { status } = await fetch(`${rig.service.url}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
  t.equal(status, 431);
  const inBody = await rig.send('subject', signDraft(withClaims(rig.draft('subject'), { padding: long(13_000) })));
  t.match(inBody, { status: 400, body: { errors: [{ pointer: '/subject_token' }] } });
  t.notOk(inBody.text.includes('xxxx'));
});

t.test('16 attributes of the wrong type are unknown, and unknown denies', async (t) => {
  for (const claims of [
    { roles: 'partner' },
    { roles: { 0: 'partner', length: 1 } },
    { roles: ['partner', 7] },
    { roles: [['partner']] },
    { roles: null },
    { user_type: ['internal'] },
    { user_type: { $ne: null } },
    { employee_status: true },
  ]) {
    for (const position of ['bearer', 'subject'] as const) {
      const { answer, record } = await ask(position, withClaims(rig.draft(position), claims));
      t.match(answer, { status: 200, body: { decision: false } }, `${JSON.stringify(claims)} (${position})`);
      t.match(record, { kind: 'decision', outcome: 'deny' });
    }
  }
});

t.test('17 what people can change about themselves is nobody’s identity', async (t) => {
  const names = {
    email: 'u-okafor',
    upn: 'u-okafor',
    preferred_username: 'u-okafor',
    name: 'u-okafor',
    oid: 'u-okafor',
  };
  for (const position of ['bearer', 'subject'] as const) {
    const { answer, record } = await ask(position, withClaims(rig.draft(position), { ...names, sub: 'u-mallory' }));
    t.match(answer, { status: 200, body: { decision: false } });
    t.match(record, { subject: { id: 'u-mallory' } });
    t.notMatch(JSON.stringify(record), /u-okafor/);
  }
});

t.test('17 names that look alike are other people', async (t) => {
  for (const sub of ['u-Okafor', 'u-okafor ', 'u-ok\u0430for', 'u-okafor\u200b', 'u-oka\ufb00or', 'u-okafor\u0301']) {
    const { answer, record } = await ask('subject', withClaims(rig.draft('subject'), { sub }));
    t.match(answer, { status: 200, body: { decision: false } }, encodeURIComponent(sub));
    t.match(record, { subject: { id: sub } });
  }
});

t.test('the token is nowhere but in the header and in subject_token', async (t) => {
  const token = rig.personToken();
  const json = { 'content-type': 'application/json' };
  const places: readonly (readonly [string, Json, unknown, string])[] = [
    ['/v1/authorize', {}, QUESTION, ''],
    ['/v1/authorize', { authorization: 'Basic dTpw' }, QUESTION, ''],
    ['/v1/authorize', { authorization: `Token ${token}` }, QUESTION, token],
    ['/v1/authorize', { authorization: `DPoP ${token}` }, QUESTION, token],
    ['/v1/authorize', { authorization: token }, QUESTION, token],
    [`/v1/authorize?access_token=${token}`, {}, QUESTION, token],
    ['/v1/authorize', { cookie: `access_token=${token}` }, QUESTION, token],
    ['/v1/authorize', { 'x-forwarded-access-token': token, 'x-access-token': token }, QUESTION, token],
    ['/v1/authorize', { 'proxy-authorization': `Bearer ${token}` }, QUESTION, token],
    ['/v1/authorize', {}, { access_token: token, subject_token: token, ...QUESTION }, token],
  ];
  for (const [path, headers, body, secret] of places) {
    const all = { ...json, ...(headers as Record<string, string>), 'x-request-id': randomUUID() };
    await mustRefuse(t, rig, secret, await rig.post(path, body, all), { reason: 'missing' });
  }
});

t.test('the other shapes of issuers: good tokens are good', async (t) => {
  for (const [iss, sub] of [
    [EDWARDS, 'e-1'],
    [LAX, 'l-1'],
  ] as const) {
    t.match((await ask('bearer', rig.draft('bearer', { iss, sub }))).answer, { status: 200 }, iss);
  }
});
