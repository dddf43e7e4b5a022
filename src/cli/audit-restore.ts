// `privity audit restore`: a backup into an empty database, and the proof that it is the log it was. It must never touch a database that
// holds anything.
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openDatabase, readTrust, verifyAndTell } from './audit/verification.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { count } from './shell/text.ts';
import { type Arguments, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Writes a backup of `privity audit backup` into an empty database that `privity migrate` made ready: all of it in one ' +
      'transaction, or nothing, where the identity is another, the file was cut off or a byte changed.',
    'With --verify the restored log is then verified as `privity audit verify` does (records, chains, heads, tree, checkpoints, ' +
      'policy sets), and a sample of its decisions is replayed. Exit code 1: something of that does not hold. Without what was ' +
      'published outside, this proves the log against accidents, not against who could write the database.',
    'Needs DATABASE_OWNER_URL, an account that may act as the owner of the tables.',
  ],
  operands: { usage: 'FILE', min: 1, max: 1, help: 'the backup' },
  options: {
    identity: { value: 'FILE', help: 'the age identity that opens it' },
    verify: { help: 'verify and replay what was restored' },
    key: { value: 'FILE', help: 'public keys of checkpoints, as `privity seal --print-key` prints them' },
    certifier: { value: 'FILE', help: 'public keys that certify writers, PEM (`privity seal --print-certifier`)' },
    published: { value: 'PLACE', help: 'folder or file to which checkpoints were published' },
    sample: { value: 'NUMBER', help: 'how many decisions are replayed; otherwise 1000' },
  },
  examples: [
    {
      command:
        'privity audit restore log.age --identity identity.txt --verify --key log.vkey --published /mnt/checkpoints',
      does: 'a drill',
    },
  ],
  async run(shell, args) {
    const [file = ''] = args.operands;
    const identity = args.text('identity');
    if (identity === undefined) throw new UsageError('who opens it?', 'give --identity FILE');
    const sample = sampleOf(args);
    const { DATABASE_OWNER_URL: url } = readSettings();
    if (url === undefined) {
      throw new UsageError(
        'DATABASE_OWNER_URL is not set',
        'it names the database and the account that owns its tables',
      );
    }
    // Read first: nothing is restored for a key that cannot be read.
    const trust = await readTrust(shell, args, 'published');
    await restoreFile(shell, path.resolve(shell.folder, file), path.resolve(shell.folder, identity), url);
    if (!args.isOn('verify')) return 0;
    const how = { threads: null, lastHeadsOnly: false, isJson: false };
    const verified = await verifyAndTell(shell, () => openDatabase(url), trust, how);
    return (await replay(shell, url, sample)) ? verified : 1;
  },
};

const SAMPLE = 1_000;

function sampleOf(args: Arguments): number {
  const text = args.text('sample') ?? String(SAMPLE);
  if (!/^\d{1,7}$/.test(text)) throw new UsageError(`\`--sample ${text}\` is no number`);
  return Number(text);
}

async function restoreFile(shell: Shell, file: string, identity: string, url: string): Promise<void> {
  const [{ openClient }, { ROLES }, { decrypt, readIdentities }, { restore }] = await Promise.all([
    import('../io/db/database.ts'),
    import('../io/db/roles.ts'),
    import('../io/log/backup/encryption.ts'),
    import('../io/log/backup/restore.ts'),
  ]);
  const identities = await readIdentities(identity);
  const client = await openClient({ url, applicationName: 'privity audit restore', onError: () => undefined });
  try {
    const clear = await decrypt(createReadStream(file), identities);
    const unpacked = createGunzip();
    // What fails on the way is told by what is read from it.
    pipeline(clear, unpacked, () => undefined);
    const restored = await restore(client, ROLES.owner, unpacked, (table) => shell.progress.show(`${table} …`));
    const { rows, header } = restored;
    shell.progress.clear();
    shell.out.line(
      `restored the log of ${header.at}: ${count(rows.get('decisions') ?? 0, 'record')}, ` +
        `${count(rows.get('commitments') ?? 0, 'commitment')}, ${count(rows.get('policy_sets') ?? 0, 'policy set')}`,
    );
  } catch (error) {
    shell.progress.clear();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`nothing was restored: ${why}`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function replay(shell: Shell, url: string, sample: number): Promise<boolean> {
  const [{ openReplay }, { createReplayer, totalOf }, { showReplayed, showSummary }, { DECIDING_KINDS }] =
    await Promise.all([
      import('./audit/open-replay.ts'),
      import('./audit/replayer.ts'),
      import('./audit/replay-text.ts'),
      import('../core/replay.ts'),
    ]);
  const { records, past, close } = openReplay(url);
  const start = performance.now();
  try {
    const replayer = createReplayer(past);
    for (const row of await records.sample(DECIDING_KINDS, sample)) {
      const replayed = await replayer.of(row);
      if (replayed.result !== 'same') showReplayed(shell.out, replayed);
    }
    showSummary(shell.out, { replayer, seconds: (performance.now() - start) / 1000 });
    const { different, not_recorded: lacking } = totalOf(replayer.counts.values());
    return different + lacking === 0;
  } finally {
    await close();
  }
}
