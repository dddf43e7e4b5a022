// `privity policy replay`: whom a candidate set would have let in or shut out, going by the requests that the log holds. It must never call the
// same what it could not judge, nor write anywhere.
import path from 'node:path';
import { replayRangeOf } from '../../src/cli/audit/replay-range.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { readSettings } from '../../src/cli/shell/settings.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { type Arguments, UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { loadCandidate, type Candidate } from './replay/candidate.ts';
import { createHybrids, dataInDatabase, dataInGit, type PastData } from './replay/hybrids.ts';
import { createJudge } from './replay/judge.ts';
import type { RecordQuery, RecordSource } from './replay/record-source.ts';
import { replayRecords } from './replay/replay.ts';
import { replayOutcome } from './replay/replay-outcome.ts';
import { flipJson, replayJson, showReplay, summaryJson } from './replay/replay-text.ts';
import { FAIL_ON, hasFailed, number, type Replayed } from './replay/report.ts';
import { createTally, MOST_GROUPS } from './replay/tally.ts';

export const verb: Verb = {
  about: [
    'Takes recorded requests out of the log, decides them again under a candidate set and lists every one that would now be let in or shut ' +
      'out, newly allowed first, grouped by rule, matter and person. What is compared is the outcome that was recorded.',
    'From the record come who asked, what and when: token, request, approvals, time. From the candidate come rules, walls, words and, unless ' +
      'you say `--data recorded`, also the data: matters, teams, people, grants, lockdown. So a request may flip because its matter’s team ' +
      'has changed since. Where the data of the time is to be had (from the database, or from the commit that the record names), every flip ' +
      'says whether it is there with that data too (by rules) or not (only because data has changed).',
    'What the record does not hold is unknown: a request that turns on it is not judged, and counted with the reason. So are searches and ' +
      'filters, purged records, and records of another engine.',
    'Reads the database (DATABASE_READER_URL), or an NDJSON export or verification export (`--export`); an export holds what its reader may ' +
      'see, free text masked. Nothing is written, and nothing verified: that is `privity audit verify`.',
    'Exit code 1: what `--fail-on` names was found, or nothing at all could be judged.',
  ],
  options: {
    policies: {
      value: 'DIR|REVISION',
      help: 'the candidate: a folder, or a git revision of POLICIES_DIR; otherwise POLICIES_DIR itself',
    },
    from: { value: 'TIME', help: 'first instant of the range, RFC 3339; otherwise from the beginning' },
    to: { value: 'TIME', help: 'end of the range, itself not in it; otherwise to the end' },
    subject: { value: 'ID', help: 'only requests about this person or service' },
    matter: { value: 'ID', help: 'only requests about this matter' },
    export: { value: 'FILE', help: 'read this export instead of the database; `-` is standard input' },
    data: {
      value: 'WHOSE',
      choices: ['candidate', 'recorded'],
      help: 'whose matters, teams, people, grants and lockdown decide; otherwise the candidate’s',
    },
    groups: {
      value: 'N',
      help: `tell apart at most so many groups, otherwise ${number(MOST_GROUPS)}; with 0 nobody is named, only rules are`,
    },
    'fail-on': {
      value: 'WHAT',
      choices: FAIL_ON,
      help: 'exit code 1 for newly allowed, newly denied, any; otherwise never',
    },
    format: {
      value: 'FORMAT',
      choices: ['pretty', 'json', 'ndjson', ...OUTCOME_FORMATS],
      help: 'how to print it; ndjson: each flip as it is found, then a summary',
    },
  },
  examples: [
    {
      command: 'privity policy replay --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z',
      does: 'a month under policies/',
    },
    { command: 'privity policy replay --policies my-branch --fail-on allow', does: 'a branch, before it is merged' },
    {
      command: 'privity policy replay --export log.ndjson --format github',
      does: 'in a pull request, without a database',
    },
  ],
  async run(shell, args) {
    const query = replayRangeOf(args);
    const tally = createTally(groupsOf(args));
    const format = args.text('format') ?? 'pretty';
    const data = args.text('data') === 'recorded' ? 'recorded' : 'candidate';
    const failOn = FAIL_ON.find((one) => one === args.text('fail-on')) ?? 'never';
    const candidate = await loadCandidate(shell, args);
    const { source, pastData, close } = await openSource(shell, args, candidate, query);
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1_000;
    try {
      const judge = createJudge(candidate.set);
      await replayRecords({
        source,
        judge,
        hybrids: createHybrids(candidate.files, judge, pastData),
        data,
        tally,
        onFlip: (about, flip) => {
          if (format !== 'ndjson') return;
          shell.progress.clear();
          shell.out.line(flipJson(about, flip));
        },
        onBlock: () => shell.progress.show(progressOf(source, tally.records, seconds())),
      });
    } finally {
      shell.progress.clear();
      await close();
    }
    const isFiltered = query.subject !== undefined || query.matter !== undefined || query.to !== undefined;
    const replayed: Replayed = { candidate, source: source.name, data, tally, seconds: seconds(), failOn, isFiltered };
    if (isOutcomeFormat(format)) await writeOutcome(shell, replayOutcome(replayed), format);
    else if (format === 'json') shell.out.line(replayJson(replayed));
    else if (format === 'ndjson') shell.out.line(summaryJson(replayed));
    else showReplay(shell.out, replayed);
    return hasFailed(replayed) ? 1 : 0;
  },
};

interface Opened {
  readonly source: RecordSource;
  readonly pastData: PastData;
  close(): Promise<void>;
}

async function openSource(shell: Shell, args: Arguments, candidate: Candidate, query: RecordQuery): Promise<Opened> {
  const file = args.text('export');
  if (file !== undefined) {
    const { openExportRecords } = await import('./replay/export-records.ts');
    const source = await openExportRecords(file, path.resolve(shell.folder, file), query, shell.input);
    return { source, pastData: dataInGit(candidate.place), close: () => source.close() };
  }
  const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
  const url = DATABASE_READER_URL ?? DATABASE_URL;
  if (url === undefined) {
    throw new UsageError(
      'DATABASE_READER_URL is not set, and there is no `--export`',
      'the one names the database and the account that reads records, the other a file with exported records',
    );
  }
  const { openDatabaseRecords } = await import('./replay/database-records.ts');
  const { openReplay } = await import('../../src/cli/audit/open-replay.ts');
  const source = await openDatabaseRecords(url, query);
  const { past, close } = openReplay(url);
  return {
    source,
    pastData: dataInDatabase(past),
    close: async () => {
      await source.close();
      await close();
    },
  };
}

function groupsOf(args: Arguments): number {
  const text = args.text('groups');
  if (text === undefined) return MOST_GROUPS;
  const groups = Number(text);
  if (!Number.isSafeInteger(groups) || groups < 0) throw new UsageError(`\`--groups ${text}\` is no number of groups`);
  return groups;
}

function progressOf({ expected, share }: RecordSource, done: number, seconds: number): string {
  const rate = Math.round(done / Math.max(seconds, 0.001));
  const read = share() ?? (expected === null || expected < done ? null : done / expected);
  const left = read === null || read === 0 ? '' : `, about ${Math.ceil(seconds / read - seconds)} s left`;
  return `${number(done)} judged, ${number(rate)} a second${left} …`;
}
