// A dry run beside the live service: answers, records and readiness are what they are without one, whatever the shadow set is or does, and
// where it would have answered otherwise is in the log.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { readConfig } from '../src/config.ts';
import { checkShadow } from '../src/cli/doctor/policies.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import type { DecisionEvent } from '../src/core/record/decision-record.ts';
import { decide } from '../src/core/decide.ts';
import type { RecordEntry } from '../src/model/record.ts';
import { createShadow, type ShadowLimits } from '../src/shadow.ts';
import { document, OFFICE, STARTER, startApp, type AppOptions, type TestApp } from './helpers/app.ts';
import { privity } from './cli/privity.ts';

type Json = Readonly<Record<string, unknown>>;

const home = await mkdtemp(path.join(tmpdir(), 'privity-shadow-'));
t.teardown(() => rm(home, { recursive: true, force: true }));
const soon = { shadow: { limits: { lotMs: 10 } } };

function rule(text: string): string {
  return `version: 1\nrules:\n  - id: tried\n    title: Tried\n    owner: security-officer\n    review_by: 2030-01-01\n${text}`;
}
const NO_LISTS = rule('    effect: deny\n    actions: [list]\n    resources: [content]\n');
const ALL_READ = rule(
  '    effect: allow\n    subjects: [internal]\n    actions: [read]\n    resources: [content]\n    when: { resource.matter_status: open }\n',
);

async function shadowFolder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = path.join(home, name);
  await cp(STARTER, folder, { recursive: true, filter: (from) => !from.includes(`${path.sep}tests`) });
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
  return folder;
}

function start(t: Test, folder: string | null, options: AppOptions = {}): Promise<TestApp> {
  const environment = folder === null ? {} : { SHADOW_POLICIES_DIR: folder };
  return startApp(t, { extras: soon, environment, ...options });
}

async function metric(rig: TestApp, series: string): Promise<number | null> {
  const { body } = await rig.inject({ method: 'GET', url: '/metrics' });
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await what()); tries++) {
    if (tries === 2_000) throw new Error('it never came to be');
    await sleep(10);
  }
}

const isLoaded = (rig: TestApp) => async () =>
  (await metric(rig, 'privity_shadow_policy_failing')) === 0 &&
  (await rig.inject({ method: 'GET', url: '/metrics' })).body.includes('privity_shadow_policy_info{');
const judged = (rig: TestApp, count: number) => async () =>
  (await metric(rig, 'privity_shadow_decisions_total{result="judged"}')) === count;

async function differences(rig: TestApp): Promise<readonly Json[]> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'search' order by writer, seq`,
  );
  return rows.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as Json);
}

const elsewhere = document('D-2', { matter_id: 'M-1003', matter_status: 'open' });
const QUESTIONS: readonly (readonly [person: string, url: string, body: Json])[] = [
  ['u-lind', '/v1/authorize', { action: { name: 'read' }, resource: document('D-1') }],
  ['u-lind', '/v1/authorize', { action: { name: 'list' }, resource: document('D-1') }],
  ['u-park', '/v1/authorize', { action: { name: 'read' }, resource: elsewhere }],
  ['u-voss', '/v1/authorize', { action: { name: 'read' }, resource: document('D-1') }],
  ['u-lind', '/v1/authorize', { action: { name: 'read' }, resource: document('D-1', { confidentiality: 7 }) }],
  ['u-lind', '/v1/authorize', { action: { name: 7 }, resource: document('D-1') }],
  ['u-park', '/v1/authorize/fields', { resource: document('D-5') }],
  [
    'u-lind',
    '/v1/authorize/batch',
    { evaluations: [document('D-1'), elsewhere].map((resource) => ({ action: { name: 'list' }, resource })) },
  ],
];

async function askAll(rig: TestApp) {
  const answers: Json[] = [];
  for (const [person, url, body] of QUESTIONS) {
    const { status, headers, body: said } = await rig.ask(person, { context: OFFICE, ...body }, { path: url });
    answers.push({ status, headers, said });
  }
  return answers;
}

/** Ids, instants and what hangs on them. */
const OWN = new Set([
  ...[
    'evaluation_id',
    'evaluated_at',
    'x-request-id',
    'request_id',
    'date',
    'id',
    'at',
    'nonce',
    'prev',
    'seq',
    'writer',
  ],
  ...[
    'duration_us',
    'trace_id',
    'token_id',
    'claims_hash',
    'auth_time',
    'traceparent',
    'content-length',
    'retry-after',
  ],
]);

function scrubbed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, one: unknown) => (OWN.has(name) ? 'its own' : one))) as unknown;
}

async function decisions(rig: TestApp): Promise<unknown> {
  const { rows } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'decision' order by writer, seq`,
  );
  return scrubbed(rows.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as Json));
}

