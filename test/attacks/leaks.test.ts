// P7 over HTTP: behind a wall, under a lockdown, unknown, or simply not one's own - whoever asks cannot tell which, on any door that decides:
// body, length, headers and status are the same, and in the long run the time it takes.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { document, OFFICE } from '../helpers/app.ts';
import type { Answer, Json } from '../helpers/attack-rig.ts';
import { createAsk, everyDoor, everywhere, mustBeAlike, PLACES, question, startLeakRig } from './leaks.ts';
import { visibleOf } from './visible.ts';

t.setTimeout(3_600_000);

const rig = await startLeakRig(t, { environment: { PUBLIC_URL: 'https://privity.firm.example' } });
const ask = createAsk(rig);

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

const evaluationOf = (place: readonly [string, string], variant: Json, explained: boolean): Json => {
  const { context, ...asked } = question(place, variant);
  return {
    subject: { type: 'user', id: 'u-voss' },
    ...asked,
    context: { ...(context as Json), ...(explained && { response_context: true }) },
  };
};

const claimsOf = (variant: Json): Json => (variant['claims'] as Json | undefined) ?? {};

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

await everyDoor(t, ['decisions'], {
  'POST /v1/authorize': async (t) => {
    for (const variant of VARIANTS) {
      const claims = claimsOf(variant);
      const answers = await everywhere((place) => ask('/v1/authorize', question(place, variant), { claims }));
      const seen = mustBeAlike(t, answers, JSON.stringify(variant));
      t.equal(seen?.status, 200);
      t.match(JSON.stringify(seen?.body), /\["decision",false\]/);
      t.notMatch(JSON.stringify(seen?.body), /acr_values|max_age|wall|screen|reason_admin|decided_by/);
    }
  },
  'POST /v1/authorize/batch': async (t) => {
    const evaluations = Object.values(PLACES).map((place) => question(place, { action: 'read' }));
    for (const answer of await ask('/v1/authorize/batch', { evaluations })) {
      const one = (index: number): unknown => {
        const text = JSON.stringify((answer.body['evaluations'] as Json[])[index]);
        return visibleOf({ ...answer, text });
      };
      for (const index of evaluations.keys()) t.strictSame(one(index), one(evaluations.length - 1), `place ${index}`);
    }
  },
  'POST /v1/authorize/fields': async (t) => {
    for (const type of ['client', 'matter', 'document']) {
      const answers = await everywhere((place) => {
        const [matter, client] = place;
        const properties = { ...(document('D-1', { matter_id: matter, client_id: client })['properties'] as Json) };
        const resource = { type, id: type === 'client' ? client : type === 'matter' ? matter : 'D-1', properties };
        return ask('/v1/authorize/fields', { resource, context: OFFICE });
      });
      t.equal(mustBeAlike(t, answers, type)?.status, 200);
    }
  },
  'POST /v1/filter': async (t) => {
    for (const variant of VARIANTS) {
      const claims = claimsOf(variant);
      const asked = (place: readonly [string, string]): Json => {
        const { action, resource, context } = question(place, variant);
        const { type, properties } = resource as Json;
        return { action, resource: { type, properties }, context, target: 'postgresql', columns: { id: 'id' } };
      };
      const answers = await everywhere(async (place) => {
        // For how long it holds, instead of until when.
        const span = ({ body }: Answer): number =>
          Date.parse(String(body['expires_at'])) - Date.parse(String(body['evaluated_at']));
        const found = await ask('/v1/filter', asked(place), { claims });
        return found.map((one) => ({
          ...one,
          text: one.text.replace(/("expires_at":)"[^"]+"/, (_, name) => `${name}${span(one)}`),
        }));
      });
      t.equal(mustBeAlike(t, answers, JSON.stringify(variant))?.status, 403, 'a person’s own token');
      for (const [, found] of Object.values(answers)) t.match(found?.body, { kind: 'always_denied' });
    }
    const { action, context } = question(['', ''], { action: 'read' });
    const [, open] = await ask('/v1/filter', { action, resource: { type: 'document' }, context, target: 'ucast' });
    t.match(open?.body, { kind: 'conditional' });
    // Behind walls, locked down, unknown: filters name the matters that are open, never those that are not.
    for (const matter of ['M-1001', 'M-2001', 'M-4001', 'M-7001', 'M-9999']) t.notMatch(open?.text, matter);
  },
  'GET /v1/abilities': async (t) => {
    // Walls of the rig keep u-voss and u-audley from matters, and u-hidden is locked down: their hints are those of any other partner.
    const hintOf = async (sub: string): Promise<Answer> => {
      const token = rig.personToken({ sub, roles: ['partner'], practice_groups: ['litigation'] });
      const response = await fetch(`${rig.service.url}/v1/abilities`, {
        headers: { authorization: `Bearer ${token}`, 'x-request-id': randomUUID() },
      });
      const text = (await response.text()).replaceAll(sub, 'u-somebody');
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Json };
    };
    const rules = async (sub: string): Promise<unknown> => (await hintOf(sub)).body['rules'];
    const stranger = await hintOf('u-stranger');
    t.equal(stranger.status, 200);
    t.strictSame(await rules('u-voss'), stranger.body['rules'], 'screened from a matter, on its team');
    t.strictSame(await rules('u-hidden'), stranger.body['rules'], 'locked down');
    t.notMatch(stranger.text, /M-\d{4}|wall|screen/);
  },
  'GET /v1/forward-auth': async (t) => {
    const send = async (uri: string, method: string, headers: Readonly<Record<string, string>>): Promise<Answer> => {
      const response = await fetch(`${rig.service.url}/v1/forward-auth`, {
        headers: { 'x-original-uri': uri, 'x-original-method': method, 'x-request-id': randomUUID(), ...headers },
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Json };
    };
    const both = async (uri: string, method: string, sub = 'u-voss'): Promise<Answer[]> => {
      const claims = { sub, auth_time: 1 };
      const subject = rig.subjectToken({ aud: 'search', azp: 'search-web', ...claims });
      const caller = `Bearer ${rig.callerToken('search-backend')}`;
      return [
        await send(uri, method, { authorization: `Bearer ${rig.personToken(claims)}` }),
        await send(uri, method, { authorization: caller, 'privity-subject-token': subject }),
      ];
    };
    for (const method of ['GET', 'POST']) {
      const answers = await everywhere(([matter, client]) => both(`/${client}/${matter}/D-1`, method));
      // What fits no route depends on the request alone, and looks like reading what one may not read.
      const more = method === 'GET' ? { 'no route': await both('/C-100/M-1001//D-1', method) } : {};
      t.equal(mustBeAlike(t, { ...more, ...answers }, method)?.status, 403);
      const [own] = await both('/C-100/M-1001/D-1', method, 'u-okafor');
      t.equal(own?.status, method === 'GET' ? 200 : 401, 'the responsible attorney, signed in long ago');
    }
  },
  'POST /v1/approvals': async (t) => {
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
  },
});

