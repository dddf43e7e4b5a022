import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startPrivatePostgres } from '../helpers/postgres.ts';
import { startApp, type TestApp } from '../helpers/app.ts';

async function ready(rig: TestApp) {
  const { statusCode, body } = await rig.inject({ method: 'GET', url: '/readyz' });
  return { status: statusCode, body: JSON.parse(body) as unknown };
}

t.test('ready with policies, keys and a recorder', async (t) => {
  const rig = await startApp(t);
  t.match(await ready(rig), {
    status: 200,
    body: { status: 'ready', problems: [], degraded: ['writer_key_not_kept'] },
  });
  const live = await rig.inject({ method: 'GET', url: '/livez' });
  t.same([live.statusCode, live.json()], [200, { status: 'ok' }]);
  const head = await rig.inject({ method: 'HEAD', url: '/readyz' });
  t.same([head.statusCode, head.body], [200, '']);
});

t.test('not ready without an issuer whose keys can be used', async (t) => {
  const rig = await startApp(t, { extras: { readKeyFile: () => Buffer.from('{"keys":[]}') } });
  t.same(await ready(rig), {
    status: 503,
    body: {
      status: 'not_ready',
      problems: ['no_usable_issuer'],
      degraded: ['issuer_without_keys', 'writer_key_not_kept'],
    },
  });
});

t.test('not ready while the database is away, ready again when it is back', async (t) => {
  const server = await startPrivatePostgres(t);
  const rig = await startApp(t, { urls: server.urls });
  t.equal((await ready(rig)).status, 200);
  await server.kill('SIGKILL');
  for (;;) {
    const { status, body } = await ready(rig);
    if (status === 200) {
      await sleep(20);
      continue;
    }
    t.match(body, { status: 'not_ready', problems: ['database_unreachable'] });
    break;
  }
  t.equal((await rig.inject({ method: 'GET', url: '/livez' })).statusCode, 200, 'alive all the same');
  await server.start();
  while ((await ready(rig)).status !== 200) await sleep(20);
  t.pass('back');
});
