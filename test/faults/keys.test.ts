// The endpoints of issuers' keys are away for an hour, go wrong in every way there is, rotate, and are poisoned and flooded: good tokens
// stay good, bad ones never become so, and everything is over without a restart.
import { createHmac } from 'node:crypto';
import t, { type Test } from 'tap';
import { document, OFFICE, startApp, type TestApp } from '../helpers/app.ts';
import { type Behaviour, type KeyEndpoint, startKeyEndpoint } from '../helpers/key-endpoint.ts';
import { until } from '../helpers/recorder.ts';
import { base64url, makeKey, signCompact, type SigningKey } from '../helpers/tokens.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import type { TrustSet } from '../../src/model/identity.ts';

type Json = Readonly<Record<string, unknown>>;

const LOGIN = 'https://login.firm.example/';
const PARTNERS = 'https://partners.firm.example/';
const MINUTE = 60_000;
const LIMIT_MS = 60_000;

t.setTimeout(300_000);

interface Rig {
  readonly app: TestApp;
  readonly login: KeyEndpoint;
  readonly partners: KeyEndpoint;
  readonly key: SigningKey;
  readonly clock: { elapsed: number };
  /** Virtual time passes; resolves when the endpoint of the firm's people was asked again and said what became of it. */
  pass(ms?: number): Promise<void>;
  /** Of a person of the firm about a document of their matter. */
  ask(signer?: Signer): Promise<{ readonly status: number; readonly decision: unknown; readonly reason: string }>;
  degraded(): Promise<readonly string[]>;
  metric(line: string): Promise<boolean>;
}

type Signer = (payload: Json) => string;

const signer =
  (key: SigningKey, header: Json = {}, alg = key.alg): Signer =>
  (payload) =>
    signCompact({
      header: { alg, typ: 'at+jwt', kid: key.kid, ...header },
      payload,
      key: key.privateKey,
      alg: key.alg,
    });

/** The caller's own token stays signed by the issuer of before: what changes is who signs for the person. */
async function start(t: Test, first: Behaviour = 'keys'): Promise<Rig> {
  const [login, partners] = [await startKeyEndpoint(t), await startKeyEndpoint(t)];
  const key = makeKey('ES256', 'login-1');
  login.publish(key.jwk);
  partners.publish(makeKey('ES256', 'partners-1').jwk);
  login.behave(first);
  partners.behave(first);
  const clock = { elapsed: 0 };
  const urls = new Map([
    [LOGIN, login.url],
    [PARTNERS, partners.url],
  ]);
  const known = new WeakMap<PolicySet, TrustSet>();
  const trustOf = (set: PolicySet): TrustSet => {
    const issuers = set.issuers.map((one) => ({ ...one, keys: { url: urls.get(one.issuer) ?? '' } }));
    const { trustDigest, callers, roles, aiAssistants, lockdown } = set;
    const trust = known.get(set) ?? { trustDigest, issuers, callers, roles, aiAssistants, lockdown };
    known.set(set, trust);
    return trust;
  };
  const app = await startApp(t, {
    extras: { trustOf, identity: { elapsed: () => clock.elapsed, times: { timeoutMs: 1_000 } } },
  });
  const resign = (token: string, sign: Signer): string => {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Json;
    return sign(payload);
  };
  const rig: Rig = {
    app,
    login,
    partners,
    key,
    clock,
    async pass(ms = 10 * MINUTE) {
      const before = login.requests();
      clock.elapsed += ms;
      await until('the endpoint is asked', () => login.requests() > before, LIMIT_MS);
    },
    async ask(sign = signer(key)) {
      const response = await app.inject({
        method: 'POST',
        url: '/v1/authorize',
        headers: {
          authorization: `Bearer ${resign(app.personToken('u-okafor'), sign)}`,
          'content-type': 'application/json',
        },
        payload: JSON.stringify({ action: { name: 'read' }, resource: document('D-1'), context: OFFICE }),
      });
      const { decision } = response.json<{ decision?: unknown }>();
      const reason = String(response.headers['www-authenticate'] ?? '');
      return { status: response.statusCode, decision, reason };
    },
    async degraded() {
      const response = await app.inject({ method: 'GET', url: '/readyz' });
      return response.statusCode === 200 ? response.json<{ degraded: readonly string[] }>().degraded : ['not ready'];
    },
    async metric(line) {
      return (await app.inject({ method: 'GET', url: '/metrics' })).body.split('\n').includes(line);
    },
  };
  const areThere = async (): Promise<boolean> => {
    // Retries come by virtual time, should the first fetch have taken too long.
    clock.elapsed += 100;
    return (await rig.degraded()).every((code) => code === 'writer_key_not_kept');
  };
  if (first === 'keys') await until('keys', areThere, LIMIT_MS);
  return rig;
}

