import t from 'tap';
import { canonicalize } from '../../../src/core/record/canonical.ts';
import { bodyMembers, type Envelope, recordText } from '../../../src/core/record/envelope.ts';

const envelope: Envelope = {
  kind: 'decision',
  id: '019cd7f5-3f40-7a57-8df7-3e1d5f0f2a91',
  writer: '019cd7f5-0000-7a57-8df7-3e1d5f0f2a91',
  seq: 7,
  prev: 'ab'.repeat(32),
  nonce: 'cd'.repeat(16),
  at: Date.parse('2026-03-10T14:00:00.123Z'),
};

t.test('a record is the canonical form of its envelope and its body together', async (t) => {
  const bodies = [{}, { a: 1 }, { zebra: [1, { b: 1, a: 2 }] }, { action: 'read', outcome: 'deny', é: 'ü', Z: null }];
  for (const body of bodies) {
    const text = recordText(envelope, bodyMembers(body));
    t.equal(text, canonicalize({ v: 1, ...envelope, at: '2026-03-10T14:00:00.123Z', ...body }));
  }
  const first = recordText({ ...envelope, prev: null, seq: 0, at: 0 }, []);
  t.match(JSON.parse(first), { v: 1, prev: null, seq: 0, at: '1970-01-01T00:00:00.000Z' });
});

t.test('a body cannot use the names of the envelope', async (t) => {
  for (const name of ['v', 'kind', 'id', 'writer', 'seq', 'prev', 'nonce', 'at']) {
    t.throws(() => bodyMembers({ [name]: 1 }), { name: 'TypeError', message: new RegExp(`/${name} `) });
  }
});
