// `privity migrate`: brings the database to this version's schema, on one server or on a Citus cluster. It must never run with the rights of the service's own role unless told so.
import type { Distribution } from '../io/db/citus.ts';
import { readSettings } from './shell/settings.ts';
import type { Output } from './shell/shell.ts';
import { count } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Applies the migrations that the database lacks and makes the partitions of the coming months. Safe to run again, ' +
      'and by several at once: the others wait. Needs DATABASE_OWNER_URL, an account that may create roles and tables.',
    'Services go on meanwhile: a lock that cannot be had soon is let go and tried again. For an upgrade without a pause: ' +
      '`privity migrate --expand`, then the new version everywhere, then `privity migrate` (docs/operations.md).',
    'With --citus, on the coordinator of a cluster, while no service runs and the log is empty: spreads the log over its nodes ' +
      'and says which guards go (docs/scaling.md).',
    '`privity start` needs no migrating: it does it itself.',
  ],
  options: {
    expand: { help: 'leave out what services of the version before would not survive, for a later run without this' },
    citus: { help: 'spread the log over the nodes of a Citus cluster; safe to run again' },
  },
  examples: [
    {
      command: 'DATABASE_OWNER_URL=postgres://owner@db/privity privity migrate --expand',
      does: 'before an upgrade, while services of the version before run',
    },
    {
      command: 'DATABASE_OWNER_URL=postgres://owner@coordinator/privity privity migrate --citus',
      does: 'a new log on a Citus cluster',
    },
  ],
  async run(shell, args) {
    const { DATABASE_OWNER_URL: url } = readSettings();
    if (url === undefined) {
      throw new UsageError(
        'DATABASE_OWNER_URL is not set',
        'it names the database and the account that owns its tables',
      );
    }
    const { migrate } = await import('../io/db/migrate.ts');
    shell.progress.show('migrating …');
    const { applied, left, partitions, distribution, version } = await migrate({
      url,
      expandOnly: args.isOn('expand'),
      citus: args.isOn('citus'),
      onWait: (what, tries) => shell.progress.show(`${what} waits for a lock that others hold (${tries}) …`),
    });
    shell.progress.clear();
    for (const name of applied) shell.out.line(`applied ${name}`);
    for (const name of left) shell.out.line(`left out ${name}`);
    for (const name of partitions) shell.out.line(`made partition ${name}`);
    shell.out.line(
      applied.length === 0
        ? `the database is at schema ${version} already`
        : `the database is at schema ${version}; ${count(applied.length, 'migration')} applied`,
    );
    if (left.length > 0) {
      shell.out.line('run `privity migrate` for what was left out when every service is of this version');
    }
    if (distribution !== null) showDistribution(shell.out, distribution);
    return 0;
  },
};

function showDistribution(out: Output, { done, unguarded, guarded }: Distribution): void {
  for (const step of done) out.line(step);
  if (done.length === 0) out.line('the log is spread over the nodes already');
  out.line();
  out.line(
    `Guarded no more: ${unguarded.join(', ')} and the partitions. Citus takes no triggers there, so none refuses an`,
  );
  out.line(
    'update, delete or truncate any more. In its place: rights, which give the accounts of the service none of these,',
  );
  out.line('and `privity audit verify`, which finds what an owner or superuser of any node has changed.');
  out.line(`Guarded as before, on the coordinator alone: ${guarded.join(', ')}.`);
  out.line(
    'Partitions are detached without `concurrently`, which Citus does not have: that holds up writers for a moment.',
  );
}
