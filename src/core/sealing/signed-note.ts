// Texts that carry the signatures of their makers (C2SP signed-note): written, read, verified. It must never believe the text of a
// note before a signature over it was verified.
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** Who signs: an Ed25519 private key under a name. */
export interface NoteSigner {
  readonly name: string;
  readonly key: KeyObject;
}

/** Whose signature counts: an Ed25519 public key under a name. */
export interface NoteVerifier {
  readonly name: string;
  readonly key: KeyObject;
  /** First four bytes of SHA-256(name || 0x0A || 0x01 || public key). */
  readonly id: Buffer;
}

export interface Note {
  /** Ends with a line break, which is signed like the rest. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Buffer; readonly signature: Buffer }[];
}

/** Signature type Ed25519 (signed-note, "Signature types"). */
const ED25519 = 0x01;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const DASH = '\u2014';
/** As many as a note may have (signed-note: "at most 16"). */
const MOST_SIGNATURES = 16;

/** A key's name must be able to stand in a line: not empty, no spaces, no plus sign. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);
}

export function verifierOf({ name, key }: NoteSigner): NoteVerifier {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return { name, key: publicKey, id: keyId(name, rawKey(publicKey)) };
}

/** One line that hands a public key on: `name+id+key` (signed-note, "Verifier keys"). */
export function writeVerifier({ name, key, id }: NoteVerifier): string {
  return `${name}+${id.toString('hex')}+${Buffer.concat([Uint8Array.of(ED25519), rawKey(key)]).toString('base64')}`;
}

/** Null for what is no such line, or whose id is not that of its key. */
export function readVerifier(line: string): NoteVerifier | null {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(line.trim()) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== ED25519) return null;
  const raw = bytes.subarray(1);
  if (keyId(name, raw).toString('hex') !== id) return null;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  return { name, key, id: Buffer.from(id, 'hex') };
}

/** The note, signed by each. @param text ends with a line break */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const lines = signers.map((signer) => {
    const signature = Buffer.concat([verifierOf(signer).id, sign(null, Buffer.from(text), signer.key)]);
    return `${DASH} ${signer.name} ${signature.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Null for what is no signed note. */
export function readNote(note: string): Note | null {
  const border = note.lastIndexOf('\n\n');
  if (border < 0 || !note.endsWith('\n') || !note.isWellFormed() || /[^\P{Cc}\n]/u.test(note)) return null;
  const lines = note.slice(border + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return null;
  const signatures = lines.flatMap((line) => {
    const [, name = '', encoded = ''] = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/u.exec(line) ?? [];
    const bytes = decodeBase64(encoded);
    if (!isKeyName(name) || bytes === null || bytes.length <= ID_BYTES) return [];
    return [{ name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) }];
  });
  // A line that is no signature is no part of a note: it would be a place to hide something.
  return signatures.length === lines.length ? { text: note.slice(0, border + 1), signatures } : null;
}

/** Those of the given keys that have signed. A signature by one of them that is wrong spoils the note; others' are ignored. */
export function verifyNote({ text, signatures }: Note, verifiers: readonly NoteVerifier[]): readonly NoteVerifier[] {
  const signed = new Set<NoteVerifier>();
  for (const { name, id, signature } of signatures) {
    const verifier = verifiers.find((one) => one.name === name && one.id.equals(id));
    if (verifier === undefined) continue;
    const holds = signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(text), verifier.key, signature);
    if (!holds) return [];
    signed.add(verifier);
  }
  return [...signed];
}

/** Null for what is not standard base64 with its padding, which has one spelling for each value. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : null;
}

function keyId(name: string, raw: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(ED25519), raw]);
  return hash('sha256', named, 'buffer').subarray(0, ID_BYTES);
}

function rawKey(key: KeyObject): Buffer {
  const { x } = key.export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url');
}
