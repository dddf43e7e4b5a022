import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { describeFailure, keysFromUrl, readKeyFile } from '../../../src/io/identity/key-source.ts';
import { startKeyEndpoint, type Behaviour } from '../../helpers/key-endpoint.ts';

const limits = { timeoutMs: 10_000, maxBytes: 64 * 1024 };

t.test('one GET, and the bytes', async (t) => {
  const endpoint = await startKeyEndpoint(t);
  endpoint.publish({ kty: 'EC' });
  const load = keysFromUrl(endpoint.url, limits);
  t.equal(Buffer.from(await load(new AbortController().signal)).toString(), '{"keys":[{"kty":"EC"}]}');
  for (const type of ['application/jwk-set+json', 'Application/JSON; charset=utf-8', 'application/json ;x=y']) {
    endpoint.behave({ body: { keys: [] }, type });
    t.equal((await load(new AbortController().signal)).byteLength, 11, type);
  }
});

t.test('every way an endpoint goes wrong is a failure, and says in short words which', async (t) => {
  const endpoint = await startKeyEndpoint(t);
  const failure = async (behaviour: Behaviour, timeoutMs = limits.timeoutMs): Promise<string> => {
    endpoint.behave(behaviour);
    try {
      await keysFromUrl(endpoint.url, { ...limits, timeoutMs })(new AbortController().signal);
      return 'none';
    } catch (error) {
      return describeFailure(error);
    }
  };
  t.match(await failure('html'), /not JSON/);
  t.match(await failure({ body: { keys: [] }, type: 'text/plain' }), /not JSON/);
  t.match(await failure({ body: { keys: [] }, type: 'application/jsonx' }), /not JSON/);
  t.match(await failure('error'), /status 503/);
  t.match(await failure('huge'), /longer than 65536 bytes/);
  t.match(await failure('compressed-bomb'), /longer than 65536 bytes/);
  t.match(await failure('silent', 50), /timed out/);
  t.match(await failure('drip', 50), /timed out/);
  t.match(await failure('reset'), /^[A-Z_]+$/, 'the code of the socket error');
  const before = endpoint.requests();
  t.match(await failure('redirect'), /status 302/);
  t.equal(endpoint.requests(), before + 1, 'a redirect is not followed');
});

t.test('gives up when told to', async (t) => {
  const endpoint = await startKeyEndpoint(t);
  endpoint.behave('silent');
  const closing = new AbortController();
  const loading = keysFromUrl(endpoint.url, limits)(closing.signal);
  closing.abort();
  await t.rejects(loading, { name: 'AbortError' });
});

t.test('failures in words', async (t) => {
  t.equal(describeFailure(new Error('plain')), 'plain');
  t.equal(describeFailure(Object.assign(new Error('long'), { code: 'ENOENT' })), 'ENOENT');
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  t.equal(describeFailure(new TypeError('fetch failed', { cause: refused })), 'ECONNREFUSED');
  t.equal(describeFailure('text'), 'unknown failure');
});

t.test('a key file is a file, and not a long one', async (t) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'privity-keys-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'keys.json');
  await writeFile(file, '{"keys":[]}');
  t.equal(Buffer.from(await readKeyFile(file, 64)).toString(), '{"keys":[]}');
  await t.rejects(readKeyFile(file, 10), { message: 'the key file is longer than 10 bytes' });
  await t.rejects(readKeyFile(dir, 64), { message: 'the key file is no file' });
  await t.rejects(readKeyFile('/dev/zero', 64), { message: 'the key file is no file' });
  const pipe = path.join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await t.rejects(readKeyFile(pipe, 64), { message: 'the key file is no file' }, 'nobody waits for a writer');
  await t.rejects(readKeyFile(path.join(dir, 'none'), 64), { code: 'ENOENT' });
});
