// P7 for whoever reads the log: what lies behind a wall is not there, on any door - not in lists, exports, counts, cursors, records and
// proofs, nor in how long, how large or with which headers the service says so.
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { REPORTS } from '../../src/core/reports/catalogue.ts';
import type { Answer, Json } from '../helpers/attack-rig.ts';
import { until } from '../helpers/recorder.ts';
import {
  createAsk,
  doorsBehindTokens,
  everyDoor,
  everywhere,
  mustBeAlike,
  PLACES,
  question,
  startLeakRig,
} from './leaks.ts';
import { visibleOf } from './visible.ts';

t.setTimeout(600_000);

const rig = await startLeakRig(t, { seals: true });
const ask = createAsk(rig);
const AUDITOR: Json = { sub: 'u-audley', roles: ['auditor'] };
const UNKNOWN = '0195f3a0-7c1e-7b2a-9d4e-3f5a6b7c8d9e';
/** Behind a wall for the auditor, of each kind, or locked down. */
const HIDDEN = ['screened from the matter, on its team', 'not let in by an inclusion wall', 'locked down'] as const;
type Place = readonly [matter: string, client: string];
const OPEN: Place = PLACES['not on the team'] ?? ['', ''];
const NOWHERE: Place = PLACES['unknown'] ?? ['', ''];

async function read(path: string, claims: Json): Promise<Answer> {
  const token = rig.personToken({ azp: 'privity-log-review', ...claims });
  const response = await fetch(rig.service.url + path, {
    headers: { authorization: `Bearer ${token}`, 'x-request-id': randomUUID() },
  });
  const text = await response.text();
  const isOneObject = /^application\/(?:problem\+)?json\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isOneObject ? (JSON.parse(text) as Json) : {},
  };
}

/** A record about this place and nobody else's document. */
async function decided(place: Place, context: Json = {}): Promise<string> {
  const asked = question(place, { action: 'read', context });
  const resource = { ...(asked['resource'] as Json), id: `D-of-${place[0]}` };
  const [answer] = await ask('/v1/authorize', { ...asked, resource }, { person: `u-asks-${place[0]}` });
  return String((answer?.body['context'] as Json | undefined)?.['evaluation_id']);
}

const ids: Record<string, string> = {};
for (const name of HIDDEN) ids[name] = await decided(PLACES[name] ?? OPEN);
const open = await decided(OPEN);

/** Whom policy lets read nothing there: as if there were no such door. */
async function strangers(path: string): Promise<Record<string, readonly Answer[]>> {
  return {
    'no auditor': [await read(path, { sub: 'u-okafor' })],
    'no second factor': [await read(path, { ...AUDITOR, amr: ['pwd'], auth_time: 1 })],
    'no such door': [await read('/v1/nothing', AUDITOR)],
  };
}

/** By everything that a record of the place can be found by. Of all but the place, each finds something where it is open. */
const filters = ([matter, client]: Place): readonly Readonly<Record<string, string>>[] => [
  { matter },
  { matter, client },
  { subject: `u-asks-${matter}` },
  { resource_id: `D-of-${matter}` },
  { matter, outcome: 'deny', order: 'oldest' },
];

async function mustHide(t: Test, door: string, more: Readonly<Record<string, string>>, found: RegExp): Promise<void> {
  const path = (filter: Readonly<Record<string, string>>): string =>
    `${door}?${new URLSearchParams({ ...filter, ...more, kind: 'decision' }).toString()}`;
  for (const [index, filter] of filters(OPEN).entries()) {
    t.match((await read(path(filter), AUDITOR)).text, found, `what is open is found by ${Object.keys(filter).join()}`);
    const answers: Record<string, readonly Answer[]> = {};
    for (const name of [...HIDDEN, 'unknown']) {
      const place = PLACES[name] ?? NOWHERE;
      answers[name] = [await read(path(filters(place)[index] ?? {}), AUDITOR)];
    }
    t.equal(mustBeAlike(t, answers, `by ${Object.keys(filter).join()}`)?.status, 200);
  }
  const any = await strangers(path({}));
  const own = await everywhere(async ([matter]) => [await read(path({ matter }), { sub: 'u-voss' })]);
  t.equal(mustBeAlike(t, { ...own, ...any }, 'for whom there is no list')?.status, 404);
  const report = await everywhere(async ([matter]) => [
    await read(path({ matter, view: 'access_report' }), { sub: 'u-voss' }),
  ]);
  mustBeAlike(t, report, 'the access report of another’s matter');
}

