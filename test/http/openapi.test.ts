import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { Value } from 'typebox/value';
import { EXAMPLES } from '../../src/http/openapi-examples.ts';
import { ApprovalAnswer, ApprovalRequest } from '../../src/model/approvals.ts';
import { AuthorizeAnswer, AuthorizeRequest, BatchRequest } from '../../src/model/evaluation.ts';
import { FieldsAnswer, FieldsRequest } from '../../src/model/fields.ts';
import { PolicyAnswer, RecordAnswer } from '../../src/model/reports.ts';
import { ReviewsAnswer } from '../../src/model/reviews.ts';
import { docsFiles } from '../../tools/generate-docs.ts';
import { openApiText } from '../../tools/generate-openapi.ts';
import { startApp } from '../helpers/app.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const committed = (name: string): string => readFileSync(`${ROOT}/${name}`, 'utf8');

t.test('what is generated is what is committed', async (t) => {
  t.equal(await openApiText(), committed('openapi.yaml'), 'node tools/generate-openapi.ts');
  for (const [name, text] of await docsFiles()) t.equal(text, committed(`docs/${name}`), 'node tools/generate-docs.ts');
});

t.test('the description passes the recommended rules', async (t) => {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { stderr } = await promisify(execFile)('npx', ['redocly', 'lint', 'openapi.yaml'], { cwd: ROOT, env });
  t.match(stderr, /Your API description is valid/);
  t.notMatch(stderr, /warning/i);
});

t.test('examples are what the doors take and give', async (t) => {
  const all = (examples: object | undefined): unknown[] =>
    Object.values(examples ?? {}).map(({ value }: { value: unknown }) => value);
  for (const value of all(EXAMPLES.authorize.request)) t.ok(Value.Check(AuthorizeRequest, value));
  for (const value of all(EXAMPLES.authorize.answers['200'])) t.ok(Value.Check(AuthorizeAnswer, value));
  for (const value of all(EXAMPLES.authorizeBatch.request)) t.ok(Value.Check(BatchRequest, value));
  for (const value of all(EXAMPLES.authorizeFields.request)) t.ok(Value.Check(FieldsRequest, value));
  for (const value of all(EXAMPLES.authorizeFields.answers['200'])) t.ok(Value.Check(FieldsAnswer, value));
  for (const value of all(EXAMPLES.approve.request)) t.ok(Value.Check(ApprovalRequest, value));
  for (const value of all(EXAMPLES.approve.answers['201'])) t.ok(Value.Check(ApprovalAnswer, value));
  for (const value of all(EXAMPLES.listReviews.answers['200'])) t.ok(Value.Check(ReviewsAnswer, value));
  for (const value of all(EXAMPLES.readDecision.answers['200'])) t.ok(Value.Check(RecordAnswer, value));
  for (const value of all(EXAMPLES.readPolicy.answers['200'])) t.ok(Value.Check(PolicyAnswer, value));
});

t.test('description and page are served, and need nothing from elsewhere', async (t) => {
  const rig = await startApp(t);
  const description = await rig.inject({ method: 'GET', url: '/openapi.json' });
  t.match(description.json(), { openapi: '3.1.0', paths: { '/v1/authorize': { post: { operationId: 'authorize' } } } });
  const page = await rig.inject({ method: 'GET', url: '/docs' });
  t.equal(page.statusCode, 200);
  t.match(page.headers['content-security-policy'], /^default-src 'none'/);
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
  t.ok(assets.length > 3);
  for (const asset of assets) {
    t.match(asset, /^\/docs\//, 'every asset is ours');
    t.equal((await rig.inject({ method: 'GET', url: asset })).statusCode, 200, asset);
  }
});
