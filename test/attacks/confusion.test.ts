// One issuer's people in another's name, one caller's tokens at another, a person's token for a caller's, an assistant's hand in it:
// everybody is who they are, over HTTP against a running service (DESIGN 4).
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { document, OFFICE } from '../helpers/app.ts';
import {
  LAX,
  LOGIN,
  mustRefuse,
  PARTNERS,
  QUESTION,
  signDraft,
  startAttackRig,
  type Answer,
  type Json,
} from '../helpers/attack-rig.ts';

t.setTimeout(300_000);

const LOCKDOWN = 'version: 1\npeople: [u-locked]\nmatters: []\nclients: []\ncallers: [time]\ntokens: [stolen]\n';
const rig = await startAttackRig(t, {
  files: { 'lockdown.yaml': LOCKDOWN },
  // The same client id is somebody else at another issuer, and this one is nobody there.
  callers: `
  - { id: twin, issuer: '${LAX}', client_id: portal-backend, source_system: portal, may: [authorize], subject_tokens: { audiences: [portal], clients: [portal-web] } }
`,
});

const token = (claims: Json): string => signDraft(rig.draft('bearer', claims));
const subject = (claims: Json): string => signDraft(rig.draft('subject', claims));
const portal = { aud: 'portal', azp: 'portal-web' };
const partner: Json = { iss: PARTNERS, sub: 'x-cole', user_type: 'external', roles: ['external_counsel'] };

async function send(bearer: string, body: Json = QUESTION, path = '/v1/authorize'): Promise<Answer> {
  return rig.post(path, body, { authorization: `Bearer ${bearer}`, 'x-request-id': randomUUID() });
}

interface Case {
  readonly name: string;
  /** The token that must be refused. */
  readonly token: string;
  readonly reason: string | null;
  readonly status?: 401 | 403;
  /** Whose caller brings it along; without one it is the bearer. */
  readonly caller?: string;
}

function table(name: string, cases: readonly Case[], good: () => Promise<Answer>): void {
  t.test(name, async (t) => {
    for (const one of cases) {
      await t.test(one.name, async (t: Test) => {
        const answer =
          one.caller === undefined
            ? await send(one.token)
            : await send(rig.callerToken(one.caller), { subject_token: one.token, ...QUESTION });
        await mustRefuse(t, rig, one.token, answer, { status: 401, ...one });
        t.equal((await good()).status, 200, 'and the right one is answered');
      });
    }
  });
}

table(
  'no issuer says more than it may',
  [
    { name: 'the partners’ provider makes somebody a partner', claims: { ...partner, roles: ['partner'] } },
    { name: 'beside a role it may give', claims: { ...partner, roles: ['external_counsel', 'managing_partner'] } },
    { name: 'a security officer, wrapped up', claims: { ...partner, roles: { list: [['security_officer']] } } },
    { name: 'staff', claims: { ...partner, user_type: 'internal' } },
    { name: 'staff, in a list', claims: { ...partner, user_type: ['internal'] } },
    { name: 'a service', claims: { ...partner, user_type: 'service', roles: ['service'] } },
    { name: 'one of the firm’s own people', claims: { ...partner, sub: 'u-okafor' } },
    { name: 'the firm’s assistant', claims: { ...partner, sub: 'svc-ai-assistant' } },
    { name: 'nobody’s id', claims: { ...partner, sub: 'okafor' } },
    { name: 'an id in capitals', claims: { ...partner, sub: 'X-cole' } },
    { name: 'the firm’s provider speaks of the partners’ people', claims: { sub: 'x-cole', iss: LOGIN } },
    { name: 'the firm’s provider makes a client', claims: { user_type: 'client', roles: ['client_user'] } },
  ].map(({ name, claims }) => ({
    name,
    token: subject({ ...claims, ...portal }),
    caller: 'portal-backend',
    reason: 'not_acceptable',
  })),
  () => send(rig.callerToken('portal-backend'), { subject_token: subject({ ...partner, ...portal }), ...QUESTION }),
);

