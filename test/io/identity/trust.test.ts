import t from 'tap';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { TrustSet } from '../../../src/model/identity.ts';
import { createTrust } from '../../../src/io/identity/trust.ts';
import type { KeySet } from '../../../src/io/identity/key-set.ts';
import { callerEntry, startIssuer, trustSet } from '../../helpers/tokens.ts';

const noKeys: KeySet = {
  peek: () => null,
  current: async () => null,
  newerThan: async () => null,
  refreshIfDue: async () => undefined,
  state: () => {
    throw new Error('not asked for');
  },
  close: () => undefined,
};

t.test('a loaded policy set is a trust set', async (t) => {
  const asTrust = (set: PolicySet): TrustSet => set;
  t.type(asTrust, 'function', 'the compiler has seen to it');
});

t.test('compiles a set once', async (t) => {
  const issuer = await startIssuer(t);
  let compiled = 0;
  const trustOf = createTrust(() => {
    compiled += 1;
    return noKeys;
  });
  const set = trustSet({ issuers: [issuer.entry()], callers: [callerEntry(issuer.issuer)] });
  t.equal(trustOf(set), trustOf(set));
  t.equal(compiled, 1);
  t.not(trustOf({ ...set }), trustOf(set));
});

t.test('a caller is an issuer and a client of it', async (t) => {
  const issuer = await startIssuer(t);
  const other = { ...issuer.entry(), issuer: 'https://other.example/' };
  const trust = createTrust(() => noKeys)(
    trustSet({
      issuers: [issuer.entry(), other],
      callers: [
        callerEntry(issuer.issuer),
        callerEntry(other.issuer, { id: 'other-dms', ai_assistant: 'svc-ai-assistant' }),
      ],
    }),
  );
  t.match(trust.issuers.get(issuer.issuer)?.callers.get('dms-backend'), {
    id: 'dms',
    own: { id: 'dms', sourceSystem: 'dms', own: true, aiAssistant: null },
    forPerson: { id: 'dms', own: false },
    subjectTokens: { issuers: new Set([issuer.issuer]) },
  });
  t.match(trust.issuers.get(other.issuer)?.callers.get('dms-backend'), {
    id: 'other-dms',
    own: { aiAssistant: 'svc-ai-assistant' },
  });
  t.equal(trust.issuers.get(issuer.issuer)?.callers.get('other-dms'), undefined);
});

t.test('what is ambiguous is trusted by nobody', async (t) => {
  const issuer = await startIssuer(t);
  const set = trustSet({
    issuers: [issuer.entry(), { ...issuer.entry(), issuer: 'twice' }, { ...issuer.entry(), issuer: 'twice' }],
    callers: [callerEntry(issuer.issuer), callerEntry(issuer.issuer, { id: 'second' })],
  });
  const trust = createTrust(() => noKeys)(set);
  t.equal(trust.issuers.get('twice'), null);
  t.equal(trust.issuers.get(issuer.issuer)?.callers.get('dms-backend'), null);
});

t.test('durations, and what holds without them', async (t) => {
  const issuer = await startIssuer(t);
  const { clock_tolerance: _left, ...plain } = issuer.entry();
  const trustOf = createTrust(() => noKeys);
  const rules = (entry: Parameters<typeof trustSet>[0]) => trustOf(trustSet(entry)).issuers.get(issuer.issuer);
  t.match(rules({ issuers: [plain] }), { clockToleranceSeconds: 5, maxTokenAgeSeconds: null });
  t.match(rules({ issuers: [{ ...plain, clock_tolerance: 'PT0S', max_token_age: 'P1DT1H' }] }), {
    clockToleranceSeconds: 0,
    maxTokenAgeSeconds: 90_000,
  });
  t.throws(() => rules({ issuers: [{ ...plain, max_token_age: '1h' }] }), /no duration|not a duration/);
});
