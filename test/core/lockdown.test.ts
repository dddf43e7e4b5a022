import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { asks, errorsIn, smallFiles, smallFirm, visible, type Asked } from '../helpers/policies.ts';

const RULES = [
  { id: 'anybody', effect: 'allow', actions: 'any', resources: 'any' },
  { id: 'step', effect: 'deny', actions: ['edit'], resources: 'any', advice: ['step_up:mfa'] },
];
const LOCKED = `version: 1
people: [u-eve, { id: ai, reason: misbehaved }]
matters: [M-7]
clients: [C-2]
callers: [dms]
tokens: [t-1]
`;

const set = smallFirm(RULES, { 'lockdown.yaml': LOCKED });
const decided = (asked: Asked) => decide(set, asks(asked)).decidedBy.join(' ');

t.test('people, matters and clients that are locked get nothing', async (t) => {
  t.equal(decided({}), 'anybody');
  t.equal(decided({ subject: { id: 'u-eve' } }), 'lockdown');
  t.equal(decided({ actor: 'ai' }), 'lockdown', 'the assistant itself is locked');
  t.equal(decided({ actor: 'u-eve' }), 'lockdown');
  t.equal(decided({ actor: 'other' }), 'anybody');
  t.equal(decided({ properties: { matter_id: 'M-7' } }), 'lockdown', 'registered or not');
  t.equal(decided({ type: 'matter', id: 'M-7', properties: { matter_id: null } }), 'lockdown');
  t.equal(decided({ properties: { client_id: 'C-2' } }), 'lockdown');
  t.equal(decided({ properties: { matter_id: 'M-2' } }), 'lockdown', 'the client of the matter on file');
  t.equal(decided({ type: 'client', id: 'C-2', properties: { client_id: null } }), 'lockdown');
  t.equal(decided({ type: 'report', properties: { matter_id: null, client_id: null } }), 'anybody');
});

t.test('what cannot be known to be unlocked is refused', async (t) => {
  for (const properties of [{ matter_id: null }, { matter_id: 5 }, { client_id: null }, { client_id: ['C-2'] }])
    t.equal(decided({ properties }), 'attribute-missing');
  t.equal(decided({ subject: { id: '' } }), 'attribute-missing');
  const nothingLocked = smallFirm(RULES, { 'lockdown.yaml': 'version: 1\npeople: []\n' });
  t.strictSame(decide(nothingLocked, asks({ properties: { client_id: null } })).decidedBy, ['anybody']);
});

t.test('it is named beside the denies that are true, and shows nothing of itself', async (t) => {
  const locked = decide(set, asks({ subject: { id: 'u-eve' }, action: 'edit' }));
  t.strictSame(locked.decidedBy, ['lockdown', 'step']);
  t.strictSame(locked.advice, ['step_up:mfa'], 'another rule says what it always says');
  t.equal(locked.stepUp, null, 'but a step-up would not help');
  t.not(decide(set, asks({ action: 'edit' })).stepUp, null, 'as it does for others');
  const stranger = decide(smallFirm([]), asks({ subject: { id: 'u-eve' } }));
  t.strictSame(stranger.decidedBy, ['default-deny']);
  t.strictSame(visible(decide(set, asks({ subject: { id: 'u-eve' } }))), visible(stranger));
});

t.test('callers and tokens are handed to identity', async (t) => {
  t.strictSame([...set.lockdown.callers, ...set.lockdown.tokens], ['dms', 't-1']);
  t.strictSame([...smallFirm([]).lockdown.people], [], 'no file, nobody locked');
});

t.test('a lockdown that cannot be read stops the load', async (t) => {
  const errors = (text: string) => errorsIn(smallFiles([], { 'lockdown.yaml': text }));
  t.strictSame(errors('version: 1\npeople: u-eve\n'), [
    'lockdown.yaml:2:1: `people` must be a list, found the text `u-eve` — write it in brackets: [u-eve]',
  ]);
  t.strictSame(errors('version: 1\npeople: [{ reason: no id }]\npersons: [u-eve]\n'), [
    'lockdown.yaml:2:10: entry 1 of `people` lacks `id` — add `id`: text',
    'lockdown.yaml:3:1: unknown member `persons` in the file — known here: version, people, matters, clients, callers, tokens',
  ]);
  t.equal(errors('version: 1\npeople: [u-eve\n').length > 0, true);
});
