// `privity audit verify`: tells whether the log is as it was written, from the database or from an export alone. It must never say
// intact of what it could not look at.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type NoteVerifier, readVerifier } from '../core/sealing/signed-note.ts';
import { type Finding, WHAT_TO_DO } from '../core/verification/finding.ts';
import type { Published } from '../io/log/verify/published.ts';
import type { VerifyReport } from '../io/log/verify/report.ts';
import type { LogSource } from '../io/log/verify/source.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { count, printable, table } from './shell/text.ts';
import { type Arguments, type ExitCode, UsageError, type Verb } from './shell/verb.ts';

const MOST_SHOWN = 10;
/** Records that are verified sooner than threads start. */
const SHORT_LOG = 20_000;

export const verb: Verb = {
  about: [
    'Checks every record, chain, signed head, leaf and root, compares them with the checkpoints that were published outside the ' +
      'database, and names the first record that is not as it was written, and what was done to it. docs/audit.md explains what ' +
      'that proves and what it cannot.',
    'Reads the database at DATABASE_READER_URL (otherwise DATABASE_URL) as it is at one moment, without stopping anything. With ' +
      '--export it needs no database: the file of `privity audit verification-export`, the checkpoints and the public keys are enough.',
    'Exit code 1 means that something was found.',
  ],
  options: {
    export: { value: 'FILE', help: 'verify this verification export (gzipped or not) instead of the database' },
    checkpoints: { value: 'PATH', help: 'what was published: the folder, the appended file, or one checkpoint' },
    key: {
      value: 'FILE',
      help: 'public keys that sign checkpoints, one verifier line each (`privity seal --print-key`)',
    },
    certifier: { value: 'FILE', help: 'public keys that certify writers, PEM (`privity seal --print-certifier`)' },
    threads: { value: 'N', help: 'threads that work at once; otherwise one for each core' },
    heads: {
      value: 'WHICH',
      choices: ['all', 'last'],
      help: 'signed heads to verify: the last of a writer stands for all before it',
    },
    json: { help: 'print the report as JSON' },
  },
  examples: [
    {
      command: 'privity audit verify --checkpoints /mnt/worm/checkpoints --key log.vkey',
      does: 'the database, against what was published',
    },
    {
      command:
        'privity audit verify --export log.ndjson.gz --checkpoints checkpoints.log --key log.vkey --certifier writers.pem',
      does: 'offline',
    },
  ],
  async run(shell, args) {
    const wanted = readThreads(args.text('threads'));
    const verifiers = await readKeys(shell, args.text('key'));
    const certifiers = await readCertifiers(shell, args.text('certifier'));
    const published = await readPlace(shell, args.text('checkpoints'), verifiers);
    const [{ verifyLog }, { reportOfBroken }, { SourceBroken }] = await Promise.all([
      import('../io/log/verify/verify-log.ts'),
      import('../io/log/verify/report.ts'),
      import('../io/log/verify/source.ts'),
    ]);
    const progress = createProgress(shell);
    const found = await openSource(shell, args).catch((error: unknown) => {
      if (error instanceof SourceBroken) return reportOfBroken(error);
      throw error;
    });
    if ('verdict' in found) return tell(shell, args, found);
    try {
      const lastHeadsOnly = args.text('heads') === 'last';
      const threads = wanted ?? (found.amount < SHORT_LOG ? 0 : availableParallelism());
      const options = { source: found, published, verifiers, certifiers, lastHeadsOnly, threads, onProgress: progress };
      return tell(shell, args, await verifyLog(options));
    } finally {
      shell.progress.clear();
      await found.close();
    }
  },
};

async function openSource(shell: Shell, args: Arguments): Promise<LogSource> {
  const file = args.text('export');
  if (file !== undefined) {
    const { openExportSource } = await import('../io/log/verify/export-source.ts');
    return openExportSource(path.resolve(shell.folder, file)).catch(unreadable('--export'));
  }
  const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
  const url = DATABASE_READER_URL ?? DATABASE_URL;
  if (url === undefined) {
    throw new UsageError(
      'there is nothing to verify',
      'give --export FILE, or set DATABASE_READER_URL to verify the database',
    );
  }
  const [{ openDatabaseSource }, { openClient }] = await Promise.all([
    import('../io/log/verify/database-source.ts'),
    import('../io/db/database.ts'),
  ]);
  return openDatabaseSource(() => openClient({ url, applicationName: 'privity verifier', onError: () => undefined }));
}

function readThreads(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new UsageError(`\`--threads ${text}\` is no number of threads`, 'a number from 1 to 999');
  return Number(text);
}

