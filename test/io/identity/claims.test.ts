import fc from 'fast-check';
import t from 'tap';
import type { IssuerEntry } from '../../../src/model/data.ts';
import { compileClaims, compileIdPatterns, readClaims, type MappedClaims } from '../../../src/io/identity/claims.ts';
import { refusalOf } from '../../helpers/tokens.ts';
import { runs } from '../../helpers/runs.ts';

const firm = {
  roles: new Set(['partner', 'associate', 'client_user']),
  aiAssistants: new Set(['svc-ai-assistant', 'svc-other']),
};

const entry = (overrides: Partial<IssuerEntry> = {}): IssuerEntry => ({
  issuer: 'https://idp.example/',
  keys: { file: 'keys.json' },
  algorithms: ['ES256'],
  audience: 'privity',
  typ: 'any',
  claims: {
    id: '/sub',
    client: '/azp',
    token_id: '/jti',
    act: '/act',
    roles: '/realm_access/roles',
    user_type: '/user_type',
    client_ids: '/client_ids',
    auth_time: { pointer: '/auth_time', as: 'epoch_seconds' },
    training_until: { pointer: '/training_until', as: 'rfc3339' },
    constructor: '/none',
  },
  may_assert: { user_types: ['client'], roles: ['client_user'], ids: ['c-*', 'x-1'] },
  ...overrides,
});

type Payload = Readonly<Record<string, unknown>>;
const read = (payload: Payload, overrides: Partial<IssuerEntry> = {}): MappedClaims =>
  readClaims(compileClaims(entry(overrides)), { sub: 'c-1', azp: 'portal', ...payload }, firm);
const refusal = async (payload: Payload, overrides: Partial<IssuerEntry> = {}): Promise<string> => {
  const { code, reason, internal } = await refusalOf((async () => read(payload, overrides))());
  return code === 'token_refused' && reason === 'not_acceptable' ? internal : `${code} ${reason}`;
};
const roles = (value: unknown): Payload => ({ realm_access: { roles: value } });

t.test('maps claims by pointer', async (t) => {
  const claims = read({
    jti: 't-1',
    ...roles(['client_user']),
    user_type: 'client',
    client_ids: ['C-100'],
    unmapped: 'x',
  });
  t.match(claims, { id: 'c-1', idAllowed: true, client: 'portal', tokenId: 't-1', actor: null, droppedRoles: [] });
  t.same(Object.entries(claims.attributes), [
    ['roles', ['client_user']],
    ['user_type', 'client'],
    ['client_ids', ['C-100']],
  ]);
  t.equal(claims.attributes['constructor'], undefined, 'nothing is inherited');
  t.equal(Object.getPrototypeOf(claims.attributes), null);
});

t.test('wire types: what a provider sends as a date', async (t) => {
  t.equal(read({ auth_time: 1_773_150_600 }).attributes['auth_time'], '2026-03-10T13:50:00.000Z');
  t.equal(read({ auth_time: 1_773_150_600.5 }).attributes['auth_time'], '2026-03-10T13:50:00.500Z');
  t.equal(read({ auth_time: 0 }).attributes['auth_time'], '1970-01-01T00:00:00.000Z');
  t.equal(read({ auth_time: -62_167_219_200 }).attributes['auth_time'], '0000-01-01T00:00:00.000Z');
  t.equal(read({ training_until: '2026-12-31T00:00:00Z' }).attributes['training_until'], '2026-12-31T00:00:00Z');
  t.equal(read({ training_until: 'soon' }).attributes['training_until'], 'soon', 'policy makes it unknown');
  for (const value of ['1773150600', '2026-03-10T13:50:00Z', true, [1], {}, 253_402_300_800, -62_167_219_201]) {
    t.match(await refusal({ auth_time: value }), /auth_time/, JSON.stringify(value));
  }
  for (const value of [1_773_150_600, true, ['2026-12-31T00:00:00Z'], {}]) {
    t.match(await refusal({ training_until: value }), /training_until/, JSON.stringify(value));
  }
  for (const value of [null, '']) {
    t.notOk('auth_time' in read({ auth_time: value }).attributes, 'null and empty are absent');
    t.notOk('training_until' in read({ training_until: value }).attributes, 'null and empty are absent');
  }
});

