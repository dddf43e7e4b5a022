// The policies are replaced under load, good sets and broken ones: every answer is by one set from start to end, says which, and says
// what that set says; a broken set never goes live and shows; a lockdown takes effect whatever else is broken (P6, DESIGN 4).
import { rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import http from 'node:http';
import t from 'tap';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { PATIENT, startService } from '../helpers/service.ts';
import { createFirm, type FirmFiles, type ServiceFirm } from '../helpers/service-firm.ts';
import { type Attempt, decisionsOf, type Exchange, exchange } from './exchange.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { type LoggedRecord, readServiceLog } from './log.ts';
import { createRandom } from './random.ts';

type Json = Readonly<Record<string, unknown>>;

const isLong = process.env['PRIVITY_LONG'] === '1';
/** Sets that are waited for, and sets that follow each other faster than anybody looks. */
const SETS = isLong ? 120 : 7;
const FLURRY = isLong ? 400 : 24;
const LIMIT_MS = isLong ? 3600_000 : 600_000;
const STEP_MS = 60_000;
const CLIENTS = 12;
/** Nothing but the flipping rule speaks for or against the first; a team speaks for the second. */
const PEOPLE = ['u-carvalho', 'u-lind'] as const;
const LOCKED = 'u-lind';

const effectOf = (set: number): string => (set % 2 === 0 ? 'allow' : 'deny');
const rule = (set: number, more: Json = {}): Json => ({
  id: `flip-${set}`,
  effect: effectOf(set),
  actions: ['read'],
  resources: ['document'],
  when: { 'resource.matter_id': 'M-1001' },
  ...more,
});
const flip = (set: number, more: Json = {}): FirmFiles => ({
  'rules/flip.yaml': JSON.stringify({ version: 1, rules: [rule(set, more)] }),
});
const LOCKDOWN: FirmFiles = { 'lockdown.yaml': JSON.stringify({ version: 1, people: [LOCKED] }) };

/** Each would change the answer, were it to go live. */
const BREAKS: readonly ((set: number) => FirmFiles)[] = [
  (set) => flip(set, { actions: ['raed'] }),
  (set) => ({ 'rules/flip.yaml': `${flip(set)['rules/flip.yaml']}\n]` }),
  (set) => ({ ...flip(set), 'firm.yaml': null }),
  (set) => flip(set, { when: { 'resource.matter': 'M-1001' } }),
  (set) => ({ ...flip(set), 'walls/more.yaml': '{ walls: [{ id: W-1, kind: exclusionn, matter_id: M-1001 }] }' }),
];

t.setTimeout(LIMIT_MS);

t.test('sets replaced under load', async (t) => {
  t.setTimeout(LIMIT_MS);
  const random = createRandom(20_260_310);
  const database = await createDatabase(t);
  const firm = await createFirm(t);
  const link = path.join(firm.dir, '..', 'current');
  const publish = async (files: FirmFiles): Promise<void> => {
    await symlink(await firm.variant(files), `${link}.new`);
    await rename(`${link}.new`, link);
  };
  await publish(flip(0));
  const service = await startService(t, { urls: database.urls, firm: { ...firm, dir: link }, limits: PATIENT });
  const ask = createAsker(firm);
  const load = startLoad(t, {
    urls: [service.url],
    clients: CLIENTS,
    random,
    next: () => ask(random.pick(PEOPLE), random.below(3) === 0 ? 2 + random.below(8) : 1),
  });
  const own: Exchange[] = [];
  const agent = new http.Agent();
  /** A question that is asked only now. */
  const now = async (person: string): Promise<Json> => {
    const done = await exchange(agent, service.url, ask(person, 1));
    own.push(done);
    const context = decisionsOf(done)[0]?.['context'] as Json;
    return {
      decision: decisionsOf(done)[0]?.['decision'],
      set: setIn(context['reason_admin']),
      by: context['decided_by'],
    };
  };
  const loads = (): readonly Json[] => service.log.filter(({ msg }) => String(msg).startsWith('policies '));
  /** Publishes, and waits until the service says what became of it. */
  const replace = async (files: FirmFiles): Promise<Json> => {
    const before = loads().length;
    await publish(files);
    await until('another load', () => loads().length > before, STEP_MS);
    return loads()[before] ?? {};
  };

  const broken = new Set<number>();
  let live = 0;
  for (let set = 1; set <= SETS; set++) {
    await load.more(random.below(20));
    if (set % 3 === 2) {
      broken.add(set);
      const said = await replace(random.pick(BREAKS)(set));
      t.match(said, { result: 'failed', problems: /./ }, 'the log says what is wrong');
      t.strictSame((await service.readiness())?.degraded, ['policies_not_reloaded']);
    } else {
      t.match(await replace(flip(set)), { result: 'activated' });
      live = set;
      t.strictSame((await service.readiness())?.degraded, []);
    }
    t.match(await now('u-carvalho'), { decision: live % 2 === 0, set: live }, `set ${live} is in force`);
  }

  // A lockdown comes with a set that is broken, then with a good one, then is broken itself, then is lifted.
  live = SETS + 1;
  await replace(flip(live));
  broken.add(live + 1);
  t.match(await replace({ ...flip(live + 1, { actions: ['raed'] }), ...LOCKDOWN }), { result: 'partly' });
  t.strictSame((await service.readiness())?.degraded, ['policies_not_reloaded']);
  t.match(await now(LOCKED), { decision: false, set: live }, 'the rest is the last good one');
  t.ok(((await now(LOCKED))['by'] as string[]).includes('lockdown'));
  t.match(await now('u-carvalho'), { decision: live % 2 === 0, set: live });
  live += 2;
  t.match(await replace({ ...flip(live), ...LOCKDOWN }), { result: 'activated' });
  t.strictSame((await service.readiness())?.degraded, []);
  live += 1;
  t.match(await replace({ ...flip(live), 'lockdown.yaml': 'version: 1\npeople: u-lind\n' }), { result: 'partly' });
  t.match(
    await now(LOCKED),
    { decision: false, set: live },
    'a broken lockdown keeps the last good one, with the new rest',
  );
  t.strictSame((await service.readiness())?.degraded, ['policies_not_reloaded']);
  live += 1;
  t.match(await replace(flip(live)), { result: 'activated' });
  t.match(await now('u-carvalho'), { decision: live % 2 === 0, set: live });

  const last = live + FLURRY + ((live + FLURRY) % 2);
  for (let set = live + 1; set < last; set++) {
    const isBroken = random.below(3) === 0;
    if (isBroken) broken.add(set);
    await publish(isBroken ? random.pick(BREAKS)(set) : flip(set));
    await load.more(1 + random.below(120));
  }
  await publish(flip(last));
  await until('the last set is in force', async () => (await now('u-carvalho'))['set'] === last, STEP_MS);
  t.strictSame((await service.readiness())?.degraded, []);
  await load.stop();
  await service.kill();

  const all = [...load.exchanges, ...own];
  t.strictSame(
    all.filter(({ answer }) => answer?.status !== 200).map(({ answer }) => answer?.body),
    [],
  );
  const log = await readServiceLog(database.superuserUrl, firm.certifier);
  t.strictSame(judge(all, log), []);
  t.strictSame(mixedBatches(all), [], 'one request sees one set');
  const { sets, wrong } = judgeSets(log.records);
  t.strictSame(wrong, []);
  t.strictSame(
    sets.filter((set) => broken.has(set)),
    [],
    'no broken set was ever in force',
  );
  t.comment(`${all.length} requests, ${log.records.length} records, ${sets.length} sets were in force`);
});

/** Questions about documents of one matter; the caller may see why it was decided so. */
function createAsker(firm: ServiceFirm): (person: string, questions: number) => Attempt {
  const bearer = firm.callerToken('dms');
  const tokens = new Map(PEOPLE.map((person) => [String(person), firm.subjectToken('dms', person)]));
  let asked = 0;
  return (person, count) => {
    const number = (asked += 1);
    const questions = Array.from({ length: count }, (_, index) => ({
      person,
      action: 'read',
      type: 'document',
      id: `D-${number}-${index}`,
      expect: null,
    }));
    const evaluations = questions.map(({ id }) => ({
      action: { name: 'read' },
      resource: {
        type: 'document',
        id,
        properties: {
          matter_id: 'M-1001',
          client_id: 'C-100',
          matter_status: 'open',
          confidentiality: 'confidential',
          privileged: false,
          work_product: false,
          work_product_internal: false,
          phi: false,
          export_controlled: false,
        },
      },
      context: { network_zone: 'office', device_managed: true, bulk_count: 1, recent_downloads: 0, country: 'US' },
    }));
    const token = { subject_token: tokens.get(person) };
    return {
      requestId: `reload-${number}`,
      method: 'POST',
      path: count === 1 ? '/v1/authorize' : '/v1/authorize/batch',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify(count === 1 ? { ...token, ...evaluations[0] } : { ...token, evaluations }),
      leaves: 'decisions',
      caller: 'dms',
      questions,
      statuses: [200],
    };
  };
}

/** The number of the set whose flipping rule is among the rules that were considered. */
function setIn(rules: unknown): number {
  const names = (rules as { rule: string }[]).map((one) => /^flip-(\d+)$/.exec(one.rule)?.[1]);
  return Number(names.find((name) => name !== undefined));
}

function mixedBatches(exchanges: readonly Exchange[]): readonly string[] {
  return exchanges
    .filter((one) => {
      const revisions = decisionsOf(one).map(({ context }) => ((context as Json)['policy'] as Json)['revision']);
      return new Set(revisions).size > 1;
    })
    .map(({ attempt }) => attempt.requestId);
}

/** Each revision is one set's (a lockdown makes another of it), was recorded as loaded before it was used, and decides as it says. */
function judgeSets(records: readonly LoggedRecord[]): {
  readonly sets: readonly number[];
  readonly wrong: readonly string[];
} {
  const setOf = new Map<string, number>();
  const loaded = new Set<string>();
  const wrong: string[] = [];
  for (const { id, kind, said } of records) {
    if (kind !== 'policy_loaded' && kind !== 'decision') continue;
    const revision = String((said['policy'] as Json)['revision']);
    if (kind === 'policy_loaded') loaded.add(revision);
    else {
      const set = setIn(said['rules']);
      if (!loaded.has(revision)) wrong.push(`${id}: ${revision} was used before it was recorded`);
      if ((setOf.get(revision) ?? set) !== set) wrong.push(`${id}: ${revision} is of two sets`);
      setOf.set(revision, set);
      const isLocked = (said['decided_by'] as string[]).includes('lockdown');
      if (said['outcome'] !== (isLocked ? 'deny' : effectOf(set))) wrong.push(`${id}: not what set ${set} says`);
    }
  }
  return { sets: [...new Set(setOf.values())], wrong };
}
