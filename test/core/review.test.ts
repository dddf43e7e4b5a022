// The obligation to review an access, and when that is due.
import t from 'tap';
import { isReview, reviewDue, reviewPeriod } from '../../src/core/review.ts';
import { errorsIn, SMALL_FIRM, smallFiles } from '../helpers/policies.ts';

t.test('a review says within which time', async (t) => {
  t.equal(reviewPeriod('review:30m'), 1_800_000);
  t.equal(reviewPeriod('review:24h'), 86_400_000);
  t.equal(reviewPeriod('review:7d'), 604_800_000);
  t.equal(reviewPeriod('review:2w'), 1_209_600_000);
  for (const code of [
    'review:',
    'review:h',
    'review:0h',
    'review:024h',
    'review:1.5h',
    'review:24',
    'review:24h:x',
    'reviews:24h',
  ]) {
    t.equal(reviewPeriod(code), undefined, code);
  }
  t.ok(isReview('review:soon'));
  t.notOk(isReview('notify:review'));
});

t.test('the first of several counts, and one that cannot be read is due at once', async (t) => {
  t.equal(reviewDue(['notify:x'], 1_000), null);
  t.equal(reviewDue([], 1_000), null);
  t.equal(reviewDue(['review:7d', 'notify:x', 'review:30m'], 1_000), 1_801_000);
  t.equal(reviewDue(['review:24h', 'review:soon'], 1_000), 1_000);
});

t.test('policies whose reviews have no readable period do not load', async (t) => {
  const firm = SMALL_FIRM.replace('obligations:\n', "obligations:\n  'review:soon': { fulfilled_by: privity }\n");
  t.match(errorsIn(smallFiles('  - { id: a, effect: allow, actions: any, resources: any }\n', { 'firm.yaml': firm })), [
    /^firm\.yaml:\d+:\d+: `review:soon` does not say when the review is due.*review:24h/,
  ]);
});
