import t from 'tap';
import { createIdentity } from '../../../src/io/identity/identify.ts';
import { START, describeRefusal, startIdentity, type IdentityRig } from '../../helpers/identity.ts';
import { callerClaims, callerEntry, refusalOf, startIssuer, subjectClaims, trustSet } from '../../helpers/tokens.ts';

type Json = Readonly<Record<string, unknown>>;

const AI = { sub: 'svc-ai-assistant' };
const SERVICE: Json = { ...callerClaims('svc-indexer'), user_type: 'service', roles: [] };

/** Bearer and subject token in one step, as a request goes. */
async function ask({ identity, set }: IdentityRig, bearer: string, subject?: string, trust = set) {
  return identity.subjectOf(trust, await identity.authenticate(trust, `Bearer ${bearer}`), subject);
}

async function refused(rig: IdentityRig, bearer: string, subject?: string, trust = rig.set): Promise<string> {
  return describeRefusal(await refusalOf(ask(rig, bearer, subject, trust)));
}

t.test('the authorization header', async (t) => {
  const { identity, set, issuer } = await startIdentity(t);
  const refusal = async (header: string | undefined): Promise<string> =>
    describeRefusal(await refusalOf(identity.authenticate(set, header)));
  const token = issuer.mint();
  for (const header of [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`]) {
    t.ok(await identity.authenticate(set, header));
  }
  for (const header of [
    undefined,
    '',
    token,
    `Basic ${token}`,
    `DPoP ${token}`,
    `Bearer${token}`,
    `Bearer\t${token}`,
    'Bearer',
  ]) {
    t.match(await refusal(header), /^missing/, String(header).slice(0, 10));
  }
  for (const header of [
    `Bearer  ${token}`,
    `Bearer \t${token}`,
    `Bearer ${token} `,
    `Bearer ${token}, Bearer ${token}`,
    'Bearer ',
  ]) {
    t.match(await refusal(header), /^malformed/, header.slice(0, 10));
  }
});

t.test('a caller asks with its own token about the person whose token it brings', async (t) => {
  const rig = await startIdentity(t);
  const { issuer } = rig;
  const { caller, subject } = await ask(rig, issuer.mint(callerClaims()), issuer.mint({ ...subjectClaims, act: AI }));
  t.match(caller, { id: 'dms', sourceSystem: 'dms', own: true, aiAssistant: null });
  t.ok(caller.rights.has('explain'));
  t.match(subject, { id: 'u-okafor', actor: 'svc-ai-assistant', attributes: { roles: ['partner'] } });
  t.equal(subject.evidence.kind, 'token');
});

t.test('a person asks with their own token, through the client it was issued to', async (t) => {
  const rig = await startIdentity(t);
  const { caller, subject } = await ask(rig, rig.issuer.mint());
  t.match(caller, { id: 'dms', own: false });
  t.equal(subject.id, 'u-okafor');
  const both = await refused(rig, rig.issuer.mint(), rig.issuer.mint(subjectClaims));
  t.match(both, /^caller_not_allowed/, 'a person brings nobody along');
});

t.test('a service account asks about itself; a mere client has nobody to ask about', async (t) => {
  const rig = await startIdentity(t, {
    callers: [{}, { id: 'search', client_id: 'svc-indexer', source_system: 'search' }],
  });
  const { caller, subject } = await ask(rig, rig.issuer.mint(SERVICE));
  t.match(caller, { id: 'search', own: true });
  t.match(subject, { id: 'svc-indexer', attributes: { user_type: 'service' } });
  t.match(await refused(rig, rig.issuer.mint(callerClaims())), /^caller_not_allowed/);
  const outside = rig.issuer.mint({ ...callerClaims(), user_type: 'service', roles: [] });
  t.match(
    await refused(rig, outside),
    /^not_acceptable: the issuer may not speak/,
    'dms-backend is no id of this issuer',
  );
  t.ok(await ask(rig, outside, rig.issuer.mint(subjectClaims)), 'but it may bring a person');
});

t.test('only registered clients ask', async (t) => {
  const rig = await startIdentity(t);
  for (const azp of ['dms-web', 'other', 'DMS-BACKEND', 'dms', undefined, '']) {
    t.match(await refused(rig, rig.issuer.mint({ azp })), /^caller_not_allowed/, String(azp));
  }
  const nobody = { ...rig.set, callers: [] };
  t.match(await refused(rig, rig.issuer.mint(), undefined, nobody), /^caller_not_allowed/);
});

t.test('a person the issuer may not speak of is refused before anything is read', async (t) => {
  const rig = await startIdentity(t);
  for (const sub of ['c-1', 'U-okafor', 'okafor']) {
    t.match(await rig.refuse(rig.issuer.mint({ sub })), /^not_acceptable/, sub);
    t.match(
      await refused(rig, rig.issuer.mint(callerClaims()), rig.issuer.mint({ ...subjectClaims, sub })),
      /^not_acceptable/,
    );
  }
});

t.test('subject tokens: audience, client, issuer, kind', async (t) => {
  const rig = await startIdentity(t, {
    callers: [{}, { id: 'search', client_id: 'search-backend', source_system: 'search' }],
  });
  const bearer = rig.issuer.mint(callerClaims());
  const bad: readonly [string, Json][] = [
    ['for Privity, not for the caller', { azp: 'dms-web' }],
    ['for another caller', { aud: 'search', azp: 'dms-web' }],
    ['issued to another client', { aud: 'dms', azp: 'search-web' }],
    ['issued to nobody', { aud: 'dms', azp: undefined }],
    ['issued to the caller itself', { aud: 'dms', azp: 'dms-backend' }],
    ['a token of the caller alone', { ...callerClaims(), aud: 'dms' }],
    ['the bearer itself', callerClaims()],
    ['act of nobody', { ...subjectClaims, act: { sub: 'u-voss' } }],
    ['act as text', { ...subjectClaims, act: 'svc-ai-assistant' }],
    ['ID token', { ...subjectClaims, nonce: 'n' }],
    ['bound to a key', { ...subjectClaims, cnf: { jkt: 'x' } }],
    ['staff role that the issuer may not give', { ...subjectClaims, roles: ['security_officer'] }],
  ];
  for (const [name, claims] of bad)
    t.match(await refused(rig, bearer, rig.issuer.mint(claims)), /^not_acceptable/, name);
  t.match(await refused(rig, bearer, rig.issuer.mint({ ...subjectClaims, exp: 1, iat: 0 })), /^expired/);
  for (const text of ['', 'x', ' ', bearer.slice(1)])
    t.match(await refused(rig, bearer, text), /^malformed/, text.slice(0, 5));
});

t.test('a token of a caller alone is no subject token, not even where its client and audience would fit', async (t) => {
  const accepts = { audiences: ['dms'], clients: ['dms-web', 'search-backend'] };
  const rig = await startIdentity(t, {
    callers: [{ subject_tokens: accepts }, { id: 'search', client_id: 'search-backend', source_system: 'search' }],
  });
  const bearer = rig.issuer.mint(callerClaims());
  const tokens: readonly Json[] = [
    { ...callerClaims('search-backend'), aud: 'dms', sub: 'svc-x', user_type: 'service' },
    { ...callerClaims('search-backend'), aud: 'dms', sub: 'svc-x', idtyp: 'app' },
    { ...callerClaims('search-backend'), aud: 'dms' },
  ];
  for (const claims of tokens) {
    t.match(await refused(rig, bearer, rig.issuer.mint(claims)), /^not_acceptable: a token of a caller/);
  }
  t.ok(
    await ask(rig, bearer, rig.issuer.mint({ aud: 'dms', azp: 'search-backend' })),
    'a token of a person from that client is one',
  );
  const service = rig.issuer.mint({ ...subjectClaims, sub: 'svc-x', roles: [], user_type: 'service' });
  t.ok(await ask(rig, bearer, service), 'a service account that is no caller comes through a system like a person');
});

t.test('a caller that is not registered for subject tokens may not bring any', async (t) => {
  const rig = await startIdentity(t);
  const { subject_tokens: _left, ...bare } = callerEntry(rig.issuer.issuer);
  const set = trustSet({ issuers: rig.set.issuers, callers: [bare] });
  const bearer = rig.issuer.mint(callerClaims());
  t.match(await refused(rig, bearer, rig.issuer.mint(subjectClaims), set), /^caller_not_allowed/);
});

t.test('a subject token becomes a bearer only by its audience', async (t) => {
  const rig = await startIdentity(t, { callers: [{}, { id: 'web', client_id: 'dms-web' }] });
  t.match(await rig.refuse(rig.issuer.mint(subjectClaims)), /^not_acceptable: aud/);
  const both = { ...subjectClaims, aud: ['dms', 'https://privity.firm.example/'] };
  t.equal((await rig.accept(rig.issuer.mint(both))).caller.id, 'web');
});

t.test('issuers do not mix: not as callers, not as clients, not as subjects', async (t) => {
  const rig = await startIdentity(t);
  const partners = await startIssuer(t, { issuer: 'https://partners.example/', now: () => START });
  const outside = { user_types: ['client' as const], roles: ['client_user'], ids: ['c-*'] };
  const entries = [rig.issuer.entry(), partners.entry({ may_assert: outside })];
  const set = trustSet({ issuers: entries, callers: [callerEntry(rig.issuer.issuer)] });
  const bearer = rig.issuer.mint(callerClaims());
  const person = { ...subjectClaims, sub: 'c-1', roles: ['client_user'], user_type: 'client' };
  t.match(
    await refused(rig, partners.mint(callerClaims()), undefined, set),
    /^caller_not_allowed/,
    'same client id, another issuer',
  );
  t.match(await refused(rig, bearer, partners.mint(person), set), /^not_acceptable: subject token of another issuer/);

  const issuers = [rig.issuer.issuer, partners.issuer];
  const open = callerEntry(rig.issuer.issuer, {
    subject_tokens: { audiences: ['dms'], clients: ['dms-web'], issuers },
  });
  const mixed = trustSet({ issuers: entries, callers: [open] });
  t.equal(
    (await ask(rig, bearer, partners.mint(person), mixed)).subject.id,
    'c-1',
    'where callers.yaml names both issuers',
  );
  const lies: readonly Json[] = [
    { ...person, sub: 'u-okafor' },
    { ...person, user_type: 'internal' },
    { ...person, roles: ['client_user', 'partner'] },
    { ...person, roles: 'partner' },
    subjectClaims,
  ];
  for (const claims of lies) t.match(await refused(rig, bearer, partners.mint(claims), mixed), /^not_acceptable/);
  const unknown = trustSet({ issuers: [rig.issuer.entry()], callers: [open] });
  t.match(await refused(rig, bearer, partners.mint(person), unknown), /^not_trusted/);
});

t.test('lockdown holds from the next request on, remembered or not', async (t) => {
  const rig = await startIdentity(t);
  const bearer = rig.issuer.mint({ ...callerClaims(), jti: 'bearer-1' });
  const subject = rig.issuer.mint({ ...subjectClaims, jti: 'subject-1' });
  t.ok(await ask(rig, bearer, subject));
  const locked = (ids: { callers?: string[]; tokens?: string[] }) => ({
    ...rig.set,
    lockdown: { callers: new Set(ids.callers), tokens: new Set(ids.tokens) },
  });
  t.match(await refused(rig, bearer, subject, locked({ tokens: ['bearer-1'] })), /^locked/);
  t.match(await refused(rig, bearer, subject, locked({ tokens: ['subject-1'] })), /^locked/);
  t.match(await refused(rig, bearer, subject, locked({ callers: ['dms'] })), /^caller_not_allowed/);
  t.match(await refused(rig, rig.issuer.mint(), undefined, locked({ callers: ['dms'] })), /^caller_not_allowed/);
  t.ok(await ask(rig, bearer, subject, locked({ callers: ['search'], tokens: ['other'] })));
  t.ok(await ask(rig, bearer, subject), 'and no longer than it stands');
});

t.test('the AI assistant of a caller comes with the caller, whatever the token says', async (t) => {
  const rig = await startIdentity(t, { callers: [{ ai_assistant: 'svc-ai-assistant' }] });
  const { caller, subject } = await ask(rig, rig.issuer.mint(callerClaims()), rig.issuer.mint(subjectClaims));
  t.equal(caller.aiAssistant, 'svc-ai-assistant');
  t.equal(subject.actor, null);
});

t.test('one request sees one set, also while another comes into force', async (t) => {
  const rig = await startIdentity(t);
  const next = trustSet({ issuers: [], callers: [] });
  const bearer = await rig.accept(rig.issuer.mint(callerClaims()));
  await rig.identity.use(next);
  const subject = rig.issuer.mint(subjectClaims);
  t.ok(await rig.identity.subjectOf(rig.set, bearer, subject), 'it goes on with the set it began with');
  t.match(await rig.refuse(rig.issuer.mint(), next), /^not_trusted/);
  t.same(rig.identity.state().issuers, []);
});

t.test('keys are fetched in the background, again and again until they come', async (t) => {
  const issuer = await startIssuer(t);
  issuer.behave('html');
  const came = Promise.withResolvers<void>();
  const identity = createIdentity({
    now: () => START,
    readKeyFile: () => Promise.reject(new Error('no key files here')),
    report: ({ usable }) => usable && came.resolve(),
  });
  t.teardown(async () => identity.close());
  await identity.use(trustSet({ issuers: [issuer.entry()] }));
  t.match(identity.state(), { issuers: [{ usable: false, problem: 'the answer is not JSON' }] });
  issuer.behave('keys');
  await came.promise;
  t.match(identity.state(), { issuers: [{ usable: true, problem: null }], cache: { entries: 0, bytes: 0 } });
});
