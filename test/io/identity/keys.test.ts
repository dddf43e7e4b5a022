import t from 'tap';
import { createKeys, type KeysDeps } from '../../../src/io/identity/keys.ts';
import { makeKey, startIssuer } from '../../helpers/tokens.ts';

const HOUR = 60 * 60_000;

function start(t: { teardown(clear: () => void): unknown }, overrides: Partial<KeysDeps> = {}) {
  const clock = { elapsed: 0 };
  const keys = createKeys({
    now: Date.now,
    elapsed: () => clock.elapsed,
    readKeyFile: async () => Promise.reject(new Error('no such file')),
    random: () => 0.5,
    times: { timeoutMs: 5_000 },
    ...overrides,
  });
  t.teardown(keys.close);
  return { clock, keys };
}

t.test('fetches the keys of the issuers in use, each from its own endpoint', async (t) => {
  const one = await startIssuer(t, { issuer: 'https://one.example/' });
  const two = await startIssuer(t, { issuer: 'https://two.example/' });
  const { keys } = start(t);
  await keys.use([one.entry(), two.entry()]);
  t.same([one.requests(), two.requests()], [1, 1]);
  t.match(keys.state(), [
    { issuer: one.issuer, usable: true },
    { issuer: two.issuer, usable: true },
  ]);
  t.not(keys.of(one.entry()), keys.of(two.entry()));
  t.not(keys.of(one.entry()).peek()?.generation, keys.of(two.entry()).peek()?.generation);
  await keys.tick();
  t.same([one.requests(), two.requests()], [1, 1], 'nothing is due');
});

t.test('one issuer that is down does not hold up another', async (t) => {
  const good = await startIssuer(t, { issuer: 'https://good.example/' });
  const bad = await startIssuer(t, { issuer: 'https://bad.example/' });
  bad.behave('error');
  const reports: string[] = [];
  const { clock, keys } = start(t, { report: (state) => reports.push(`${state.issuer} ${state.problem ?? 'good'}`) });
  await keys.use([good.entry(), bad.entry()]);
  t.match(keys.state(), [{ usable: true }, { usable: false, problem: 'the answer has status 503' }]);
  t.same(reports.sort(), ['https://bad.example/ the answer has status 503', 'https://good.example/ good']);
  bad.behave('keys');
  clock.elapsed += 1_000;
  await keys.tick();
  t.match(keys.state(), [{ usable: true }, { usable: true, problem: null }], 'recovers without restart');
  t.same([good.requests(), bad.requests()], [1, 2]);
});

for (const behaviour of ['html', 'huge', 'redirect', 'error', 'reset', 'compressed-bomb'] as const) {
  t.test(`an endpoint that starts to answer ${behaviour} costs nothing for a day`, async (t) => {
    const issuer = await startIssuer(t);
    const { clock, keys } = start(t);
    await keys.use([issuer.entry()]);
    const generation = keys.of(issuer.entry()).peek()?.generation;
    issuer.behave(behaviour);
    clock.elapsed += HOUR;
    await keys.tick();
    t.equal(issuer.requests(), 2);
    t.equal(keys.of(issuer.entry()).peek()?.generation, generation);
    t.match(keys.state(), [{ usable: true, ageSeconds: 3600, problem: String }]);
    clock.elapsed += 23 * HOUR + 1;
    t.match(keys.state(), [{ usable: false }]);
  });
}

t.test('keys from a file of the policies folder', async (t) => {
  const key = makeKey();
  const asked: string[] = [];
  let published: readonly object[] = [key.jwk];
  const { clock, keys } = start(t, {
    async readKeyFile(path) {
      asked.push(path);
      return Buffer.from(JSON.stringify({ keys: published }));
    },
  });
  const issuer = await startIssuer(t);
  const entry = issuer.entry({ keys: { file: 'keys/firm.json' } });
  await keys.use([entry]);
  t.same(asked, ['keys/firm.json']);
  t.match(keys.of(entry).peek(), { count: 1 });
  published = [makeKey('ES256', 'next').jwk];
  clock.elapsed += HOUR;
  await keys.tick();
  t.match(keys.state(), [{ usable: true, generation: 2 }], 'a changed file counts without restart');
  t.equal(issuer.requests(), 0);
});

t.test('a key file that is not there', async (t) => {
  const { keys } = start(t);
  const issuer = await startIssuer(t);
  await keys.use([issuer.entry({ keys: { file: 'gone.json' } })]);
  t.match(keys.state(), [{ usable: false, problem: 'no such file' }]);
});

t.test('an issuer whose keys move starts anew, and the old place is asked no more', async (t) => {
  const old = await startIssuer(t);
  const moved = await startIssuer(t);
  const { clock, keys } = start(t);
  await keys.use([old.entry()]);
  const before = keys.of(old.entry());
  await keys.use([moved.entry()]);
  t.equal(keys.of(old.entry()), before, 'requests that still run with the set before keep its keys');
  t.ok(before.peek());
  clock.elapsed += HOUR;
  await keys.tick();
  t.same([old.requests(), moved.requests()], [1, 2]);
  await keys.use([moved.entry()]);
  t.not(keys.of(old.entry()), before, 'gone after the next change');
  t.match(keys.state(), [{ issuer: moved.issuer }]);
});

t.test('closing stops everything, a fetch under way too', async (t) => {
  const issuer = await startIssuer(t);
  issuer.behave('silent');
  const reports: unknown[] = [];
  const { keys } = start(t, { report: (state) => reports.push(state) });
  const using = keys.use([issuer.entry()]);
  keys.close();
  await using;
  t.same(reports, []);
  await keys.tick();
  t.same(keys.state(), []);
});
