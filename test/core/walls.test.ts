// Each kind of wall at each of its edges: who, what, when; and with the matter or the person unknown. Behind every wall
// stands a rule that would let anybody in.
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { asks, smallFirm, type Asked } from '../helpers/policies.ts';

const ANYBODY = { id: 'anybody', effect: 'allow', actions: 'any', resources: 'any' };

function behind(walls: string, data = ''): PolicySet {
  return smallFirm([ANYBODY], {
    'walls/walls.yaml': `walls:\n${walls}`,
    ...(data === '' ? {} : { 'data/more.yaml': data }),
  });
}

/** What decided, and the walls named; `?` marks what is only unknown. */
function verdict(set: PolicySet, asked: Asked): string {
  const { results, walls, decidedBy } = decide(set, asks(asked));
  const unknown = results.filter(({ effect, truth }) => effect === 'wall' && truth === 'unknown');
  return [...decidedBy, ...unknown.map(({ rule }) => `${rule}?`), ...walls].join(' ');
}

const eve = { id: 'u-eve' };

t.test('an exclusion wall of a matter keeps out the people it names, from everything of that matter', async (t) => {
  const set = behind('  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-eve, u-ben] }');
  const denied = 'exclusion-wall W-1';
  t.equal(verdict(set, { subject: eve }), denied);
  t.equal(verdict(set, { subject: { id: 'u-ann' } }), 'anybody');
  t.equal(verdict(set, { subject: { id: 'u-ben' } }), denied, 'a member of the team');
  t.equal(verdict(set, { subject: { id: 'U-EVE' } }), 'anybody', 'ids are compared exactly');
  for (const action of ['read', 'list', 'edit', 'export', 'shred']) {
    for (const type of ['document', 'note', 'report', 'wall', 'client', 'scroll'])
      t.equal(verdict(set, { subject: eve, action, type, id: 'C-1' }), denied, `${action} ${type}`);
  }
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2', client_id: 'C-2' } }), 'anybody');
  // For a matter its own id counts, whatever else is said.
  t.equal(verdict(set, { subject: eve, type: 'matter', id: 'M-1', properties: { matter_id: 'M-2' } }), denied);
  t.equal(verdict(set, { subject: eve, type: 'matter', id: 'M-2', properties: { matter_id: 'M-1' } }), 'anybody');
  t.equal(verdict(set, { subject: eve, type: 'report', properties: { matter_id: null } }), 'anybody', 'of no matter');
  for (const matter_id of [null, '', 5, ['M-1'], { $ne: 'M-1' }])
    t.equal(verdict(set, { subject: eve, properties: { matter_id } }), 'attribute-missing exclusion-wall?');
  t.equal(verdict(set, { properties: { matter_id: 5 } }), 'anybody', 'nobody has doubts about people it does not name');
  t.equal(verdict(set, { actor: 'u-eve' }), 'anybody', 'the wall is about the person asked for, not the assistant');
});

t.test('an exclusion wall of a client covers the client asked for and the client on file', async (t) => {
  const set = behind('  - { id: W-1, kind: exclusion, client_id: C-2, reason: lateral, excluded_people: [u-eve] }');
  const denied = 'client-wide-exclusion W-1';
  t.equal(verdict(set, { subject: eve }), 'anybody');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2', client_id: 'C-2' } }), denied);
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2', client_id: 'C-1' } }), denied, 'on file');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-1', client_id: 'C-2' } }), denied, 'asked for');
  t.equal(
    verdict(set, { subject: eve, properties: { matter_id: 'M-9', client_id: 'C-2' } }),
    denied,
    'a future matter',
  );
  t.equal(verdict(set, { subject: eve, type: 'matter', id: 'M-2', properties: { client_id: 'C-1' } }), denied);
  t.equal(verdict(set, { subject: eve, type: 'client', id: 'C-2', properties: { matter_id: null } }), denied);
  t.equal(verdict(set, { subject: eve, type: 'client', id: 'C-1', properties: { client_id: 'C-2' } }), 'anybody');
  const doubt = 'attribute-missing client-wide-exclusion?';
  t.equal(verdict(set, { subject: eve, properties: { client_id: null } }), doubt);
  t.equal(verdict(set, { subject: eve, properties: { matter_id: null } }), doubt);
  t.equal(
    verdict(set, { subject: eve, properties: { matter_id: 'M-2', client_id: null } }),
    denied,
    'the file is enough',
  );
  t.equal(verdict(set, { subject: eve, properties: { matter_id: null, client_id: 'C-2' } }), denied);
});