async function readKeys(shell: Shell, file: string | undefined): Promise<readonly NoteVerifier[] | null> {
  if (file === undefined) return null;
  const text = await readFile(path.resolve(shell.folder, file), 'utf8').catch(unreadable('--key'));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const verifier = readVerifier(line);
    if (verifier !== null) return verifier;
    throw new UsageError(`line ${index + 1} of ${file} is no verifier key`, '`privity seal --print-key` prints them');
  });
}

async function readCertifiers(shell: Shell, file: string | undefined): Promise<readonly KeyObject[]> {
  if (file === undefined) return [];
  const text = await readFile(path.resolve(shell.folder, file), 'utf8').catch(unreadable('--certifier'));
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  try {
    const keys = blocks.map((block) => createPublicKey(block));
    if (keys.length > 0 && keys.every((key) => key.asymmetricKeyType === 'ed25519')) return keys;
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} holds no Ed25519 public keys (PEM)`, '`privity seal --print-certifier` prints them');
}

async function readPlace(
  shell: Shell,
  place: string | undefined,
  verifiers: readonly NoteVerifier[] | null,
): Promise<Published | null> {
  if (place === undefined) return null;
  if (verifiers === null)
    throw new UsageError('`--checkpoints` needs `--key`', 'without a public key anybody could have made them');
  const { readPublished } = await import('../io/log/verify/published.ts');
  return readPublished(path.resolve(shell.folder, place), verifiers).catch(unreadable('--checkpoints'));
}

function unreadable(option: string) {
  return (error: unknown): never => {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new UsageError(`\`${option}\`: ${error.message}`);
  };
}

/** How far, how fast, how long still. */
function createProgress(shell: Shell) {
  let begun = shell.now();
  let current = '';
  return ({
    step,
    done,
    total,
  }: {
    readonly step: string;
    readonly done: number;
    readonly total: number | null;
  }): void => {
    if (step !== current) [current, begun] = [step, shell.now()];
    const seconds = (shell.now() - begun) / 1000;
    if (total === null || seconds <= 0) return shell.progress.show(`${step} …`);
    const rate = done / seconds;
    const left = Math.max(0, Math.ceil((total - done) / rate));
    const number = (value: number): string => Math.round(value).toLocaleString('en-US');
    shell.progress.show(
      `${step}: ${number(done)} of about ${number(total)}, ${number(rate)}/s, ${number(left)} s left`,
    );
  };
}

function tell(shell: Shell, args: Arguments, report: VerifyReport): ExitCode {
  shell.progress.clear();
  if (args.isOn('json')) shell.out.line(JSON.stringify(report, null, 2));
  else describe(shell, report);
  return report.verdict === 'intact' ? 0 : 1;
}

function describe({ out }: Shell, { verdict, first, findings, more, counts, notes }: VerifyReport): void {
  const { records, purged, leaves, unsealed, proven, published, writers, heads, policySets } = counts;
  if (verdict === 'intact')
    out.line(`${out.paint('green', 'intact')}: nothing was found that is not as it was written`);
  if (first !== null) describeFirst(out, first);
  out.line();
  const rows = [
    ['records', `${count(records, 'record')} of ${count(writers, 'writer')}; ${count(heads, 'signed head')}`],
    ['purged', `${count(purged, 'record')}, as sealed purge records say`],
    ['sealed', `${count(leaves, 'leaf', 'leaves')}; ${count(unsealed, 'record')} not sealed yet`],
    [
      'proven',
      `${count(proven, 'leaf', 'leaves')} under signed checkpoints (${count(published, 'checkpoint')} published)`,
    ],
    ['policies', count(policySets, 'policy set')],
  ];
  for (const line of table(rows, '  ')) out.line(line);
  for (const note of notes) out.line(`  ${out.paint('yellow', 'note')}  ${note}`);
  if (findings.length < 2) return;
  out.line();
  out.line(`all findings, in the order of the log:`);
  for (const finding of findings.slice(0, MOST_SHOWN))
    out.line(`  ${finding.kind}  ${place(finding)}: ${printable(finding.detail)}`);
  const hidden = findings.length - MOST_SHOWN + more;
  if (hidden > 0) out.line(`  and at least ${count(hidden, 'more finding')}; \`--json\` lists a hundred`);
}

function describeFirst(out: Shell['out'], first: Finding): void {
  out.line(`${out.paint('red', 'tampered with')}: ${out.paint('bold', first.kind)}`);
  out.line(`  where  ${place(first)}`);
  out.line(`  why    ${printable(first.detail)}`);
  out.line(`  do     ${WHAT_TO_DO[first.kind]}`);
}

function place({ thing, place: at, leaf, id }: Finding): string {
  const parts = [
    ...(id === null ? [] : [printable(id)]),
    ...(at === null ? [] : [`writer ${at.writer}, sequence number ${at.seq}`]),
    ...(leaf === null ? [] : [`leaf ${leaf}`]),
  ];
  return parts.length === 0 ? thing : `${thing} (${parts.join('; ')})`;
}
