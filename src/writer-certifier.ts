// Finds the key that vouches for each writer's own key. It must never let an operator believe in a key that is gone with the process.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { loadWriterKey } from './io/log/writer-key.ts';
import { StartupError } from './startup-error.ts';

export interface Certifier {
  readonly key: KeyObject;
  /** Codes for readiness. */
  readonly notes: readonly string[];
}

/** Without a file the service works on a key of its own: chains still hold, but nobody can tell whose they are. */
export async function openCertifier(file: string | undefined, log: Logger): Promise<Certifier> {
  if (file === undefined) {
    log.warn('WRITER_KEY_FILE is not set: writers of this run are certified by a key that nobody keeps');
    return { key: generateKeyPairSync('ed25519').privateKey, notes: ['writer_key_not_kept'] };
  }
  try {
    return { key: await loadWriterKey(file), notes: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError('the writer key cannot be used', [`WRITER_KEY_FILE: ${reason}`], error);
  }
}
