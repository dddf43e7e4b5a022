// A client is told to step up only where that alone turns the deny into an allow (DESIGN 5.1).
import t from 'tap';
import { decide } from '../../src/core/decide.ts';
import { asks, SMALL_FIRM, smallFirm, type Asked, type Files } from '../helpers/policies.ts';

const deny = (id: string, when: object, advice?: readonly string[]) => ({
  ...{ id, effect: 'deny', actions: 'any', resources: 'any', when },
  ...(advice === undefined ? {} : { advice }),
});
const ALLOW = { id: 'anybody', effect: 'allow', actions: 'any', resources: 'any' };
const NO_MFA = { $not: { $is: 'mfa' } };
const MFA = deny('mfa', NO_MFA, ['step_up:mfa']);
const FRESH = deny('fresh', { 'subject.auth_time': { $none: true } }, ['alert:officer', 'step_up:fresh']);

function stepUp(rules: readonly object[], asked: Asked = {}, more: Files = {}) {
  return decide(smallFirm(rules, more), asks(asked)).stepUp;
}

t.test('where every deny can be cured, and an allow waits behind them', async (t) => {
  t.strictSame(stepUp([ALLOW, MFA]), { acr_values: 'mfa', max_age: null });
  t.strictSame(stepUp([ALLOW, FRESH]), { acr_values: 'mfa phr', max_age: 600 });
  t.strictSame(stepUp([ALLOW, MFA, FRESH]), { acr_values: 'mfa phr', max_age: 600 }, 'both cures at once');
  t.strictSame(stepUp([FRESH, MFA, ALLOW]), { acr_values: 'mfa phr', max_age: 600 }, 'in any order');
});

t.test('of several ages the shortest is asked for, in whatever order', async (t) => {
  const soon = "advice:\n  'step_up:soon': { acr_values: mfa, max_age: 60 }\n";
  const firm = { 'firm.yaml': SMALL_FIRM.replace('advice:\n', soon) };
  const SOON = deny('soon', NO_MFA, ['step_up:soon']);
  for (const rules of [
    [ALLOW, SOON, FRESH, MFA],
    [ALLOW, MFA, FRESH, SOON],
  ])
    t.strictSame(stepUp(rules, {}, firm), { acr_values: 'mfa phr', max_age: 60 });
});

t.test('nowhere else', async (t) => {
  t.equal(stepUp([ALLOW, MFA], { subject: { amr: ['mfa'] } }), null, 'allowed already');
  t.equal(stepUp([MFA]), null, 'no allow');
  t.equal(stepUp([{ ...ALLOW, when: { 'context.zone': 'home' } }, MFA]), null, 'the allow is false');
  t.equal(
    stepUp([{ ...ALLOW, when: { 'resource.owner': 'u-ann' } }, MFA], { properties: { owner: 5 } }),
    null,
    'unknown',
  );
  t.equal(
    stepUp([ALLOW, { ...ALLOW, id: 'second', when: { 'resource.owner': 'u-ann' } }, MFA], { properties: { owner: 5 } }),
    null,
    'another allow is unknown',
  );
  t.equal(stepUp([ALLOW, MFA, deny('hours', { 'context.zone': 'office' })]), null, 'a deny without cure');
  t.equal(
    stepUp([ALLOW, MFA, deny('memo', { 'context.zone': 'office' }, ['advice:memo'])]),
    null,
    'other advice cures nothing',
  );
  t.equal(
    stepUp([ALLOW, MFA, deny('maybe', { 'resource.owner': 'u-ann' }, ['step_up:mfa'])], { properties: { owner: 5 } }),
    null,
    'an unknown deny',
  );
  t.equal(stepUp([ALLOW, deny('alert', NO_MFA, ['alert:officer'])]), null, 'an alert cures nothing');
});

t.test('never where a wall or a lockdown stands behind the deny', async (t) => {
  const walls = (wall: string) => ({ 'walls/walls.yaml': `walls: [{ id: W-1, ${wall} }]` });
  const exclusion = walls('kind: exclusion, matter_id: M-1, excluded_people: [u-ann]');
  const memo = walls('kind: inclusion, matter_id: M-1, included_people: [u-ann]');
  t.equal(stepUp([ALLOW, MFA], {}, exclusion), null);
  t.equal(stepUp([ALLOW, MFA], {}, memo), null);
  t.equal(stepUp([ALLOW], {}, exclusion), null, 'a wall alone');
  t.equal(stepUp([ALLOW, MFA], { properties: { matter_id: null } }, exclusion), null, 'a wall that may be there');
  t.equal(stepUp([ALLOW, MFA], {}, { 'lockdown.yaml': 'version: 1\nclients: [C-1]\n' }), null);
});
