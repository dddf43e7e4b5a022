// Looks at the files of private keys and certificates: there, for the service only, of the right kind, still valid. It must never say what a key is.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Config } from '../../environment.ts';
import { loadWriterKey } from '../../io/log/writer-key.ts';
import { about, type Check, reasonOf, type Subject } from './check.ts';

const DAY_MS = 86_400_000;
const RENEW_DAYS = 21;
const NEW_KEY =
  'keep a key of its own there, for the service only: `openssl genpkey -algorithm ed25519`, then `chmod 400`; if others could read it, make a new one';

export async function checkKeys(config: Config, now: number): Promise<readonly Check[]> {
  const { WRITER_KEY_FILE: writer, TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = config;
  const { CHECKPOINT_KEY_FILE: checkpoint, CHECKPOINT_OLD_KEY_FILE: oldCheckpoint } = config;
  return [
    await checkWriterKey(writer),
    ...(checkpoint === undefined ? [] : [await checkCheckpointKey('CHECKPOINT_KEY_FILE', checkpoint, writer)]),
    ...(oldCheckpoint === undefined
      ? []
      : [await checkCheckpointKey('CHECKPOINT_OLD_KEY_FILE', oldCheckpoint, writer)]),
    ...checkSealing(config),
    ...(cert === undefined || key === undefined ? [checkNoTls(config.HOST)] : [checkTls(cert, key, now)]),
    ...(config.TLS_CLIENT_CA_FILE === undefined ? [] : [checkClientCa(config.TLS_CLIENT_CA_FILE, now)]),
  ];
}

async function checkWriterKey(file: string | undefined): Promise<Check> {
  const check = about('keys.writer', 'WRITER_KEY_FILE: the key that vouches for every writer of the log');
  if (file === undefined) {
    return check.warning(
      'not set: nobody can tell later whose records these are',
      'make a key with `openssl genpkey -algorithm ed25519`, keep it in a file that only the service may read, and set WRITER_KEY_FILE',
    );
  }
  const key = await loadWriterKey(file).catch(reasonOf);
  return typeof key === 'string' ? check.failure(key, NEW_KEY) : check.ok('an Ed25519 key, for the service only');
}

async function checkCheckpointKey(setting: string, file: string, writerFile: string | undefined): Promise<Check> {
  const check = about('keys.checkpoint', `${setting}: a key that signs checkpoints`);
  const key = await loadWriterKey(file, 'checkpoint key').catch(reasonOf);
  if (typeof key === 'string') return check.failure(key, NEW_KEY);
  if (writerFile !== undefined && existsSync(writerFile) && isSameKey(key, writerFile)) {
    return check.failure(
      'it is the writer key as well: whoever holds one could sign for both',
      'make a second key with `openssl genpkey -algorithm ed25519`',
    );
  }
  return check.ok('an Ed25519 key of its own, for the service only');
}

function checkSealing(config: Config): readonly Check[] {
  const { CHECKPOINT_KEY_FILE: key, CHECKPOINT_DIR: folder, CHECKPOINT_FILE: file, CHECKPOINT_URL: url } = config;
  if (key === undefined) return [];
  const check = about(
    'sealing.settings',
    'what sealing needs beside CHECKPOINT_KEY_FILE: an account, a place outside the database',
  );
  const lacks = [
    ...(config.DATABASE_SEALER_URL === undefined ? ['DATABASE_SEALER_URL'] : []),
    ...([folder, file, url].every((place) => place === undefined)
      ? ['CHECKPOINT_DIR, CHECKPOINT_FILE or CHECKPOINT_URL']
      : []),
  ];
  if (lacks.length === 0) return [check.ok('an account and a place')];
  return [
    check.failure(
      `not set: ${lacks.join('; ')}; the service does not start`,
      'set them, or take CHECKPOINT_KEY_FILE away',
    ),
  ];
}

function readPrivateKey(file: string): KeyObject | null {
  try {
    return createPrivateKey(readFileSync(file));
  } catch {
    return null;
  }
}

function isSameKey(key: KeyObject, file: string): boolean {
  const other = readPrivateKey(file);
  return other !== null && createPublicKey(other).equals(createPublicKey(key));
}

function checkNoTls(host: string): Check {
  const check = about('tls.certificate', 'whether tokens and answers travel encrypted');
  if (/^(?:127\.|::1$|localhost$)/.test(host)) return check.ok('no TLS; it listens on this machine only');
  return check.warning(
    `no TLS, and it listens on ${host}`,
    'set TLS_CERT_FILE and TLS_KEY_FILE, or make sure that a proxy on the same machine or pod speaks TLS for it',
  );
}

function checkTls(certFile: string, keyFile: string, now: number): Check {
  const check = about('tls.certificate', 'TLS_CERT_FILE and TLS_KEY_FILE: belong together, valid, key not open to all');
  const chain = readCertificates(certFile);
  const [leaf] = chain;
  if (leaf === undefined) return check.failure(`${certFile} holds no certificate (PEM)`, 'name the certificate chain');
  const key = readPrivateKey(keyFile);
  if (key === null) {
    return check.failure(`${keyFile} holds no private key (PEM, without a passphrase)`, 'name the private key');
  }
  if (!leaf.checkPrivateKey(key)) {
    return check.failure('the key is not that of the certificate', 'name a certificate and its own key');
  }
  if ((statSync(keyFile).mode & 0o007) !== 0) {
    return check.failure(`every account may open ${keyFile}`, 'run `chmod 400` on it, and renew the certificate');
  }
  return judgeExpiry(check, chain, now);
}

function checkClientCa(file: string, now: number): Check {
  const check = about('tls.client-authorities', 'TLS_CLIENT_CA_FILE: the authorities of callers’ certificates');
  const authorities = readCertificates(file);
  if (authorities.length === 0) return check.failure(`${file} holds no certificate (PEM)`, 'name the authorities');
  return judgeExpiry(check, authorities, now);
}

/** The first of them to expire. */
export function judgeExpiry(check: Subject, certificates: readonly X509Certificate[], now: number): Check {
  const until = Math.min(...certificates.map(({ validTo }) => Date.parse(validTo)));
  const from = Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom)));
  const day = new Date(until).toISOString().slice(0, 10);
  if (from > now)
    return check.failure('the certificate is not valid yet', 'see whether the clock of this machine is right');
  if (until <= now)
    return check.failure(`the certificate expired on ${day}`, 'renew it; the service takes it over by itself');
  if (until - now < RENEW_DAYS * DAY_MS) {
    return check.warning(`the certificate expires on ${day}`, 'renew it; the service takes it over by itself');
  }
  return check.ok(`valid until ${day}`);
}

function readCertificates(file: string): readonly X509Certificate[] {
  const blocks = readFileSync(file, 'latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  try {
    return (blocks ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
