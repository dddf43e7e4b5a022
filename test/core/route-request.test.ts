// What a path stands for, and that no trick makes it stand for something else than the application will see.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { questionAt, readPath, unroutedQuestion } from '../../src/core/route-request.ts';
import type { Routes } from '../../src/core/routes.ts';
import { compiled, sourceFile } from '../helpers/policies.ts';
import { runs } from '../helpers/runs.ts';

const ROUTES = {
  caller: 'dms',
  request_in: 'original_headers',
  context: { network_zone: { header: 'x-privity-zone' }, bulk_count: { header: 'x-privity-count' } },
  paths: [
    { path: '/matters/{matter_id:M-#}/documents/{id}', resource: 'document', actions: { GET: 'read', PUT: 'edit' } },
    {
      path: '/documents/{id:D-*}',
      resource: 'document',
      actions: { GET: 'read' },
      query: ['page', 'sort'],
      properties: { phi: { header: 'x-privity-phi' }, privileged: { value: true } },
    },
    { path: '/search', resource: 'folder', id: 'search', actions: { GET: 'list' }, query: 'any' },
  ],
};

function routesOf(): Routes {
  const firm = ['firm.yaml', 'issuers.yaml', 'callers.yaml', 'data/services.yaml'].map((name) =>
    sourceFile(name, readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8')),
  );
  const set = compiled([...firm, sourceFile('routes.yaml', { version: 1, routes: [ROUTES] })]);
  const routes = set.routes.get('dms');
  if (routes === undefined) throw new Error('no routes');
  return routes;
}

const routes = routesOf();
const at = (uri: string, method = 'GET', headers: Readonly<Record<string, string>> = {}) =>
  questionAt(routes, method, uri, (name) => headers[name]);

t.test('a path, a method and the proxy’s headers make a question', async (t) => {
  t.strictSame(at('/matters/M-1001/documents/D-1', 'PUT', { 'x-privity-zone': 'office', 'x-privity-count': '3' }), {
    action: 'edit',
    resource: { type: 'document', id: 'D-1', properties: { matter_id: 'M-1001' } },
    context: { network_zone: 'office', bulk_count: 3 },
  });
  t.strictSame(at('/documents/D-7?sort=a&page=2&page=3', 'GET', { 'x-privity-phi': 'false' })?.resource, {
    type: 'document',
    id: 'D-7',
    properties: { phi: false, privileged: true },
  });
  t.strictSame(at('/search?q=a;b+c%2f&_method=x')?.resource, { type: 'folder', id: 'search', properties: {} });
  t.equal(at('/matters/M-1/documents/M%C3%BCller%20v.%20Cie')?.resource.id, 'Müller v. Cie');
});

t.test('text that fits no type stays text, which is unknown to policy', async (t) => {
  for (const text of ['1e3', '0x1', '01', ' 1', '1,5', 'many', '9'.repeat(20)])
    t.equal(at('/search', 'GET', { 'x-privity-count': text })?.context['bulk_count'], text);
  for (const text of ['True', 'yes', '1'])
    t.equal(at('/documents/D-1', 'GET', { 'x-privity-phi': text })?.resource.properties['phi'], text);
});

t.test('what nobody wrote down fits nothing', async (t) => {
  t.equal(at('/matters/M-1001/documents/D-1', 'DELETE'), null);
  t.equal(at('/matters/M-1001/documents/D-1', 'get'), null, 'methods are in capitals');
  t.equal(at('/matters/M-1001/documents/D-1/'), null);
  t.equal(at('/matters/M-1001/documents/'), null);
  t.equal(at('/matters/m-1001/documents/D-1'), null);
  t.equal(at('/Matters/M-1001/documents/D-1'), null);
  t.equal(at('/documents/D-1?page=2&_method=DELETE'), null);
  t.equal(at('/documents/D-1?Page=2'), null);
  t.equal(at('/documents/D-1?pag%65=2'), null);
  t.equal(at('/documents/D-1?page=2;_method=DELETE'), null);
  t.equal(at('/documents/D-1?'), null);
  t.equal(at('/matters/M-1001/documents/D-1?page=1'), null, 'a query where none is listed');
});

t.test('paths with two readings fit nothing', async (t) => {
  const GOOD = 'D-9001';
  const tricks = [
    '/documents//D-1',
    '//documents/D-1',
    '/documents/./D-1',
    '/documents/../documents/D-1',
    '/search/../documents/D-1',
    '/documents/D-1/..',
    '/documents/D-2/../D-1',
    '/documents/D-1;jsessionid=1',
    '/documents;/D-1',
    '/documents/..;/documents/D-1',
    '/documents/D-1.',
    '/documents/D-1...',
    '/documents./D-1',
    '/documents\\D-1',
    '/documents/D-1\\..\\D-2',
    '/documents/D-1#x',
    '/documents/D-1 ',
    ' /documents/D-1',
    '/documents/D-1\t',
    '/documents/D+1',
    '/documents%2fD-1',
    '/documents%2FD-1',
    '/documents/D-1%2f..%2fD-2',
    '/documents/%2e%2e/documents/D-1',
    '/documents/D-1%2e',
    '/documents/D-1%5c',
    '/documents/%44-1',
    '/documents/D%2D1',
    '/%64ocuments/D-1',
    '/documents/D-1%00',
    '/documents/D-1%0a',
    '/documents/D-1%20',
    '/documents/%20D-1',
    '/documents/D-1%25',
    '/documents/D-1%252f',
    '/documents/D-1%3b',
    '/documents/D-1%3f',
    '/documents/D-1%23',
    '/documents/D-1%7f',
    '/documents/D-1%c2%85',
    '/documents/D-1%e2%80%ae',
    '/documents/D-1%c2%a0',
    '/documents/D-1%ef%bc%8f',
    '/documents/D-1%ef%bc%8e',
    '/documents/D-1%ef%bc%91',
    '/documents/D-u%cc%88',
    '/documents/D-1%c0%af',
    '/documents/D-1%ff',
    '/documents/D-1%',
    '/documents/D-1%2',
    '/documents/D-1%zz',
    '/documents/D-é',
    '/documents/D-"1"',
    'documents/D-1',
    'http://site/documents/D-1',
    '*',
    '',
    '?',
  ];
  t.ok(at(`/documents/${GOOD}`));
  for (const uri of tricks) t.equal(at(uri), null, JSON.stringify(uri));
  t.equal(at(`/documents/D-${'1'.repeat(5_000)}`), null);
});

t.test('whatever is read is what every reader sees: encoding it again gives the same path', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      'a',
      'D-1',
      '.',
      '..',
      ';',
      '%2e',
      '%2f',
      '%c3%bc',
      '%20',
      '+',
      '\\',
      '%5C',
      '~',
      ':',
      '%E2%84%AA',
      '%25',
    ),
    fc.string({ maxLength: 3 }),
  );
  let read = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), fc.array(piece, { maxLength: 3 }), (a, b) => {
      const path = `/${a.join('')}/${b.join('')}`;
      const values = readPath(path);
      if (values === null) return true;
      read += 1;
      // A browser's parser is one that resolves dots and backslashes.
      const seen = new URL(path, 'http://site').pathname;
      const again = values.map((value) => encodeURIComponent(value).toLowerCase()).join('/');
      const given = decodeURIComponent(path)
        .split('/')
        .slice(1)
        .map((value) => encodeURIComponent(value).toLowerCase());
      return seen === path && again === given.join('/') && !values.slice(0, -1).includes('');
    }),
    runs(3_000),
  );
  t.ok(read > 300, `${read} paths`);
});

t.test('of a request without a route the path is kept, in a form that any log takes', async (t) => {
  t.strictSame(unroutedQuestion('GET', '/a/é\u0001?secret=1'), {
    action: 'GET',
    resource: { type: 'path', id: '/a/%e9%01', properties: {} },
    context: {},
  });
  const { id } = unroutedQuestion('GET', `/${'é'.repeat(5_000)}`).resource;
  t.equal(Buffer.byteLength(id), 256);
});
