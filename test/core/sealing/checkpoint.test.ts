import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import {
  peekCheckpoint,
  readCheckpoint,
  readProof,
  verifyProof,
  writeCheckpoint,
  writeProof,
} from '../../../src/core/sealing/checkpoint.ts';
import { signNote, verifierOf } from '../../../src/core/sealing/signed-note.ts';
import { inclusionProof, rootOf } from '../../../src/core/sealing/tree.ts';

const signer = { name: 'log.firm.example', key: generateKeyPairSync('ed25519').privateKey };
const verifiers = [verifierOf(signer)];
const leaves = Array.from({ length: 5 }, (_, index) => Buffer.alloc(32, index + 1));
const nodes = { at: (_level: number, index: number) => leaves[index] ?? Buffer.alloc(0) };
const root = rootOf(leaves);
const note = writeCheckpoint({ origin: 'log.firm.example', size: 5, root }, [signer]);

t.test('a checkpoint is three lines and a signature', async (t) => {
  const encoded = Buffer.from(root).toString('base64');
  t.match(
    note,
    new RegExp(`^log\\.firm\\.example\\n5\\n${encoded.replaceAll('+', '\\+')}\\n\\n— log\\.firm\\.example `),
  );
  t.same(readCheckpoint(note, verifiers), { origin: 'log.firm.example', size: 5, root: Buffer.from(root) });
  const stranger = verifierOf({ ...signer, key: generateKeyPairSync('ed25519').privateKey });
  t.equal(readCheckpoint(note, [stranger]), null);
  t.equal(peekCheckpoint(note)?.size, 5, 'what it says can be named in a message');
  const bodies = ['x\n05\n', 'x\n-1\n', 'x\n1e3\n', 'x\n9007199254740993\n', '\n5\n'].map(
    (start) => `${start}${encoded}\n`,
  );
  for (const body of [...bodies, 'x\n5\nAAAA\n', 'x\n5\n'])
    t.equal(readCheckpoint(signNote(body, [signer]), verifiers), null, JSON.stringify(body));
});

t.test('a proof stands on its own', async (t) => {
  const proof = { index: 3, path: inclusionProof(nodes, 3, 5), checkpoint: note };
  const text = writeProof(proof);
  t.match(text, /^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
  const read = readProof(text);
  if (read === null) throw new Error('the proof cannot be read');
  const leaf = leaves[3] ?? Buffer.alloc(0);
  t.equal(verifyProof(leaf, read, verifiers)?.size, 5);
  t.equal(verifyProof(leaves[2] ?? leaf, read, verifiers), null, 'another leaf');
  t.equal(verifyProof(leaf, { ...read, index: 2 }, verifiers), null, 'another place');
  t.equal(verifyProof(leaf, { ...read, checkpoint: note.replace('\n5\n', '\n6\n') }, verifiers), null, 'another tree');
  t.equal(readProof(text.replace('\nindex 3\n', '\nextra QUJD\nindex 3\n'))?.index, 3, 'extra data is allowed');
  for (const wrong of [
    '',
    text.replace('@v1', '@v2'),
    text.replace('index 3', 'index 03'),
    text.replace('index 3\n', 'index 3\nAAAA\n'),
  ])
    t.equal(readProof(wrong), null);
});
