import t from 'tap';
import { hasMasked, maskFreeText, shown } from '../../src/http/mask.ts';

t.test('masks what the record lists as free text, and nothing else', async (t) => {
  const record = {
    free_text: [
      'context.purpose',
      'context.recipient',
      'resource.note',
      'subject.motto',
      'context.absent',
      'elsewhere.x',
      7,
    ],
    context: { purpose: 'a name', recipient: { id: 'x' }, country: 'DE' },
    resource: { type: 'document', properties: { note: 'a name', 'note.more': 1 } },
    subject: { id: 'u-x', attributes: { motto: 'a name', roles: [] } },
    matter: null,
  };
  const before = structuredClone(record);
  t.strictSame(maskFreeText(record), {
    free_text: record.free_text,
    context: { purpose: '[masked]', recipient: '[masked]', country: 'DE' },
    resource: { type: 'document', properties: { note: '[masked]', 'note.more': 1 } },
    subject: { id: 'u-x', attributes: { motto: '[masked]', roles: [] } },
    matter: null,
  });
  t.strictSame(record, before, 'a copy is masked, not what is kept');
});

t.test('takes records of any shape', async (t) => {
  for (const record of [
    {},
    { free_text: 'context.purpose' },
    { free_text: ['context.purpose'] },
    { free_text: ['context.a.b'], context: [] },
  ]) {
    t.strictSame(maskFreeText(record), record);
  }
});

t.test('matters that a purge names as held stand in no answer: walled ones are among them', async (t) => {
  const purge = { kind: 'purge', held: { clients: ['C-500'], matters: ['M-1001'] }, reason: 'Yearly disposal' };
  t.ok(hasMasked(purge));
  t.strictSame(shown(purge), { ...purge, held: { clients: '[masked]', matters: '[masked]' } });
  t.strictSame(purge.held.matters, ['M-1001'], 'a copy is masked');
  t.notOk(hasMasked({ kind: 'decision', free_text: [], held: { matters: [] } }));
});
