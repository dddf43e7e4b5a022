// Where `privity start` keeps what belongs to this machine: database, keys, answers. It must never be anything that a real service uses.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Shell } from '../shell/shell.ts';
import type { Arguments, OptionSpec } from '../shell/verb.ts';

export const STATE_OPTION: OptionSpec = {
  value: 'DIR',
  help: 'the folder with the keys and the database of `privity start`; otherwise .privity/',
};

export function stateFolder(shell: Shell, args: Arguments): string {
  return path.resolve(shell.folder, args.text('state') ?? '.privity');
}

/** The key that vouches for this machine's writers, so that the chains of one start can be checked after the next. */
export function writerKeyFile(state: string): Promise<string> {
  return keyFile(path.join(state, 'writer-key.pem'));
}

/** The key that signs this machine's checkpoints. */
export function checkpointKeyFile(state: string): Promise<string> {
  return keyFile(path.join(state, 'checkpoint-key.pem'));
}

export function checkpointFolder(state: string): string {
  return path.join(state, 'checkpoints');
}

async function keyFile(file: string): Promise<string> {
  if (!existsSync(file)) {
    const { generateWriterKey } = await import('../../io/log/writer-key.ts');
    await generateWriterKey(file);
  }
  return file;
}
