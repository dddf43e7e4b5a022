// The clock jumps (RECORD.md): beyond 2 s the service says that it is degraded, beyond 30 s nobody is answered until the clock is right
// again, then a new writer opens. Time within a writer never goes back, and nobody is let in by a time that is not the right one.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { document, OFFICE, startApp } from '../helpers/app.ts';
import { HASTY, LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { has, scratch } from '../helpers/launch.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/recorder.ts';
import { whenReadiness } from '../helpers/service.ts';
import type { ServiceLog } from '../service/log.ts';

type Json = Readonly<Record<string, unknown>>;

const HOUR = 3_600_000;
const SHIM = fileURLToPath(new URL('../helpers/shifted-clock.c', import.meta.url));

t.setTimeout(LIMIT_MS);

t.test(
  'the clock of the process jumps under load',
  { skip: has('cc') ? false : 'cc is not here, to build what shifts the clock of a process' },
  async (t) => {
    t.setTimeout(LIMIT_MS);
    const dir = await scratch(t);
    const [library, file] = [path.join(dir, 'shifted-clock.so'), path.join(dir, 'shift')];
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SHIM, '-ldl']);
    const shift = (ms: number): void => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(ms));
      // In one write, in place: it is mapped.
      writeFileSync(file, bytes, { flag: 'r+' });
    };
    writeFileSync(file, Buffer.alloc(8));
    const { urls, superuserUrl } = await createDatabase(t);
    const environment = { LD_PRELOAD: library, CLOCK_SHIFT_FILE: file };
    // Probed often, and nobody is sent away for a machine that is slow.
    const limits = { ...HASTY, deadlineMs: 30_000 };
    const run = await startFaultRun(t, { urls, superuserUrl, environment, limits });
    const isDegraded = (seen: { readonly degraded: readonly string[] } | null): boolean =>
      seen?.degraded.includes('clock_skew') === true;
    let writers = 1;

    // A little: everybody is answered, and it shows.
    for (const ms of [10_000, -10_000]) {
      await run.calm();
      const [before, lines] = [run.load.exchanges.length, run.lines({ code: 'clock_skew' }).length];
      shift(ms);
      const found = await whenReadiness(run.service, 'degraded', isDegraded);
      t.equal(found.status, 200, `${ms} ms: ready`);
      await until('a line in the log', () => run.lines({ code: 'clock_skew' }).length > lines, LIMIT_MS);
      await run.calm();
      t.strictSame(run.failures(before), [], `${ms} ms: everybody is answered`);
      const corrected = run.lines({ code: 'clock_corrected' }).length;
      shift(0);
      // Time that was given out was ahead: a new writer. Time that stood still goes on by itself.
      if (ms > 0) {
        await until('a new writer', () => run.lines({ code: 'clock_corrected' }).length > corrected, LIMIT_MS);
        writers++;
      }
      await whenReadiness(run.service, 'right', (seen) => seen !== null && !isDegraded(seen));
    }

    for (const ms of [HOUR, -HOUR, 31_000 + 2_000]) {
      await run.suffer(`${ms} ms`, {
        inject: async () => shift(ms),
        heal: async () => shift(0),
        problems: ['clock_skew'],
        logged: { level: 'error', code: 'clock_skew' },
      });
      writers++;
    }
    const log = await run.conclude({ writers });
    t.strictSame(goingBack(log), [], 'time within a writer never goes back');
    t.strictSame(reasonsOf(log), ['start', ...Array.from({ length: writers - 1 }, () => 'clock_corrected')]);
    // What the judge of answers cannot see: the real time, which is the database's.
    const answered = run.load.exchanges.filter(({ answer }) => answer?.status === 200).length;
    t.ok(answered > 0);
  },
);

t.test('over HTTP, by the clock that was put in: no token is good because the clock is wrong', async (t) => {
  t.setTimeout(LIMIT_MS);
  let offset = 0;
  const app = await startApp(t, {
    extras: { recorder: { wallClock: () => Date.now() + offset, limits: { idleProbeMs: 20 } } },
  });
  const seconds = (ms: number): number => Math.floor((Date.now() + ms) / 1000);
  const ask = (claims: Json) =>
    app.ask('u-okafor', { action: { name: 'read' }, resource: document('D-1'), context: OFFICE }, { claims });
  const good = {};
  const expired = { iat: seconds(-2 * HOUR), auth_time: seconds(-2 * HOUR), exp: seconds(-HOUR / 2) };
  const early = { iat: seconds(HOUR / 2), nbf: seconds(HOUR / 2), exp: seconds(2 * HOUR) };
  const ready = async () => (await app.inject({ method: 'GET', url: '/readyz' })).json<Json>();
  const gone = async (ms: number): Promise<void> => {
    offset = ms;
    await until('noticed', async () => ((await ready())['problems'] as string[]).includes('clock_skew'), LIMIT_MS);
  };
  const right = async (): Promise<void> => {
    offset = 0;
    await until('corrected', async () => (await ready())['status'] === 'ready', LIMIT_MS);
  };
  t.match(await ask(good), { status: 200, body: { decision: true } });
  t.match(await ask(expired), { status: 401 });
  t.match(await ask(early), { status: 401 });

  for (const [name, ms, claims] of [
    ['behind, with a token that has expired', -HOUR, expired],
    ['ahead, with a token that is not good yet', HOUR, early],
  ] as const) {
    // The first question may arrive before anybody has looked at the clock.
    offset = ms;
    const answers = [await ask(claims), await ask(claims), await ask(good)];
    t.ok(
      answers.every(({ status }) => status === 401 || status === 503),
      `${name}: ${answers.map(({ status }) => status).join(', ')}`,
    );
    await gone(ms);
    t.match(await ask(good), { status: /401|503/ }, `${name}: nobody is answered`);
    await right();
    t.match(await ask(good), { status: 200, body: { decision: true } }, 'over without a restart');
    t.match(await ask(claims), { status: 401 });
  }
  offset = 5_000;
  await until('degraded', async () => ((await ready())['degraded'] as string[]).includes('clock_skew'), LIMIT_MS);
  t.match(await ask(good), { status: 200 }, 'a little: answered, and degraded');
  const metrics = (await app.inject({ method: 'GET', url: '/metrics' })).body;
  t.match(metrics, /privity_degraded\{code="clock_skew"\} 1/, 'metric');
});

/** Decisions that are recorded as earlier than one before them of the same writer. */
function goingBack({ records }: ServiceLog): readonly string[] {
  const times = Map.groupBy(records, ({ writer }) => writer);
  return [...times.values()].flatMap((own) =>
    own.flatMap(({ id, said }, index) => {
      const before = own[index - 1];
      return before !== undefined && String(said['at']) < String(before.said['at']) ? [id] : [];
    }),
  );
}

function reasonsOf({ records }: ServiceLog): readonly unknown[] {
  return records
    .filter(({ kind }) => kind === 'writer_opened')
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ said }) => said['reason'])
    .toSorted((a) => (a === 'start' ? -1 : 0));
}