t.test('roles that the firm does not know are dropped and recorded, never guessed', async (t) => {
  const claims = { ...partner, ...portal, roles: ['external_counsel', 'Partner', 'partner ', 'admin', '*'] };
  const answer = await send(rig.callerToken('portal-backend'), { subject_token: subject(claims), ...QUESTION });
  t.match(answer, { status: 200, body: { decision: false } });
  const record = await rig.recordOf(answer.headers.get('x-request-id') ?? '');
  t.match(record, { subject: { attributes: { roles: ['external_counsel'] } } });
  t.match(JSON.stringify(record), /"\*","Partner","admin","partner "/);
});

const dms = (): Promise<Answer> => send(rig.callerToken(), { subject_token: rig.subjectToken(), ...QUESTION });

table(
  'no caller uses what is another’s',
  [
    { name: 'a subject token for another audience', token: subject(portal) },
    { name: 'a subject token of another client', token: subject({ azp: 'portal-web' }) },
    { name: 'a subject token of no client', token: subject({ azp: undefined }) },
    { name: 'a subject token for everybody', token: subject({ aud: '*' }) },
    { name: 'a subject token of an issuer that the caller does not name', token: subject(partner) },
    { name: 'the same, of an issuer with a client of that name', token: subject({ iss: LAX, sub: 'l-1' }) },
    { name: 'a token for Privity as subject token', token: rig.personToken() },
    { name: 'the caller’s own token as subject token', token: rig.callerToken() },
    { name: 'another caller’s token as subject token', token: rig.callerToken('portal-backend') },
    {
      name: 'a token of a client for itself, dressed for the caller',
      token: subject({ sub: 'dms-web', user_type: undefined, roles: undefined, azp: 'dms-web', idtyp: 'app' }),
    },
  ].map((one) => ({ ...one, caller: 'dms-backend', reason: 'not_acceptable' })),
  dms,
);

table(
  'no bearer is what it is not',
  [
    { name: 'a subject token', token: rig.subjectToken(), reason: 'not_acceptable' },
    { name: 'a subject token that names its caller', token: subject({ azp: 'dms-backend' }), reason: 'not_acceptable' },
    { name: 'a token that is locked', token: token({ jti: 'stolen' }), reason: 'locked' },
    {
      name: 'a caller’s token that is locked',
      token: rig.callerToken('dms-backend', { jti: 'stolen' }),
      reason: 'locked',
    },
    { name: 'a client that is not registered', token: rig.callerToken('evil'), status: 403 as const, reason: null },
    {
      name: 'a person of a client that is not registered',
      token: token({ azp: 'evil' }),
      status: 403 as const,
      reason: null,
    },
    { name: 'a person of no client', token: token({ azp: undefined }), status: 403 as const, reason: null },
    { name: 'a caller that is locked', token: rig.callerToken('time-backend'), status: 403 as const, reason: null },
    {
      name: 'a client of that name at another issuer',
      token: token({ ...partner, azp: 'dms-backend' }),
      status: 403 as const,
      reason: null,
    },
    { name: 'a name that every object has', token: rig.callerToken('__proto__'), status: 403 as const, reason: null },
    { name: 'the id of a caller for its client', token: rig.callerToken('dms'), status: 403 as const, reason: null },
  ],
  dms,
);

table(
  'subject tokens are judged like bearers',
  [
    { name: 'locked', token: subject({ jti: 'stolen' }), caller: 'dms-backend', reason: 'locked' },
    { name: 'expired', token: subject({ exp: 1 }), caller: 'dms-backend', reason: 'expired' },
    {
      name: 'of a caller that takes none',
      token: rig.subjectToken(),
      caller: 'svc-search-indexer',
      status: 403,
      reason: null,
    },
  ],
  dms,
);

