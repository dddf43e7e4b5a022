import t from 'tap';
import { createKeySet, type KeySet, type KeySetDeps } from '../../../src/io/identity/key-set.ts';
import { makeKey, type SigningKey } from '../../helpers/tokens.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A key set over a source that the test commands, and a clock that moves when it says so. */
function start(t: { teardown(clear: () => void): unknown }, overrides: Partial<KeySetDeps> = {}) {
  const rig = {
    elapsed: 1_000_000,
    loads: 0,
    published: [makeKey()] as readonly SigningKey[],
    fail: null as Error | null,
    hold: Promise.resolve(),
    reports: [] as string[],
  };
  let generation = 0;
  const set: KeySet = createKeySet({
    issuer: 'https://idp.example/',
    algorithms: ['ES256'],
    async load() {
      rig.loads += 1;
      await rig.hold;
      if (rig.fail !== null) throw rig.fail;
      return Buffer.from(JSON.stringify({ keys: rig.published.map((key) => key.jwk) }));
    },
    times: { refreshMs: 5 * MINUTE, cooldownMs: 30_000, lastGoodMs: 24 * HOUR },
    now: () => 1_773_000_000_000,
    elapsed: () => rig.elapsed,
    random: () => 0.5,
    nextGeneration: () => (generation += 1),
    report: (state) => rig.reports.push(state.problem ?? 'good'),
    ...overrides,
  });
  t.teardown(() => set.close());
  return { rig, set };
}

function mustExist<T>(value: T | null): T {
  if (value === null) throw new Error('no keys');
  return value;
}

t.test('fetches on first need, and not again while the keys are fresh', async (t) => {
  const { rig, set } = start(t);
  t.equal(set.peek(), null);
  t.match(set.state(), { usable: false, ageSeconds: null, lastSuccessAt: null, generation: null, keys: 0 });
  t.match(await set.current(), { count: 1, generation: 1 });
  rig.elapsed += 5 * MINUTE - 1;
  await set.current();
  await set.refreshIfDue();
  t.equal(rig.loads, 1);
  t.match(set.state(), { usable: true, ageSeconds: 300, lastSuccessAt: 1_773_000_000_000, keys: 1, problem: null });
  rig.elapsed += 1;
  await set.refreshIfDue();
  t.equal(rig.loads, 2);
});

t.test('the generation rises when the keys change, and only then', async (t) => {
  const { rig, set } = start(t);
  const first = await set.current();
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.equal(set.peek(), first, 'the same keys: nothing to verify anew');
  rig.published = [...rig.published, makeKey('ES256', 'key-2')];
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.match(set.peek(), { generation: 2, count: 2 });
  rig.published = rig.published.slice(1);
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.match(set.peek(), { generation: 3, count: 1 });
});

t.test('many at once share one fetch', async (t) => {
  const { rig, set } = start(t);
  const found = await Promise.all(Array.from({ length: 50 }, () => set.current()));
  t.equal(rig.loads, 1);
  t.ok(found.every((keys) => keys?.generation === 1));
});

t.test('a flood of unknown keys causes at most one fetch per cooldown', async (t) => {
  const { rig, set } = start(t);
  const seen = mustExist(await set.current());
  const flood = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => set.newerThan(seen)));
      t.ok(answers.every((keys) => keys === null));
    }
  };
  await flood();
  t.equal(rig.loads, 1, 'none right after a fetch');
  for (let n = 1; n <= 3; n += 1) {
    rig.elapsed += 30_000;
    await flood();
    t.equal(rig.loads, 1 + n);
  }
});

t.test(
  'a token with a new key finds it after the cooldown, and those with keys seen before find newer ones at once',
  async (t) => {
    const { rig, set } = start(t);
    const seen = mustExist(await set.current());
    rig.published = [makeKey('ES256', 'key-2')];
    rig.elapsed += 30_000;
    t.match(await set.newerThan(seen), { generation: 2 });
    t.match(await set.newerThan(seen), { generation: 2 });
    t.equal(rig.loads, 2);
  },
);

