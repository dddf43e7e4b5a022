import fc from 'fast-check';
import t from 'tap';
import { nearest } from '../../src/core/suggest.ts';

t.test('one slip in a short word, more in a long one', async (t) => {
  t.equal(nearest('raed', ['list', 'read', 'edit']), 'read');
  t.equal(nearest('confidental', ['internal', 'confidential']), 'confidential');
  t.equal(nearest('acknowledgd_bi', ['acknowledged_by']), 'acknowledged_by');
  t.equal(nearest('efect', ['effect', 'reject']), 'effect');
});

t.test('case and separators are no slip', async (t) => {
  t.equal(nearest('Matter-Status', ['matter_status', 'matter_states']), 'matter_status');
  t.equal(nearest('m_a_t', ['mat']), undefined);
});

t.test('silence rather than a wild guess', async (t) => {
  t.equal(nearest('xyz', ['abc', 'read']), undefined);
  t.equal(nearest('a', ['b']), undefined);
  t.equal(nearest('', ['a']), undefined);
  t.equal(nearest('read', []), undefined);
  t.equal(nearest('a'.repeat(65), ['a'.repeat(64)]), undefined);
});

t.test('the nearest wins, then the first', async (t) => {
  t.equal(nearest('print', ['prints', 'prin', 'paint']), 'prints');
  t.equal(nearest('documnt', ['documents', 'document']), 'document');
});

t.test('any swap, loss or doubling of one letter is recognised', async (t) => {
  const word = fc.stringMatching(/^[a-z]{4,20}$/);
  const property = fc.property(word, fc.nat(), fc.constantFrom('swap', 'drop', 'double'), (right, seed, slip) => {
    const at = seed % (right.length - 1);
    const swapped = `${right.slice(0, at)}${right[at + 1]}${right[at]}${right.slice(at + 2)}`;
    const dropped = right.slice(0, at) + right.slice(at + 1);
    const doubled = right.slice(0, at) + right.slice(at, at + 1) + right.slice(at);
    const wrong = slip === 'swap' ? swapped : slip === 'drop' ? dropped : doubled;
    return wrong === right || nearest(wrong, [right]) === right;
  });
  t.doesNotThrow(() => fc.assert(property));
});

t.test('a candidate, or nothing', async (t) => {
  const property = fc.property(fc.string(), fc.array(fc.string()), (word, candidates) => {
    const found = nearest(word, candidates);
    return found === undefined || (candidates.includes(found) && found !== word);
  });
  t.doesNotThrow(() => fc.assert(property));
});
