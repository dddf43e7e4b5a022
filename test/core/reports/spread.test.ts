// Medians, deviations and habits against plain arithmetic: one wild day changes nothing, no past says nothing.
import fc from 'fast-check';
import t from 'tap';
import { createHabits } from '../../../src/core/reports/habits.ts';
import { median, medianDeviation, usualRange } from '../../../src/core/reports/spread.ts';

const RULES = { leastPast: 5, deviations: 6, leastLimit: 10 };

t.test('the median is what half of the values do not exceed', async (t) => {
  t.equal(median([]), null);
  t.equal(medianDeviation([]), null);
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.equal(medianDeviation([1, 1, 2, 2, 4, 6, 9]), 1);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1 }), (values) => {
      const middle = median(values) ?? Number.NaN;
      const below = values.filter((one) => one < middle).length;
      const above = values.filter((one) => one > middle).length;
      return below <= values.length / 2 && above <= values.length / 2;
    }),
  );
});

t.test('one wild value in the past does not make wild what is usual', async (t) => {
  const calm = [10, 11, 12, 10, 9, 11, 10, 12, 11];
  const limit = usualRange(calm, RULES)?.limit ?? 0;
  t.ok(limit < 25, String(limit));
  t.ok((usualRange([...calm, 1_000_000], RULES)?.limit ?? 0) < 25);
  t.equal(usualRange([1, 2, 3, 4], RULES), null, 'too short a past');
  t.strictSame(usualRange([0, 0, 0, 0, 0], RULES), { median: 0, limit: 10, of: 5 }, 'no less than the least');
});

const DAY = 86_400_000;
const FROM = Date.UTC(2026, 2, 30);
const PERIOD = { from: FROM, to: FROM + 7 * DAY };

t.test('people are compared with their own past, and with everybody only without one', async (t) => {
  const habits = createHabits(PERIOD, (at) => new Date(at).getUTCHours() < 7);
  // Twenty quiet days at ten o'clock for each, half of the questions denied for one of them.
  for (let day = 1; day <= 20; day++) {
    for (let index = 0; index < 12; index++) {
      const at = FROM - day * DAY + 10 * 3_600_000 + index * 1_000;
      habits.add('u-busy', at, index % 2 === 0, `M-${day % 3}`);
      for (const one of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) habits.add(`u-${one}`, at, false, 'M-1');
    }
  }
  t.strictSame(habits.unusual(), [], 'the past is not judged');
  for (let index = 0; index < 40; index++)
    habits.add('u-1', FROM + DAY + 2 * 3_600_000 + index, index < 7, `M-new-${index}`);
  for (let index = 0; index < 6; index++) habits.add('u-busy', FROM + DAY + 10 * 3_600_000 + index, true, 'M-1');
  for (let index = 0; index < 35; index++) habits.add('u-nobody-knew', FROM + DAY + 11 * 3_600_000, false, 'M-1');
  const found = habits
    .unusual()
    .map(({ person, habit, count, comparedWith }) => ({ person, habit, count, comparedWith }));
  t.strictSame(
    found.toSorted((a, b) => (a.person + a.habit < b.person + b.habit ? -1 : 1)),
    [
      { person: 'u-1', habit: 'decisions in an hour', count: 40, comparedWith: 'own past' },
      { person: 'u-1', habit: 'denials in an hour', count: 7, comparedWith: 'own past' },
      { person: 'u-1', habit: 'new matters in a day', count: 40, comparedWith: 'own past' },
      { person: 'u-1', habit: 'off hours in a day', count: 40, comparedWith: 'own past' },
      { person: 'u-nobody-knew', habit: 'decisions in an hour', count: 35, comparedWith: "everybody's past" },
    ],
  );
  t.equal(habits.newMatters().length, 41);
  t.equal(habits.people, 12);
});