t.test('who may ask about whom', async (t) => {
  const subject_token = rig.subjectToken();
  const refusals: readonly (readonly [string, Promise<Answer>])[] = [
    ['a subject token beside a person’s bearer', send(rig.personToken(), { subject_token, ...QUESTION })],
    ['a caller alone', send(rig.callerToken())],
    ['a caller that says it is a person', send(rig.callerToken('dms-backend', { roles: ['partner'] }))],
  ];
  for (const [why, sent] of refusals) {
    const answer = await sent;
    t.match(answer, { status: 403, body: { code: 'caller_not_allowed' } }, why);
    t.match(await rig.recordOf(answer.headers.get('x-request-id') ?? ''), { kind: 'refused', caller: 'dms' }, why);
  }
  t.notMatch(
    await send(rig.personToken()),
    { body: { context: { reason_admin: [] } } },
    'a person gets no explanation',
  );
  t.match(await dms(), { body: { context: { reason_admin: [] } } }, 'the caller does');
  for (const [member, value] of Object.entries({
    source_system: 'privity',
    approvals: [{ by: 'u-x', role: 'partner' }],
  })) {
    const context = { ...OFFICE, [member]: value };
    const answer = await send(rig.callerToken(), { subject_token, ...QUESTION, context });
    t.match(answer, { status: 400, body: { errors: [{ pointer: `/context/${member}` }] } }, member);
  }
});

const nested = (depth: number): Json =>
  depth === 0 ? { sub: 'u-x' } : { sub: 'svc-ai-assistant', act: nested(depth - 1) };

table(
  'an actor is an object that names a declared assistant, and nothing else',
  [
    ...['svc-ai-assistant', ['svc-ai-assistant'], [{ sub: 'svc-ai-assistant' }], null, true, 7, '', {}, []].map(
      (act) => ({
        name: `act ${JSON.stringify(act)}`,
        act,
      }),
    ),
    ...[
      'u-okafor',
      'svc-search-indexer',
      'svc-ai-assistant ',
      'SVC-AI-ASSISTANT',
      '__proto__',
      '',
      null,
      7,
      ['svc-ai-assistant'],
    ].map((sub) => ({ name: `act of ${JSON.stringify(sub)}`, act: { sub } })),
    { name: 'an actor inside that is none', act: { sub: 'svc-ai-assistant', act: 'u-x' } },
    { name: 'eleven actors', act: nested(10) },
  ].flatMap(({ name, act }): Case[] => [
    { name: `${name} (subject)`, token: subject({ act }), caller: 'dms-backend', reason: 'not_acceptable' },
    { name: `${name} (bearer)`, token: token({ act }), reason: 'not_acceptable' },
  ]),
  dms,
);

t.test('the outermost actor counts, the others are history, and nobody is rid of one', async (t) => {
  const asked = async (bearer: string, claims: Json): Promise<Json> => {
    const body = { subject_token: subject(claims), ...QUESTION };
    const answer = await send(bearer, body);
    t.equal(answer.status, 200);
    return rig.recordOf(answer.headers.get('x-request-id') ?? '');
  };
  const actor = { subject: { id: 'u-okafor', actor: 'svc-ai-assistant' } };
  t.match(await asked(rig.callerToken(), { act: { sub: 'svc-ai-assistant' } }), actor);
  t.match(await asked(rig.callerToken(), { act: nested(9) }), actor);
  const may = { may_act: { sub: 'svc-ai-assistant' } };
  t.match(await asked(rig.callerToken(), may), { subject: { actor: null } }, 'may_act is no actor');
  const through = { aud: 'dms-assistant' };
  t.match(await asked(rig.callerToken('dms-assistant'), through), actor, 'through the assistant’s own caller');
  const context = { ...OFFICE, act: { sub: 'u-x' }, actor: null };
  const answer = await send(rig.callerToken('dms-assistant'), {
    ...QUESTION,
    subject_token: subject(through),
    context,
    resource: document('D-1', { act: null, actor: 'nobody' }),
  });
  t.match(await rig.recordOf(answer.headers.get('x-request-id') ?? ''), actor, 'whatever the body says');
  const own = token({
    sub: 'svc-search-indexer',
    user_type: 'service',
    roles: ['service'],
    azp: 'svc-search-indexer',
    act: { sub: 'svc-ai-assistant' },
  });
  const service = await send(own, QUESTION);
  t.match(
    await rig.recordOf(service.headers.get('x-request-id') ?? ''),
    { caller: { own: false } },
    'with an actor no token is the caller’s own',
  );
});

t.test('a person who is locked looks like anybody without access', async (t) => {
  const answer = await send(rig.callerToken(), { subject_token: subject({ sub: 'u-locked' }), ...QUESTION });
  t.match(answer, { status: 200, body: { decision: false, context: { advice: [] } } });
});
