import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  DEVELOPMENT_KEYS,
  DEVELOPMENT_SUBJECT_AUDIENCE,
  developmentIssuer,
  mirrorCallers,
} from '../../../src/io/identity/dev-issuer.ts';
import { createIdentity } from '../../../src/io/identity/identify.ts';
import { callerEntry, refusalOf, trustSet } from '../../helpers/tokens.ts';

type Json = Readonly<Record<string, unknown>>;

const NOW = 1_773_151_200_000;
const FIRM = 'https://login.firm.example/';
const ATTRIBUTES = ['roles', 'user_type', 'amr', 'auth_time', 'a/b'];
const dms = callerEntry(FIRM);
const search = callerEntry(FIRM, {
  id: 'search',
  client_id: 'search-backend',
  source_system: 'search',
  may: ['authorize'],
});

async function folder(t: { teardown(clear: () => Promise<void>): unknown }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'privity-dev-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

async function start(t: Parameters<typeof folder>[0], now = () => NOW) {
  const dev = await developmentIssuer({ stateDir: join(await folder(t), 'state'), now });
  const set = dev.trust(trustSet({ callers: [dms, search] }), ATTRIBUTES);
  const identity = createIdentity({
    now,
    background: false,
    readKeyFile: async (path) => (path === DEVELOPMENT_KEYS ? dev.keyBytes : Promise.reject(new Error('no such file'))),
  });
  t.teardown(async () => identity.close());
  await identity.use(set);
  const ask = async (bearer: string, subject?: string) =>
    identity.subjectOf(set, await identity.authenticate(set, `Bearer ${bearer}`), subject);
  return { dev, set, identity, ask };
}

const claimsIn = (token: string): Json =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Json;

t.test('tokens of callers and people, as bearer and as subject token under any caller', async (t) => {
  const { dev, identity, ask } = await start(t);
  t.match(identity.state().issuers, [{ issuer: DEVELOPMENT_ISSUER, usable: true }]);
  const claims = {
    sub: 'u-okafor',
    roles: ['partner'],
    user_type: 'internal',
    auth_time: '2026-03-10T13:50:00Z',
    'a/b': 1,
  };
  const person = await dev.mintPersonToken({ claims, client: 'dms-backend' });
  for (const caller of [dms, search]) {
    const found = await ask(await dev.mintCallerToken(caller), person);
    t.match(found.caller, { id: caller.id, sourceSystem: caller.source_system, own: true });
    t.same([...found.caller.rights], caller.may);
    t.match(found.subject, { id: 'u-okafor', evidence: { issuer: DEVELOPMENT_ISSUER } });
    t.same(
      { ...found.subject.attributes },
      { roles: ['partner'], user_type: 'internal', auth_time: claims.auth_time, 'a/b': 1 },
    );
  }
  const alone = await ask(person);
  t.match(alone, { caller: { id: 'dms', own: false }, subject: { id: 'u-okafor' } });
  const alsoAlone = await ask(await dev.mintPersonToken({ claims, client: 'search-backend' }));
  t.match(alsoAlone.caller, { id: 'search', own: false });
});

t.test('the token of a caller alone asks about nobody, unless its claims make it a service account', async (t) => {
  const { dev, ask } = await start(t);
  t.equal((await refusalOf(ask(await dev.mintCallerToken(dms)))).code, 'caller_not_allowed');
  const service = await dev.mintCallerToken(search, { user_type: 'service', roles: [] });
  t.match(await ask(service), { caller: { id: 'search', own: true }, subject: { id: 'search-backend' } });
  const asSubject = await refusalOf(ask(await dev.mintCallerToken(dms), service));
  t.match(asSubject, { code: 'token_refused', reason: 'not_acceptable' });
});

t.test('claims of a service work in both places', async (t) => {
  const { dev, ask } = await start(t);
  const claims = { sub: 'svc-indexer', roles: [], user_type: 'service' };
  const token = await dev.mintPersonToken({ claims, client: 'dms-backend' });
  t.match(await ask(token), { caller: { id: 'dms', own: false }, subject: { id: 'svc-indexer' } });
  t.match(await ask(await dev.mintCallerToken(search), token), {
    caller: { id: 'search' },
    subject: { id: 'svc-indexer' },
  });
});

t.test('claims pass through unchanged; only what is missing is added', async (t) => {
  const { dev } = await start(t);
  const odd = { sub: 7, roles: 'partner', act: null, auth_time: 12, nested: { a: [1, null] } };
  t.match(claimsIn(await dev.mintPersonToken({ claims: odd, client: 'dms-backend' })), {
    ...odd,
    iss: DEVELOPMENT_ISSUER,
    aud: [DEVELOPMENT_AUDIENCE, DEVELOPMENT_SUBJECT_AUDIENCE],
    azp: 'dms-backend',
    iat: NOW / 1000,
    exp: NOW / 1000 + 12 * 3600,
    jti: /^[0-9a-f-]{36}$/,
  });
  const own = { iss: 'x', aud: 'y', azp: 'z', iat: 1, exp: 2, jti: 'j', idtyp: 'app', sub: 's' };
  t.same(claimsIn(await dev.mintPersonToken({ claims: own, client: 'dms-backend' })), own);
});

t.test('what is wrong with claims shows as it would with any issuer', async (t) => {
  const { dev, ask } = await start(t);
  const refusal = async (claims: Json): Promise<string> => {
    const token = await dev.mintPersonToken({ claims: { sub: 'u-okafor', ...claims }, client: 'dms-backend' });
    const { code, reason } = await refusalOf(ask(token));
    return `${code} ${reason}`;
  };
  t.equal(await refusal({ exp: 1, iat: 0 }), 'token_refused expired');
  t.equal(await refusal({ act: { sub: 'u-voss' } }), 'token_refused not_acceptable');
  t.equal(await refusal({ aud: 'elsewhere' }), 'token_refused not_acceptable');
  t.equal(await refusal({ azp: 'nobody' }), 'caller_not_allowed undefined');
  t.equal(await refusal({ sub: 7 }), 'token_refused not_acceptable');
});

t.test('the key stays, in a file for its owner only', async (t) => {
  const stateDir = await folder(t);
  const first = await developmentIssuer({ stateDir, now: () => NOW });
  const names = await readdir(stateDir);
  t.equal(names.length, 1);
  const path = join(stateDir, names[0] ?? '');
  t.equal((await stat(path)).mode & 0o777, 0o600);
  await chmod(path, 0o644);
  const again = await developmentIssuer({ stateDir, now: () => NOW });
  t.same(Buffer.from(again.keyBytes), Buffer.from(first.keyBytes));
  t.equal((await stat(path)).mode & 0o777, 0o600, 'closed again');
  t.notMatch(Buffer.from(first.keyBytes).toString(), /"d"/, 'what is published is public');
  t.match(await readFile(path, 'utf8'), /"d"/);
  await writeFile(path, '{"kty":"OKP"}');
  await t.rejects(developmentIssuer({ stateDir, now: () => NOW }), /holds no key/);
  await rm(path);
  await writeFile(join(stateDir, 'in-the-way'), '');
  await t.rejects(developmentIssuer({ stateDir: join(stateDir, 'in-the-way'), now: () => NOW }));
});

t.test('processes that start together agree on one key', async (t) => {
  const stateDir = await folder(t);
  const all = await Promise.all(Array.from({ length: 8 }, () => developmentIssuer({ stateDir, now: () => NOW })));
  t.equal(new Set(all.map(({ keyBytes }) => Buffer.from(keyBytes).toString())).size, 1);
  t.equal((await readdir(stateDir)).length, 1, 'nothing is left lying about');
});

t.test('callers are mirrored as clients of the development issuer', async (t) => {
  const twin = callerEntry('https://partners.example/', { id: 'twin', source_system: 'portal' });
  const mirrored = mirrorCallers([dms, search, twin, callerEntry(DEVELOPMENT_ISSUER, { id: 'dev' })]);
  t.match(mirrored, [
    { ...dms, issuer: DEVELOPMENT_ISSUER, subject_tokens: Object },
    { ...search, issuer: DEVELOPMENT_ISSUER, subject_tokens: Object },
    { id: 'twin', client_id: 'dms-backend#twin', issuer: DEVELOPMENT_ISSUER },
  ]);
  t.equal(mirrored.length, 3);
  for (const caller of mirrored) {
    t.same(caller.subject_tokens, {
      audiences: [DEVELOPMENT_SUBJECT_AUDIENCE],
      clients: ['dms-backend', 'search-backend', 'dms-backend#twin', 'dms-web', 'dms-desktop'],
    });
  }
});

t.test('the set in development is one object for one set, and the rest of it is as it was', async (t) => {
  const { dev } = await start(t);
  const set = trustSet({ callers: [dms] });
  const extended = dev.trust(set, ATTRIBUTES);
  t.equal(dev.trust(set, ATTRIBUTES), extended);
  t.not(extended.trustDigest, set.trustDigest);
  t.same(extended.callers[0], dms);
  t.equal(extended.lockdown, set.lockdown);
  t.match(extended.issuers, [{ may_assert: { roles: [...set.roles], ids: ['*'] } }]);
  t.equal(extended.issuers[0]?.claims['a/b'], '/a~1b');
});
