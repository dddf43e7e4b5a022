// In charge of the certificate that the service shows, its key, and whose certificates it takes, from files that may be replaced while
// it runs. It must never take over half of a new pair, nor let a broken one end what works.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type https from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities whose clients may come in; null: certificates of clients are not asked for. */
  readonly clientCaFile: string | null;
}

export interface Tls {
  /** For the server that is to be made. */
  readonly options: https.ServerOptions;
  readonly asksForCertificate: boolean;
  /** From now on new connections of the server get what the files hold. */
  follow(server: https.Server): void;
  /** Codes for readiness. */
  degraded(): readonly string[];
  close(): void;
}

export interface TlsDeps {
  readonly log: Logger;
  readonly everyMs?: number;
}

interface Material {
  readonly options: SecureContextOptions;
  readonly digest: string;
  readonly expiresAt: number;
}

const EVERY_MS = 2_000;
const EXPIRES_SOON_MS = 7 * 24 * 60 * 60 * 1000;

/** TLS 1.3 as it is; of TLS 1.2 forward secrecy and AEAD only (RFC 9325, 4.2). */
const POLICY = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
} as const satisfies SecureContextOptions;

/** Rejects, in words, when the files are not a usable pair. */
export async function openTls(files: TlsFiles, { log, everyMs = EVERY_MS }: TlsDeps): Promise<Tls> {
  let inForce = judge(await read(files), files);
  let server: https.Server | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** Of files that cannot be used: seen once they may be half replaced, seen twice they are broken. */
  let suspect: string | null = null;
  let isBroken = false;

  const look = async (): Promise<void> => {
    let seen = 'unreadable';
    try {
      const found = await read(files);
      seen = found.digest;
      if (seen !== inForce.digest) {
        const next = judge(found, files);
        server?.setSecureContext(next.options);
        inForce = next;
        log.info({ expires: new Date(inForce.expiresAt).toISOString() }, 'TLS files replaced');
      }
      suspect = null;
      isBroken = false;
    } catch (error) {
      if (suspect === seen && !isBroken) {
        isBroken = true;
        const reason = error instanceof Error ? error.message : String(error);
        log.error({ reason }, 'TLS files were replaced by files that cannot be used; the ones before stay in use');
      }
      suspect = seen;
    }
  };
  const next = (): void => {
    timer = setTimeout(() => {
      void look().finally(() => {
        if (!isClosed) next();
      });
    }, everyMs).unref();
  };

  const asksForCertificate = files.clientCaFile !== null;
  return {
    // Whose certificate does not pass is answered in words, by `client-certificate.ts`; health is for everybody.
    options: { ...inForce.options, requestCert: asksForCertificate, rejectUnauthorized: false },
    asksForCertificate,
    follow(made) {
      server = made;
      made.setSecureContext(inForce.options);
      // Before TLS stands no answer can be sent: what tries would wait for it, and hold the connection.
      made.on('tlsClientError', (_error, socket) => socket.destroy());
      next();
    },
    degraded: () => [
      ...(isBroken ? ['tls_not_reloaded'] : []),
      ...(inForce.expiresAt - Date.now() < EXPIRES_SOON_MS ? ['tls_certificate_expires_soon'] : []),
    ],
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

interface Found {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | null;
  readonly digest: string;
}

/** Contents and not times: whatever swaps files or links, only what they hold counts. */
async function read({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<Found> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const clientCa = clientCaFile === null ? null : await readFile(clientCaFile);
  const digest = createHash('sha256');
  for (const part of [cert, key, ...(clientCa === null ? [] : [clientCa])])
    digest.update(`${part.length} `).update(part);
  return { cert, key, clientCa, digest: digest.digest('base64') };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function judge({ cert, key, clientCa, digest }: Found, files: TlsFiles): Material {
  const [leaf] = certificatesIn(cert, 'TLS_CERT_FILE', files.certFile);
  const privateKey = inWords(`TLS_KEY_FILE=${files.keyFile} holds no private key (PEM, without passphrase)`, () =>
    createPrivateKey(key),
  );
  if (leaf?.checkPrivateKey(privateKey) !== true) {
    throw new Error(`the key of TLS_KEY_FILE=${files.keyFile} is not that of TLS_CERT_FILE=${files.certFile}`);
  }
  if (clientCa !== null) certificatesIn(clientCa, 'TLS_CLIENT_CA_FILE', files.clientCaFile ?? '');
  const options = { ...POLICY, cert, key, ...(clientCa === null ? {} : { ca: clientCa }) };
  inWords('the certificate and key cannot be used for TLS', () => createSecureContext(options));
  return { options, digest, expiresAt: Date.parse(leaf.validTo) };
}

function certificatesIn(pem: Buffer, name: string, file: string): readonly X509Certificate[] {
  const blocks = pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error(`${name}=${file} holds no certificate (PEM)`);
  return inWords(`${name}=${file} holds something that is no certificate`, () =>
    blocks.map((block) => new X509Certificate(block)),
  );
}

function inWords<T>(words: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${words} (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}
