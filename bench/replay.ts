// `node bench/replay.ts [records] [rounds] [folder]`: how fast `privity policy replay` judges a log under a candidate, beside reading the same
// rows and doing nothing with them. It must never measure another judge than the one that the command runs.
import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compilePolicies } from '../src/core/compile.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { openDatabaseRecords } from '../tools/policy/replay/database-records.ts';
import { createHybrids } from '../tools/policy/replay/hybrids.ts';
import { createJudge } from '../tools/policy/replay/judge.ts';
import { replayRecords } from '../tools/policy/replay/replay.ts';
import { createTally } from '../tools/policy/replay/tally.ts';
import { openLogStand } from './log-stand.ts';
import { print, printMachine, say } from './report.ts';

const [records = 200_000, rounds = 3] = process.argv.slice(2, 4).map(Number);
const EVERYTHING = { from: undefined, to: undefined, subject: undefined, matter: undefined };
/** Shuts the people of the home network out of copies: a change as a security officer would make it. */
const CHANGE = `version: 1
rules:
  - id: no-copies-from-home
    title: No copies from home
    owner: security-officer
    review_by: 2030-01-01
    effect: deny
    subjects: [internal]
    actions: [copy_out]
    resources: [content]
    when: { context.network_zone: home }
`;

const stand = await openLogStand({
  records,
  months: 1,
  matters: 2_000,
  people: 400,
  seed: 1,
  folder: process.argv[4],
});
try {
  printMachine();
  const url = stand.postgres.urls.reader;
  const { files } = await readPolicyFolder(stand.policies, { commit: null });
  const candidate = await withChange(stand.policies, stand.home);
  const { set } = compilePolicies(candidate.files, { commit: null });
  if (set === null) throw new Error('the candidate does not load');
  say(`${files.length} files of policies`);
  for (let round = 0; round < rounds; round++) {
    const reading = await timed(() => read(url));
    const judging = await timed(() => replay(url, candidate.files, set));
    const share = ((judging.seconds * 100) / reading.seconds).toFixed(0);
    print(
      `reading ${perSecond(reading)}, replaying ${perSecond(judging)} (${share} % of its time), CPU of this process ` +
        `${((judging.cpu * 1e6) / judging.records).toFixed(1)} µs a record: ${perCore(judging)} a core; ${judging.told}`,
    );
  }
} finally {
  await stand.close();
}

interface Worked {
  readonly records: number;
  readonly told: string;
}

async function read(url: string): Promise<Worked> {
  const source = await openDatabaseRecords(url, EVERYTHING);
  let count = 0;
  for await (const rows of source.blocks()) {
    while (rows.next()) count++;
    rows.release();
  }
  await source.close();
  return { records: count, told: '' };
}

type Candidate = NonNullable<ReturnType<typeof compilePolicies>['set']>;

async function replay(url: string, files: Parameters<typeof createHybrids>[0], set: Candidate): Promise<Worked> {
  const source = await openDatabaseRecords(url, EVERYTHING);
  const judge = createJudge(set);
  const tally = createTally();
  const hybrids = createHybrids(files, judge, () => Promise.resolve(null));
  const unused = (): void => undefined;
  await replayRecords({ source, judge, hybrids, data: 'candidate', tally, onFlip: unused, onBlock: unused });
  await source.close();
  const { same, flips, notJudged } = tally;
  return {
    records: tally.records,
    told: `${same} same, ${flips.newly_allowed} newly allowed, ${flips.newly_denied} newly denied, ${notJudged} not judged`,
  };
}

async function timed(
  work: () => Promise<Worked>,
): Promise<Worked & { readonly seconds: number; readonly cpu: number }> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const worked = await work();
  const { user, system } = process.cpuUsage(before);
  return { ...worked, seconds: (performance.now() - began) / 1_000, cpu: (user + system) / 1e6 };
}

function perSecond({ records: count, seconds }: Worked & { readonly seconds: number }): string {
  return `${Math.round(count / seconds).toLocaleString('en-US')} records/s`;
}

function perCore({ records: count, cpu }: Worked & { readonly cpu: number }): string {
  return `${Math.round(count / cpu).toLocaleString('en-US')} records/s`;
}

/** The firm's own policies with one rule more. */
async function withChange(folder: string, home: string) {
  const place = path.join(home, 'candidate');
  await rm(place, { recursive: true, force: true });
  await cp(folder, place, { recursive: true });
  await writeFile(path.join(place, 'rules', 'no-copies-from-home.yaml'), CHANGE);
  return readPolicyFolder(place, { commit: null });
}
