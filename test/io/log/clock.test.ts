import fc from 'fast-check';
import t from 'tap';
import { createClock, type RecorderClock } from '../../../src/io/log/clock.ts';

const limits = { degradedMs: 2_000, blockedMs: 30_000 };
const HOUR = 3_600_000;

/** A system clock that can be set, beside a database whose clock is right. */
function world(): {
  clock: RecorderClock;
  set: (offset: number) => void;
  pass: (ms: number) => void;
  compare: () => void;
} {
  let time = 1_800_000_000_000;
  let offset = 0;
  const clock = createClock(() => time + offset, limits);
  return {
    clock,
    set: (ms) => (offset = ms),
    pass: (ms) => (time += ms),
    compare: () => {
      const before = clock.wall();
      time += 4;
      clock.compare(time - 2, before, clock.wall());
    },
  };
}

t.test('never goes back until it is restarted, whatever the system clock does', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ offset: fc.integer({ min: -HOUR, max: HOUR }), pass: fc.nat(5_000) })),
      (steps) => {
        const { clock, set, pass, compare } = world();
        let last = clock.now();
        for (const step of steps) {
          set(step.offset);
          pass(step.pass);
          compare();
          const next = clock.now();
          if (next < last || !Number.isInteger(next)) return false;
          last = next;
        }
        return true;
      },
    ),
  );
});

t.test('ahead by an hour, then corrected', async (t) => {
  const { clock, set, pass, compare } = world();
  compare();
  t.equal(clock.verdict(), 'fine');
  t.notOk(clock.isCorrected());
  set(HOUR);
  clock.now();
  t.equal(clock.verdict(), 'fine', 'only the database can tell');
  compare();
  t.equal(clock.verdict(), 'blocked');
  t.ok(Math.abs(clock.skew() - HOUR) < 10);
  pass(60_000);
  set(0);
  t.equal(clock.verdict(), 'blocked', 'time given out is still ahead');
  t.notOk(clock.isCorrected(), 'not before the database confirms it');
  compare();
  t.equal(clock.verdict(), 'blocked');
  t.ok(clock.isCorrected());
  clock.restart();
  t.equal(clock.verdict(), 'fine');
  t.notOk(clock.isCorrected());
  t.equal(clock.now(), Math.floor(clock.wall()));
});

t.test('behind by an hour, then corrected', async (t) => {
  const { clock, set, pass, compare } = world();
  const before = clock.now();
  set(-HOUR);
  t.equal(clock.now(), before, 'it stands still');
  t.equal(clock.verdict(), 'blocked', 'a jump back needs no database to be seen');
  compare();
  t.equal(clock.verdict(), 'blocked');
  t.notOk(clock.isCorrected());
  set(0);
  pass(1_000);
  t.equal(clock.verdict(), 'blocked', 'not before the database confirms it');
  compare();
  t.ok(clock.isCorrected(), 'a new writer all the same');
  clock.restart();
  t.equal(clock.verdict(), 'fine');
});

t.test('some seconds: degraded, and no new writer for a small step back', async (t) => {
  const { clock, set, compare } = world();
  set(5_000);
  compare();
  t.equal(clock.verdict(), 'degraded');
  t.notOk(clock.isCorrected());
  set(-5_000);
  compare();
  t.equal(clock.verdict(), 'degraded');
  t.notOk(clock.isCorrected(), 'it is wrong now');
  set(3_500);
  clock.restart();
  clock.now();
  set(1_900);
  compare();
  t.equal(clock.verdict(), 'degraded');
  t.notOk(clock.isCorrected(), 'it stands still for a moment');
});

t.test('a slow answer is not skew', async (t) => {
  const { clock } = world();
  const now = clock.now();
  clock.compare(now + 100, now, now + 60_000);
  t.equal(clock.verdict(), 'fine');
  clock.compare(now + 100, now, now - HOUR);
  t.equal(clock.verdict(), 'blocked', 'the clock went back while the answer was on its way');
});
