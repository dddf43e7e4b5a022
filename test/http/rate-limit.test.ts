import t from 'tap';
import { document, OFFICE, startApp } from '../helpers/app.ts';

const QUESTION = { action: { name: 'read' }, resource: document('D-1'), context: OFFICE };

t.test('a caller beyond its rate is told so, has no record, and keeps nobody else out', async (t) => {
  const rig = await startApp(t, { environment: { RATE_LIMIT: '5' } });
  const answers = await Promise.all(Array.from({ length: 40 }, () => rig.ask('u-okafor', QUESTION)));
  const answered = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  t.equal(answered.length + refused.length, 40);
  t.ok(answered.length >= 5 && refused.length > 0);
  t.equal(await rig.count('decision'), answered.length, 'what was refused was not decided');
  t.match(refused[0], {
    headers: { 'retry-after': '1', 'ratelimit-policy': '"caller";q=5;w=1', ratelimit: '"caller";r=0;t=1' },
    body: { code: 'rate_limited' },
  });
  t.match(answered[0]?.headers, { 'ratelimit-policy': '"caller";q=5;w=1', ratelimit: /^"caller";r=\d;t=1$/ });
  t.equal((await rig.ask('u-okafor', QUESTION, { caller: 'search' })).status, 200, 'another caller is not held up');
  t.equal((await rig.inject({ method: 'GET', url: '/readyz' })).headers['ratelimit'], undefined);
  const { body } = await rig.inject({ method: 'GET', url: '/metrics' });
  t.match(body, new RegExp(`^privity_rate_limited_total\\{caller="dms"\\} ${refused.length}$`, 'm'));
});

t.test('nobody is limited, nor told about limits, unless it is set', async (t) => {
  const rig = await startApp(t);
  const answers = await Promise.all(Array.from({ length: 40 }, () => rig.ask('u-okafor', QUESTION)));
  t.ok(answers.every(({ status, headers }) => status === 200 && headers['ratelimit'] === undefined));
});
