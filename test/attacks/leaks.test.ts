// P7 over HTTP: behind a wall, under a lockdown, unknown, or simply not one's own - whoever asks cannot tell which, on any door: body,
// length, headers and status are the same, and in the long run the time it takes.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { document, OFFICE } from '../helpers/app.ts';
import { startAttackRig, type Answer, type Json } from '../helpers/attack-rig.ts';
import { visibleOf, type Visible } from './visible.ts';

t.setTimeout(3_600_000);

const WALLS = `walls:
  - { id: W-LOG, kind: exclusion, matter_id: M-1001, excluded_people: [u-audley], valid_from: '2026-01-01T00:00:00Z' }
  - { id: W-GRAY, kind: exclusion, matter_id: M-1003, excluded_people: [u-lind], valid_from: '2026-01-01T00:00:00Z' }
  - { id: W-CLIENT, kind: exclusion, client_id: C-500, excluded_people: [u-voss], valid_from: '2026-01-01T00:00:00Z' }
`;
const LOCKDOWN = 'version: 1\npeople: [u-hidden]\nmatters: [M-7001]\nclients: []\ncallers: []\ntokens: []\n';
const rig = await startAttackRig(t, { files: { 'walls/more.yaml': WALLS, 'lockdown.yaml': LOCKDOWN } });

/** u-voss is a partner on the team of M-1001, and screened from it. */
const PLACES: Readonly<Record<string, readonly [matter: string, client: string]>> = {
  'screened from the matter, on its team': ['M-1001', 'C-100'],
  'not let in by an inclusion wall': ['M-2001', 'C-200'],
  'excluded from the client': ['M-4001', 'C-500'],
  'locked down': ['M-7001', 'C-800'],
  unknown: ['M-9999', 'C-999'],
  'not on the team': ['M-5001', 'C-600'],
};
const VARIANTS: readonly Json[] = [
  { action: 'read' },
  { action: 'list' },
  { action: 'edit' },
  { action: 'download', properties: { privileged: true }, claims: { auth_time: 1 } },
  { action: 'download', properties: { confidentiality: 'restricted' }, context: { device_managed: false } },
  { action: 'export', context: { bulk_count: 10_000, recent_downloads: 10_000 } },
  { action: 'read', context: { network_zone: 'home', country: 'KP' }, claims: { amr: [], auth_time: 1 } },
  { action: 'read', properties: { privileged: null, phi: 'x' }, context: { network_zone: 7 } },
  { action: 'read', claims: { act: { sub: 'svc-ai-assistant' } } },
  { action: 'read', context: { break_glass_reason: '' } },
  { action: 'shred' },
];

interface Asking {
  readonly person?: string;
  readonly claims?: Json;
}

/** As the callers of the firm ask that may not explain: with a person's own token, and with one of its own. */
async function ask(path: string, body: Json, { person = 'u-voss', claims = {} }: Asking = {}): Promise<Answer[]> {
  const all = { sub: person, ...claims };
  const id = (): Json => ({ 'x-request-id': randomUUID() });
  const search = rig.subjectToken({ aud: 'search', azp: 'search-web', ...all });
  return [
    await rig.post(path, body, { ...id(), authorization: `Bearer ${rig.personToken(all)}` }),
    await rig.post(
      path,
      { subject_token: search, ...body },
      { ...id(), authorization: `Bearer ${rig.callerToken('search-backend')}` },
    ),
  ];
}

const question = ([matter_id, client_id]: readonly [string, string], variant: Json): Json => ({
  action: { name: variant['action'] },
  resource: document('D-1', { matter_id, client_id, ...(variant['properties'] as Json | undefined) }),
  context: { ...OFFICE, ...(variant['context'] as Json | undefined) },
});

const claimsOf = (variant: Json): Json => (variant['claims'] as Json | undefined) ?? {};

/** One answer for all of them, or the names of those that differ. */
function mustBeAlike(t: Test, answers: Readonly<Record<string, readonly Answer[]>>, what: string): Visible | undefined {
  const expected = Object.values(answers).at(-1) ?? [];
  for (const [name, found] of Object.entries(answers))
    t.strictSame(found.map(visibleOf), expected.map(visibleOf), `${what}: ${name}`);
  return expected.map(visibleOf)[0];
}

async function everywhere(send: (place: readonly [string, string]) => Promise<readonly Answer[]>) {
  const answers: Record<string, readonly Answer[]> = {};
  for (const [name, place] of Object.entries(PLACES)) answers[name] = await send(place);
  return answers;
}

