// Verifies the signed heads of writers, several at a time, with the keys that their certificates name. It must never take a key that is
// not certified for a writer's own, where a certifying key is given.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { headText, keyId, verifyCertificate, type WriterCertificate } from '../writer-key.ts';
import type { HeadRow } from './source.ts';

export interface HeadSignatures {
  /** Whether the writer's first record names a key that counts; null where that record cannot be seen. */
  isCertified(writer: string): boolean | null;
  /** @param tell called with whether the signature holds; null where the writer's key is not known */
  check(writer: string, seq: number, head: HeadRow, tell: (holds: boolean | null) => void): Promise<void>;
  /** Resolves when everything was told. */
  drain(): Promise<void>;
  readonly checked: () => number;
}

const AT_ONCE = 64;

/**
 * @param keys of each writer, as its first record has it
 * @param certifiers whose certificates count; none: a writer vouches for itself
 */
export function createHeadSignatures(
  keys: ReadonlyMap<string, unknown>,
  certifiers: readonly KeyObject[],
): HeadSignatures {
  const known = new Map<string, KeyObject | null>();
  let running = 0;
  let checked = 0;
  let wake = (): void => undefined;

  function keyOf(writer: string): KeyObject | null {
    const found = known.get(writer);
    if (found !== undefined) return found;
    const key = certifiedKey(writer, keys.get(writer), certifiers);
    known.set(writer, key);
    return key;
  }

  async function below(count: number): Promise<void> {
    while (running >= count) await new Promise<void>((resolve) => (wake = resolve));
  }

  return {
    isCertified: (writer) => (keys.has(writer) ? keyOf(writer) !== null : null),
    async check(writer, seq, { hash, signature }, tell) {
      const key = keyOf(writer);
      if (key === null) return tell(keys.has(writer) ? false : null);
      await below(AT_ONCE);
      running++;
      checked++;
      verify(null, headText(writer, seq, hash), key, signature, (error, holds) => {
        running--;
        tell(error === null && holds);
        wake();
      });
    },
    drain: () => below(1),
    checked: () => checked,
  };
}

function certifiedKey(writer: string, value: unknown, certifiers: readonly KeyObject[]): KeyObject | null {
  if (!isCertificate(value)) return null;
  try {
    if (certifiers.length === 0) {
      const x = Buffer.from(value.public_key, 'base64').toString('base64url');
      return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    }
    const certifier = certifiers.find((one) => keyId(one) === value.certified_by);
    return certifier === undefined ? null : verifyCertificate(certifier, writer, value);
  } catch {
    return null; // what is no key certifies nothing
  }
}

function isCertificate(value: unknown): value is WriterCertificate {
  if (typeof value !== 'object' || value === null) return false;
  return ['public_key', 'certified_by', 'signature'].every((name) => typeof Reflect.get(value, name) === 'string');
}
