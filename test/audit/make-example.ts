// `node test/audit/make-example.ts`: writes examples/audit anew, the small log that docs/audit.md works through. It must never be run but
// when a format changes: every hash in the docs is then another one.
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase as createPool } from '../../src/io/db/database.ts';
import { createProofReader } from '../../src/io/log/sealing/read-proofs.ts';
import { certifierPem, openRig, verifierLine } from './rig.ts';

const folder = fileURLToPath(new URL('../../examples/audit', import.meta.url));
const undo: (() => Promise<unknown>)[] = [];
try {
  const rig = await openRig({ teardown: (clear) => undo.push(clear) }, 16);
  await mkdir(folder, { recursive: true });
  await copyFile(await rig.exportTo('log.ndjson'), path.join(folder, 'log.ndjson'));
  await chmod(path.join(folder, 'log.ndjson'), 0o644);
  await copyFile(rig.appended, path.join(folder, 'checkpoints.log'));
  await writeFile(path.join(folder, 'log.vkey'), `${verifierLine}\n`);
  await writeFile(path.join(folder, 'writers.pem'), certifierPem);
  const pool = createPool({
    url: rig.database.urls.reader,
    applicationName: 'privity example',
    max: 1,
    onError: () => undefined,
  });
  const [writer = ''] = rig.writers[0]?.writers() ?? [];

  const proof = await createProofReader(pool.pool).proofOf(writer, 4);
  await writeFile(path.join(folder, 'example.tlog-proof'), proof ?? '');
  await pool.close();
} finally {
  for (const step of undo.toReversed()) await step();
}
