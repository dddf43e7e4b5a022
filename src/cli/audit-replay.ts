// `privity audit replay`: decides again what the log says was decided. It must never decide by anything but records and the policy sets
// that were kept with them.
import { isUuid, uuidv7Time } from '../core/record/uuid.ts';
import { DECIDING_KINDS, notRecorded } from '../core/replay.ts';
import type { DecidingReader } from '../io/reports/read-deciding.ts';
import { replayRangeOf } from './audit/replay-range.ts';
import { replayedJson, showReplayed, showSummary, speed, summaryJson } from './audit/replay-text.ts';
import { createReplayer, totalOf, type Replayed } from './audit/replayer.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, type ExitCode, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Takes the request out of a record, compiles the policy set that was kept under its revision, decides again and compares ' +
      'everything that was concluded: outcome, what decided, every rule and wall considered with its truth, grants, ' +
      'obligations, advice, fields, approvers’ roles. The result is the same, or each difference, or what the record lacks.',
    'Needs DATABASE_READER_URL: policy sets hold policy data (people, walls), so they are read from the database by whoever may, ' +
      'and not given out over the API. Nothing is written. Whether records are complete and unchanged is told by ' +
      '`privity audit verify`; here a record whose bytes do not have the committed hash counts as different.',
    'Exit code 1: something is different or could not be replayed.',
  ],
  operands: { usage: '[ID]', min: 0, max: 1, help: 'the evaluation id of one decision; otherwise a range' },
  options: {
    from: { value: 'TIME', help: 'first instant of the range, RFC 3339; otherwise from the beginning' },
    to: { value: 'TIME', help: 'end of the range, itself not in it; otherwise to the end' },
    subject: { value: 'ID', help: 'only decisions about this person or service' },
    matter: { value: 'ID', help: 'only decisions about this matter' },
    json: { help: 'one JSON object a line: each record that is not the same, and a summary at the end' },
  },
  examples: [
    { command: 'privity audit replay 0195a3c2-5c1e-7b0a-9f00-3f8e6d2c1b4a', does: 'one decision' },
    { command: 'privity audit replay --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z', does: 'a month' },
    { command: 'privity audit replay --matter M-1001 --json', does: 'all about a matter, for a program' },
  ],
  async run(shell, args) {
    const [id] = args.operands;
    const range = replayRangeOf(args);
    if (id !== undefined && Object.values(range).some((one) => one !== undefined)) {
      throw new UsageError('an id and a range at once', 'give either an id, or --from, --to, --subject, --matter');
    }
    if (id !== undefined && !isUuid(id)) throw new UsageError(`\`${id}\` is no evaluation id`);
    const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
    const url = DATABASE_READER_URL ?? DATABASE_URL;
    if (url === undefined) {
      throw new UsageError(
        'DATABASE_READER_URL is not set',
        'it names the database and the account that reads records',
      );
    }
    const { openReplay } = await import('./audit/open-replay.ts');
    const { records, past, close } = openReplay(url);
    try {
      const replayer = createReplayer(past);
      if (id !== undefined) return await replayOne(shell, args, records, replayer, id);
      return await replayRange(shell, args, records.range({ kinds: DECIDING_KINDS, ...range }), replayer);
    } finally {
      await close();
    }
  },
};

type Replayer = ReturnType<typeof createReplayer>;

async function replayOne(
  { out }: Shell,
  args: Arguments,
  records: DecidingReader,
  replayer: Replayer,
  id: string,
): Promise<ExitCode> {
  const row = await records.one(id);
  const replayed = row === null ? await gone(records, id) : await replayer.of(row);
  if (args.isOn('json')) out.line(replayedJson(replayed));
  else showReplayed(out, replayed);
  return replayed.result === 'same' ? 0 : 1;
}

/** Commitments do not say ids, so what was purged and what never was look alike but for the purges since. */
async function gone(records: DecidingReader, id: string): Promise<Replayed> {
  let time: number;
  try {
    time = uuidv7Time(id);
  } catch {
    return {
      ...notRecorded(['a record: no record has an id of this form']),
      id,
      kind: '',
      at: new Date(0),
      revision: null,
    };
  }
  const purges = await records.purgesSince(time);
  const said =
    purges.length === 0
      ? 'a record: none has this id, and nothing was purged since'
      : `the payload: none has this id; it may have been purged by ${purges.join(', ')}`;
  return { ...notRecorded([said]), id, kind: 'unknown', at: new Date(time), revision: null };
}

async function replayRange(
  shell: Shell,
  args: Arguments,
  chunks: ReturnType<DecidingReader['range']>,
  replayer: Replayer,
): Promise<ExitCode> {
  const { out, progress } = shell;
  const start = performance.now();
  let done = 0;
  for await (const chunk of chunks) {
    for (const row of chunk) {
      const replayed = await replayer.of(row);
      if (replayed.result === 'same') continue;
      progress.clear();
      if (args.isOn('json')) out.line(replayedJson(replayed));
      else showReplayed(out, replayed);
    }
    done += chunk.length;
    const rate = Math.round((done * 1000) / (performance.now() - start));
    const at = chunk.at(-1)?.at.toISOString() ?? '';
    progress.show(`${done.toLocaleString('en-US')} replayed, ${speed(rate)}, at ${at} …`);
  }
  progress.clear();
  const summary = { replayer, seconds: (performance.now() - start) / 1000 };
  if (args.isOn('json')) out.line(summaryJson(summary));
  else showSummary(out, summary);
  const { different, not_recorded: lacking } = totalOf(replayer.counts.values());
  return different + lacking > 0 ? 1 : 0;
}
