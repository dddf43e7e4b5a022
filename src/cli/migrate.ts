// `privity migrate`: brings the database to this version's schema. It must never run with the rights of the service's own role unless told so.
import { readSettings } from './shell/settings.ts';
import { count } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Applies the migrations that the database lacks and makes the partitions of the coming months. Safe to run again, ' +
      'and by several at once: the others wait. Needs DATABASE_OWNER_URL, an account that may create roles and tables.',
    '`privity start` needs no migrating: it does it itself.',
  ],
  options: {},
  examples: [{ command: 'DATABASE_OWNER_URL=postgres://owner@db/privity privity migrate', does: 'before an upgrade' }],
  async run(shell) {
    const { DATABASE_OWNER_URL: url } = readSettings();
    if (url === undefined) {
      throw new UsageError(
        'DATABASE_OWNER_URL is not set',
        'it names the database and the account that owns its tables',
      );
    }
    const { migrate } = await import('../io/db/migrate.ts');
    shell.progress.show('migrating …');
    const { applied, partitions, version } = await migrate({ url });
    shell.progress.clear();
    for (const name of applied) shell.out.line(`applied ${name}`);
    for (const name of partitions) shell.out.line(`made partition ${name}`);
    shell.out.line(
      applied.length === 0
        ? `the database is at schema ${version} already`
        : `the database is at schema ${version}; ${count(applied.length, 'migration')} applied`,
    );
    return 0;
  },
};
