// Attacks on the signature of tokens and on how keys are found (RFC 8725, 3.1 to 3.10), over HTTP against a running service.
import t from 'tap';
import { EDWARDS, LOGIN, PARTNERS, signDraft, startAttackRig, type Draft } from '../helpers/attack-rig.ts';
import { startKeyEndpoint } from '../helpers/key-endpoint.ts';
import { base64url, makeKey, signCompact } from '../helpers/tokens.ts';
import { runAttacks, withClaims, withHeader, type Attack } from './table.ts';

t.setTimeout(300_000);

const rig = await startAttackRig(t);
const trap = await startKeyEndpoint(t);
trap.publish(rig.strange.jwk);

const login = rig.issuers[LOGIN];
const rsa = login?.rsa;
if (login === undefined || rsa === null || rsa === undefined) throw new Error('the issuer has no RSA key');

/** With a signature of its own choosing. */
const signed = ({ header, payload }: Draft, signature: string): string =>
  `${base64url(header)}.${base64url(payload)}.${signature}`;
const hmac = ({ header, payload }: Draft, secret: string | Buffer, alg = 'HS256'): string =>
  signCompact({ header: { ...header, alg }, payload, key: Buffer.from(secret), alg });
const with1 = (header: Draft['header']) => (good: Draft) => signDraft(withHeader(good, header));

const NONE = ['none', 'None', 'NONE', 'noNE', 'nOnE', 'none '];

const unsigned: readonly Attack[] = NONE.flatMap((alg): Attack[] => [
  { name: `1 alg ${alg}, no signature`, reason: 'malformed', forge: (good) => signed(withHeader(good, { alg }), '') },
  {
    name: `1 alg ${alg}, any signature`,
    reason: 'not_trusted',
    forge: (good) => signed(withHeader(good, { alg }), 'AAAA'),
  },
  {
    name: `1 alg ${alg}, the signature of a good token`,
    reason: 'not_trusted',
    forge: (good) => signed(withHeader(good, { alg }), signDraft(good).split('.')[2] ?? ''),
  },
]);

const SECRETS: Readonly<Record<string, string | Buffer>> = {
  'the public key as PEM': rsa.publicKey.export({ type: 'spki', format: 'pem' }),
  'the public key as PEM without its last line break': String(
    rsa.publicKey.export({ type: 'spki', format: 'pem' }),
  ).trim(),
  'the public key as DER': rsa.publicKey.export({ type: 'spki', format: 'der' }),
  'the public key as JWK': JSON.stringify(rsa.jwk),
  'the modulus': Buffer.from(String(rsa.jwk['n']), 'base64url'),
};
const WEAK: Readonly<Record<string, string>> = { empty: '', secret: 'secret', '32 zero bytes': '\0'.repeat(32) };

const secrets: readonly Attack[] = [
  ...Object.entries(SECRETS).flatMap(([name, secret]) =>
    ['HS256', 'HS384', 'HS512'].map((alg): Attack => ({
      name: `2 ${name} as the secret of ${alg}`,
      reason: 'not_trusted',
      forge: (good) => hmac(withHeader(good, { kid: rsa.kid }), secret, alg),
    })),
  ),
  ...Object.entries(WEAK).map(([name, secret]): Attack => ({
    name: `3 a weak secret: ${name}`,
    reason: 'not_trusted',
    forge: (good) => hmac(good, secret),
  })),
];

const jwe = (header: object): string =>
  [header, 'key', 'iv', 'text', 'tag'].map((part) => base64url(part as string)).join('.');