t.test('a wall with both covers either; the client alone names the rule', async (t) => {
  const set = behind('  - { id: W-1, kind: exclusion, matter_id: M-1, client_id: C-2, excluded_people: [u-eve] }');
  t.equal(verdict(set, { subject: eve }), 'client-wide-exclusion W-1');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2' } }), 'client-wide-exclusion W-1');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-9' } }), 'anybody');
});

t.test('a reason that firm.yaml calls lateral names the rule', async (t) => {
  const set = behind(`
  - { id: W-1, kind: exclusion, reason: lateral, matter_id: M-1, excluded_people: [u-eve] }
  - { id: W-2, kind: exclusion, reason: Lateral, matter_id: M-2, excluded_people: [u-eve] }`);
  t.equal(verdict(set, { subject: eve }), 'lateral-hire-screen W-1');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2' } }), 'exclusion-wall W-2');
});

t.test('a wall holds from its first instant until just before its last', async (t) => {
  const set = behind(`
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-eve], valid_from: '2026-03-10T14:00:00Z', valid_until: '2026-03-11T01:00:00+01:00' }
  - { id: W-2, kind: inclusion, matter_id: M-2, included_people: [], valid_from: '2026-03-10T14:00:00Z', valid_until: '2026-03-11T00:00:00Z' }
  - { id: W-3, kind: opposing, sides: [{ people: [u-eve], matters: [] }, { people: [], matters: [M-3] }], valid_from: '2026-03-10T14:00:00Z', valid_until: '2026-03-11T00:00:00Z' }`);
  const rules = { 'M-1': 'exclusion-wall W-1', 'M-2': 'inclusion-wall W-2', 'M-3': 'opposing-teams W-3' };
  for (const [matter_id, denied] of Object.entries(rules)) {
    const at = (now: string) => verdict(set, { subject: eve, properties: { matter_id }, now });
    t.equal(at('2026-03-10T13:59:59.999Z'), 'anybody');
    t.equal(at('2026-03-10T14:00:00Z'), denied);
    t.equal(at('2026-03-10T23:59:59.999Z'), denied);
    t.equal(at('2026-03-11T00:00:00Z'), 'anybody');
  }
});

t.test('assistants share the exclusion walls of those they assist, unless released by name', async (t) => {
  const set = behind(
    `
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-eve] }
  - { id: W-2, kind: exclusion, matter_id: M-2, excluded_people: [u-eve], released_assistants: [u-sue, u-eve] }
  - { id: W-3, kind: exclusion, matter_id: M-3, excluded_people: [u-eve, u-sue], released_assistants: [u-sue] }
  - { id: W-4, kind: exclusion, client_id: C-4, excluded_people: [u-fay] }
  - { id: W-5, kind: exclusion, matter_id: M-1, excluded_people: [u-eve], valid_until: '2026-03-10T14:00:00Z' }
  - { id: W-6, kind: inclusion, matter_id: M-6, included_people: [u-sue, u-eve], acknowledged_by: [u-sue] }
  - { id: W-7, kind: opposing, sides: [{ people: [u-eve], matters: [] }, { people: [], matters: [M-7] }] }`,
    'assistants: { u-sue: [u-eve, u-fay], u-tom: [u-sue], u-eve: [u-eve] }',
  );
  const on = (id: string, matter_id: string | null, client_id = 'C-1') =>
    verdict(set, { subject: { id }, properties: { matter_id, client_id } });
  t.equal(on('u-sue', 'M-1'), 'assistants-inherit-screen W-1');
  t.equal(on('u-sue', 'M-2'), 'anybody', 'released');
  t.equal(on('u-eve', 'M-2'), 'exclusion-wall W-2', 'who is excluded cannot be released as an assistant');
  t.equal(on('u-sue', 'M-3'), 'exclusion-wall W-3', 'excluded in person');
  t.equal(on('u-sue', 'M-9', 'C-4'), 'assistants-inherit-screen W-4');
  t.equal(on('u-tom', 'M-1'), 'anybody', 'not handed on to the assistant of an assistant');
  t.equal(on('u-eve', 'M-1'), 'exclusion-wall W-1', 'once, even for who assists herself');
  t.equal(on('u-sue', 'M-6'), 'anybody', 'inclusion is not inherited');
  t.equal(on('u-sue', 'M-7'), 'anybody', 'nor are sides');
  t.equal(on('u-sue', null, 'C-4'), 'assistants-inherit-screen exclusion-wall? W-4', 'true, with a doubt about W-3');
  t.equal(on('u-sue', null), 'attribute-missing exclusion-wall? assistants-inherit-screen?');
});

