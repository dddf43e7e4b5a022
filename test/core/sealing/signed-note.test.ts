import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  isKeyName,
  readNote,
  readVerifier,
  signNote,
  verifierOf,
  verifyNote,
  writeVerifier,
} from '../../../src/core/sealing/signed-note.ts';

// The example key and note of the reference implementation (golang.org/x/mod/sumdb/note, note_test.go).
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

// PKCS #8 around an Ed25519 seed (RFC 8410, 7).
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]),
  format: 'der',
  type: 'pkcs8',
});
const signer = { name: 'PeterNeumann', key };
const other = { name: 'PeterNeumann', key: generateKeyPairSync('ed25519').privateKey };
const verified = (text: string, verifiers = [verifierOf(signer)]) => {
  const note = readNote(text);
  return note !== null && verifyNote(note, verifiers).length > 0 ? note.text : null;
};

t.test('keys and signatures match the reference byte for byte', async (t) => {
  t.equal(writeVerifier(verifierOf(signer)), VKEY);
  t.equal(signNote(TEXT, [signer]), NOTE);
  const verifier = readVerifier(VKEY);
  t.ok(verifier !== null && verified(NOTE, [verifier]) === TEXT);
});

t.test('a changed note, key or line is not believed', async (t) => {
  t.equal(verified(NOTE.replace('cryptography', 'cryptographY')), null);
  t.equal(verified(NOTE, [verifierOf(other)]), null, 'another key of the same name');
  t.equal(verified(NOTE.slice(0, -1)), null, 'no line break at the end');
  t.equal(verified(`${TEXT}\n`), null, 'no signature');
  t.equal(verified(NOTE.replace('\n— P', '\nhidden words\n— P')), null, 'a line among the signatures');
  t.equal(verified(NOTE.replace('If', 'I\u0000f')), null, 'control characters');
  t.equal(
    verified(
      signNote(
        TEXT,
        Array.from({ length: 17 }, () => signer),
      ),
    ),
    null,
    'too many signatures',
  );
  const spoilt =
    signNote(TEXT, [signer]).replace('x08go/ZJ', 'x08go/ZK') + signNote(TEXT, [other]).slice(TEXT.length + 1);
  t.equal(
    verified(spoilt, [verifierOf(signer), verifierOf(other)]),
    null,
    'one wrong signature of a known key spoils it',
  );
  t.equal(verified(signNote(TEXT, [other, signer])), TEXT, 'those of unknown keys are ignored');
  for (const line of [
    '',
    'a+b',
    VKEY.replace('c74f20a3', 'c74f20a4'),
    VKEY.replace('+ARpc', '+AhRpc'),
    VKEY.replace('r', 'r '),
    VKEY.slice(0, -1),
  ])
    t.equal(readVerifier(line), null, line);
});

t.test('any text comes back as it was signed', async (t) => {
  const words = fc.string({ unit: fc.constantFrom('a', 'é', '—', ' ', '\n', '+', '1'), maxLength: 40 });
  fc.assert(
    fc.property(words, (text) => {
      t.equal(verified(signNote(`${text}\n`, [other, signer])), `${text}\n`);
    }),
  );
  t.ok(isKeyName('privity.example/log'));
  for (const name of ['', 'a b', 'a+b', 'a\u00a0b', '\ud800']) t.notOk(isKeyName(name));
});