const has = async (rig: Rig, code: string): Promise<void> =>
  until(code, async () => (await rig.degraded()).includes(code), LIMIT_MS);
const lacks = async (rig: Rig, code: string): Promise<void> =>
  until(`no ${code}`, async () => !(await rig.degraded()).includes(code), LIMIT_MS);

t.test('an hour without keys, every ten minutes wrong in another way', async (t) => {
  const rig = await start(t);
  t.match(await rig.ask(), { status: 200, decision: true });
  const ways: readonly [Behaviour, RegExp][] = [
    ['reset', /^[A-Z_]+$/],
    ['html', /not JSON/],
    ['redirect', /status 302/],
    ['huge', /longer than/],
    ['compressed-bomb', /longer than/],
    ['drip', /timed out/],
    ['silent', /timed out/],
    ['error', /status 503/],
    [{ body: { keys: 'none' } }, /not a key set/],
  ];
  for (const [way, words] of ways) {
    const lines = rig.app.log.length;
    rig.login.behave(way);
    await rig.pass();
    const said = (): boolean =>
      rig.app.log.slice(lines).some((line) => line['issuer'] === LOGIN && words.test(String(line['problem'])));
    await until(`a line in the log about ${JSON.stringify(way)}`, said, LIMIT_MS);
    await has(rig, 'issuer_keys_not_refreshed');
    t.match(await rig.ask(), { status: 200, decision: true }, `${JSON.stringify(way)}: the keys of before count`);
  }
  t.ok(rig.clock.elapsed >= 60 * MINUTE);
  t.ok(await rig.metric('privity_degraded{code="issuer_keys_not_refreshed"} 1'), 'metric');
  rig.login.behave('keys');
  await rig.pass();
  await lacks(rig, 'issuer_keys_not_refreshed');
  t.match(await rig.ask(), { status: 200, decision: true });

  rig.login.behave('error');
  rig.clock.elapsed += 25 * 60 * MINUTE;
  await has(rig, 'issuer_without_keys');
  t.match(await rig.ask(), { status: 401, reason: /not_trusted/ }, 'after a day they do not');
  rig.login.behave('keys');
  await rig.pass(2 * MINUTE);
  await lacks(rig, 'issuer_without_keys');
  t.match(await rig.ask(), { status: 200, decision: true }, 'over without a restart');
});

t.test('no keys at the start: not ready, nothing is answered, and over without a restart', async (t) => {
  const rig = await start(t, 'error');
  const ready = () => rig.app.inject({ method: 'GET', url: '/readyz' });
  t.match((await ready()).json(), { status: 'not_ready', problems: ['no_usable_issuer'] });
  t.match(await rig.ask(), { status: 401 });
  t.equal(await rig.app.count('decision'), 0);
  rig.partners.behave('keys');
  rig.clock.elapsed += 2 * MINUTE;
  await until('ready', async () => (await ready()).statusCode === 200, LIMIT_MS);
  t.strictSame(
    (await rig.degraded()).filter((code) => code.startsWith('issuer')),
    ['issuer_without_keys'],
  );
  t.match(await rig.ask(), { status: 401 }, 'another issuer’s keys are no help');
  rig.login.behave('keys');
  rig.clock.elapsed += 2 * MINUTE;
  await lacks(rig, 'issuer_without_keys');
  t.match(await rig.ask(), { status: 200, decision: true });
});

t.test('rotated: old and new side by side, then the old one withdrawn', async (t) => {
  const rig = await start(t);
  const next = makeKey('ES256', 'login-2');
  t.match(await rig.ask(signer(next)), { status: 401 }, 'not published yet');
  rig.login.publish(rig.key.jwk, next.jwk);
  await rig.pass();
  await until('the new key counts', async () => (await rig.ask(signer(next))).status === 200, LIMIT_MS);
  t.match(await rig.ask(), { status: 200 }, 'and the old one');
  rig.login.publish(next.jwk);
  await rig.pass();
  await until('the old key is worth nothing', async () => (await rig.ask()).status === 401, LIMIT_MS);
  t.match(await rig.ask(signer(next)), { status: 200 });
  t.strictSame(
    (await rig.degraded()).filter((code) => code.startsWith('issuer')),
    [],
  );
});

