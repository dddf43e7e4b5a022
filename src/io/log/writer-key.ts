// In charge of the writer-certifying key, which vouches for every writer's own in-memory key, and of the texts that both sign.
// It must never be readable by anybody but the service, and is not the checkpoint key.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** What `writer_opened` says about the key that signs its writer's heads. */
export interface WriterCertificate {
  /** Ed25519 public key, 32 bytes, base64. */
  readonly public_key: string;
  /** SHA-256 of the certifying public key (SubjectPublicKeyInfo, DER), lower-case hex. */
  readonly certified_by: string;
  /** By the certifying key, over `certificateText`, base64. */
  readonly signature: string;
}

/** Makes a key file that only its owner can read. Never replaces one. */
export async function generateWriterKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return privateKey;
}

/**
 * Reads the key file (PEM, PKCS #8, Ed25519); throws a sentence for the operator if it is not as it must be.
 * @param name what the key is called there; checkpoints are signed with one of the same form
 */
export async function loadWriterKey(file: string, name = 'writer key'): Promise<KeyObject> {
  const handle = await open(file, 'r');
  try {
    await requirePrivate(name, file, handle);
    const key = parseKey(name, file, await handle.readFile());
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`the ${name} in ${file} is not an Ed25519 key`);
    return key;
  } finally {
    await handle.close();
  }
}

export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Vouches with the certifying key that `publicKey` is the writer's. */
export function certifyWriter(certifier: KeyObject, writer: string, publicKey: KeyObject): WriterCertificate {
  const raw = rawPublicKey(publicKey);
  const signature = sign(null, certificateText(writer, raw), certifier).toString('base64');
  return { public_key: raw, certified_by: keyId(certifier), signature };
}

/** The writer's key, if the certifying public key vouches for it, otherwise null. */
export function verifyCertificate(
  certifier: KeyObject,
  writer: string,
  certificate: WriterCertificate,
): KeyObject | null {
  const signature = Buffer.from(certificate.signature, 'base64');
  if (certificate.certified_by !== keyId(certifier)) return null;
  if (!verify(null, certificateText(writer, certificate.public_key), certifier, signature)) return null;
  const x = Buffer.from(certificate.public_key, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** What a writer signs for the last record of a batch. */
export function headText(writer: string, seq: number, hash: Uint8Array): Buffer {
  return Buffer.from(`privity head v1\n${writer}\n${seq}\n${Buffer.from(hash).toString('hex')}\n`);
}

// The first line keeps a signature from passing for one of another purpose.
function certificateText(writer: string, publicKey: string): Buffer {
  return Buffer.from(`privity writer v1\n${writer}\n${publicKey}\n`);
}

function rawPublicKey(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url').toString('base64');
}

async function requirePrivate(name: string, file: string, handle: FileHandle): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode, uid } = await handle.stat();
  // Kubernetes and systemd keep secrets as somebody else's files, which this process may read through its group alone.
  const forbidden = uid === process.getuid?.() ? 0o077 : 0o037;
  if ((mode & forbidden) !== 0) {
    throw new Error(
      `the ${name} in ${file} is open to others (mode ${(mode & 0o777).toString(8)}); run \`chmod 600\` on it`,
    );
  }
}

function parseKey(name: string, file: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error(`the ${name} in ${file} is not a PEM private key without a password`, { cause: error });
  }
}
