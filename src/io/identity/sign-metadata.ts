// Signs what this decision point says about itself (AuthZEN 1.0, section 9.1.3). It must never sign anything else.
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import { createPublicKey, type KeyObject } from 'node:crypto';

/**
 * @param key Ed25519, private
 * @returns a JWT whose `iss` is the decision point; its header has the public key and, as `kid`, its thumbprint (RFC 7638)
 */
export async function signMetadata(
  metadata: Readonly<Record<string, unknown>>,
  issuer: string,
  key: KeyObject,
): Promise<string> {
  const { kty, crv, x } = await exportJWK(createPublicKey(key));
  if (kty !== 'OKP' || crv === undefined || x === undefined) throw new Error('not an Ed25519 key');
  const jwk = { kty, crv, x };
  return new SignJWT({ ...metadata })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: await calculateJwkThumbprint(jwk), jwk })
    .setIssuer(issuer)
    .setIssuedAt()
    .sign(key);
}
