// `npm run bench`: starts everything, measures Privity beside a plain Fastify echo in turns, and checks that every answer it counted
// is committed. It must never leave a process or a folder behind, nor print a figure of another run.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compilePolicies } from '../src/core/compile.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { startEmbedded } from '../src/io/db/embedded.ts';
import { migrate } from '../src/io/db/migrate.ts';
import { createIdentity } from '../src/io/identity/identify.ts';
import { generateWriterKey } from '../src/io/log/writer-key.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { openProbe } from './database.ts';
import { writeFirm } from './data.ts';
import { createIssuer } from './issuer.ts';
import { compareAnswers, measure, type Target } from './measure.ts';
import { BATCH, createMix, judgeMix, readCases } from './mix.ts';
import { startEcho, startGenerator, startService } from './processes.ts';
import { createDice } from './random.ts';
import { printMachine, printReport, say } from './report.ts';
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
const TESTS = fileURLToPath(new URL('../policies/tests', import.meta.url));

const undo: (() => Promise<unknown>)[] = [];
async function main(): Promise<void> {
  const [seconds, rounds] = [Number(options.seconds), Number(options.rounds)];
  const seed = Number(options.seed);
  const now = Math.floor(Date.now() / 1_000) * 1_000; // tokens state instants in seconds
  const home = await mkdtemp(path.join(tmpdir(), 'privity-bench-'));
  undo.push(() => rm(home, { recursive: true, force: true }));
  printMachine();

  say('a firm and its questions');
  const issuer = await createIssuer();
  const dir = path.join(home, 'policies');
  const size = { matters: Number(options.matters), people: Number(options.people) };
  const firm = await writeFirm({ dir, seed, now, keySet: issuer.keySet, ...size });
  const { files } = await readPolicyFolder(dir, { commit: null });
  const { set, diagnostics } = compilePolicies(files, { commit: null });
  if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const identity = createIdentity({
    now: Date.now,
    readKeyFile: (file) => readFile(path.join(dir, file)),
    report: () => undefined,
    background: false,
  });
  await identity.use(set);
  const mix = await createMix(
    { set, identity, issuer, firm, dice: createDice(seed), now },
    await readCases(TESTS, await readdir(TESTS)),
  );
  const judged = judgeMix(set, mix, now);
  const [requestsFile, batchesFile] = ['requests.json', 'batches.json'].map((name) => path.join(home, name)) as [
    string,
    string,
  ];
  await writeFile(
    requestsFile,
    JSON.stringify(mix.requests.map(({ authorization, body }) => ({ authorization, body }))),
  );
  await writeFile(batchesFile, JSON.stringify(mix.batches));

  say('the steps of a decision, in this process');
  const stages = timeStages(set, mix.requests, Date.now());

  say('PostgreSQL and the service');
  await mkdir(path.join(home, 'postgres'));
  const postgres = await startEmbedded({ folder: path.join(home, 'postgres') });
  undo.push(() => postgres.stop());
  await migrate({ url: postgres.urls.owner });
  const writerKeyFile = path.join(home, 'writer.pem');
  await generateWriterKey(writerKeyFile);
  const launch = (nodeOptions: readonly string[]) =>
    startService({
      environment: {
        DATABASE_URL: postgres.urls.writer,
        DATABASE_READER_URL: postgres.urls.reader,
        POLICIES_DIR: dir,
        WRITER_KEY_FILE: writerKeyFile,
        PORT: '0',
        LOG_LEVEL: options['log-level'],
      },
      logFile: path.join(home, 'service.log'),
      nodeOptions,
    });
  const readyAfterMs: number[] = [];
  for (let start = 1; start < STARTS; start++) {
    const service = await launch([]);
    readyAfterMs.push(service.readyAfterMs);
    await service.stop();
  }
  const profile = options.profile;
  const service = await launch(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`]);
  undo.push(() => service.stop());
  readyAfterMs.push(service.readyAfterMs);
  const probe = await openProbe(postgres.superuserUrl);
  undo.push(() => probe.close());
  const before = await probe.size();

  say(`${mix.requests.length} answers beside those of decide`);
  const compared = await compareAnswers(set, service.url, mix);

  const echo = await startEcho();
  undo.push(() => echo.stop());
  const generator = startGenerator();
  undo.push(() => generator.stop());
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

try {
  await main();
} finally {
  for (const step of undo.toReversed()) await step();
}