const encrypted: readonly Attack[] = [
  { name: '4 an encrypted token', reason: 'malformed', forge: () => jwe({ alg: 'RSA-OAEP', enc: 'A256GCM' }) },
  {
    name: '4 an encrypted token around a signed one',
    reason: 'malformed',
    forge: (good) =>
      [{ alg: 'dir', enc: 'A256GCM', cty: 'JWT' }, '', 'iv', signDraft(good), 'tag']
        .map((one) => base64url(one))
        .join('.'),
  },
  { name: '4 a signed token that says it is encrypted', reason: 'malformed', forge: with1({ enc: 'A256GCM' }) },
  {
    name: '5 a point that is on no curve',
    reason: 'malformed',
    forge: () => jwe({ alg: 'ECDH-ES', enc: 'A256GCM', epk: { kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' } }),
  },
  {
    name: '5 a thousand million rounds of PBES2',
    reason: 'malformed',
    forge: () => jwe({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 1e9, p2s: 'AAAA' }),
  },
  { name: '5 PBES2 in three parts', reason: 'not_trusted', forge: with1({ alg: 'PBES2-HS256+A128KW', p2c: 1e9 }) },
  { name: '5 compression', reason: 'malformed', forge: with1({ zip: 'DEF' }) },
  { name: '5 r and s are zero', reason: 'not_trusted', forge: (good) => signed(good, base64url(Buffer.alloc(64))) },
  {
    name: '5 r and s are the order of the curve',
    reason: 'not_trusted',
    forge: (good) => {
      const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
      return signed(good, base64url(Buffer.concat([order, order])));
    },
  },
  {
    name: '5 a key of another curve',
    reason: 'not_trusted',
    forge: (good) => signDraft({ ...good, key: makeKey('ES384', 'main') }),
  },
];

const KIDS = [
  ...[
    '../../../../dev/null',
    '/etc/passwd',
    "' or 1=1 --",
    '__proto__',
    'constructor',
    'toString',
    'main ',
    'MAIN',
    '',
  ],
  ...['strange', 'https://evil.example/key', '${kid}', 'main\u2028', '0', 'kid\r\nx: y'],
];

const keys: readonly Attack[] = [
  ...KIDS.map((kid): Attack => ({
    name: `9 kid ${encodeURIComponent(kid)}`,
    reason: 'not_trusted',
    forge: with1({ kid }),
  })),
  ...[7, null, ['main'], { main: 1 }, 'k'.repeat(257)].map((kid): Attack => ({
    name: `9 kid ${JSON.stringify(kid).slice(0, 20)}`,
    reason: 'malformed',
    forge: with1({ kid }),
  })),
  ...[
    { jku: trap.url },
    { x5u: trap.url },
    { jwk: rig.strange.jwk },
    { x5c: ['MIIB'] },
    { jku: trap.url, x5u: trap.url, jwk: rig.strange.jwk, kid: 'main' },
  ].map((header): Attack => ({
    name: `9 a key of one's own: ${Object.keys(header).join(', ')}`,
    reason: 'not_trusted',
    forge: (good) => signDraft(withHeader({ ...good, key: rig.strange }, { kid: rig.strange.kid, ...header })),
  })),
];

const ALGORITHMS: readonly Attack[] = [
  ...['PS256', 'RS512', 'PS512', 'RS1'].map((alg): Attack => ({
    name: `11 a key for RS256 signs ${alg}`,
    reason: 'not_trusted',
    forge: ({ header, payload }) =>
      signCompact({
        header: { ...header, alg, kid: rsa.kid },
        payload,
        key: rsa.privateKey,
        alg: alg === 'RS1' ? 'RS256' : alg,
      }),
  })),
  {
    name: '11 an RSA key named for ES256',
    reason: 'not_trusted',
    forge: ({ header, payload }) =>
      signCompact({ header: { ...header, alg: 'ES256', kid: rsa.kid }, payload, key: rsa.privateKey, alg: 'RS256' }),
  },
  {
    name: '11 EdDSA where Ed25519 is agreed',
    reason: 'not_trusted',
    positions: ['bearer'],
    forge: () =>
      signDraft(withHeader(rig.draft('bearer', { iss: EDWARDS, sub: 'e-1', user_type: 'internal' }), { alg: 'EdDSA' })),
  },
  ...['es256', 'ES256 ', 'ES256\u0000', '', 'ES256K'].map((alg): Attack => ({
    name: `11 alg ${encodeURIComponent(String(alg))}`,
    reason: alg.includes('\u0000') ? 'malformed' : 'not_trusted',
    forge: with1({ alg }),
  })),
  ...[7, null, ['ES256'], undefined].map((alg): Attack => ({
    name: `11 alg ${JSON.stringify(alg)}`,
    reason: 'not_trusted',
    forge: with1({ alg }),
  })),
];

const extensions: readonly Attack[] = [
  { crit: ['exp'], exp: 1 },
  { crit: [] },
  { crit: ['b64'], b64: false },
  { b64: false },
  { b64: true },
  { crit: 'x' },
  { crit: null },
].map((header): Attack => ({ name: `12 ${JSON.stringify(header)}`, reason: 'malformed', forge: with1(header) }));

const issuers: readonly Attack[] = [
  {
    name: '7 the key of the partners’ provider, in the name of the firm’s',
    reason: 'not_trusted',
    forge: (good) => signDraft({ ...good, key: rig.issuers[PARTNERS]?.key ?? rig.strange }),
  },
  {
    name: '7 the key of the firm’s provider, in the name of the partners’',
    reason: 'not_trusted',
    forge: (good) => signDraft(withClaims(good, { iss: PARTNERS, sub: 'x-1' })),
  },
  { name: '7 nobody’s key', reason: 'not_trusted', forge: (good) => signDraft({ ...good, key: rig.strange }) },
  {
    name: '7 nobody’s key under the name of a good one',
    reason: 'not_trusted',
    forge: (good) => signDraft({ ...good, key: { ...rig.strange, kid: 'main' } }),
  },
  {
    name: '7 the signature of another token',
    reason: 'not_trusted',
    forge: (good) => signed(withClaims(good, { roles: ['managing_partner'] }), signDraft(good).split('.')[2] ?? ''),
  },
];

const TABLES = { unsigned, secrets, encrypted, keys, algorithms: ALGORITHMS, extensions, issuers };
for (const [name, attacks] of Object.entries(TABLES)) {
  t.test(name, (t) => runAttacks(t, rig, attacks));
}

t.test('9 nothing that a token names was ever asked', async (t) => {
  t.equal(trap.requests(), 0);
});

t.test('15 a key that was withdrawn, and one that came since', async (t) => {
  const fresh = makeKey('ES256', 'fresh');
  const draft = rig.draft('bearer', { iss: LOGIN });
  const before = signDraft(draft);
  t.equal((await rig.send('bearer', before)).status, 200);
  login.endpoint.publish(fresh.jwk);
  const renewed = signDraft({ ...withHeader(rig.draft('bearer'), { kid: 'fresh' }), key: fresh });
  t.equal((await rig.send('bearer', renewed)).status, 200, 'found when the first token named it');
  t.match(await rig.send('bearer', before), { status: 401 }, 'a token that was good and remembered is good no longer');
  login.endpoint.publish(login.key.jwk, rsa.jwk);
  t.equal((await rig.send('bearer', before)).status, 200, 'and is again when the key is');
});

t.test('15 two keys of one name, and a token without a name', async (t) => {
  const twin = { ...makeKey('ES256', 'main').jwk };
  const nameless = (): string => signDraft(withHeader(rig.draft('bearer'), { kid: undefined }));
  t.equal((await rig.send('bearer', nameless())).status, 200, 'one key fits');
  login.endpoint.publish(login.key.jwk, twin, rsa.jwk);
  // Whatever names a key that is not there makes the service look.
  await rig.send('bearer', signDraft(withHeader(rig.draft('bearer'), { kid: 'unheard-of' })));
  for (const token of [nameless(), signDraft(rig.draft('bearer'))]) {
    t.match(await rig.send('bearer', token), { status: 401 }, 'no key is tried after another');
  }
  login.endpoint.publish(login.key.jwk, rsa.jwk);
  await rig.send('bearer', signDraft(withHeader(rig.draft('bearer'), { kid: 'unheard-of' })));
  t.equal((await rig.send('bearer', signDraft(rig.draft('bearer')))).status, 200);
});