t.test('the test can see a difference', async (t) => {
  const [own] = await ask('/v1/authorize', question(['M-1001', 'C-100'], { action: 'read' }), { person: 'u-okafor' });
  t.match(own, { status: 200, body: { decision: true } });
  const explained = async (place: readonly [string, string]): Promise<unknown> => {
    const authorization = `Bearer ${rig.callerToken()}`;
    const body = { subject_token: rig.subjectToken({ sub: 'u-voss' }), ...question(place, { action: 'read' }) };
    return visibleOf(await rig.post('/v1/authorize', body, { authorization })).body;
  };
  t.notSame(await explained(['M-1001', 'C-100']), await explained(['M-5001', 'C-600']), 'for those who may explain');
});

t.test('one question', async (t) => {
  for (const variant of VARIANTS) {
    const claims = claimsOf(variant);
    const answers = await everywhere((place) => ask('/v1/authorize', question(place, variant), { claims }));
    const seen = mustBeAlike(t, answers, JSON.stringify(variant));
    t.equal(seen?.status, 200);
    t.match(JSON.stringify(seen?.body), /\["decision",false\]/);
    t.notMatch(JSON.stringify(seen?.body), /acr_values|max_age|wall|screen|reason_admin|decided_by/);
  }
});

t.test('another person, who is walled off, beside one who is only a stranger', async (t) => {
  const asked = question(['M-1001', 'C-100'], { action: 'read' });
  const answers = {
    'screened, on the team': await ask('/v1/authorize', asked, { person: 'u-voss' }),
    'excluded from the client': await ask('/v1/authorize', asked, { person: 'u-adler' }),
    'the assistant of somebody screened': await ask('/v1/authorize', asked, { person: 'u-yamada' }),
    'locked down': await ask('/v1/authorize', asked, { person: 'u-hidden' }),
    'a stranger': await ask('/v1/authorize', asked, { person: 'u-nobody' }),
  };
  mustBeAlike(t, answers, 'read');
});

t.test('a batch, and every place in it', async (t) => {
  const evaluations = Object.values(PLACES).map((place) => question(place, { action: 'read' }));
  for (const answer of await ask('/v1/authorize/batch', { evaluations })) {
    const one = (index: number): unknown => {
      const text = JSON.stringify((answer.body['evaluations'] as Json[])[index]);
      return visibleOf({ ...answer, text });
    };
    for (const index of evaluations.keys()) t.strictSame(one(index), one(evaluations.length - 1), `place ${index}`);
  }
});

t.test('fields', async (t) => {
  for (const type of ['client', 'matter', 'document']) {
    const answers = await everywhere((place) => {
      const [matter, client] = place;
      const properties = { ...(document('D-1', { matter_id: matter, client_id: client })['properties'] as Json) };
      const resource = { type, id: type === 'client' ? client : type === 'matter' ? matter : 'D-1', properties };
      return ask('/v1/authorize/fields', { resource, context: OFFICE });
    });
    t.equal(mustBeAlike(t, answers, type)?.status, 200);
  }
});

