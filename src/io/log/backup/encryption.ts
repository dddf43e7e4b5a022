// Encrypts backups with age (https://age-encryption.org/v1), so that any age program can open them. It must never write a byte in the
// clear, nor give out one that was changed.
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption';

/** A sentence for the operator. */
export class BackupError extends Error {}

/** @param recipients `age1…`, or files that list them, one a line, as `age -R` reads them */
export async function readRecipients(recipients: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of recipients) {
    if (one.startsWith('age1')) found.push(one);
    else found.push(...(await readKeys(one)));
  }
  const encrypter = new Encrypter();
  for (const one of found) add(() => encrypter.addRecipient(one), `\`${one.slice(0, 20)}…\` is no age recipient`);
  if (found.length === 0) throw new BackupError('there is no recipient: nobody could ever open the backup');
  return found;
}

export async function readIdentities(file: string): Promise<readonly string[]> {
  const found = await readKeys(file);
  const decrypter = new Decrypter();
  for (const one of found) add(() => decrypter.addIdentity(one), `a line of ${file} is no age identity`);
  if (found.length === 0) throw new BackupError(`${file} holds no identity`);
  return found;
}

export async function recipientOf(identity: string): Promise<string> {
  return identityToRecipient(identity);
}

export async function encrypt(clear: Readable, recipients: readonly string[]): Promise<Readable> {
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(one);
  return fromWeb(await encrypter.encrypt(toWeb(clear)));
}

/** Fails in the middle for what was changed, and at the end for what was cut off. @throws BackupError */
export async function decrypt(encrypted: Readable, identities: readonly string[]): Promise<Readable> {
  const decrypter = new Decrypter();
  for (const one of identities) decrypter.addIdentity(one);
  try {
    return fromWeb(await decrypter.decrypt(toWeb(encrypted)));
  } catch (cause) {
    encrypted.destroy();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackupError(`the backup cannot be opened with this identity: ${why}`, { cause });
  }
}

function add(attempt: () => void, problem: string): void {
  try {
    attempt();
  } catch (cause) {
    throw new BackupError(problem, { cause });
  }
}

async function readKeys(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new BackupError(`${file} cannot be read: ${cause.message}`, { cause });
  });
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

type Web = globalThis.ReadableStream<Uint8Array>;

function toWeb(stream: Readable): Web {
  return Readable.toWeb(stream) as Web;
}

function fromWeb(stream: Web): Readable {
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>);
}