t.test('values without wire type pass as they are', async (t) => {
  for (const value of [null, '', 0, 'C-100', ['C-100', 7], { a: [true] }]) {
    t.same(read({ client_ids: value }).attributes['client_ids'], value, JSON.stringify(value));
  }
});

t.test('roles that the firm does not know are dropped, and named', async (t) => {
  const claims = read(roles(['zz-admin', 'client_user', 'Partner', 'zz-admin', 'constructor']));
  t.same(claims.attributes['roles'], ['client_user']);
  t.same(claims.droppedRoles, ['Partner', 'constructor', 'zz-admin']);
  t.same(read(roles(['nobody'])).attributes['roles'], []);
  t.same(read(roles([])).attributes['roles'], []);
});

t.test('a known role outside may_assert refuses the token, however it is wrapped', async (t) => {
  const smuggled: readonly unknown[] = [
    ['partner'],
    ['client_user', 'associate'],
    'partner',
    ['client_user', 7, 'partner'],
    [['partner']],
    [{ role: 'partner' }],
    { 0: 'partner', length: 1 },
    [null, 'partner'],
  ];
  for (const value of smuggled) t.match(await refusal(roles(value)), /^role `/, JSON.stringify(value));
  for (const value of ['client_user', ['client_user', 7], [null], 7, true, { a: 'client_user' }, [['client_user']]]) {
    t.same(
      read(roles(value)).attributes['roles'],
      value,
      `mistyped, for policy to find unknown: ${JSON.stringify(value)}`,
    );
    t.same(read(roles(value)).droppedRoles, []);
  }
});

t.test('may_assert, all combinations', async (t) => {
  const known = [...firm.roles];
  const types = ['internal', 'external', 'client', 'service'] as const;
  const subset = <T extends string>(all: readonly T[]) => fc.subarray([...all]);
  await fc.assert(
    fc.asyncProperty(
      subset(known),
      subset(types),
      fc.subarray([...known, 'unknown-1', 'unknown-2']),
      fc.constantFrom(...types, 'robot', undefined),
      async (mayRoles, mayTypes, tokenRoles, tokenType) => {
        const may = { may_assert: { user_types: mayTypes, roles: mayRoles, ids: ['*'] } };
        const payload = { ...roles(tokenRoles), user_type: tokenType };
        const badRole = tokenRoles.some((role) => known.includes(role) && !mayRoles.includes(role));
        const badType = types.some((type) => type === tokenType && !mayTypes.includes(type));
        if (badRole || badType) return /may assert/.test(await refusal(payload, may));
        const claims = read(payload, may);
        t.same(
          claims.attributes['roles'],
          tokenRoles.filter((role) => known.includes(role)),
        );
        t.same(claims.droppedRoles, tokenRoles.filter((role) => !known.includes(role)).sort());
        return claims.attributes['user_type'] === tokenType;
      },
    ),
    runs(300),
  );
});

t.test('a user type outside may_assert refuses the token; one that nobody knows is for policy to judge', async (t) => {
  for (const value of ['internal', 'service', ['internal'], { kind: 'internal' }]) {
    t.match(await refusal({ user_type: value }), /^user_type `/, JSON.stringify(value));
  }
  for (const value of ['robot', 'Internal', 7, null, ['client']]) {
    t.same(read({ user_type: value }).attributes['user_type'], value, JSON.stringify(value));
  }
});

t.test('ids by pattern', async (t) => {
  t.ok(read({ sub: 'x-1' }).idAllowed);
  for (const sub of ['x-10', 'X-1', 'u-okafor', 'c', 'C-1', ' c-1', 'xc-1']) t.notOk(read({ sub }).idAllowed, sub);
  t.match(read({ sub: undefined }), { id: null, idAllowed: false });
  t.match(read({ sub: '' }), { id: null, idAllowed: false });
  for (const sub of [7, ['c-1'], { id: 'c-1' }, true]) t.match(await refusal({ sub }), /id is not a string/);
});

