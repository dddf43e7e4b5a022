// `privity audit backup`: everything the database holds, as it was at one moment, encrypted into one file. It must never leave a file
// under its name that is not whole.
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { readVersion } from './audit/version.ts';
import { readSettings } from './shell/settings.ts';
import type { Verb } from './shell/verb.ts';
import { UsageError } from './shell/verb.ts';

/** Records compress by about three quarters at every level; this one is the fastest. */
const LEVEL = 1;

export const verb: Verb = {
  about: [
    'Writes records, commitments, heads, leaves, checkpoints, policy sets, approvals and deliveries, in one snapshot, while services ' +
      'go on. The file is compressed and encrypted with age (age-encryption.org) to one or more recipients: any age program can ' +
      'open it, and nobody without an identity can. Make one with `age-keygen -o identity.txt`; keep that away from the backups.',
    'Payloads that were purged since are still in older backups: those have to end when retention says so. Needs DATABASE_READER_URL.',
  ],
  options: {
    out: { value: 'FILE', help: 'the file to write; it must not exist' },
    to: { value: 'RECIPIENTS', help: 'age1…, or a file that lists them, or several of these, separated by a comma' },
  },
  examples: [
    {
      command: 'privity seal --once && privity audit backup --out log.age --to age1…',
      does: 'seal first, so that all of it is proven',
    },
    { command: 'privity audit backup --out log.age --to recipients.txt', does: 'to everybody in a file' },
  ],
  async run(shell, args) {
    const [out, to] = [args.text('out'), args.text('to')];
    if (out === undefined || to === undefined)
      throw new UsageError('where to, and for whom?', 'give --out FILE and --to RECIPIENTS');
    const { DATABASE_READER_URL, DATABASE_URL } = readSettings();
    const url = DATABASE_READER_URL ?? DATABASE_URL;
    if (url === undefined) {
      throw new UsageError(
        'DATABASE_READER_URL is not set',
        'it names the database and the account that reads records',
      );
    }
    const [{ openClient }, { dump }, { encrypt, readRecipients }] = await Promise.all([
      import('../io/db/database.ts'),
      import('../io/log/backup/dump.ts'),
      import('../io/log/backup/encryption.ts'),
    ]);
    const inFolder = (name: string): string => path.resolve(shell.folder, name);
    const names = to.split(',').map((one) => one.trim());
    const recipients = await readRecipients(names.map((one) => (one.startsWith('age1') ? one : inFolder(one))));
    const file = inFolder(out);
    // Reserved now, so that nothing is read for a file that cannot be written.
    await (await open(file, 'wx', 0o600).catch((error: Error) => refuse(out, error))).close();
    const part = `${file}.part`;
    const client = await openClient({ url, applicationName: 'privity audit backup', onError: () => undefined });
    let bytes = 0;
    try {
      const clear = dump(client, await readVersion(), (table, more) => {
        bytes += more;
        shell.progress.show(`${table}, ${megabytes(bytes)} …`);
      });
      const packed = createGzip({ level: LEVEL });
      const encrypted = await encrypt(packed, recipients);
      await Promise.all([
        pipeline(Readable.from(clear, { objectMode: false }), packed),
        pipeline(encrypted, createWriteStream(part, { mode: 0o600, flush: true })),
      ]);
      await rename(part, file);
    } catch (error) {
      await Promise.all([rm(part, { force: true }), rm(file, { force: true })]);
      throw error;
    } finally {
      shell.progress.clear();
      await client.end().catch(() => undefined);
    }
    shell.out.line(`${out}: ${megabytes(bytes)} of the log, for ${recipients.length} recipients`);
    return 0;
  },
};

function refuse(name: string, error: Error): never {
  throw new UsageError(`\`${name}\` cannot be written`, error.message);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} MB`;
}