t.test('behind an inclusion wall are only the people it names, and those after reading the memo', async (t) => {
  const set = behind(
    '  - { id: W-1, kind: inclusion, matter_id: M-1, included_people: [u-ann, u-ben], acknowledged_by: [u-ann, u-eve] }',
  );
  const memo = 'wall-memo-acknowledgement W-1';
  t.equal(verdict(set, { subject: { id: 'u-ann' } }), 'anybody');
  t.equal(verdict(set, { subject: { id: 'u-ben' } }), memo);
  t.equal(verdict(set, { subject: { id: 'u-ben' }, action: 'list' }), 'anybody', 'listing needs no memo');
  t.equal(verdict(set, { subject: { id: 'u-ben' }, action: 'shred' }), memo);
  t.equal(verdict(set, { subject: eve }), 'inclusion-wall W-1', 'who acknowledged without being included stays out');
  t.equal(verdict(set, { subject: eve, action: 'list' }), 'inclusion-wall W-1');
  t.equal(verdict(set, { subject: { id: 'svc-1', user_type: 'service' } }), 'inclusion-wall W-1', 'machines too');
  t.equal(
    verdict(set, { subject: eve, type: 'matter', id: 'M-1', properties: { matter_id: null } }),
    'inclusion-wall W-1',
  );
  t.equal(
    verdict(set, { subject: eve, type: 'wall' }),
    'anybody',
    'walls are kept by those who may not see behind them',
  );
  t.equal(verdict(set, { subject: eve, type: 'Wall' }), 'inclusion-wall W-1');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: 'M-2' } }), 'anybody');
  t.equal(verdict(set, { subject: eve, type: 'report', properties: { matter_id: null } }), 'anybody');
  t.equal(verdict(set, { subject: eve, properties: { matter_id: null } }), 'attribute-missing inclusion-wall?');
  t.equal(
    verdict(set, { subject: { id: 'u-ben' }, properties: { matter_id: 5 } }),
    'attribute-missing wall-memo-acknowledgement?',
  );
  t.equal(verdict(set, { subject: { id: 'u-ben' }, properties: { matter_id: 5 }, action: 'list' }), 'anybody');
  t.equal(
    verdict(set, { subject: { id: 'u-ann' }, properties: { matter_id: 5 } }),
    'anybody',
    'behind every wall there is',
  );
  t.strictSame(decide(set, asks({ subject: { id: 'u-ben' } })).advice, ['advice:memo']);
  t.strictSame(decide(set, asks({ subject: eve })).advice, []);
  t.strictSame(decide(set, asks({ subject: { id: 'u-ben' }, properties: { matter_id: 5 } })).advice, []);
});

t.test('who checks conflicts may list matters and clients behind an inclusion wall, and nothing else', async (t) => {
  const set = behind(`
  - { id: W-1, kind: inclusion, matter_id: M-1, included_people: [u-ann] }
  - { id: W-2, kind: exclusion, matter_id: M-2, excluded_people: [u-eve] }`);
  const analyst = { id: 'u-eve', roles: ['clerk', 'analyst'] };
  const matter = { type: 'matter', id: 'M-1', action: 'list' };
  t.equal(verdict(set, { subject: analyst, ...matter }), 'anybody');
  t.equal(verdict(set, { subject: analyst, type: 'client', id: 'C-1', action: 'list' }), 'anybody');
  t.equal(verdict(set, { subject: analyst, ...matter, action: 'read' }), 'inclusion-wall W-1');
  t.equal(verdict(set, { subject: analyst, type: 'document', action: 'list' }), 'inclusion-wall W-1');
  t.equal(verdict(set, { subject: eve, ...matter }), 'inclusion-wall W-1', 'without the role');
  for (const roles of [null, 'analyst', ['analyst', 5], ['analyst', 'boss']])
    t.equal(verdict(set, { subject: { id: 'u-eve', roles }, ...matter }), 'attribute-missing inclusion-wall?');
  t.equal(verdict(set, { subject: { id: 'u-eve', roles: null }, ...matter, action: 'read' }), 'inclusion-wall W-1');
  t.equal(
    verdict(set, { subject: analyst, ...matter, id: 'M-2' }),
    'exclusion-wall W-2',
    'exclusion knows no exception',
  );
});

