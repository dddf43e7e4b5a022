// `privity token`: tokens that the development issuer's own keys verify, and clear refusals.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { importJWK, jwtVerify } from 'jose';
import t from 'tap';
import { developmentIssuer, DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER } from '../../src/io/identity/dev-issuer.ts';
import { privity } from './privity.ts';

async function verify(token: string, stateDir: string): Promise<Record<string, unknown>> {
  const { keyBytes } = await developmentIssuer({ stateDir, now: () => Date.now() });
  const { keys } = JSON.parse(Buffer.from(keyBytes).toString('utf8'));
  const { payload } = await jwtVerify(token, await importJWK(keys[0], 'Ed25519'), {
    issuer: DEVELOPMENT_ISSUER,
    audience: DEVELOPMENT_AUDIENCE,
    typ: 'at+jwt',
  });
  return payload;
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';

t.test('of a person: what the directory says, signed in just now', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const { code, out } = await privity(['token', '--person', 'u-adler', '--state', state]);
  t.equal(code, 0);
  t.match(lastLine(out), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const claims = await verify(lastLine(out), state);
  t.match(claims, {
    sub: 'u-adler',
    roles: ['associate'],
    user_type: 'internal',
    amr: ['pwd', 'mfa'],
    azp: 'dms-backend',
  });
  t.ok(Math.abs(Date.parse(String(claims['auth_time'])) - Date.now()) < 60_000);
  t.equal((await stat(path.join(state, 'dev-issuer.jwk.json'))).mode & 0o777, 0o600);
});

t.test('of a person as issued to a caller', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const { out } = await privity(['token', '--person', 'u-adler', '--caller', 'search', '--state', state]);
  t.match(await verify(lastLine(out), state), { sub: 'u-adler', azp: 'search-backend' });
});

t.test('of a caller', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const { code, out } = await privity(['token', '--caller', 'dms', '--state', state]);
  t.equal(code, 0);
  t.match(await verify(lastLine(out), state), { sub: 'dms-backend', azp: 'dms-backend' });
});

t.test('of a service account, which may ask about itself', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const { out } = await privity(['token', '--caller', 'search-indexer', '--state', state]);
  const claims = await verify(lastLine(out), state);
  t.match(claims, { sub: 'svc-search-indexer', azp: 'svc-search-indexer', user_type: 'service' });
  t.equal(claims['amr'], undefined);
});

t.test('with claims, alone and over those of the directory', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const own = await privity([
    'token',
    '--claims',
    '{"sub":"u-new","roles":["partner"],"user_type":"internal"}',
    '--state',
    state,
  ]);
  t.match(await verify(lastLine(own.out), state), { sub: 'u-new', roles: ['partner'] });
  const both = await privity(['token', '--person', 'u-adler', '--claims', '{"amr":["pwd"]}', '--state', state]);
  t.match(await verify(lastLine(both.out), state), { sub: 'u-adler', roles: ['associate'], amr: ['pwd'] });
});

t.test('refusals', async (t) => {
  const state = path.join(t.testdir(), 'state');
  const cases: [string[], RegExp][] = [
    [[], /give `--person ID`, `--caller ID` or `--claims JSON`/],
    [['--person', 'u-adlre'], /the directory in the policies does not know `u-adlre`\n {2}did you mean `u-adler`\?/],
    [['--person', 'nobody-at-all'], /does not know `nobody-at-all`/],
    [['--caller', 'dsm'], /no caller `dsm` is registered in callers\.yaml/],
    [['--claims', '{"sub":'], /`--claims` is not JSON/],
    [['--claims', '["sub"]'], /must be a JSON object/],
    [['--claims', '{"roles":[]}'], /the claims have no `sub`/],
    [['--person', 'u-adler', '--policies', '/nowhere'], /there is no folder `\/nowhere`/],
  ];
  for (const [words, expected] of cases) {
    const { code, out, err } = await privity(['token', ...words, '--state', state]);
    t.equal(code, 2, words.join(' '));
    t.equal(out, '', words.join(' '));
    t.match(err, expected, words.join(' '));
  }
});
