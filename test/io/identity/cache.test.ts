import fc from 'fast-check';
import t from 'tap';
import { createTokenCache } from '../../../src/io/identity/cache.ts';
import { runs } from '../../helpers/runs.ts';

const entry = (token: string) => ({ token, digest: 'd', generation: 1 });

t.test('gives back what was put under the whole token and the same digest', async (t) => {
  const cache = createTokenCache<string>();
  cache.put('head.body.sign', entry('a'));
  t.match(cache.get('head.body.sign', 'd'), { token: 'a', generation: 1 });
  for (const other of ['head.bodx.sign', 'hea.dbody.sign', 'head.body.sig', 'head.body.sign ', '', 'sign']) {
    t.equal(cache.get(other, 'd'), null, other);
  }
  t.equal(cache.get('head.body.sign', 'e'), null, 'another digest');
  cache.put('head.body.sign', { ...entry('b'), digest: 'e' });
  t.equal(cache.get('head.body.sign', 'd'), null);
  t.match(cache.get('head.body.sign', 'e'), { token: 'b' });
  cache.delete('head.body.sign');
  t.equal(cache.get('head.body.sign', 'e'), null);
  t.same(cache.state(), { entries: 0, bytes: 0 });
});

t.test('stays within its bounds and never confuses entries, whatever happens to it', async (t) => {
  const limits = { entries: 8, bytes: 20_000 };
  const step = fc.record({ kind: fc.constantFrom('put', 'get', 'delete'), token: fc.integer({ min: 0, max: 30 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = createTokenCache<string>(limits);
      return steps.every(({ kind, token }) => {
        const text = `${token}`.repeat(1 + token * 20);
        if (kind === 'put') cache.put(text, entry(text));
        if (kind === 'delete') cache.delete(text);
        const found = cache.get(text, 'd');
        const { entries, bytes } = cache.state();
        const bounded =
          entries <= limits.entries && bytes <= limits.bytes && bytes >= 0 && (entries > 0 || bytes === 0);
        return bounded && (found === null || found.token === text) && (kind !== 'delete' || found === null);
      });
    }),
    runs(300),
  );
  t.pass('held');
});

t.test('keeps what is in use when it is full', async (t) => {
  const cache = createTokenCache<string>({ entries: 10, bytes: 1_000_000 });
  cache.put('in use', entry('x'));
  for (let i = 0; i < 100; i += 1) {
    cache.put(`other ${i}`, entry('y'));
    t.match(cache.get('in use', 'd'), { token: 'x' });
  }
  t.equal(cache.get('other 1', 'd'), null, 'what nobody asks for goes');
});

t.test('takes nothing that is larger than half of it', async (t) => {
  const cache = createTokenCache<string>({ entries: 10, bytes: 4_000 });
  cache.put('x'.repeat(1_000), entry('x'));
  t.same(cache.state(), { entries: 0, bytes: 0 });
});