t.test('patterns mean a prefix or the id itself, nothing else', async (t) => {
  const text = fc.string({ minLength: 1, maxLength: 6 }).filter((id) => !id.includes('*'));
  const pattern = fc.oneof(
    text,
    text.map((prefix) => `${prefix}*`),
    fc.constant('*'),
  );
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), text, text, (patterns, id, rest) => {
      const allowed = compileIdPatterns(patterns);
      const naive = (tried: string): boolean =>
        patterns.some((one) =>
          one.endsWith('*') ? tried.slice(0, one.length - 1) === one.slice(0, -1) : tried === one,
        );
      return [id, `${id}${rest}`, ...patterns.map((one) => one.replace('*', rest))].every(
        (tried) => allowed(tried) === naive(tried),
      );
    }),
    runs(500),
  );
  t.notOk(compileIdPatterns([])('c-1'), 'no pattern, nobody');
  t.ok(compileIdPatterns(['.+*'])('.+x'), 'no regular expressions');
  t.notOk(compileIdPatterns(['.*'])('c-1'), 'no regular expressions');
});

t.test('identifiers are bounded in bytes, and plain', async (t) => {
  const long = 'c-'.padEnd(256, 'x');
  t.equal(read({ sub: long }).id, long);
  t.match(await refusal({ sub: `${long}x` }), /id is longer/);
  t.match(await refusal({ sub: `c-${'é'.repeat(128)}` }), /id is longer/, 'bytes, not characters');
  for (const name of ['azp', 'jti']) t.match(await refusal({ [name]: `${long}x` }), /longer/, name);
  t.match(await refusal({ client_ids: ['C-100', { deep: `${long}x` }] }), /client_ids is longer/);
  t.match(await refusal(roles([`${long}x`])), /roles is longer/);
  t.match(await refusal({ sub: 'c-1\n' }), /control/);
  t.match(await refusal({ jti: 'a\u001b[2J' }), /control/);
  t.match(await refusal({ jti: 7 }), /token_id is not a string/);
  t.match(await refusal({ azp: ['portal'] }), /client is not a string/);
  t.equal(read({ jti: null, azp: '' }).tokenId, null);
  t.equal(read({ jti: null, azp: '' }).client, null);
});

t.test('act: an object that names a declared AI assistant, or no token', async (t) => {
  const ai = { sub: 'svc-ai-assistant' };
  t.equal(read({}).actor, null);
  t.equal(read({ act: ai }).actor, 'svc-ai-assistant');
  t.equal(
    read({ act: { ...ai, iss: 'https://idp.example/', act: { sub: 'svc-anything' } } }).actor,
    'svc-ai-assistant',
  );
  const bad: readonly unknown[] = [
    null,
    '',
    'svc-ai-assistant',
    [ai],
    [],
    true,
    0,
    {},
    { sub: '' },
    { sub: null },
    { sub: ['svc-ai-assistant'] },
    { sub: 'u-okafor' },
    { sub: 'constructor' },
    { SUB: 'svc-ai-assistant' },
    { act: ai },
    { ...ai, act: 'svc-ai-assistant' },
    { ...ai, act: null },
    { ...ai, act: [ai] },
  ];
  for (const act of bad) t.match(await refusal({ act }), /act/, JSON.stringify(act));
  const chain = (depth: number): Payload => (depth === 1 ? ai : { ...ai, act: chain(depth - 1) });
  t.equal(read({ act: chain(10) }).actor, 'svc-ai-assistant');
  t.match(await refusal({ act: chain(11) }), /act/);
});

t.test('a top-level act counts even where the map looks elsewhere', async (t) => {
  const { act: _left, ...claims } = entry().claims;
  t.equal(read({ act: { sub: 'svc-ai-assistant' } }, { claims }).actor, 'svc-ai-assistant');
  t.match(await refusal({ act: 'x' }, { claims }), /act/);
  const moved = { claims: { ...claims, act: '/delegation' } };
  t.equal(read({ delegation: { sub: 'svc-other' } }, moved).actor, 'svc-other');
  t.equal(read({ delegation: { sub: 'svc-other' }, act: { sub: 'svc-other' } }, moved).actor, 'svc-other');
  t.match(await refusal({ delegation: { sub: 'svc-other' }, act: { sub: 'svc-ai-assistant' } }, moved), /two actors/);
});

t.test(
  'without a map for them, id and token id stand where the standard puts them, and the client nowhere',
  async (t) => {
    t.match(read({ jti: 't-1' }, { claims: {} }), { id: 'c-1', tokenId: 't-1', client: null });
  },
);
