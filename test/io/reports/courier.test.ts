// Duties on their way from the log to the receiver: at least once, by one instance at a time, whatever fails in between.
import t, { type Test } from 'tap';
import { createDatabase as openPool, openClient } from '../../../src/io/db/database.ts';
import { createCourier, type Courier, type CourierEvent, type CourierTimes } from '../../../src/io/reports/courier.ts';
import { createWebhook } from '../../../src/io/reports/webhook.ts';
import { connect, createDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { entryAt, startRecorder, until } from '../../helpers/recorder.ts';
import { decision } from '../../helpers/rows.ts';
import { startReceiver, type Receiver } from '../../helpers/webhook.ts';

const QUICK: Partial<CourierTimes> = { pollMs: 20, seatMs: 20, firstRetryMs: 10, longestRetryMs: 50 };
const ALERT = 'alert:security_officer';
const HOUR = 3_600_000;

interface Rig {
  readonly database: TestDatabase;
  readonly receiver: Receiver;
  readonly events: CourierEvent[];
  /** Commits records with a duty; returns their ids. */
  alarm(count?: number, codes?: readonly string[], duties?: readonly string[]): Promise<readonly string[]>;
  /** A record from an earlier time. */
  old(at: Date): Promise<string>;
  courier(times?: Partial<CourierTimes>, callersDuties?: readonly string[]): Courier;
  noted(): Promise<readonly string[]>;
}

async function start(t: Test): Promise<Rig> {
  const database = await createDatabase(t);
  const receiver = await startReceiver(t);
  const recorder = startRecorder(t, database.urls.writer);
  const reader = await connect(t, database.urls.reader);
  const writer = await connect(t, database.urls.writer);
  const ignore = (): void => undefined;
  const pool = openPool({ url: database.urls.reader, applicationName: 'privity reader', max: 2, onError: ignore });
  t.teardown(() => pool.close());
  const events: CourierEvent[] = [];
  await recorder.ready();
  return {
    database,
    receiver,
    events,
    async alarm(count = 1, codes = [ALERT], duties = codes) {
      const entries = Array.from({ length: count }, () =>
        entryAt(recorder.clock.now(), { obligations: codes }, { duties, subject: { id: 'u-anna' } }),
      );
      return (await recorder.append(entries)).map(({ id }) => id);
    },
    async old(at) {
      const row = decision({ obligations: [ALERT], bytes: Buffer.from(JSON.stringify({ duties: [ALERT] })) }, at);
      await writer.query(...row.insert);
      return String(row.values['id']);
    },
    courier(times = {}, callersDuties = []) {
      const courier = createCourier({
        reading: pool.pool,
        connect: () => openClient({ url: database.urls.writer, applicationName: 'privity courier', onError: ignore }),
        post: createWebhook({ url: receiver.url, secret: null, timeoutMs: 3_000, now: Date.now }),
        callersDuties: () => callersDuties,
        now: Date.now,
        report: (event) => events.push(event),
        times: { ...QUICK, ...times },
      });
      t.teardown(() => courier.close());
      return courier;
    },
    async noted() {
      const { rows } = await reader.query<{ id: string }>('select record_id as id from deliveries order by 1');
      return rows.map(({ id }) => id);
    },
  };
}

const arrived = ({ receiver }: Rig): readonly string[] => receiver.arrived.map(({ event }) => String(event['id']));

t.test('posts what has a duty, once, oldest first, and notes it', async (t) => {
  const rig = await start(t);
  const before = await rig.alarm(3);
  await rig.alarm(1, []);
  rig.courier();
  await until('the first are noted', async () => (await rig.noted()).length === 3);
  const after = await rig.alarm(30);
  await until('all are noted', async () => (await rig.noted()).length === 33);
  t.strictSame([...arrived(rig)].sort(), [...before, ...after].sort());
  t.strictSame(arrived(rig).slice(0, 3).toSorted(), [...before].sort());
  t.ok(rig.receiver.mostAtOnce() <= 8);
  t.match(rig.receiver.arrived[0]?.event, {
    type: 'privity.duty.v1',
    data: { duties: [ALERT], subject: { id: 'u-anna' } },
  });
});

t.test('what only callers have to do is not posted; nor is what lies outside the window', async (t) => {
  const rig = await start(t);
  await rig.alarm(3, ['log:disposal_certificate'], []);
  await rig.alarm(2, ['forgotten:code'], []);
  const both = await rig.alarm(1, ['log:disposal_certificate', ALERT], [ALERT]);
  const late = await rig.old(new Date(Date.now() - 2 * HOUR));
  await rig.old(new Date(Date.now() - 4 * HOUR));
  rig.courier({ windowMs: 3 * HOUR }, ['log:disposal_certificate']);
  await until('both are noted', async () => (await rig.noted()).length === 2);
  await rig.alarm();
  await until('and the next', async () => (await rig.noted()).length === 3);
  t.strictSame(arrived(rig).slice(0, 2).toSorted(), [...both, late].sort());
  t.equal(rig.receiver.arrived.length, 3);
});

t.test('a record that is committed long after its time is found', async (t) => {
  const rig = await start(t);
  rig.courier({ lateMs: 0, wholeWindowMs: 100 });
  await rig.alarm();
  await until('the first is noted', async () => (await rig.noted()).length === 1);
  const late = await rig.old(new Date(Date.now() - HOUR));
  await until('the late one is noted', async () => (await rig.noted()).includes(late));
});

t.test('a nudge is faster than the next look', async (t) => {
  const rig = await start(t);
  const courier = rig.courier({ pollMs: 600_000 });
  await rig.alarm();
  // The courier takes its seat first.
  await until('the first is noted', async () => {
    courier.nudge();
    return (await rig.noted()).length === 1;
  });
  await rig.alarm();
  courier.nudge();
  await until('the second is noted', async () => (await rig.noted()).length === 2);
  t.pass('without waiting for ten minutes');
});

t.test('a receiver that is away loses nothing, and shows', async (t) => {
  const rig = await start(t);
  const courier = rig.courier();
  for (const behaviour of [503, 'reset', 'silent', 'redirect', 401] as const) {
    rig.receiver.behave(behaviour);
    const ids = await rig.alarm(12);
    await until(`fails: ${behaviour}`, () => courier.isFailing());
    t.notOk(
      (await rig.noted()).some((id) => ids.includes(id)),
      `nothing is noted: ${behaviour}`,
    );
    rig.receiver.behave(200);
    await until(`comes back: ${behaviour}`, async () => {
      const noted = new Set(await rig.noted());
      return ids.every((id) => noted.has(id)) && !courier.isFailing();
    });
  }
  t.strictSame([...new Set(rig.events.map(({ code }) => code))], ['webhook_failing', 'webhook_works']);
  t.match(rig.events[0], { reason: 'status 503' });
});

t.test('one event that is refused holds up no other, and is tried for ever', async (t) => {
  const rig = await start(t);
  for (const status of [422, 500]) {
    const [poison] = await rig.alarm();
    rig.receiver.behave((event) => (event['id'] === poison ? status : 200));
    const courier = rig.courier();
    const others = await rig.alarm(20);
    await until('the others are noted', async () => {
      const noted = new Set(await rig.noted());
      return others.every((id) => noted.has(id));
    });
    const tries = (): number => arrived(rig).filter((id) => id === poison).length;
    await until('it is tried again', () => tries() >= 4);
    t.ok(courier.isFailing(), 'and seen');
    rig.receiver.behave(200);
    await until('it is noted', async () => (await rig.noted()).includes(String(poison)));
    await until('and all is well', () => !courier.isFailing());
    await courier.close();
  }
});

t.test('events that fail again and again, more than a page of them, do not keep new ones waiting', async (t) => {
  const rig = await start(t);
  const poison = new Set(await rig.alarm(110));
  rig.receiver.behave((event) => (poison.has(String(event['id'])) ? 500 : 200));
  const courier = rig.courier({ firstRetryMs: 1, longestRetryMs: 5, pollMs: 1 });
  await until('all of them have failed', () => new Set(arrived(rig)).size === poison.size);
  for (let turn = 0; turn < 3; turn++) {
    const [id = ''] = await rig.alarm();
    courier.nudge();
    await until('a new one is noted', async () => (await rig.noted()).includes(id));
  }
  rig.receiver.behave(200);
  await until('all are noted', async () => (await rig.noted()).length === 113);
});

t.test('of several instances one posts; another goes on when it ends, however it ends', async (t) => {
  const rig = await start(t);
  const couriers = [rig.courier(), rig.courier(), rig.courier()];
  const ids = [...(await rig.alarm(40))];
  await until('all are noted', async () => (await rig.noted()).length === ids.length);
  t.equal(rig.receiver.arrived.length, ids.length, 'each once');

  const superuser = await connect(t, rig.database.superuserUrl);
  for (let round = 0; round < 3; round++) {
    await superuser.query(
      `select pg_terminate_backend(l.pid) from pg_locks as l
        where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())`,
    );
    ids.push(...(await rig.alarm(5)));
    await until('the next are noted', async () => (await rig.noted()).length === ids.length);
  }
  await Promise.all(couriers.slice(1).map((one) => one.close()));
  ids.push(...(await rig.alarm(5)));
  await until('the last are noted', async () => (await rig.noted()).length === ids.length);
  t.strictSame([...new Set(rig.receiver.taken())].sort(), ids.toSorted());
});

t.test('what was taken and could not be noted is noted later, not posted again', async (t) => {
  const rig = await start(t);
  const owner = await connect(t, rig.database.urls.owner);
  await owner.query('revoke insert on deliveries from privity_writer');
  const courier = rig.courier();
  const [id] = await rig.alarm();
  await until('it has arrived', () => arrived(rig).length === 1 && courier.isFailing());
  await owner.query('grant insert on deliveries to privity_writer');
  await until('it is noted', async () => (await rig.noted()).length === 1);
  t.strictSame(arrived(rig), [id]);
});

t.test('a courier that ends leaves the rest to the next start', async (t) => {
  const rig = await start(t);
  rig.receiver.behave('silent');
  const courier = rig.courier({});
  const ids = await rig.alarm(10);
  await until('it is posting', () => arrived(rig).length > 0);
  await courier.close();
  t.strictSame(await rig.noted(), []);
  rig.receiver.behave(204);
  rig.courier();
  await until('all are noted', async () => (await rig.noted()).length === ids.length);
});

t.test('the log is searched by an index that future months have too', async (t) => {
  const rig = await start(t);
  const owner = await connect(t, rig.database.urls.owner);
  await owner.query(`select ensure_partitions('2031-05-01', 1)`);
  const { rows } = await owner.query<{ missing: string }>(
    `select i.inhrelid::regclass::text as missing from pg_inherits as i where i.inhparent = 'decisions'::regclass
      and not exists (select from pg_index as x join pg_inherits as up on up.inhrelid = x.indexrelid
        where x.indrelid = i.inhrelid and up.inhparent = 'decisions_duties'::regclass)`,
  );
  t.strictSame(rows, []);
  await owner.query('set enable_seqscan = off');
  const plan = await owner.query<{ 'QUERY PLAN': string }>(
    `explain select d.id from decisions as d where d.obligations <> '{}' and d.id > '0195f3a0-7c1e-0000-0000-000000000000'
      and not d.obligations <@ '{x}' order by d.id limit 10`,
  );
  t.match(plan.rows.map((row) => row['QUERY PLAN']).join('\n'), /Index Scan using decisions_\d{4}_\d{2}_id_idx/);
});