await everyDoor(t, ['log', 'service'], {
  'GET /v1/decisions': async (t) => {
    await mustHide(t, '/v1/decisions', {}, /D-of-M-5001/);
    await mustHide(t, '/v1/decisions', { limit: '1' }, /D-of-M-5001/);
  },
  'GET /v1/decisions/export': async (t) => {
    for (const format of ['ndjson', 'csv', 'ocsf'])
      await mustHide(t, '/v1/decisions/export', { format }, /D-of-M-5001/);
  },
  'GET /v1/decisions/{id}': (t) => mustHideRecord(t, (id) => `/v1/decisions/${id}`),
  'GET /v1/decisions/{id}/proof': async (t) => {
    const isSealed = async (): Promise<boolean> => (await read(`/v1/decisions/${open}/proof`, AUDITOR)).status === 200;
    await until('sealed', isSealed, 60_000);
    await mustHideRecord(t, (id) => `/v1/decisions/${id}/proof`);
  },
  'GET /v1/checkpoints': async (t) => {
    const answers = await toAnybody(`/v1/checkpoints?limit=1&before=${(await sealedSize()) + 1}`);
    t.match(mustBeAlike(t, answers, 'checkpoints'), { status: 200 }, 'they say nothing about anyone: all see the same');
  },
  'GET /v1/checkpoints/{first}/consistency/{second}': async (t) => {
    const size = await sealedSize();
    t.equal(mustBeAlike(t, await toAnybody(`/v1/checkpoints/1/consistency/${size}`), 'consistency')?.status, 200);
    t.equal(mustBeAlike(t, await toAnybody(`/v1/checkpoints/1/consistency/${2 ** 40}`), 'none')?.status, 404);
  },
  'GET /v1/reviews': async (t) => {
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
    const after = [await read(`/v1/reviews?after=${randomUUID()}`, { sub: 'u-okafor' })];
    const answers = { ...(await strangers('/v1/reviews')), 'from a place that there is not': after };
    t.equal(mustBeAlike(t, answers, 'reviews')?.status, 404);
  },
  'POST /v1/reviews/{evaluation_id}': async (t) => {
    const review = async (id: string, claims: Json): Promise<readonly Answer[]> => {
      const authorization = `Bearer ${rig.personToken({ azp: 'privity-log-review', ...claims })}`;
      const body = { outcome: 'justified', reason: 'The hearing was moved up.' };
      return [await rig.post(`/v1/reviews/${id}`, body, { authorization, 'x-request-id': randomUUID() })];
    };
    const broken = { break_glass_reason: 'Hearing at nine, the team is not to be reached' };
    const [walled] = await ask('/v1/authorize', question(['M-1001', 'C-100'], { action: 'read', context: broken }), {
      person: 'u-reyes',
    });
    const id = String((walled?.body['context'] as Json | undefined)?.['evaluation_id']);
    const answers = {
      'an access behind a wall': await review(id, AUDITOR),
      'an access that needs no review, behind a wall': await review(ids['locked down'] ?? '', AUDITOR),
      'nobody’s reviewer': await review(id, { sub: 'u-nobody' }),
      'no id': await review('no-id-at-all', AUDITOR),
      unknown: await review(UNKNOWN, AUDITOR),
    };
    t.equal(mustBeAlike(t, answers, 'review')?.status, 404);
  },
  'GET /v1/reports/{name}': async (t) => {
    const [to, from] = [new Date().toISOString(), new Date(Date.now() - 3_600_000).toISOString()];
    const seen = await read(`/v1/reports/matter-access?matter=${OPEN[0]}`, AUDITOR);
    t.match(seen.text, /u-asks-M-5001/, 'what is open is in a report');
    const times: Json = { date: to.slice(0, 10), month: to.slice(0, 7), from, to };
    for (const { name, params, views } of REPORTS) {
      const words = (more: Readonly<Record<string, string>>): string => {
        const known = Object.entries({ ...times, ...more }).filter(([word]) => word in params);
        return `/v1/reports/${name}?${new URLSearchParams(known as [string, string][]).toString()}`;
      };
      for (const word of ['matter', 'subject', 'account'] as const) {
        if (!(word in params)) continue;
        const answers: Record<string, readonly Answer[]> = {};
        for (const place of [...HIDDEN, 'unknown']) {
          const [matter] = PLACES[place] ?? NOWHERE;
          const value = word === 'matter' ? matter : `u-asks-${matter}`;
          answers[place] = [withoutNames(await read(words({ [word]: value }), AUDITOR), value)];
        }
        mustBeAlike(t, answers, `${name}, by ${word}`);
      }
      if ('wall' in params) {
        const by = async (wall: string): Promise<Answer[]> => [
          withoutNames(await read(words({ wall }), AUDITOR), wall),
        ];
        mustBeAlike(t, { hidden: await by('W-LOG'), unknown: await by('W-XYZ') }, `${name}, by wall`);
      }
      if (views.includes('access_report')) {
        const own = await everywhere(async ([matter]) => [
          withoutNames(await read(`${words({ matter })}&view=access_report`, { sub: 'u-voss' }), matter),
        ]);
        mustBeAlike(t, own, `${name}, of another’s matter`);
      }
      if (Object.values(params).includes('required') && !('date' in params || 'month' in params)) continue;
      const { text } = await read(words({ subject: 'u-okafor', account: 'u-okafor' }), AUDITOR);
      for (const place of HIDDEN)
        t.notOk(text.includes(`D-of-${PLACES[place]?.[0]}`), `${name} names nothing of ${place}`);
      t.equal(mustBeAlike(t, await strangers(words({ subject: 'u-okafor', account: 'u-okafor' })), name)?.status, 404);
    }
  },
  'GET /v1/policy': async (t) => {
    const answers = {
      'no right to read it': [await read('/v1/policy', { sub: 'u-okafor' })],
      ...(await strangers('/v1/policy')),
    };
    t.equal(mustBeAlike(t, answers, 'policy')?.status, 404);
  },
});

