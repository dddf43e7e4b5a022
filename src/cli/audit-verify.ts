// `privity audit verify`: tells whether the log is as it was written, from the database or from an export alone. It must never say
// intact of what it could not look at.
import path from 'node:path';
import type { LogSource } from '../io/log/verify/source.ts';
import { openDatabase, readTrust, unreadable, verifyAndTell } from './audit/verification.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, UsageError, type Verb } from './shell/verb.ts';

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
    const threads = readThreads(args.text('threads'));
    const trust = await readTrust(shell, args, 'checkpoints');
    const how = { threads, lastHeadsOnly: args.text('heads') === 'last', isJson: args.isOn('json') };
    return verifyAndTell(shell, () => openSource(shell, args), trust, how);
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
  return openDatabase(url);
}

function readThreads(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new UsageError(`\`--threads ${text}\` is no number of threads`, 'a number from 1 to 999');
  return Number(text);
}
