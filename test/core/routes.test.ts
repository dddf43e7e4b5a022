// Mistakes of whoever writes routes.yaml, as they read them.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { compiled, errorsIn, sourceFile } from '../helpers/policies.ts';

const READ = { resource: 'document', actions: { GET: 'read' } };
/** The example firm, as far as routes speak of it. */
const others = ['firm.yaml', 'issuers.yaml', 'callers.yaml', 'data/services.yaml'].map((name) =>
  sourceFile(name, readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8')),
);

function filesWith(routes: unknown) {
  return [...others, sourceFile('routes.yaml', { version: 1, routes })];
}

/** What is wrong with one caller's paths. */
function wrong(paths: readonly object[], more: object = {}): string[] {
  return errorsIn(filesWith([{ caller: 'dms', request_in: 'original_headers', paths, ...more }])).map((line) =>
    line.replace(/^routes\.yaml:\d+:\d+ dms: /, ''),
  );
}

t.test('what may be said', async (t) => {
  t.strictSame(
    wrong(
      [
        { path: '/', ...READ, id: 'home', query: 'any' },
        { path: '/documents/', ...READ, id: 'all' },
        { path: '/documents/{id:D-#}', ...READ },
        { path: '/documents/{id:E-#}', ...READ, properties: { privileged: { value: true } } },
        { path: '/matters/{m:M-*}/{id}', ...READ, properties: { matter_id: { path: 'm' } } },
        { path: '/matters/{matter_id}', resource: 'matter', id: 'x', actions: {}, query: ['a', 'b.c'] },
      ],
      { context: { network_zone: { header: 'x-privity-zone' }, bulk_count: { value: 1 } } },
    ),
    [],
  );
  t.strictSame(compiled(others).routes, new Map(), 'without the file there are none');
});

t.test('names that nobody knows', async (t) => {
  t.strictSame(
    errorsIn(filesWith([{ caller: 'dns', request_in: 'path', paths: [{ path: '/{id}', ...READ }] }])).map((line) =>
      line.replace(/^routes\.yaml:\d+:\d+ /, ''),
    ),
    ['dns: `dns` is no caller that callers.yaml knows — did you mean `dms`?'],
  );
  t.match(wrong([{ path: '/{id}', resource: 'document', actions: { GET: 'reed' } }]), [/`reed` is no action/]);
  t.match(wrong([{ path: '/{id}', resource: 'documents', actions: { GET: 'read' } }]), [
    /`documents` is no resource type/,
  ]);
  t.match(wrong([{ path: '/{mater_id}/{id}', ...READ }]), [/`mater_id` is no resource attribute .* `matter_id`/]);
  t.match(wrong([{ path: '/{id}', ...READ }], { context: { zone: { value: 'x' } } }), [
    /`zone` is no context attribute/,
  ]);
});

t.test('attributes that are not the caller’s to send, or that nothing can carry', async (t) => {
  const context = (name: string, from: object) => wrong([{ path: '/{id}', ...READ }], { context: { [name]: from } });
  t.match(context('source_system', { value: 'dms' }), [/`source_system` is no context attribute/]);
  t.match(context('network_zone', { value: 'office', header: 'x-privity-zone' }), [/must come from one place/]);
  t.match(context('network_zone', {}), [/must come from one place/]);
  t.match(context('network_zone', { value: 'ofice' }), [/`network_zone` must be/]);
  t.match(context('network_zone', { path: 'id' }), [/the path has no `\{id\}`/], 'paths speak of resources');
  t.match(context('network_zone', { header: 'authorization' }), [/wrong form.*beginning with x-privity-/]);
  t.match(context('network_zone', { header: 'X-Privity-Zone' }), [/wrong form/]);
  const properties = { matter_id: { path: 'mater' } };
  t.match(wrong([{ path: '/{matter}/{id}', ...READ, properties }]), [/`matter` is no/, /no `\{mater\}`/]);
});

t.test('paths', async (t) => {
  t.match(wrong([{ path: '/documents/*', ...READ }]), [/`\*` cannot be part of a path/]);
  t.match(wrong([{ path: '/documents', ...READ }]), [/which document it is must stand in one place/]);
  t.match(wrong([{ path: '/documents/{id}', ...READ, id: 'x' }]), [/which document it is must stand in one place/]);
  t.match(wrong([{ path: 'documents', ...READ, id: 'x' }]), [/`path` has the wrong form/]);
  t.match(wrong([{ path: '/{id}', resource: 'document', actions: { get: 'read' } }]), [/`get`/]);
  t.match(
    wrong([
      { path: '/documents/{id}', ...READ },
      { path: '/documents/export-all', ...READ, id: 'all' },
    ]),
    [/a request could fit this path and `\/documents\/\{id\}` — say what the ids look like/],
  );
});

t.test('callers', async (t) => {
  const one = (caller: string) => ({ caller, request_in: 'path', paths: [{ path: '/{id}', ...READ }] });
  t.match(errorsIn(filesWith([one('dms'), one('dms')])), [/`dms` is listed twice/]);
  t.match(errorsIn(filesWith([one('log-review')])), [/`log-review` lacks the right `authorize`/]);
});
