// Failover to a standby that lacks the last batches: nothing can bring them back, but it is noticed before anything else is written,
// alarmed, and on record: the next writer says up to where had been committed, so the verifier names exactly what is missing (P1). What
// was answered from the journal meanwhile is behind the gap.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { copyForStandby, onFreePort, startBare } from '../helpers/bare-postgres.ts';
import { LIMIT_MS, startFaultRun } from '../helpers/fault-run.ts';
import { modes } from '../helpers/modes.ts';
import { connect, serverFolder, startPrivatePostgres } from '../helpers/postgres.ts';
import { startProxy } from '../helpers/proxy.ts';
import { until } from '../helpers/recorder.ts';
import { judge } from '../service/judge.ts';
import { readServiceLog } from '../service/log.ts';

const LATE = {
  id: 'late',
  effect: 'deny',
  actions: ['read'],
  resources: ['note'],
  when: { 'resource.matter_id': 'M-2002' },
};
const LATE_SET = { 'rules/late.yaml': JSON.stringify({ version: 1, rules: [LATE] }) };

t.setTimeout(LIMIT_MS);

for (const mode of modes())
  t.test(`failover to a standby that lacks the last batches (${mode})`, { buffered: true }, async (t) => {
    t.setTimeout(LIMIT_MS);
    const primary = await startPrivatePostgres(t);
    await primary.stop();
    const folder = await serverFolder(t);
    await copyForStandby(primary, folder);
    await primary.start();
    const replication = await startProxy(t, primary.superuserUrl, 'none');
    const { hostname, port, username, password } = new URL(replication.url(primary.superuserUrl));
    const superuserUrl = await onFreePort(primary.superuserUrl);
    const conninfo = `host=${hostname} port=${port} user=${username} password=${password} sslmode=disable gssencmode=disable`;
    const standby = await startBare(t, { folder, superuserUrl, settings: { primary_conninfo: conninfo } });

    const proxy = await startProxy(t, primary.superuserUrl, 'write_batch');
    const urls = { writer: proxy.url(primary.urls.writer), reader: proxy.url(primary.urls.reader) };
    const run = await startFaultRun(t, { urls, superuserUrl, mode });
    await run.calm();
    const copy = await connect(t, superuserUrl);
    const length = async (): Promise<number> => (await copy.query('select from commitments')).rowCount ?? 0;
    await until('the standby follows', async () => (await length()) > 10);
    replication.cut(true);
    await until('it has written all that it had received', async () => {
      const before = await length();
      await sleep(200);
      return (await length()) === before;
    });
    // A set that comes into force now will be lost with its record, and go on to decide.
    await run.publish(LATE_SET);
    await run.calm();

    await primary.kill('SIGKILL');
    if (mode === 'spool') await run.calm();
    await copy.query('select pg_promote()');
    proxy.aim(superuserUrl);
    await until('the alarm', () => run.lines({ msg: 'recorder', code: 'head_lost', level: 'error' }).length > 0);
    const { degraded } = await run.drained();
    t.ok(degraded.includes('head_lost'), 'readiness keeps saying so');
    t.ok(await run.measures('privity_recorder_alarms_total{code="head_lost"} 1'), 'and so do the metrics');
    await run.calm();
    await run.load.stop();
    run.service.signal('SIGTERM');
    t.strictSame(await run.service.ended, { code: 0, signal: null });
    await copy.end();

    const log = await readServiceLog(superuserUrl, run.firm.certifier);
    const [opening] = log.records.filter(({ said }) => said['reason'] === 'head_lost');
    const lost = String(run.lines({ code: 'head_lost' })[0]?.['writer']);
    const kept = log.records.flatMap(({ writer, seq }) => (writer === lost ? [seq] : []));
    const last = (opening?.said['previous_head'] as { readonly seq: number } | undefined)?.seq ?? -1;
    const gap = kept.findIndex((seq, index) => seq !== index);
    // Nothing of that writer is behind what is lost, unless the journal held it.
    const [from, to] = gap < 0 ? [kept.length, last] : [gap, (kept[gap] ?? 0) - 1];
    t.equal(log.writers.length, 2, 'a new writer opened, once');
    t.match(opening?.said, { kind: 'writer_opened', previous: lost });
    t.strictSame(
      log.problems,
      mode === 'deny'
        ? [`${lost} ${from}: tail_missing ${from} to ${to} are missing`]
        : [`${lost} ${to + 1}: sequence_gap ${from} is missing`, `${lost} ${to + 1}: link_broken `],
      'the verifier names what is missing',
    );

    // With exactly that from the old server, there is a record for every answer.
    await standby.stop();
    await primary.start();
    const old = await readServiceLog(primary.superuserUrl, run.firm.certifier);
    const missing = old.records.filter(({ writer, seq }) => writer === lost && seq >= from && seq <= to);
    t.equal(missing.length, to - from + 1);
    const whole = { ...log, problems: [], records: [...log.records, ...missing] };
    t.strictSame(judge(run.load.exchanges, whole), [], 'and nothing else is missing');
    t.comment(`${kept.length} records of the old writer kept, ${missing.length} lost and named`);
  });
