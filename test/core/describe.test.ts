import t from 'tap';
import { describeExpr, durationWords } from '../../src/core/describe.ts';
import { smallFirm } from '../helpers/policies.ts';

function words(when: Readonly<Record<string, unknown>>): string {
  const [rule] = smallFirm([{ id: 'r', effect: 'deny', actions: 'any', resources: 'any', when }]).rules;
  return rule?.branches[0] === undefined ? '' : describeExpr(rule.branches[0].expr);
}

t.test('every operator in words', async (t) => {
  const texts: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ 'resource.level': 'low' }, 'resource.level is low'],
    [{ 'resource.level': { $ne: 'low' } }, 'resource.level is not low'],
    [{ 'resource.sealed': true }, 'resource.sealed is true'],
    [{ 'resource.owner': '${subject.id}' }, 'resource.owner is subject.id'],
    [{ 'resource.filed': { $lt: '${now}' } }, 'resource.filed is earlier than now'],
    [{ 'resource.filed': { $gt: '2026-03-10T14:00:00Z' } }, 'resource.filed is later than 2026-03-10T14:00:00Z'],
    [{ 'resource.pages': { $lt: 3 } }, 'resource.pages is lower than 3'],
    [{ 'resource.pages': { $lte: 3, $gt: 1 } }, 'resource.pages is at most 3 and resource.pages is higher than 1'],
    [{ 'resource.level': { $gte: 'mid' } }, 'resource.level is at least mid'],
    [{ 'resource.level': { $in: ['low', 'mid'] } }, 'resource.level is one of low, mid'],
    [{ 'resource.level': { $nin: ['low'] } }, 'resource.level is not one of low'],
    [{ 'client.id': { $in: '${data.consents.sharing}' } }, 'client.id is in data.consents.sharing'],
    [{ 'client.id': { $nin: '${data.consents.sharing}' } }, 'client.id is not in data.consents.sharing'],
    [{ 'matter.team': { $has: '${subject.id}' } }, 'matter.team includes subject.id'],
    [{ 'subject.roles': { $has_any: ['clerk'] } }, 'subject.roles includes clerk'],
    [{ 'subject.roles': { $has_any: ['clerk', 'partner'] } }, 'subject.roles includes any of clerk, partner'],
    [{ 'resource.owner': { $exists: true } }, 'resource.owner is stated'],
    [{ 'resource.owner': { $exists: false } }, 'resource.owner is not stated'],
    [{ 'resource.owner': { $none: true } }, 'resource.owner is known to be none'],
    [{ 'resource.owner': { $none: false } }, 'resource.owner is not known to be none'],
    [{ 'resource.owner': { $same: '${actor.id}' } }, 'resource.owner and actor.id are the same, or both none'],
    [
      { 'resource.filed': { $age: { $gte: 'PT0S', $lte: 'P90D' } } },
      'resource.filed is at least 0 seconds ago and at most 90 days ago',
    ],
    [{ 'resource.title': { $length: { $gte: 15 } } }, 'resource.title has at least 15 characters'],
    [{ now: { $during: 'office_hours' } }, 'the time is during office hours'],
    [
      { 'context.visits': { $some: { by: '${subject.id}', count: { $gt: 1 } } } },
      'some entry of context.visits has: by is subject.id and count is higher than 1',
    ],
    [{ $is: 'on_the_team' }, 'on the team'],
    [{ $not: { $is: ['internal', 'mfa'] } }, 'not (internal and mfa)'],
    [
      { $or: [{ $is: 'mfa' }, { 'resource.sealed': false, 'resource.pages': 1 }] },
      'mfa or (resource.sealed is false and resource.pages is 1)',
    ],
    [
      { $and: [{ $or: [{ $is: 'mfa' }, { $is: 'internal' }] }, { 'resource.pages': 1 }] },
      '(mfa or internal) and resource.pages is 1',
    ],
  ];
  for (const [when, text] of texts) t.equal(words(when), text);
  t.equal(describeExpr({ op: 'all', args: [] }), 'always');
});

t.test('durations in words', async (t) => {
  const durations = {
    PT0S: '0 seconds',
    PT1S: '1 second',
    PT30M: '30 minutes',
    PT1H30M: '1 hour 30 minutes',
    P1D: '1 day',
    P2W: '2 weeks',
    P1W2DT3H4M5S: '1 week 2 days 3 hours 4 minutes 5 seconds',
  };
  for (const [text, expected] of Object.entries(durations)) t.equal(durationWords(text), expected, text);
});
