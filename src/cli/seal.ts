// `privity seal`: gives committed records their place in the signed tree, beside or without the service; makes and shows keys.
// It must never stop for a failure that passes by itself, nor print a private key.
import { createPublicKey } from 'node:crypto';
import path from 'node:path';
import { createStopSignal } from './development/stop-signal.ts';
import { readSettings } from './shell/settings.ts';
import type { Shell } from './shell/shell.ts';
import { count } from './shell/text.ts';
import { type ExitCode, UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Every second, what was committed since gets its place in the tree, whose new root is signed and published outside the ' +
      'database: what is under a published checkpoint nobody can change unnoticed, not even the owner of the database. ' +
      'Several may run; one seals at a time. `privity serve` seals by itself where the same settings are set.',
    'Needs DATABASE_SEALER_URL, CHECKPOINT_KEY_FILE and a place: CHECKPOINT_DIR, CHECKPOINT_FILE or CHECKPOINT_URL. When the ' +
      'database does not extend what was published, nothing is signed and the log says why.',
  ],
  options: {
    once: { help: 'seal what is there, publish, and end' },
    'make-key': {
      value: 'FILE',
      help: 'make a private key (Ed25519, PEM) that only you can read, for CHECKPOINT_KEY_FILE or WRITER_KEY_FILE, and end',
    },
    'print-certifier': { help: 'print the public key (PEM) of WRITER_KEY_FILE, which certifies writers, and end' },
    'print-key': { help: 'print the public key that auditors verify checkpoints with, and end' },
  },
  examples: [
    {
      command: 'privity seal --make-key checkpoint-key.pem',
      does: 'once, before the first start, and for each rotation',
    },
    { command: 'privity seal --print-key > log.vkey', does: 'the line that auditors need, for whoever verifies' },
    { command: 'privity seal --once', does: 'before a backup' },
  ],
  async run(shell, args) {
    const file = args.text('make-key');
    if (file !== undefined) return await makeKey(shell, file);
    const settings = readSettings();
    if (args.isOn('print-certifier')) return await printCertifier(shell, settings.WRITER_KEY_FILE);
    if (settings.CHECKPOINT_KEY_FILE === undefined) {
      throw new UsageError(
        'CHECKPOINT_KEY_FILE is not set',
        'it names the key that signs checkpoints; docs/audit.md says how to make one',
      );
    }
    const [{ openSealing }, { openLog }] = await Promise.all([import('../sealing.ts'), import('../log.ts')]);
    const { log, fate } = openLog(settings.LOG_LEVEL, undefined);
    const sealing = await openSealing(settings, log).catch(explain);
    if (sealing === null) throw new Error('sealing is set up without a key');
    try {
      if (args.isOn('print-key')) {
        for (const line of sealing.verifierKeys) shell.out.line(line);
      } else if (args.isOn('once')) await sealOnce(shell, sealing);
      else await runUntilStopped(shell, sealing);
      return 0;
    } finally {
      await sealing.close();
      await fate.end();
    }
  },
};

async function makeKey(shell: Shell, name: string): Promise<ExitCode> {
  const file = path.resolve(shell.folder, name);
  const { generateWriterKey } = await import('../io/log/writer-key.ts');
  await generateWriterKey(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new UsageError(`${file} is there already`, 'a key is never replaced; take another name');
    throw new UsageError(`${file} cannot be written: ${error.message}`);
  });
  shell.out.line(`made ${file}; keep a copy where it outlives this machine, and nobody else can read it`);
  return 0;
}

async function printCertifier(shell: Shell, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) {
    throw new UsageError(
      'WRITER_KEY_FILE is not set',
      'without it every run of the service has a key that nobody keeps',
    );
  }
  const { loadWriterKey } = await import('../io/log/writer-key.ts');
  const key = createPublicKey(await loadWriterKey(file));
  shell.out.write(key.export({ type: 'spki', format: 'pem' }).toString());
  return 0;
}

type Sealing = NonNullable<Awaited<ReturnType<typeof import('../sealing.ts').openSealing>>>;

async function sealOnce(shell: Shell, sealing: Sealing): Promise<void> {
  shell.progress.show('sealing …');
  const { size, gaps } = await sealing.sealNow();
  shell.progress.clear();
  shell.out.line(`${count(size, 'record')} under the checkpoint at ${sealing.places.join(', ')}`);
  if (sealing.state().published < size) throw new Error('the checkpoint could not be published everywhere');
  const [gap] = gaps;
  if (gap !== undefined) {
    throw new Error(`records are missing: writer ${gap.writer} lacks ${gap.missing}; run \`privity audit verify\``);
  }
}

async function runUntilStopped(shell: Shell, sealing: Sealing): Promise<void> {
  shell.err.line(`sealing every second; checkpoints go to ${sealing.places.join(', ')}`);
  const signal = createStopSignal();
  void sealing.run();
  await signal.given;
  signal.close();
}

function explain(error: unknown): never {
  const problems: unknown = error instanceof Error && 'problems' in error ? error.problems : undefined;
  if (!(error instanceof Error) || !Array.isArray(problems)) throw error;
  throw new UsageError(error.message, undefined, problems.map(String));
}
