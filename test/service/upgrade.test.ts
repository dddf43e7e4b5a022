// A database is migrated to the next version's schema while services of this version answer: nobody waits in vain, nothing is lost, and
// a service of this version that starts then works as before. After a contracting migration it says why it does not.
import t from 'tap';
import { migrate } from '../../src/io/db/migrate.ts';
import { laterMigrations, KNOWN, numberAfter } from '../helpers/migrations.ts';
import { connect, createDatabase } from '../helpers/postgres.ts';
import { startService } from '../helpers/service.ts';
import { createFirm } from '../helpers/service-firm.ts';
import { judge } from './judge.ts';
import { startLoad } from './load.ts';
import { readServiceLog } from './log.ts';
import { createQuestions } from './questions.ts';
import { createRandom } from './random.ts';

const EXPAND = `-- More.\n-- compatible-with: ${numberAfter(0)}
alter table public.decisions add column note text;
alter table public.decisions add column weight bigint default 1;
create table public.notes (id uuid primary key, note text not null);
grant insert, select on public.notes to privity_writer;`;
const CONTRACT = `-- Less.\n-- contract: no version writes it\n-- compatible-with: ${numberAfter(2)}
drop table public.notes;`;

t.test('services answer while the database becomes that of the next version', async (t) => {
  const random = createRandom(20_260_310);
  const database = await createDatabase(t);
  const firm = await createFirm(t);
  const first = await startService(t, { urls: database.urls, firm });
  const load = startLoad(t, { urls: [first.url], clients: 4, random, next: createQuestions(firm, random).next });
  await load.more(40);

  // Somebody reads the log for longer than a migration may wait.
  const report = await connect(t, database.urls.reader);
  await report.query('begin');
  await report.query('select count(*) from decisions');
  let waited = 0;
  const done = migrate({
    url: database.urls.owner,
    folder: await laterMigrations(t, EXPAND),
    expandOnly: true,
    patience: { lockTimeoutMs: 1_000, pauseMs: 200, tries: 100 },
    onWait: () => {
      waited += 1;
      if (waited === 2) void load.more(20).then(() => report.query('commit'));
    },
  });
  t.match(await done, { applied: [`${numberAfter(1)}_later.sql`], version: KNOWN + 1 });
  t.ok(waited >= 2, 'the migration had to wait, and the service answered meanwhile');
  await load.more(60);

  // A rollout in the other direction: this version starts on the newer schema.
  const second = await startService(t, { urls: database.urls, firm });
  load.aim(first.url, second.url);
  await load.more(60);
  t.strictSame(
    load.exchanges.filter(({ answer }) => answer === null || answer.status >= 500),
    [],
    'everybody was answered',
  );
  await load.stop();
  await first.kill();
  await second.kill();
  const log = await readServiceLog(database.superuserUrl, firm.certifier);
  t.strictSame(judge(load.exchanges, log), []);
  t.comment(`${load.exchanges.length} requests, ${log.records.length} records`);

  await migrate({ url: database.urls.owner, folder: await laterMigrations(t, EXPAND, CONTRACT) });
  await t.rejects(
    startService(t, { urls: database.urls, firm }),
    new RegExp(`the database is at schema ${KNOWN + 2}, and this version of Privity knows ${KNOWN}`),
    'a version that the schema has left behind does not start, and says why',
  );
});
