import fc from 'fast-check';
import t from 'tap';
import { overlap } from '../../src/core/trust.ts';
import { compiled, errorsIn, findingsIn, smallFiles } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const issuer = (name: string, ids: readonly string[], more: object = {}) => ({
  ...{ issuer: `https://${name}.example/`, keys: { url: `https://${name}.example/jwks` }, algorithms: ['ES256'] },
  ...{ audience: 'https://privity.example/', typ: 'at+jwt', claims: { id: '/sub', client: '/azp' } },
  may_assert: { user_types: ['internal'], roles: ['clerk'], ids },
  ...more,
});
const caller = (id: string, more: object = {}) => ({
  ...{ id, issuer: 'https://a.example/', client_id: `${id}-backend`, source_system: 'dms', may: ['authorize'] },
  ...more,
});

/** What is wrong, without the hints. */
function wrong(issuers: readonly object[], callers: readonly object[] = [], more: object = {}): string[] {
  const files = smallFiles([], {
    'issuers.yaml': { version: 1, issuers },
    'callers.yaml': { version: 1, callers },
    ...more,
  });
  return errorsIn(files).map((line) => line.replace(/^(\S+?):\S+/, '$1').replace(/ — .*/, ''));
}

/** Whether an id may come from an issuer with this pattern (DESIGN 4). */
function matches(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}

t.test('two patterns overlap exactly when some id fits both', async (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 4 });
  const pattern = fc.tuple(letters, fc.boolean()).map(([text, open]) => (open ? `${text}*` : text || 'a'));
  let overlapping = 0;
  fc.assert(
    fc.property(pattern, pattern, letters, (a, b, rest) => {
      // If any id fits both, the longer of the two without its star does, or is one.
      const candidates = [a, b].flatMap((one) => [one.replace('*', ''), one.replace('*', rest)]);
      const common = candidates.some((id) => matches(a, id) && matches(b, id));
      overlapping += common ? 1 : 0;
      return overlap(a, b) === common && overlap(b, a) === common;
    }),
    runs(3_000),
  );
  t.ok(overlapping > 200);
  t.equal(overlap('*', 'u-1'), true);
  t.equal(overlap('u-*', 'u'), false);
  t.equal(overlap('u-*', 'u-'), true);
  t.equal(overlap('U-*', 'u-1'), false, 'ids are compared exactly');
});

t.test('two issuers never speak of the same person', async (t) => {
  t.strictSame(wrong([issuer('a', ['u-*', 'svc-1']), issuer('b', ['x-*', 'svc-2'])]), []);
  t.strictSame(wrong([issuer('a', ['u-*', 'svc-1']), issuer('b', ['u-ann', 'svc-*'])]), [
    'issuers.yaml https://b.example/: `u-ann` overlaps `u-*` of https://a.example/: both could speak of the same person',
    'issuers.yaml https://b.example/: `svc-*` overlaps `svc-1` of https://a.example/: both could speak of the same person',
  ]);
  t.strictSame(wrong([issuer('a', ['u-1', 'u-*'])]), [], 'within one issuer they may');
  t.strictSame(wrong([issuer('a', ['u-*']), issuer('a', ['x-*'])]), [
    'issuers.yaml https://a.example/: `https://a.example/` is listed twice',
  ]);
});

t.test('an issuer names claims, roles and durations that mean something', async (t) => {
  const claims = { act: '/act', token_id: '/jti', clearance: '/c', level: '/l', roles: '/r' };
  t.strictSame(wrong([issuer('a', ['u-*'], { claims, max_token_age: 'P1M', clock_tolerance: 'PT30S' })]), [
    'issuers.yaml https://a.example/: the claim map does not say where the id stands',
    'issuers.yaml https://a.example/: the claim map does not say where the client stands',
    'issuers.yaml https://a.example/: `level` is no subject attribute that firm.yaml knows',
    'issuers.yaml https://a.example/: `P1M` is no ISO 8601 duration',
  ]);
  const may_assert = { user_types: ['internal'], roles: ['lawyer', 'clerk'], ids: ['u-*'] };
  t.strictSame(
    wrong([issuer('a', ['u-*'], { may_assert })]),
    ['issuers.yaml https://a.example/: `lawyer` is no role that firm.yaml knows'],
    'a group is no role that a token could hold',
  );
  const named = { constructor: '/c', id: '/sub', client: '/azp' };
  t.strictSame(wrong([issuer('a', ['u-*'], { claims: named })]), [
    'issuers.yaml https://a.example/: `constructor` is no subject attribute that firm.yaml knows',
  ]);
});

