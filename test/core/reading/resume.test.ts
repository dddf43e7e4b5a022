import fc from 'fast-check';
import t from 'tap';
import { resumePoint, timeOfId } from '../../../src/core/reading/resume.ts';
import { runs } from '../../helpers/runs.ts';

const NOON = Date.UTC(2026, 2, 10, 12);

t.test('the coarsest mark that keeps half of the work', async (t) => {
  const hourly = Array.from({ length: 100 }, (_, index) => NOON - index * 3_600_000);
  t.equal(timeOfId(resumePoint(hourly, 'newest')?.position ?? ''), Date.UTC(2026, 2, 7), 'a day');
  const secondly = Array.from({ length: 100 }, (_, index) => NOON + 500 + index * 1_000);
  t.equal(timeOfId(resumePoint(secondly, 'oldest')?.position ?? ''), NOON + 60_000, 'a minute');
  t.equal(resumePoint([NOON + 1, NOON + 2], 'oldest'), null, 'all of one second: nothing can be told yet');
  t.equal(resumePoint([], 'newest'), null);
});

t.test('it is a full second, passes something, and parts what was looked at', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: NOON - 10 ** 9, max: NOON }), { minLength: 1, maxLength: 50 }),
      fc.constantFrom('newest' as const, 'oldest' as const),
      (list, order) => {
        const times = list.toSorted((a, b) => (order === 'newest' ? b - a : a - b));
        const point = resumePoint(times, order);
        if (point === null)
          return (
            new Set(times.map((ms) => Math.ceil(ms / 1_000))).size === 1 ||
            new Set(times.map((ms) => Math.floor(ms / 1_000))).size === 1
          );
        const mark = timeOfId(point.position);
        const kept = times.filter((ms) => point.isBefore(ms));
        return (
          mark % 1_000 === 0 &&
          kept.length > 0 &&
          times.every((ms) => point.isBefore(ms) === (order === 'newest' ? ms >= mark : ms < mark))
        );
      },
    ),
    runs(500),
  );
});