t.test('neither side reaches the matters of the other', async (t) => {
  const set = behind(`
  - id: W-1
    kind: opposing
    sides: [{ people: [u-ann, u-cat], matters: [M-1] }, { people: [u-ben, u-cat], matters: [M-2, M-3] }]`);
  const on = (id: string, matter_id: string | null) => verdict(set, { subject: { id }, properties: { matter_id } });
  const denied = 'opposing-teams W-1';
  t.equal(on('u-ann', 'M-1'), 'anybody');
  t.equal(on('u-ann', 'M-2'), denied);
  t.equal(on('u-ann', 'M-3'), denied);
  t.equal(on('u-ben', 'M-2'), 'anybody');
  t.equal(on('u-ben', 'M-1'), denied, 'though on the team');
  t.equal(on('u-cat', 'M-1'), denied, 'who is on both sides reaches neither');
  t.equal(on('u-cat', 'M-2'), denied);
  t.equal(on('u-dan', 'M-1'), 'anybody');
  t.equal(on('u-ann', 'M-9'), 'anybody');
  t.equal(on('u-ann', null), 'attribute-missing opposing-teams?');
  t.equal(on('u-dan', null), 'anybody');
});

t.test('every wall that applies is named, once, and a true one outweighs doubts', async (t) => {
  const set = behind(`
  - { id: W-9, kind: exclusion, matter_id: M-1, excluded_people: [u-eve] }
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-eve, u-eve] }
  - { id: W-2, kind: exclusion, client_id: C-1, excluded_people: [u-eve] }
  - { id: W-3, kind: inclusion, matter_id: M-1, included_people: [] }
  - { id: W-4, kind: opposing, sides: [{ people: [u-eve], matters: [] }, { people: [], matters: [M-1] }] }`);
  const { decidedBy, walls, results, advice, stepUp } = decide(set, asks({ subject: eve }));
  t.strictSame(decidedBy, ['client-wide-exclusion', 'exclusion-wall', 'inclusion-wall', 'opposing-teams']);
  t.strictSame(walls, ['W-1', 'W-2', 'W-3', 'W-4', 'W-9']);
  t.equal(results.find(({ rule }) => rule === 'exclusion-wall')?.source, 'walls/walls.yaml:3 walls/walls.yaml:4');
  t.strictSame([advice, stepUp], [[], null]);
  t.equal(
    verdict(set, { subject: eve, properties: { matter_id: null } }),
    'client-wide-exclusion exclusion-wall? inclusion-wall? opposing-teams? W-2',
  );
});

t.test('while it is unknown who asks, every wall in force is in doubt', async (t) => {
  const walls = `
  - { id: W-1, kind: exclusion, reason: lateral, matter_id: M-9, excluded_people: [u-eve] }
  - { id: W-2, kind: inclusion, matter_id: M-9, included_people: [u-eve] }
  - { id: W-3, kind: opposing, sides: [{ people: [u-eve], matters: [M-9] }, { people: [u-ann], matters: [] }] }`;
  t.equal(
    verdict(behind(walls), { subject: { id: '' } }),
    'attribute-missing lateral-hire-screen? inclusion-wall? opposing-teams?',
  );
  t.equal(verdict(behind(walls), { subject: { id: 'u-dan' } }), 'anybody');
});

t.test('ids that are names of every object are ids like others', async (t) => {
  const set = behind(
    `
  - { id: constructor, kind: exclusion, matter_id: constructor, excluded_people: [constructor, toString, valueOf] }`,
    `assistants: { hasOwnProperty: [constructor], constructor: [] }`,
  );
  for (const id of ['constructor', 'toString', 'valueOf'])
    t.equal(verdict(set, { subject: { id }, properties: { matter_id: 'constructor' } }), 'exclusion-wall constructor');
  t.equal(
    verdict(set, { subject: { id: 'hasOwnProperty' }, properties: { matter_id: 'constructor' } }),
    'assistants-inherit-screen constructor',
  );
  for (const id of ['__proto__', 'isPrototypeOf', 'u-ann'])
    t.equal(verdict(set, { subject: { id }, properties: { matter_id: 'constructor' } }), 'anybody');
  t.equal(verdict(set, { subject: { id: 'constructor' }, properties: { matter_id: '__proto__' } }), 'anybody');
});
