// What becomes of tokens that were good once: rotation, outages, expiry, other policies, tampering with a remembered one.
import t from 'tap';
import { START, startIdentity } from '../../helpers/identity.ts';
import { base64url } from '../../helpers/tokens.ts';

type Json = Readonly<Record<string, unknown>>;

t.test('15 rotation: tokens of a withdrawn key stop counting, remembered or not', async (t) => {
  const { issuer, accept, refuse, clock, identity } = await startIdentity(t);
  const old = issuer.mint();
  t.ok(await accept(old));
  issuer.rotate('key-2');
  const next = issuer.mint();
  t.match(await refuse(next), /^not_trusted: ERR_JWKS_NO_MATCHING_KEY/, 'in the cooldown');
  t.equal(issuer.requests(), 1);
  clock.elapsed += 30_000;
  t.ok(await accept(next), 'found on demand');
  t.match(await refuse(old), /^not_trusted/);
  t.equal(issuer.requests(), 2);
  clock.elapsed += 600_000;
  await identity.tick();
  t.ok(await accept(next));
});

t.test('15 the same kid with another key: the old signature is worth nothing', async (t) => {
  const { issuer, accept, refuse, clock, identity } = await startIdentity(t);
  const old = issuer.mint();
  t.ok(await accept(old));
  issuer.rotate('key-1');
  clock.elapsed += 600_000;
  await identity.tick();
  t.match(await refuse(old), /^not_trusted: ERR_JWS_SIGNATURE_VERIFICATION_FAILED/);
  t.ok(await accept(issuer.mint()));
});

t.test('15 a flood of unknown kids', async (t) => {
  const { issuer, accept, refuse, clock } = await startIdentity(t);
  const flood = (n: number) =>
    Array.from({ length: n }, (_, i) => issuer.mint({}, { header: { kid: `unknown-${i}` } }));
  for (let minute = 1; minute <= 3; minute += 1) {
    clock.elapsed += 60_000;
    await Promise.all(flood(100).map((token) => refuse(token)));
    t.equal(issuer.requests(), 1 + minute, 'one fetch per cooldown');
    t.ok(await accept(issuer.mint()), 'good tokens do not suffer');
  }
});

t.test(
  '15 the endpoint is down for an hour: nobody notices; for a day: nothing counts, remembered or not',
  async (t) => {
    const { issuer, accept, refuse, clock, identity } = await startIdentity(t);
    const seen = issuer.mint({ exp: START / 1000 + 1_000_000 });
    t.ok(await accept(seen));
    issuer.behave('reset');
    for (let minute = 0; minute < 60; minute += 10) {
      clock.elapsed += 600_000;
      await identity.tick();
    }
    t.ok(await accept(seen));
    t.ok(await accept(issuer.mint()));
    t.match(identity.state(), { issuers: [{ usable: true, problem: String }] });
    clock.elapsed += 24 * 3_600_000;
    t.match(identity.state(), { issuers: [{ usable: false }] });
    t.match(await refuse(seen), /^not_trusted: the issuer has no usable keys/);
    t.match(await refuse(issuer.mint()), /^not_trusted: the issuer has no usable keys/);
    issuer.behave('keys');
    clock.elapsed += 60_000;
    t.ok(await accept(seen), 'recovers by itself');
  },
);

t.test('a remembered token: same signature, other content', async (t) => {
  const { issuer, accept, refuse } = await startIdentity(t);
  const token = issuer.mint();
  t.ok(await accept(token));
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Json;
  const tampered = `${header}.${base64url({ ...claims, sub: 'u-evil' })}.${signature}`;
  t.match(await refuse(tampered), /^not_trusted: ERR_JWS_SIGNATURE/);
  t.match(await refuse(`${base64url({ alg: 'ES256', typ: 'at+jwt' })}.${payload}.${signature}`), /^not_trusted/);
  t.ok(await accept(token));
});

t.test('a remembered token dies at exp, and with the trust it was verified under', async (t) => {
  const { issuer, set, accept, refuse, clock, identity } = await startIdentity(t, { entry: { max_token_age: 'PT2H' } });
  const token = issuer.mint();
  t.ok(await accept(token));
  t.equal(identity.state().cache.entries, 1);
  const stricter = { ...set, trustDigest: 'stricter', issuers: [issuer.entry({ audience: 'elsewhere' })] };
  t.match(await refuse(token, stricter), /^not_acceptable: aud/);
  const noPartners = { user_types: ['internal' as const], roles: [], ids: ['*'] };
  const withoutRole = { ...set, trustDigest: 'no-partners', issuers: [issuer.entry({ may_assert: noPartners })] };
  t.match(await refuse(token, withoutRole), /^not_acceptable: role/);
  t.match(await refuse(token, { ...set, trustDigest: 'nobody', issuers: [] }), /^not_trusted/);
  t.ok(await accept(token));
  clock.now += 3_599_000;
  t.ok(await accept(token));
  clock.now += 1_000;
  t.match(await refuse(token), /^expired/);
  t.equal(identity.state().cache.entries, 0);
  clock.now -= 7_200_000;
  t.match(await refuse(token), /^not_acceptable: .*iat/, 'judged anew on every use');
});

t.test('a remembered token is not good before nbf, should the clock go back', async (t) => {
  const { issuer, accept, refuse, clock } = await startIdentity(t);
  const token = issuer.mint({ iat: START / 1000 - 3600, nbf: START / 1000 });
  t.ok(await accept(token));
  clock.now -= 1_000;
  t.match(await refuse(token), /^not_acceptable: nbf/);
});

t.test('a remembered token grows too old', async (t) => {
  const { issuer, accept, refuse, clock } = await startIdentity(t, { entry: { max_token_age: 'PT10M' } });
  const token = issuer.mint();
  t.ok(await accept(token));
  clock.now += 601_000;
  t.match(await refuse(token), /^expired: older than max_token_age/);
});