t.test('answers and records are the same with and without a shadow, a broken one and none at all', async (t) => {
  const broken = await shadowFolder('broken', { 'firm.yaml': 'roles: {' });
  const differing = await shadowFolder('differing', { 'rules/tried.yaml': NO_LISTS });
  const folders = [null, differing, broken, path.join(home, 'nowhere')];
  const rigs: TestApp[] = [];
  for (const folder of folders) rigs.push(await start(t, folder));
  const [first, second] = rigs;
  if (first === undefined || second === undefined) throw new Error('no service');
  await until(isLoaded(second));
  const expected = [scrubbed(await askAll(first)), await decisions(first)];
  for (const rig of rigs.slice(1)) {
    t.strictSame([scrubbed(await askAll(rig)), await decisions(rig)], expected);
    const ready = await rig.inject({ method: 'GET', url: '/readyz' });
    t.equal(ready.statusCode, 200);
    t.strictSame(ready.json(), (await first.inject({ method: 'GET', url: '/readyz' })).json());
  }
  await until(judged(second, 8));
  for (const rig of rigs.slice(2)) {
    await until(async () => (await metric(rig, 'privity_shadow_decisions_total{result="not_judged"}')) === 8);
    t.equal(await metric(rig, 'privity_shadow_policy_failing'), 1);
    t.ok(rig.log.some(({ msg }) => msg === 'policies of the dry run not loaded'));
    t.strictSame(await differences(rig), []);
  }
  t.equal(await metric(first, 'privity_shadow_policy_failing'), null);
});

t.test('where the shadow would have answered otherwise is in the log, and replays', async (t) => {
  const folder = await shadowFolder('both', {
    'rules/no-lists.yaml': NO_LISTS.replace('id: tried', 'id: no-lists'),
    'rules/all-read.yaml': ALL_READ.replace('id: tried', 'id: all-read'),
  });
  const rig = await start(t, folder);
  await until(isLoaded(rig));
  const asked = await askAll(rig);
  await until(judged(rig, 8));
  await until(async () => (await differences(rig)).length === 4);
  const found = (await differences(rig)).map(({ search, subject, matter, outcome, decided_by: by, policy }) => ({
    ...(search as Json),
    who: (subject as Json)['id'],
    matter,
    outer: [outcome, by],
    shadow: (policy as Json)['revision'] !== rig.app.policies.current().revision,
  }));
  const ids = asked.map(({ said }) => ((said as Json)['context'] as Json | undefined)?.['evaluation_id']);
  const none = { newly_allowed: 0, newly_denied: 0 };
  t.match(found, [
    {
      kind: 'shadow',
      evaluation_id: ids[1],
      who: 'u-lind',
      matter: 'M-1001',
      difference: 'newly_denied',
      outcome: 'deny',
      decided_by: ['no-lists'],
      live: { outcome: 'allow', decided_by: ['team-lawyers'], revision: rig.app.policies.current().revision },
      left_out: none,
      outer: [null, []],
      shadow: true,
    },
    { evaluation_id: ids[2], who: 'u-park', difference: 'newly_allowed', decided_by: ['all-read'] },
    { who: 'u-lind', matter: 'M-1001', difference: 'newly_denied', decided_by: ['no-lists'] },
    { who: 'u-lind', matter: 'M-1003', difference: 'newly_denied', decided_by: ['no-lists'] },
  ]);
  const env = { DATABASE_READER_URL: rig.urls.reader };
  const replayed = await privity(['audit', 'replay'], { env });
  t.equal(replayed.code, 0, replayed.out);
  t.match(replayed.out, /search +4 +0 +0\n/);
  const { body } = await rig.inject({
    method: 'GET',
    url: '/v1/decisions?kind=search&matter=M-1001',
    headers: { authorization: `Bearer ${rig.personToken('u-audley', { azp: 'privity-log-review' })}` },
  });
  t.equal((JSON.parse(body) as { readonly decisions: readonly Json[] }).decisions.length, 2);
});

t.test('a shadow set follows its folder through a storm of changes, while questions are answered', async (t) => {
  const folder = await shadowFolder('storm', {});
  const rig = await start(t, folder, { extras: { ...soon, looseWatch: true } });
  await until(isLoaded(rig));
  const storm = (async () => {
    for (let round = 0; round < 12; round++) {
      const text = round % 3 === 0 ? 'rules: {' : round % 3 === 1 ? ALL_READ : NO_LISTS;
      await writeFile(path.join(folder, 'rules', 'tried.yaml'), text);
      await sleep(60);
    }
    await writeFile(path.join(folder, 'rules', 'tried.yaml'), NO_LISTS);
  })();
  for (let round = 0; round < 30; round++) {
    const { status, body } = await rig.ask('u-lind', {
      context: OFFICE,
      action: { name: 'list' },
      resource: document('D-1'),
    });
    t.match({ status, decision: body.decision }, { status: 200, decision: true });
  }
  await storm;
  await until(async () => {
    await rig.ask('u-lind', { context: OFFICE, action: { name: 'list' }, resource: document('D-1') });
    return (await differences(rig)).length > 0;
  });
  await until(isLoaded(rig));
  const last = (await differences(rig)).at(-1);
  t.match(last, { search: { difference: 'newly_denied', decided_by: ['tried'] } });
});