t.test('a caller is one client of a known issuer, and says nothing that nobody may say', async (t) => {
  const issuers = [issuer('a', ['u-*']), issuer('b', ['x-*'])];
  t.strictSame(wrong(issuers, [caller('dms'), caller('web', { issuer: 'https://b.example/' })]), []);
  t.strictSame(wrong(issuers, [caller('dms'), caller('dms'), caller('web', { client_id: 'dms-backend' })]), [
    'callers.yaml dms: `dms` is listed twice',
    'callers.yaml dms: the client `dms-backend` is already another caller',
    'callers.yaml web: the client `dms-backend` is already another caller',
  ]);
  t.strictSame(
    wrong(issuers, [caller('dms'), caller('web', { client_id: 'dms-backend', issuer: 'https://b.example/' })]),
    [],
    'issuers number their clients each for itself',
  );
  const tokens = (list: readonly string[]) => ({
    subject_tokens: { audiences: ['dms'], clients: ['web'], issuers: list },
  });
  t.strictSame(wrong(issuers, [caller('dms', tokens(['https://b.example/', 'https://a.example']))]), [
    'callers.yaml dms: `https://a.example` is no issuer that issuers.yaml knows',
  ]);
  t.strictSame(
    wrong(issuers, [caller('dms', { issuer: 'https://A.example/', source_system: 'mail', ai_assistant: 'ai' })]),
    [
      'callers.yaml dms: `https://A.example/` is no issuer that issuers.yaml knows',
      'callers.yaml dms: `mail` is no source system that firm.yaml knows',
      'callers.yaml dms: `ai` is no AI assistant that data/ knows',
    ],
  );
  t.strictSame(
    wrong(issuers, [caller('dms', { ai_assistant: 'ai' })], { 'data/ai.yaml': 'ai_assistants: [{ sub: ai }]' }),
    [],
  );
});

t.test('nobody vouches for who somebody is, or for how they signed in', async (t) => {
  const vouching = (attributes: readonly string[], may = ['vouch']) =>
    wrong([issuer('a', ['u-*'])], [caller('dms', { may, vouch: { subject_types: ['user'], attributes } })]);
  t.strictSame(vouching(['clearance', 'floor']), []);
  t.strictSame(vouching(['clearance'], []), [
    'callers.yaml dms: the right `vouch` and the member `vouch` belong together',
  ]);
  t.strictSame(wrong([issuer('a', ['u-*'])], [caller('dms', { may: ['vouch'] })]), [
    'callers.yaml dms: the right `vouch` and the member `vouch` belong together',
  ]);
  for (const name of ['roles', 'user_type', 'employee_status', 'amr', 'auth_time', 'act'])
    t.strictSame(vouching([name]), [`callers.yaml dms: nobody may vouch for \`${name}\``]);
  for (const name of ['id', 'sub', 'level', 'constructor'])
    t.strictSame(vouching([name]), [`callers.yaml dms: \`${name}\` is no subject attribute that firm.yaml knows`]);
});

t.test('without the files nobody is trusted', async (t) => {
  const { issuers, callers } = compiled(smallFiles([]));
  t.strictSame([issuers, callers], [[], []]);
});

t.test('keys that come over plain http are a finding, but not from this machine', async (t) => {
  const found = (url: string): string[] => {
    const entry = issuer('a', ['u-*'], { keys: { url } });
    return findingsIn(smallFiles([], { 'issuers.yaml': { version: 1, issuers: [entry] } }));
  };
  for (const url of [
    'http://idp.example/jwks',
    'http://localhost.evil.example/jwks',
    'http://127.0.0.1@evil.example/',
    'http://10.0.0.1/jwks',
  ]) {
    t.match(found(url), [/^issuers\.yaml:1:\d+ .*over plain http.* — use https/], url);
  }
  for (const url of [
    'https://idp.example/jwks',
    'http://127.0.0.1:8080/jwks',
    'http://localhost/jwks',
    'http://[::1]:1/jwks',
    'http://127.9.9.9',
  ]) {
    t.strictSame(found(url), [], url);
  }
});
