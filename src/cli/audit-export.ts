// `privity audit export`: as many records as there are, into a file or a pipe. It must never leave behind a file that looks whole and is
// not, nor take longer to notice that an export broke off than its end.
import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { FORMATS } from '../model/search.ts';
import { API_ABOUT, API_OPTIONS, ApiProblem, openApi, reasonOf } from './audit/api-client.ts';
import { FILTER_OPTIONS, queryOf } from './audit/filters.ts';
import type { Shell } from './shell/shell.ts';
import { count } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Formats: `ndjson`, the records one on each line, free text masked; `csv`, safe to open in a spreadsheet; `ocsf`, API Activity ' +
      'events (6003) for a SIEM. With `--out` the file appears when it is whole; what broke off is not kept, and the exit code is 2.',
    API_ABOUT,
  ],
  options: {
    format: { value: 'FORMAT', choices: FORMATS, help: 'otherwise ndjson' },
    ...FILTER_OPTIONS,
    out: { value: 'FILE', help: 'where to write; otherwise standard output' },
    ...API_OPTIONS,
  },
  examples: [
    { command: 'privity audit export --from 2026-03-01 --to 2026-04-01 --out march.ndjson', does: 'a month' },
    {
      command: 'privity audit export --format csv --matter M-1001 --report --out M-1001.csv',
      does: 'the access report of a matter, for a spreadsheet',
    },
    { command: 'privity audit export --format ocsf --from 2026-03-10 | gzip > day.gz', does: 'a day for a SIEM' },
  ],
  async run(shell, args) {
    const out = args.text('out');
    const file = out === undefined ? null : path.resolve(shell.folder, out);
    if (file !== null && (await exists(file))) throw new UsageError(`\`${out}\` is there already`, 'name another file');
    const api = await openApi(shell, args);
    try {
      const response = await api.get('/v1/decisions/export', {
        format: 'ndjson',
        ...definedFormat(args.text('format')),
        ...queryOf(args),
      });
      const pieces = counted(shell, response);
      if (file === null) await shell.pipe(pieces);
      else await writeFile(file, pieces);
      shell.progress.clear();
      return 0;
    } catch (error) {
      shell.progress.clear();
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      shell.err.line('nothing is here for you: exports are for those whom policy lets export');
      return 1;
    }
  },
};

function definedFormat(format: string | undefined): Readonly<Record<string, string>> {
  return format === undefined ? {} : { format };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

const LINE_END = 0x0a;

async function* counted(shell: Shell, { body }: Response): AsyncGenerator<Uint8Array, void> {
  let lines = 0;
  let bytes = 0;
  try {
    for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      for (let at = piece.indexOf(LINE_END); at >= 0; at = piece.indexOf(LINE_END, at + 1)) lines += 1;
      shell.progress.show(`${count(lines, 'line')}, ${(bytes / 2 ** 20).toFixed(1)} MiB …`);
      yield piece;
    }
  } catch (error) {
    throw new Error(`the export broke off after ${count(lines, 'line')} and is not whole: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  shell.progress.clear();
  shell.err.line(shell.err.paint('dim', `${count(lines, 'line')}, ${count(bytes, 'byte')}`));
}

async function writeFile(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${file}.part`;
  const stream = createWriteStream(part, { flags: 'wx', mode: 0o600 });
  try {
    await fill(stream, pieces);
    await rename(part, file);
  } catch (error) {
    stream.destroy();
    const isTheirs = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (isTheirs)
      throw new UsageError(`\`${part}\` is there already`, 'another export writes it, or was killed: remove it');
    await rm(part, { force: true });
    throw error;
  }
}

async function fill(stream: WriteStream, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const done = finished(stream);
  done.catch(() => undefined);
  for await (const piece of pieces) {
    if (stream.write(piece)) continue;
    await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), done]);
  }
  stream.end();
  await done;
}