t.test('poisoned: nothing that is signed with what does not belong there is believed', async (t) => {
  const rig = await start(t);
  const secret = Buffer.from('a shared secret that everybody can read');
  const byHmac: Signer = (payload) => {
    const input = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: 'p' })}.${base64url(payload)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const leaked = makeKey('ES256', 'p');
  const weak = makeKey('RS256', 'p', 1024);
  const twin = makeKey('ES256', rig.key.kid);
  const encryption = makeKey('RS256', 'p');
  const other = makeKey('Ed25519', 'p');
  const poison: readonly [string, Json, Signer][] = [
    ['a shared secret', { kty: 'oct', kid: 'p', alg: 'HS256', k: base64url(secret) }, byHmac],
    ['a shared secret that says ES256', { kty: 'oct', kid: 'p', alg: 'ES256', k: base64url(secret) }, byHmac],
    ['a private key', { ...leaked.privateKey.export({ format: 'jwk' }), kid: 'p', alg: 'ES256' }, signer(leaked)],
    ['a weak key', weak.jwk, signer(weak)],
    ['a key for encryption', { ...encryption.jwk, use: 'enc' }, signer(encryption)],
    ['a key for an algorithm the issuer does not use', other.jwk, signer(other)],
  ];
  for (const [name, jwk, sign] of poison) {
    rig.login.publish(jwk, rig.key.jwk);
    await rig.pass();
    t.match(await rig.ask(sign), { status: 401 }, name);
    t.match(await rig.ask(), { status: 200, decision: true }, `${name}: the good key beside it counts`);
  }

  // Under the name of the other issuer's key, and the other way round.
  const foreign = makeKey('ES256', 'partners-1');
  rig.login.publish(rig.key.jwk, foreign.jwk);
  await rig.pass();
  const asPartner: Signer = (payload) => signer(foreign)({ ...payload, iss: PARTNERS });
  t.match(await rig.ask(asPartner), { status: 401 }, 'keys of one issuer say nothing about tokens of another');
  const beyond: Signer = (payload) => signer(rig.key)({ ...payload, sub: 'x-brandt' });
  t.match(await rig.ask(beyond), { status: 401 }, 'and whoever holds the endpoint cannot speak of other people');

  rig.login.publish(rig.key.jwk, twin.jwk);
  await rig.pass();
  await has(rig, 'issuer_keys_not_refreshed');
  t.match(await rig.ask(signer(twin)), { status: 401 }, 'two keys of one name: neither');
  t.match(await rig.ask(), { status: 401 });
  t.ok(
    rig.app.log.some(({ problem }) => String(problem).startsWith('two keys have the same kid')),
    'the log says why',
  );
  rig.login.publish(rig.key.jwk);
  await rig.pass();
  await lacks(rig, 'issuer_keys_not_refreshed');
  t.match(await rig.ask(), { status: 200 });

  rig.login.publish();
  await rig.pass();
  await has(rig, 'issuer_without_keys');
  t.match(await rig.ask(), { status: 401 }, 'all withdrawn');
});

t.test('flooded with unknown kids: the endpoint is hardly asked, and good tokens do not wait', async (t) => {
  const rig = await start(t);
  t.match(await rig.ask(), { status: 200 });
  let kids = 0;
  const flood = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 100 }, async () => rig.ask(signer(rig.key, { kid: `unknown-${(kids += 1)}` }))));
  const [before, partners] = [rig.login.requests(), rig.partners.requests()];
  await flood();
  t.equal(rig.login.requests(), before, 'right after a fetch: not at all');
  for (let cooldown = 1; cooldown <= 3; cooldown++) {
    rig.clock.elapsed += 30_000;
    await flood();
    t.equal(rig.login.requests(), before + cooldown, 'once in a cooldown');
    t.match(await rig.ask(), { status: 200, decision: true });
  }
  rig.login.behave('silent');
  rig.clock.elapsed += 30_000;
  const flooding = flood();
  t.match(await rig.ask(), { status: 200 }, 'also while the endpoint says nothing');
  await flooding;
  t.equal(rig.login.requests(), before + 4);
  t.equal(rig.partners.requests(), partners, 'and nobody else is asked');
});
