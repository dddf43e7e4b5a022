import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { readJwks } from '../../../src/io/identity/jwks.ts';
import { makeKey } from '../../helpers/tokens.ts';

const ALL = ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519', 'EdDSA'];
type Json = Readonly<Record<string, unknown>>;
const bytes = (keys: unknown): Uint8Array => Buffer.from(JSON.stringify({ keys }));
const read = async (keys: readonly Json[], algorithms: readonly string[] = ALL): Promise<[number, number]> => {
  const { count, ignored } = await readJwks(bytes(keys), algorithms);
  return [count, ignored];
};

const ec = makeKey('ES256', 'ec');
const rsa = makeKey('RS256', 'rsa');
const ed = makeKey('Ed25519', 'ed');
const { alg: _alg, ...rsaWithoutAlg } = rsa.jwk;

t.test('takes public signature keys that fit the algorithms of the issuer', async (t) => {
  t.same(await read([ec.jwk, rsa.jwk, ed.jwk]), [3, 0]);
  t.same(await read([ec.jwk, rsa.jwk, ed.jwk], ['ES256']), [1, 2]);
  t.same(await read([rsaWithoutAlg]), [1, 0], 'without alg, as Entra publishes them');
  t.same(await read([rsa.jwk], ['PS256']), [0, 1], 'one key, one algorithm');
  t.same(await read([{ ...ec.jwk, key_ops: ['verify'] }]), [1, 0]);
});

t.test('lets no poisoned key in', async (t) => {
  const privateKey = ec.privateKey.export({ format: 'jwk' });
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const poison: readonly [string, Json][] = [
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
    ['a shared secret that says RS256', { kty: 'oct', k: 'c2VjcmV0', alg: 'RS256' }],
    ['a private key', { ...privateKey, kid: 'ec', alg: 'ES256' }],
    ['a private member that is empty', { ...ec.jwk, d: '' }],
    ['primes of an RSA key', { ...rsa.jwk, p: 'AQ' }],
    ['an encryption key', { ...rsa.jwk, use: 'enc' }],
    ['a key for signing only', { ...ec.jwk, key_ops: ['sign'] }],
    ['key_ops that are no list', { ...ec.jwk, key_ops: 'verify' }],
    ['a weak RSA key', { ...weak, alg: 'RS256' }],
    ['another curve', { ...makeKey('ES512').jwk, alg: 'ES256' }],
    ['a point off the curve', { ...ec.jwk, y: ec.jwk['x'] }],
    ['a foreign algorithm', { ...ec.jwk, alg: 'HS256' }],
    ['kty of another kind', { ...ec.jwk, kty: 'RSA' }],
    ['a kid that is no string', { ...ec.jwk, kid: 7 }],
    ['a kid without end', { ...ec.jwk, kid: 'k'.repeat(300) }],
    ['a modulus that is no text', { ...rsa.jwk, n: [1] }],
    ['no modulus', { kty: 'RSA', e: 'AQAB', alg: 'RS256' }],
    ['nothing', {}],
    ['X25519', { kty: 'OKP', crv: 'X25519', x: ed.jwk['x'] }],
  ];
  for (const [name, key] of poison) {
    t.same(await read([key]), [0, 1], name);
    t.same(await read([key, ed.jwk]), [1, 1], `${name}, beside a good one`);
  }
});

t.test('the same key twice is one key; another key under the same kid is not taken for it', async (t) => {
  t.same(await read([ec.jwk, { ...ec.jwk, x5c: ['…'], x5u: 'https://elsewhere.example/' }]), [1, 1]);
  const twins = await readJwks(bytes([ec.jwk, makeKey('ES256', 'ec').jwk]), ALL);
  t.equal(twins.count, 2);
  const pick = async () => twins.resolve({ alg: 'ES256', kid: 'ec' }, { payload: '', signature: '' });
  await t.rejects(pick, { code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' });
});

t.test('equal sets have equal fingerprints, in whatever order and dress', async (t) => {
  const print = async (keys: readonly Json[]): Promise<string> => (await readJwks(bytes(keys), ALL)).fingerprint;
  t.equal(await print([ec.jwk, rsa.jwk]), await print([{ ...rsa.jwk, x5t: 'new' }, ec.jwk]));
  t.not(await print([ec.jwk]), await print([ec.jwk, rsa.jwk]));
  t.not(await print([ec.jwk]), await print([{ ...ec.jwk, kid: 'other' }]));
  t.not(await print([ec.jwk]), await print([makeKey('ES256', 'ec').jwk]));
});

t.test('an empty set is a set; anything else is none', async (t) => {
  t.same(await read([]), [0, 0]);
  const many = Array.from({ length: 101 }, () => ({}));
  for (const text of [
    '{}',
    '[]',
    'null',
    '{"keys":{}}',
    '{"keys":[1]}',
    '{"keys":[null]}',
    '{"keys":[],"keys":[]}',
    '',
  ]) {
    await t.rejects(readJwks(Buffer.from(text), ALL), text);
  }
  await t.rejects(readJwks(bytes(many), ALL), 'too many');
  await t.rejects(readJwks(Buffer.from([0x22, 0xff, 0x22]), ALL), 'not UTF-8');
});
