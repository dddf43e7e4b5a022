// `privity audit verification-export`: hands auditors what they need to verify the log without a database. It must never write where
// others can read.
import path from 'node:path';
import { readSettings } from './shell/settings.ts';
import { count } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Writes every record, leaf, commitment and signed head to one file (docs/audit.md describes each line), as the database at ' +
      'DATABASE_READER_URL (otherwise DATABASE_URL) has them at one moment. With the published checkpoints and the public keys it is ' +
      'all that `privity audit verify --export` needs, or tools/verify-log.mjs, or a verifier that somebody else writes.',
    'The file holds everything that the log says about people and matters. It is readable by you alone; keep it so.',
  ],
  options: {
    out: { value: 'FILE', help: 'where to write it; replaced only by a whole one' },
    gzip: { help: 'compress it, to about a sixth' },
  },
  examples: [{ command: 'privity audit verification-export --out log.ndjson.gz --gzip', does: 'before an audit' }],
  async run(shell, args) {
    const out = args.text('out');
    if (out === undefined) throw new UsageError('`--out FILE` is missing');
    const settings = readSettings();
    const url = settings.DATABASE_READER_URL ?? settings.DATABASE_URL;
    if (url === undefined)
      throw new UsageError('DATABASE_READER_URL is not set', 'it names the database and an account that may read');
    const [{ openDatabaseSource }, { openClient }, { writeExport }] = await Promise.all([
      import('../io/log/verify/database-source.ts'),
      import('../io/db/database.ts'),
      import('../io/log/verify/write-export.ts'),
    ]);
    const source = await openDatabaseSource(() =>
      openClient({ url, applicationName: 'privity export', onError: () => undefined }),
    );
    try {
      const file = path.resolve(shell.folder, out);
      const written = await writeExport({
        source,
        file,
        isGzipped: args.isOn('gzip'),
        origin: settings.LOG_NAME,
        onProgress: (step, done) => shell.progress.show(`${step}: ${done.toLocaleString('en-US')} …`),
      });
      shell.progress.clear();
      shell.out.line(`${count(written.records, 'record')}, ${count(written.leaves, 'leaf', 'leaves')} in ${file}`);
      shell.out.line(`sha256 ${written.digest}`);
      return 0;
    } finally {
      shell.progress.clear();
      await source.close();
    }
  },
};