/** What was asked for stands in a report, and when it was made. */
function withoutNames(answer: Answer, name: string): Answer {
  const blank = (text: string): string => '-'.repeat(text.length);
  return { ...answer, text: answer.text.replaceAll(name, blank).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, blank) };
}

async function mustHideRecord(t: Test, path: (id: string) => string): Promise<void> {
  t.equal((await read(path(open), AUDITOR)).status, 200, 'an auditor reads what is open');
  const answers: Record<string, readonly Answer[]> = {};
  for (const name of HIDDEN) answers[name] = [await read(path(ids[name] ?? ''), AUDITOR)];
  const others = { ...(await strangers(path(open))), 'no id': [await read(path('no-id-at-all'), AUDITOR)] };
  const all = { ...answers, ...others, unknown: [await read(path(UNKNOWN), AUDITOR)] };
  t.equal(mustBeAlike(t, all, 'record')?.status, 404);
}

/** Whoever asks: an auditor, one behind walls, one locked down, a stranger. */
async function toAnybody(path: string): Promise<Record<string, readonly Answer[]>> {
  const answers: Record<string, readonly Answer[]> = {};
  for (const sub of ['u-audley', 'u-voss', 'u-nobody']) answers[sub] = [await read(path, { sub })];
  return answers;
}

async function sealedSize(): Promise<number> {
  const newest = async (): Promise<number> => {
    const { body } = await read('/v1/checkpoints?limit=1', AUDITOR);
    return (body['checkpoints'] as { readonly size: number }[])[0]?.size ?? 0;
  };
  await until('sealed', async () => (await newest()) > 1, 60_000);
  return newest();
}

t.test('every door is one of those whose cases are here or with the decisions', async (t) => {
  t.strictSame(
    new Set(doorsBehindTokens().values()).difference(new Set(['decisions', 'authzen', 'log', 'service'])),
    new Set(),
  );
});
