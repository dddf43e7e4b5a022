import t from 'tap';
import { requestIdOf, traceIdOf } from '../../src/http/request-id.ts';
import { document, OFFICE, startApp } from '../helpers/app.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

t.test('a sane request id is kept, any other replaced', async (t) => {
  for (const id of ['1', 'a-b_c:d/e', 'x'.repeat(128), '{"id":1}'])
    t.equal(requestIdOf({ headers: { 'x-request-id': id } }), id);
  for (const id of ['', ' ', 'a b', 'x'.repeat(129), 'é', 'a\tb', 'a\u007f', 'one, two']) {
    t.match(requestIdOf({ headers: { 'x-request-id': id } }), UUID, JSON.stringify(id));
  }
  t.match(requestIdOf({ headers: {} }), UUID);
  t.not(requestIdOf({ headers: {} }), requestIdOf({ headers: {} }));
});

t.test('a trace id is taken from a valid traceparent alone', async (t) => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  t.equal(traceIdOf(`00-${id}-b7ad6b7169203331-01`), id);
  t.equal(traceIdOf(`01-${id}-b7ad6b7169203331-01-what-the-future-brings`), id);
  for (const invalid of [
    '',
    id,
    `00-${id}-b7ad6b7169203331`,
    `00-${id}-b7ad6b7169203331-01-more`,
    `ff-${id}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id.toUpperCase()}-b7ad6b7169203331-01`,
    ` 00-${id}-b7ad6b7169203331-01`,
    `00-${id}-b7ad6b7169203331-01\n`,
  ]) {
    t.equal(traceIdOf(invalid), null, invalid);
  }
});

t.test('both come back with every answer, and with every refusal', async (t) => {
  const rig = await startApp(t);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const ours = { 'x-request-id': 'ours', traceparent };
  const { headers } = await rig.ask(
    'u-okafor',
    { action: { name: 'read' }, resource: document('D-1'), context: OFFICE },
    { headers: ours },
  );
  const common = { ...ours, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  t.match(headers, common);
  for (const [method, url] of [
    ['POST', '/v1/authorize'],
    ['GET', '/nothing'],
    ['PUT', '/v1/authorize'],
    ['GET', '/readyz'],
  ] as const) {
    t.match((await rig.inject({ method, url, headers: ours })).headers, common, url);
  }
  const hostile = { 'x-request-id': 'a b', traceparent: '00-x' };
  const other = await rig.inject({ method: 'GET', url: '/livez', headers: hostile });
  t.match(other.headers['x-request-id'], UUID);
  t.notOk('traceparent' in other.headers);
  const lines = rig.log.filter(({ msg }) => msg === 'request');
  t.match(lines[0], {
    request_id: 'ours',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    route: '/v1/authorize',
    status: 200,
    caller: 'dms',
  });
  t.notMatch(JSON.stringify(lines), /u-okafor|D-1|M-1001/, 'requests are logged, not people or things');
});
