import t from 'tap';
import { createLogOutput, type Sink } from '../src/log-output.ts';
import { until } from './helpers/recorder.ts';

const LIMITS = { most: 100, retryMs: 1, stuckMs: 20, endMs: 50 };

/** Takes what it is told to take, and says what it is told to say. */
function start(limits = {}) {
  const rig = {
    bytes: [] as Buffer[],
    get written() {
      return Buffer.concat(rig.bytes).toString();
    },
    /** Bytes of each write that are taken. */
    takes: Number.POSITIVE_INFINITY,
    fails: null as string | null,
    holds: false,
    held: null as (() => void) | null,
    failures: 0,
    told: [] as string[],
  };
  const sink: Sink = (bytes, done) => {
    const end = (): void => {
      if (rig.fails !== null) rig.failures += 1;
      if (rig.fails !== null) return done(Object.assign(new Error('failed'), { code: rig.fails }), 0);
      const count = Math.min(rig.takes, bytes.length);
      rig.bytes.push(bytes.subarray(0, count));
      return done(null, count);
    };
    if (rig.holds) rig.held = end;
    else setImmediate(end);
  };
  const onLost = (lines: number, code: string): void => void rig.told.push(`${lines} ${code}`);
  return { rig, output: createLogOutput({ sink, onLost, limits: { ...LIMITS, ...limits } }) };
}

t.test('lines in their order, whatever part of them is taken at a time', async (t) => {
  const { rig, output } = start();
  rig.takes = 3;
  for (const line of ['one\n', 'twö\n', 'three\n']) output.write(line);
  await output.end();
  t.equal(rig.written, 'one\ntwö\nthree\n');
  t.strictSame([output.lost(), output.degraded()], [0, []]);
});

t.test('a full disk: kept up to a bound, then lost and counted; told when there is room again', async (t) => {
  const { rig, output } = start();
  rig.fails = 'ENOSPC';
  for (let count = 0; count < 30; count++) output.write('ten bytes\n');
  await until('a write has failed', () => rig.failures > 0);
  for (let count = 0; count < 30; count++) output.write('ten bytes\n');
  t.ok(output.lost() > 20 && output.lost() < 60);
  t.strictSame(output.degraded(), ['log_not_written']);
  const lost = output.lost();
  rig.fails = null;
  await until('told', () => rig.told.length > 0);
  t.strictSame(rig.told, [`${lost} ENOSPC`]);
  t.equal(rig.written.length, (60 - lost) * 10, 'everything else is there');
  t.strictSame(output.degraded(), []);
});

t.test('a reader who has stopped: stuck, not waited for at the end; nothing is lost if it comes back', async (t) => {
  const { rig, output } = start();
  rig.holds = true;
  output.write('first\n');
  output.write('second\n');
  await until('stuck', () => output.degraded().length > 0);
  await output.end();
  t.equal(rig.written, '');
  rig.holds = false;
  rig.held?.();
  await until('written', () => rig.written === 'first\nsecond\n');
  t.strictSame([output.lost(), output.degraded()], [0, []]);
});

t.test('a reader who is gone does not come back: everything is lost, and it shows for ever', async (t) => {
  const { rig, output } = start();
  rig.fails = 'EPIPE';
  output.write('first\n');
  await until('gone', () => output.lost() === 1);
  rig.fails = null;
  output.write('second\n');
  await output.end();
  t.equal(rig.written, '');
  t.strictSame([output.lost(), output.degraded()], [2, ['log_not_written']]);
});
