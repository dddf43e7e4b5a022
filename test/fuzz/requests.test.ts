// Random requests on every door of a running application: always a well-formed answer of the documented schema, never a failure, and one
// record for each decision that was answered.
import assert from 'node:assert/strict';
import t from 'tap';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ApprovalAnswer } from '../../src/model/approvals.ts';
import { AuthorizeAnswer, Problem } from '../../src/model/evaluation.ts';
import { FieldsAnswer } from '../../src/model/fields.ts';
import { PolicyAnswer, RecordAnswer } from '../../src/model/reports.ts';
import { ReviewsAnswer } from '../../src/model/reviews.ts';
import { startApp } from '../helpers/app.ts';
import { fuzz } from './guided.ts';

t.setTimeout(3_600_000);

type Json = Readonly<Record<string, unknown>>;

const rig = await startApp(t);
const TOKENS: Readonly<Record<string, string>> = {
  TOKEN: rig.subjectToken('u-okafor'),
  WALLED: rig.subjectToken('u-voss'),
  OFFICER: rig.subjectToken('u-rowe'),
};
const CALLER = `Bearer ${rig.callerToken()}`;
const READER = `Bearer ${rig.personToken('u-audley', { azp: 'privity-log-review' })}`;

interface Door {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly status: number;
  readonly schema: TSchema;
}

const DOORS: Readonly<Record<string, Door>> = {
  authorize: { method: 'POST', url: '/v1/authorize', status: 200, schema: AuthorizeAnswer },
  batch: { method: 'POST', url: '/v1/authorize/batch', status: 200, schema: AuthorizeAnswer },
  fields: { method: 'POST', url: '/v1/authorize/fields', status: 200, schema: FieldsAnswer },
  approvals: { method: 'POST', url: '/v1/approvals', status: 201, schema: ApprovalAnswer },
  decisions: { method: 'GET', url: '/v1/decisions/', status: 200, schema: RecordAnswer },
  reviews: { method: 'GET', url: '/v1/reviews?', status: 200, schema: ReviewsAnswer },
  policy: { method: 'GET', url: '/v1/policy?', status: 200, schema: PolicyAnswer },
};

/** Of decisions that were answered and not looked up yet. */
const answered: string[] = [];

/** First line: the door, and after a space what follows its URL. Below: the body, with names of tokens in capitals after a `$`. */
async function run(input: Buffer): Promise<void> {
  const text = input.toString('latin1');
  const end = text.indexOf('\n');
  const [name = '', ...target] = text.slice(0, Math.max(0, end)).split(' ');
  const door = (Object.hasOwn(DOORS, name) ? DOORS[name] : undefined) ?? DOORS['authorize'];
  if (door === undefined) return;
  const body = text.slice(end + 1).replaceAll(/\$([A-Z]+)/g, (word, token: string) => TOKENS[token] ?? word);
  const isPost = door.method === 'POST';
  const response = await rig.inject({
    method: door.method,
    url: door.url + (isPost ? '' : encodeURI(target.join(' ').toWellFormed())),
    headers: { authorization: isPost ? CALLER : READER, ...(isPost ? { 'content-type': 'application/json' } : {}) },
    ...(isPost ? { payload: Buffer.from(body, 'latin1') } : {}),
  });
  const answer = response.json<Json>();
  const { statusCode: status, headers } = response;
  assert.ok(status < 500, `${status}: ${response.body}`);
  assert.ok(headers['x-request-id'] !== undefined && headers['cache-control'] === 'no-store');
  if (status !== door.status) {
    assert.equal(headers['content-type'], 'application/problem+json');
    assert.ok(Value.Check(Problem, answer), response.body);
    assert.equal(answer['status'], status);
    for (const token of Object.values(TOKENS))
      assert.ok(!response.body.includes(token.slice(-30)), 'a token is echoed');
    return;
  }
  const answers = name === 'batch' ? (answer['evaluations'] as Json[]) : [answer];
  for (const one of answers) {
    assert.ok(Value.Check(door.schema, one), JSON.stringify(one));
    const context = one['context'] as Json | undefined;
    if (context !== undefined) answered.push(String(context['evaluation_id']));
  }
  if (isPost) mustBeJson(body);
  if (answered.length > 500) await mustBeRecorded();
}

/** What was answered had one reading. */
function mustBeJson(body: string): void {
  const value: unknown = JSON.parse(Buffer.from(body, 'latin1').toString('utf8'));
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
}

async function mustBeRecorded(): Promise<void> {
  const ids = answered.splice(0);
  const { rows } = await rig.reader.query<{ n: number }>(
    'select count(*)::int as n from decisions where id = any($1)',
    [ids],
  );
  assert.equal(rows[0]?.n, ids.length, 'one record for each answer');
  assert.equal(new Set(ids).size, ids.length, 'no id twice');
}

t.test('well-formed answers, each with its record', async (t) => {
  await fuzz(
    t,
    { name: 'requests', watched: /\/src\/(http|core|io\/identity)\//, run },
    { executions: 1_000, minutes: 5 },
  );
  await mustBeRecorded();
  t.strictSame(
    rig.log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
});
