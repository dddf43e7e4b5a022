// `npm run bench:overload`: measures what the service can do, then asks for one, two and three times as much, at a pace that does not
// follow its answers, and shows what is still answered, how fast, and whether health is. It must never count an answer without its record.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openProbe } from './database.ts';
import type { OverloadJob, OverloadReply, OverloadResult, OverloadRow, Capacity } from './overload-generator.ts';
import { cpuSeconds, memoryMiB, startGenerator } from './processes.ts';
import { printMachine, printOverload, say } from './report.ts';
import { openStand, type Stand } from './stand.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '4000' },
    matters: { type: 'string', default: '20000' },
    people: { type: 'string', default: '470' },
    seed: { type: 'string', default: '1' },
    times: { type: 'string', default: '1,2,3' },
    /** Settings of the service, such as MAX_WAITING=500; more than one separated by commas. */
    set: { type: 'string', default: '' },
  },
});
const CLOSED_CONNECTIONS = 64;

function startOverloadGenerator(): { load(job: OverloadJob): Promise<OverloadResult>; stop(): Promise<void> } {
  const child = fork(fileURLToPath(new URL('overload-generator.ts', import.meta.url)));
  return {
    async load(job) {
      child.send(job);
      const [reply] = (await once(child, 'message')) as [OverloadReply];
      if ('failure' in reply) throw new Error(reply.failure);
      return reply.result;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function measure(stand: Stand): Promise<void> {
  const service = await stand.launch();
  stand.undo(() => service.stop());
  const probe = await openProbe(stand.postgres.superuserUrl);
  stand.undo(() => probe.close());
  const closed = startGenerator();
  stand.undo(() => closed.stop());
  const open = startOverloadGenerator();
  stand.undo(() => open.stop());
  const { requestsFile } = stand;
  const seconds = Number(options.seconds);
  const ids: string[] = [];
  const asFastAsItCan = async (): Promise<Capacity> => {
    const job = { url: `${service.url}/v1/authorize`, requestsFile, connections: CLOSED_CONNECTIONS, seconds };
    const spent = cpuSeconds(service.pid);
    const { answers, seconds: took, ids: answered } = await closed.load(job);
    for (const id of answered) ids.push(id);
    return { perSecond: answers / took, cpu: (cpuSeconds(service.pid) - spent) / took };
  };

  say('warm-up');
  await asFastAsItCan();
  const before = await probe.size();
  const earlier = ids.length;
  const rows: OverloadRow[] = [];
  const capacities: Capacity[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    say('capacity: 64 connections, each asking as soon as it is answered');
    const capacity = await asFastAsItCan();
    capacities.push(capacity);
    for (const times of options.times.split(',').map(Number)) {
      say(`${times} times as much`);
      const spent = cpuSeconds(service.pid);
      const result = await open.load({
        url: service.url,
        requestsFile,
        perSecond: capacity.perSecond * times,
        seconds,
        maxConnections: Number(options.connections),
      });
      for (const id of result.ids) ids.push(id);
      const cpu = (cpuSeconds(service.pid) - spent) / result.seconds;
      rows.push({ ...result, times, goodput: result.accepted / result.seconds, cpu });
    }
  }
  say('what is committed');
  const after = await probe.size();
  const committed = await probe.committed(ids);
  const records = after.decisions - before.decisions;
  if (committed !== ids.length || records !== ids.length - earlier) {
    throw new Error(
      `${ids.length - earlier} answers, ${records} committed decisions; ${committed} of ${ids.length} ids found`,
    );
  }
  printOverload(capacities, rows, records, memoryMiB(service.pid));
}

printMachine();
const environment = Object.fromEntries(options.set.split(',').flatMap((one) => (one === '' ? [] : [one.split('=')])));
const { matters, people, seed } = options;
const stand = await openStand({
  matters: Number(matters),
  people: Number(people),
  seed: Number(seed),
  environment: environment as Record<string, string>,
});
try {
  await measure(stand);
} finally {
  await stand.close();
}
