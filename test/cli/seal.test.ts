import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { readCheckpoint } from '../../src/core/sealing/checkpoint.ts';
import { readVerifier } from '../../src/core/sealing/signed-note.ts';
import { createDatabase } from '../helpers/postgres.ts';
import { startRecorder } from '../helpers/recorder.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const run = promisify(execFile);

async function privity(words: readonly string[], environment: Readonly<Record<string, string>>) {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
  try {
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...words], { env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as {
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    };
    return { code, stdout, stderr };
  }
}

t.test('seals once, publishes, and tells auditors the key', async (t) => {
  const { urls } = await createDatabase(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-seal-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const key = path.join(folder, 'checkpoint.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const settings = {
    DATABASE_SEALER_URL: urls.sealer,
    CHECKPOINT_KEY_FILE: key,
    CHECKPOINT_DIR: path.join(folder, 'out'),
    LOG_NAME: 'log.firm.example',
  };
  await startRecorder(t, urls.writer).record(4);
  t.match(await privity(['seal', '--once'], settings), {
    code: 0,
    stdout: '5 records under the checkpoint at CHECKPOINT_DIR\n',
  });
  const printed = await privity(['seal', '--print-key'], settings);
  const verifier = readVerifier(printed.stdout);
  const note = await readFile(path.join(folder, 'out', 'checkpoint'), 'utf8');
  t.equal(verifier === null ? null : readCheckpoint(note, [verifier])?.size, 5);

  await writeFile(path.join(folder, 'out', 'checkpoint'), note.replace('\n5\n', '\n6\n'));
  t.match(await privity(['seal', '--once'], settings), {
    code: 2,
    stderr: /CHECKPOINT_DIR .*is not signed by our keys/,
  });
  const { CHECKPOINT_DIR: _, ...nowhere } = settings;
  t.match(await privity(['seal'], nowhere), { code: 2, stderr: /nor CHECKPOINT_DIR|not CHECKPOINT_DIR/ });
  t.match(await privity(['seal'], { DATABASE_SEALER_URL: urls.sealer }), {
    code: 2,
    stderr: /CHECKPOINT_KEY_FILE is not set/,
  });
  await writeFile(key, 'no key', { mode: 0o600 });
  t.match(await privity(['seal', '--once'], settings), {
    code: 2,
    stderr: /checkpoint key in .* is not a PEM private key/,
  });
});
