// Certificate authorities of the tests' own and what they sign, made when a test runs. It must never keep a key.
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface Issued {
  /** PEM; the chain is the certificate alone. */
  readonly cert: string;
  readonly key: string;
  /** `x5t#S256` (RFC 8705, 3.1). */
  readonly thumbprint: string;
}

export interface IssueOptions {
  readonly use?: 'server' | 'client';
  /** Days from now; negative: expired then. */
  readonly validDays?: number;
}

export interface Authority {
  /** PEM. */
  readonly cert: string;
  issue(name: string, options?: IssueOptions): Promise<Issued>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await makeKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    cert: ca.toString('pem'),
    async issue(subject, { use = 'server', validDays = 30 } = {}) {
      const own = await makeKeys();
      const cert = await x509.X509CertificateGenerator.create({
        subject: `CN=${subject}`,
        issuer: ca.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date(Date.now() - 100 * DAY_MS),
        notAfter: new Date(Date.now() + validDays * DAY_MS),
        extensions: [
          new x509.ExtendedKeyUsageExtension([use === 'server' ? SERVER_AUTH : CLIENT_AUTH]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      });
      const pem = cert.toString('pem');
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
      return {
        cert: `${pem}\n`,
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
        thumbprint: createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url'),
      };
    },
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}
