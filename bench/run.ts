// `npm run bench`: starts everything, measures Privity beside a plain Fastify echo in turns, and checks that every answer it counted
// is committed. It must never leave a process or a folder behind, nor print a figure of another run.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openProbe } from './database.ts';
import { compareAnswers, measure, type Target } from './measure.ts';
import { BATCH, judgeMix } from './mix.ts';
import { startEcho, startGenerator } from './processes.ts';
import { printMachine, printReport, say } from './report.ts';
import { openStand, type Stand } from './stand.ts';
import { timeStages } from './stages.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    matters: { type: 'string', default: '20000' },
    people: { type: 'string', default: '470' },
    seed: { type: 'string', default: '1' },
    'log-level': { type: 'string', default: 'info' },
    /** Writes CPU profiles of the service into this folder. */
    profile: { type: 'string' },
  },
});
const STARTS = 3;

async function main(): Promise<void> {
  const [seconds, rounds] = [Number(options.seconds), Number(options.rounds)];
  const seed = Number(options.seed);
  printMachine();
  const { matters, people } = options;
  const environment = { LOG_LEVEL: options['log-level'] };
  const stand = await openStand({ matters: Number(matters), people: Number(people), seed, environment });
  try {
    await measureOn(stand, seconds, rounds);
  } finally {
    await stand.close();
  }
}

async function measureOn(stand: Stand, seconds: number, rounds: number): Promise<void> {
  const { set, mix, now, postgres, requestsFile, batchesFile } = stand;
  const judged = judgeMix(set, mix, now);
  say('the steps of a decision, in this process');
  const stages = timeStages(set, mix.requests, Date.now());

  say('the service');
  const readyAfterMs: number[] = [];
  for (let start = 1; start < STARTS; start++) {
    const service = await stand.launch([]);
    readyAfterMs.push(service.readyAfterMs);
    await service.stop();
  }
  const profile = options.profile;
  const service = await stand.launch(
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`],
  );
  stand.undo(() => service.stop());
  readyAfterMs.push(service.readyAfterMs);
  const probe = await openProbe(postgres.superuserUrl);
  stand.undo(() => probe.close());
  const before = await probe.size();

  say(`${mix.requests.length} answers beside those of decide`);
  const compared = await compareAnswers(set, service.url, mix);

  const echo = await startEcho();
  stand.undo(() => echo.stop());
  const generator = startGenerator();
  stand.undo(() => generator.stop());
  const common = {
    generator,
    servicePid: service.pid,
    postgresPid: postgres.pid,
    seconds,
    connections: Number(options.connections),
  };
  const single = (url: string): Target => ({ ...common, url: `${url}/v1/authorize`, requestsFile });
  const batch = (url: string): Target => ({ ...common, url: `${url}/v1/authorize/batch`, requestsFile: batchesFile });
  say(`load: ${rounds} rounds of ${seconds} s each for the echo and Privity, then batches of ${BATCH}`);
  const ids: string[] = [];
  const echoed = await measure([single(echo.url), single(service.url)], rounds, ids);
  const batched = await measure([batch(echo.url), batch(service.url)], Math.max(1, rounds >> 1), ids);

  say('what is committed');
  const after = await probe.size();
  const committed = await probe.committed(ids);
  const answered = ids.length + compared;
  if (committed !== ids.length || new Set(ids).size !== ids.length || after.decisions - before.decisions !== answered) {
    throw new Error(
      `${answered} answers, ${after.decisions - before.decisions} committed decisions, ${committed} of ${ids.length} ids found`,
    );
  }
  printReport({
    set,
    mix,
    judged,
    stages,
    readyAfterMs,
    echoed,
    batched,
    servicePid: service.pid,
    before,
    after,
    answered,
  });
}

await main();