t.test('doctor warns of a broken shadow, and of nothing else', async (t) => {
  const about = async (SHADOW_POLICIES_DIR?: string) => {
    const { config } = readConfig(SHADOW_POLICIES_DIR === undefined ? {} : { SHADOW_POLICIES_DIR });
    if (config === null) throw new Error('no configuration');
    return (await checkShadow(config)).map(({ name, verdict }) => [name, verdict]);
  };
  t.strictSame(await about(), []);
  t.strictSame(await about(STARTER), [['policies.shadow', 'ok']]);
  t.strictSame(await about(path.join(home, 'broken')), [['policies.shadow', 'warning']]);
  t.strictSame(await about(path.join(home, 'nowhere')), [['policies.shadow', 'warning']]);
});

t.test('a shadow that throws, has too much to do or cannot record', async (t) => {
  const rig = await start(t, null);
  const live = rig.app.policies.current();
  const event: DecisionEvent = await decided(live);
  const shutting: PolicySet = { ...live, lockdown: { ...live.lockdown, people: new Set(['u-lind']) } };
  const said: string[] = [];
  const kept: Json[] = [];
  let isAway = false;
  const shadowOf = (current: () => PolicySet | null, limits: Partial<ShadowLimits> = {}) =>
    createShadow({
      current,
      clock: { now: () => Date.now() },
      recorder: {
        append: async (entries: readonly RecordEntry[]) => {
          if (isAway) throw new Error('away');
          kept.push(...entries.map(({ body }) => body['search'] as Json));
        },
      },
      log: { warn: (_: unknown, text?: string) => void said.push(String(text)) },
      limits: { lotMs: 1, ...limits },
    });
  const failing: PolicySet = {
    ...live,
    ruleIndex: {
      ...live.ruleIndex,
      candidates: () => {
        throw new Error('a fault');
      },
    },
  };
  const throwing = shadowOf(() => failing);
  throwing.offer(live.revision, [event, event]);
  await until(async () => throwing.counters().notJudged === 2);
  t.strictSame(said, ['the shadow set failed'], 'said once');
  await throwing.close();

  const busy = shadowOf(() => shutting, { queue: 3, burst: 2, perSecond: 0 });
  busy.offer(live.revision, [event, event, event, event, event]);
  await until(async () => busy.counters().judged === 3);
  t.strictSame(busy.counters(), { judged: 3, notJudged: 0, dropped: 2 });
  await busy.close();
  t.equal(kept.length, 2, 'two differences have a record, the third is counted');
  t.match(kept[0], { difference: 'newly_denied', decided_by: ['lockdown'] });

  isAway = true;
  const cut = shadowOf(() => shutting);
  cut.offer(live.revision, [event]);
  await until(async () => said.length === 2);
  isAway = false;
  cut.offer(live.revision, [event]);
  await until(async () => kept.length === 3);
  t.match(kept[2], { left_out: { newly_allowed: 0, newly_denied: 1 } }, 'what could not be recorded is counted');
  await cut.close();
  cut.offer(live.revision, [event]);
  t.equal(cut.counters().judged, 2, 'nothing is judged after the end');

  async function decided(set: PolicySet): Promise<DecisionEvent> {
    const evidence = {
      kind: 'test',
      issuer: null,
      tokenId: null,
      keyId: null,
      claimsHash: null,
      droppedRoles: [],
    } as const;
    const attributes = { ...set.data.directory.get('u-lind'), amr: ['mfa'] };
    const subject = { id: 'u-lind', attributes, actor: null, evidence };
    const { type, id, properties } = document('D-1') as { type: string; id: string; properties: Json };
    const request = {
      ...{ subject, actor: null, action: 'list', resource: { type, id, properties }, context: OFFICE },
      ...{ sourceSystem: 'dms', approvals: [], now: Date.now() },
    };
    const decision = decide(set, request);
    t.equal(decision.outcome, 'allow');
    const caller = { id: 'dms', sourceSystem: 'dms', rights: new Set<never>(), own: true, aiAssistant: null };
    const about = { requestId: 'r', traceId: null, approvalIds: [], durationUs: 1 };
    return { id: '01a2032d-65af-7531-b02b-a44ab74eae32', request, decision, subject, caller, ...about };
  }
});
