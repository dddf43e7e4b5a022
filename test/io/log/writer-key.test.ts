import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import {
  certifyWriter,
  generateWriterKey,
  keyId,
  loadWriterKey,
  verifyCertificate,
} from '../../../src/io/log/writer-key.ts';

const folder = t.testdir();

t.test('a key file is made once, for its owner alone, and read back', async (t) => {
  const file = path.join(folder, 'writer.pem');
  const made = await generateWriterKey(file);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const loaded = await loadWriterKey(file);
  t.equal(keyId(loaded), keyId(made));
  t.equal(keyId(loaded), keyId(createPublicKey(made)), 'the same for both halves');
  await t.rejects(generateWriterKey(file), { code: 'EEXIST' });
});

t.test('a key file that is not as it must be is refused in words', async (t) => {
  const file = path.join(folder, 'open.pem');
  await generateWriterKey(file);
  await chmod(file, 0o640);
  await t.rejects(loadWriterKey(file), /open to others \(mode 640\); run `chmod 600`/);
  const write = (name: string, text: string | Buffer): Promise<string> =>
    writeFile(path.join(folder, name), text, { mode: 0o600 }).then(() => path.join(folder, name));
  await t.rejects(loadWriterKey(await write('text.pem', 'no key')), /not a PEM private key/);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  const pem = rsa.export({ type: 'pkcs8', format: 'pem' });
  await t.rejects(loadWriterKey(await write('rsa.pem', pem)), /not an Ed25519 key/);
  await t.rejects(loadWriterKey(path.join(folder, 'missing.pem')), { code: 'ENOENT' });
});

t.test(
  'a key that somebody else owns may be read through the group, as Kubernetes and systemd hand secrets out',
  { skip: process.getuid?.() === 0 ? false : 'only root can give a file away' },
  async (t) => {
    const file = path.join(folder, 'mounted.pem');
    await generateWriterKey(file);
    await chown(file, 65534, 0);
    await chmod(file, 0o440);
    await t.resolves(loadWriterKey(file));
    for (const mode of [0o460, 0o444]) {
      await chmod(file, mode);
      await t.rejects(loadWriterKey(file), /open to others/);
    }
  },
);

t.test('a certificate holds for its writer, key and certifier only', async (t) => {
  const certifier = generateKeyPairSync('ed25519');
  const writer = generateKeyPairSync('ed25519');
  const id = '019cd7f5-3f40-7a57-8df7-3e1d5f0f2a91';
  const certificate = certifyWriter(certifier.privateKey, id, writer.publicKey);
  t.ok(verifyCertificate(certifier.publicKey, id, certificate)?.equals(writer.publicKey));
  const other = generateKeyPairSync('ed25519');
  t.equal(verifyCertificate(other.publicKey, id, certificate), null);
  t.equal(verifyCertificate(certifier.publicKey, id.replace('3f40', '3f41'), certificate), null);
  const foreign = certifyWriter(other.privateKey, id, writer.publicKey);
  t.equal(verifyCertificate(certifier.publicKey, id, foreign), null);
  t.equal(verifyCertificate(certifier.publicKey, id, { ...foreign, certified_by: certificate.certified_by }), null);
  const swapped = { ...certificate, public_key: foreign.public_key.replace(/^./, '_') };
  t.equal(verifyCertificate(certifier.publicKey, id, swapped), null);
});