await everyDoor(t, ['authzen'], {
  'POST /access/v1/evaluation': async (t) => {
    for (const variant of VARIANTS) {
      const claims = claimsOf(variant);
      for (const explained of [false, true]) {
        const answers = await everywhere((place) =>
          ask('/access/v1/evaluation', evaluationOf(place, variant, explained), { claims }),
        );
        const seen = mustBeAlike(t, answers, JSON.stringify(variant));
        t.equal(seen?.status, 200);
        t.notMatch(JSON.stringify(seen?.body), /acr_values|max_age|wall|screen|reason_admin|decided_by/);
      }
    }
  },
  'POST /access/v1/evaluations': async (t) => {
    const evaluations = Object.values(PLACES).map((place) => evaluationOf(place, { action: 'read' }, true));
    for (const answer of await ask('/access/v1/evaluations', { evaluations })) {
      const one = (index: number): unknown => {
        const text = JSON.stringify((answer.body['evaluations'] as Json[])[index]);
        return visibleOf({ ...answer, text });
      };
      for (const index of evaluations.keys()) t.strictSame(one(index), one(evaluations.length - 1), `place ${index}`);
    }
  },
  // What is requestable, and what becomes of it: test/http/access-requests-door.test.ts asks the same of whole flows.
  'POST /access/v1/requests': async (t) => {
    const denial = { evaluation_id: randomUUID(), expires_at: '2026-03-10T09:30:00Z' };
    const answers = await everywhere((place) =>
      ask('/access/v1/requests', { ...evaluationOf(place, { action: 'read' }, true), denial }),
    );
    mustBeAlike(t, answers, 'access to what was not denied');
  },
  'GET /access/v1/requests/{id}': async (t) => {
    const headers = { authorization: `Bearer ${rig.callerToken('search-backend')}` };
    const answers = await everywhere(async () => {
      const response = await fetch(`${rig.service.url}/access/v1/requests/${randomUUID()}`, { headers });
      return [{ status: response.status, headers: response.headers, text: await response.text(), body: {} }];
    });
    t.equal(mustBeAlike(t, answers, 'what became of it')?.status, 404);
  },
  'POST /access/v1/search/subject': async (t) => {
    const answers = await everywhere((place) => {
      const { action, resource, context } = question(place, { action: 'read' });
      return ask('/access/v1/search/subject', { subject: { type: 'user' }, action, resource, context });
    });
    t.equal(mustBeAlike(t, answers, 'who else')?.status, 403);
  },
  'POST /access/v1/search/resource': async (t) => {
    const hidden = Object.values(PLACES).map(([matter]) => matter);
    for (const type of ['matter', 'client', 'document']) {
      const subject = { type: 'user', id: 'u-voss' };
      const asked = { subject, action: { name: 'read' }, resource: { type }, context: OFFICE };
      const [found] = await ask('/access/v1/search/resource', asked);
      t.equal(found?.status, 200);
      const ids = ((found?.body['results'] ?? []) as readonly Json[]).map(({ id }) => id);
      t.notOk(
        hidden.some((matter) => ids.includes(matter)),
        type,
      );
    }
  },
  'POST /access/v1/search/action': async (t) => {
    const answers = await everywhere((place) => {
      const { subject, resource, context } = evaluationOf(place, { action: 'read' }, true);
      return ask('/access/v1/search/action', { subject, resource, context });
    });
    const seen = mustBeAlike(t, answers, 'what may be done');
    t.equal(seen?.status, 200);
    t.match(JSON.stringify(seen?.body), /\["results",\[\]\]/);
  },
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