t.test('while the endpoint is down, good keys stay good for a bounded time', async (t) => {
  const { rig, set } = start(t);
  const first = await set.current();
  rig.fail = new Error('down');
  for (let minutes = 0; minutes < 24 * 60 - 5; minutes += 10) {
    rig.elapsed += 10 * MINUTE;
    await set.refreshIfDue();
    if (set.peek() !== first) throw new Error(`lost after ${minutes} minutes`);
  }
  t.match(set.state(), { usable: true, problem: 'down' });
  rig.elapsed += HOUR;
  t.equal(set.peek(), null);
  t.equal(await set.current(), null);
  t.match(set.state(), { usable: false, generation: null, problem: 'down' });
  rig.fail = null;
  rig.elapsed += 30_000;
  t.equal(await set.current(), first, 'back, without help, and with the same keys');
});

t.test('retries come soon, then ever more slowly, and never faster than asked for', async (t) => {
  const { rig, set } = start(t);
  rig.fail = new Error('down');
  await set.refreshIfDue();
  const waits: number[] = [];
  for (let retry = 0; retry < 8; retry += 1) {
    const loads = rig.loads;
    let waited = 0;
    while (rig.loads === loads) {
      rig.elapsed += 1_000;
      waited += 1;
      await set.refreshIfDue();
    }
    waits.push(waited);
  }
  t.same(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  t.ok(rig.reports.every((report) => report === 'down'));
  rig.fail = null;
  rig.elapsed += MINUTE;
  await set.refreshIfDue();
  rig.fail = new Error('down again');
  rig.elapsed += 5 * MINUTE;
  await set.refreshIfDue();
  const loads = rig.loads;
  rig.elapsed += 1_000;
  await set.refreshIfDue();
  t.equal(rig.loads, loads + 1, 'after a success, soon again');
});

t.test('without keys, requests cause no more fetches than one per cooldown', async (t) => {
  const { rig, set } = start(t);
  rig.fail = new Error('down');
  for (let i = 0; i < 100; i += 1) t.equal(await set.current(), null);
  t.equal(rig.loads, 1);
  rig.elapsed += 30_000;
  for (let i = 0; i < 100; i += 1) await set.current();
  t.equal(rig.loads, 2);
});

t.test('an issuer that withdraws its keys is believed; one that answers nonsense is not', async (t) => {
  const { rig, set } = start(t, { algorithms: ['ES256'] });
  const first = await set.current();
  rig.fail = new Error('nonsense');
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.equal(set.peek(), first);
  rig.fail = null;
  rig.published = [];
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.equal(set.peek(), null);
  t.match(set.state(), { usable: false, problem: 'the key set holds no usable key' });
  rig.published = [makeKey('RS256')];
  rig.elapsed += 6 * MINUTE;
  await set.refreshIfDue();
  t.match(set.state(), { usable: false, ignored: 1 }, 'a key for no algorithm of the issuer');
});

t.test('requests that would wait without end are turned away', async (t) => {
  const { rig, set } = start(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.hold = promise;
  const waiting = Array.from({ length: 1_000 }, () => set.current());
  t.equal(await set.current(), null, 'one more than may wait');
  resolve();
  const found = await Promise.all(waiting);
  t.ok(found.every((keys) => keys !== null));
  t.match(await set.current(), { count: 1 });
});

t.test('after closing nothing is fetched', async (t) => {
  const { rig, set } = start(t);
  set.close();
  t.equal(await set.current(), null);
  await set.refreshIfDue();
  t.equal(rig.loads, 0);
});

t.test('jitter spreads replicas', async (t) => {
  for (const [random, due] of [
    [0, 225_000],
    [0.999, 374_850],
  ] as const) {
    const { rig, set } = start(t, { random: () => random });
    await set.current();
    rig.elapsed += due - 1;
    await set.refreshIfDue();
    t.equal(rig.loads, 1);
    rig.elapsed += 1;
    await set.refreshIfDue();
    t.equal(rig.loads, 2);
  }
});
