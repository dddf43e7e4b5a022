// Discovery (AuthZEN 1.0, section 9; level Discovery of the certification scenario), over HTTP.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import t from 'tap';
import { startApp } from '../helpers/app.ts';

const WELL_KNOWN = '/.well-known/authzen-configuration';
const BASE = 'https://privity.firm.example';

const folder = await mkdtemp(path.join(tmpdir(), 'privity-metadata-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

async function start(environment: Readonly<Record<string, string>>) {
  const rig = await startApp(t, { environment });
  return (url = WELL_KNOWN) => rig.inject({ method: 'GET', url });
}

const endpoints = (base: string) => ({
  policy_decision_point: base,
  access_evaluation_endpoint: `${base}/access/v1/evaluation`,
  access_evaluations_endpoint: `${base}/access/v1/evaluations`,
  search_subject_endpoint: `${base}/access/v1/search/subject`,
  search_resource_endpoint: `${base}/access/v1/search/resource`,
  search_action_endpoint: `${base}/access/v1/search/action`,
  access_request_endpoint: `${base}/access/v1/requests`,
  capabilities: ['urn:openid:authzen:capability:access-request'],
  supported_obligations: ['custom', 'step-up'],
});

t.test('is the address that the operator stated, without a token', async (t) => {
  const get = await start({ PUBLIC_URL: `${BASE}/` });
  const response = await get();
  t.equal(response.statusCode, 200);
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': /max-age/ });
  t.strictSame(response.json(), endpoints(BASE), 'members without a value are left out (section 9.2.2)');
});

t.test('a path of the address comes after the well-known one (section 9.2.1)', async (t) => {
  const get = await start({ PUBLIC_URL: `${BASE}/tenant1` });
  t.strictSame((await get(`${WELL_KNOWN}/tenant1`)).json(), endpoints(`${BASE}/tenant1`));
  t.equal((await get(`${WELL_KNOWN}/tenant2`)).statusCode, 404);
});

t.test('is nothing where nobody stated an address: whoever asks must not choose it', async (t) => {
  const get = await start({});
  const response = await get();
  t.match(response.json(), { status: 404, code: 'not_found' });
});

t.test('is signed (section 9.1.3)', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = path.join(folder, 'metadata.pem');
  await writeFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const get = await start({ PUBLIC_URL: BASE, METADATA_KEY_FILE: file });
  const { signed_metadata: signed, ...plain } = (await get()).json<{ signed_metadata: string }>();
  t.strictSame(plain, endpoints(BASE));
  const { payload } = await jwtVerify(signed, publicKey, { issuer: BASE });
  const { iat, iss, ...claims } = payload;
  t.strictSame(claims, endpoints(BASE), 'the same values, and not itself');
  t.equal(iss, BASE);
  t.type(iat, 'number');
  const { kid } = decodeProtectedHeader(signed);
  t.equal(kid, await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })), 'the key is known by its thumbprint');
  await jwtVerify(signed, EmbeddedJWK, { issuer: BASE });
});

t.test('a key that cannot be used stops the start', async (t) => {
  const file = path.join(folder, 'rsa.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const failed = await start({ PUBLIC_URL: BASE, METADATA_KEY_FILE: file }).catch((error: unknown) => error);
  t.match(failed, { problems: [/^METADATA_KEY_FILE: the metadata key in .* is not an Ed25519 key$/] });
  for (const url of ['http://privity.firm.example', `${BASE}/?a=b`, `${BASE}#top`, 'privity'])
    await t.rejects(start({ PUBLIC_URL: url }), /PUBLIC_URL/, url);
});