t.test('approvals', async (t) => {
  const wish = ([matter_id, client_id]: readonly [string, string], requester = 'u-rowe'): Json => ({
    requester,
    action: { name: 'dispose' },
    resource: document('D-1', { matter_id, client_id }),
    context: OFFICE,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const stale = { claims: { amr: ['pwd'] } };
  const answers = {
    ...(await everywhere((place) => ask('/v1/approvals', wish(place), stale))),
    'behind a wall, on the team': await ask('/v1/approvals', wish(['M-1001', 'C-100'])),
    'behind another': await ask('/v1/approvals', wish(['M-1003', 'C-100']), { person: 'u-lind' }),
    'locked down': await ask('/v1/approvals', wish(['M-7001', 'C-800'])),
    'for oneself': await ask('/v1/approvals', wish(['M-5001', 'C-600'], 'u-voss')),
  };
  t.equal(mustBeAlike(t, answers, 'approval')?.status, 403);
});

async function read(path: string, claims: Json): Promise<Answer> {
  const token = rig.personToken({ azp: 'privity-log-review', ...claims });
  const response = await fetch(rig.service.url + path, {
    headers: { authorization: `Bearer ${token}`, 'x-request-id': randomUUID() },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Json };
}

const AUDITOR: Json = { sub: 'u-audley', roles: ['auditor'] };

async function decided(place: readonly [string, string], context: Json = {}): Promise<string> {
  const [answer] = await ask('/v1/authorize', question(place, { action: 'read', context }), { person: 'u-okafor' });
  const said = answer?.body['context'] as Json | undefined;
  return String(said?.['evaluation_id']);
}

t.test('records', async (t) => {
  const path = (id: string): string => `/v1/decisions/${id}`;
  const open = await decided(['M-5001', 'C-600']);
  t.equal((await read(path(open), AUDITOR)).status, 200, 'an auditor reads what is open');
  const unknown = await read(path('0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e'), AUDITOR);
  const answers = {
    'behind a wall': [await read(path(await decided(['M-1001', 'C-100'])), AUDITOR)],
    'of an inclusion wall': [await read(path(await decided(['M-2001', 'C-200'])), AUDITOR)],
    'locked down': [await read(path(await decided(['M-7001', 'C-800'])), AUDITOR)],
    'no auditor': [await read(path(open), { sub: 'u-okafor' })],
    'no second factor': [await read(path(open), { ...AUDITOR, amr: ['pwd'], auth_time: 1 })],
    'no id': [await read(path('no-id-at-all'), AUDITOR)],
    'no such door': [await read('/v1/nothing', AUDITOR)],
    unknown: [unknown],
  };
  t.equal(mustBeAlike(t, answers, 'record')?.status, 404);
});

t.test('reviews and the policy', async (t) => {
  const before = await read('/v1/reviews', AUDITOR);
  t.equal(before.status, 200);
  const broken = { break_glass_reason: 'Hearing at nine, the team is not to be reached' };
  const asked = question(['M-1001', 'C-100'], { action: 'read', context: broken });
  const [emergency] = await ask('/v1/authorize', asked, { person: 'u-reyes' });
  t.match(emergency, { body: { decision: true } }, 'an emergency that has to be reviewed');
  t.strictSame(
    visibleOf(await read('/v1/reviews', AUDITOR)),
    visibleOf(before),
    'leaves no trace for a walled auditor',
  );
  const answers = {
    'reviews, no auditor': [await read('/v1/reviews', { sub: 'u-okafor' })],
    'reviews, from a place that there is not': [await read(`/v1/reviews?after=${randomUUID()}`, { sub: 'u-okafor' })],
    'policy, no right to read it': [await read('/v1/policy', { sub: 'u-okafor' })],
    'no such door': [await read('/v1/nothing', { sub: 'u-okafor' })],
  };
  t.equal(mustBeAlike(t, answers, 'log')?.status, 404);
});

t.test('refusals of tokens and of systems tell nothing either', async (t) => {
  const asked = question(['M-1001', 'C-100'], { action: 'read' });
  const send = (claims: Json) =>
    rig.post('/v1/authorize', asked, { authorization: `Bearer ${rig.callerToken('nobody', claims)}` });
  const answers = { 'no such client': [await send({})], another: [await send({ azp: 'x-other', sub: 'x-other' })] };
  t.equal(mustBeAlike(t, answers, 'client')?.status, 403);
});

const isLong = process.env['PRIVITY_LONG'] === '1';
const SAMPLES = 2_000;
const ALIKE = 0.1;

t.test(
  'no kind of refusal takes longer',
  { skip: !isLong && 'ratios of times are for PRIVITY_LONG=1; what is done is compared above' },
  async (t) => {
    const token = rig.personToken({ sub: 'u-voss' });
    const kinds = Object.entries(PLACES).map(([name, place]) => ({
      name,
      body: JSON.stringify(question(place, { action: 'read' })),
      times: [] as number[],
    }));
    for (let round = 0; round < SAMPLES; round++) {
      // Interleaved, each time in another order, so that whatever else the machine does falls on all alike.
      for (const kind of fc.sample(fc.shuffledSubarray(kinds, { minLength: kinds.length }), 1).flat()) {
        const start = performance.now();
        await rig.post('/v1/authorize', kind.body, { authorization: `Bearer ${token}` });
        kind.times.push(performance.now() - start);
      }
    }
    const medians = kinds.map(({ name, times }) => ({
      name,
      median: times.toSorted((a, b) => a - b)[SAMPLES / 2] ?? 0,
    }));
    const all = medians.reduce((sum, { median }) => sum + median, 0) / medians.length;
    for (const { name, median } of medians) {
      const ratio = median / all;
      t.comment(`${name}: ${ratio.toFixed(3)} of the mean of the medians`);
      t.ok(Math.abs(ratio - 1) < ALIKE, name);
    }
  },
);
