// `privity policy explain`: every rule and wall, why it did or did not apply, and what it read.
import path from 'node:path';
import t from 'tap';
import { privity } from './privity.ts';

const REQUEST = {
  claims: {
    sub: 'u-voss',
    roles: ['partner'],
    user_type: 'internal',
    employee_status: 'active',
    contract_type: 'permanent',
  },
  action: 'read',
  resource: { type: 'matter', id: 'M-1001', properties: { client_id: 'C-100' } },
  context: { source_system: 'dms', network_zone: 'office' },
};

interface Part {
  readonly text: string;
  readonly truth: string;
  readonly values: { path: string; value: string }[];
  readonly parts: Part[];
}

interface Report {
  readonly decision: string;
  readonly decided_by: string[];
  readonly request: { now: string };
  readonly rules: { rule: string; truth: string; out_of_scope: string | null; source: string; conditions: Part[] }[];
  readonly walls: { rule: string; truth: string }[];
}

t.test('a test case of the folder', async (t) => {
  const { code, out } = await privity(['policy', 'explain', '--test', 'exclusion-wall-D1']);
  t.equal(code, 0);
  t.match(out, /^u-nash \(internal, associate\): read document \S+ of matter M-1001, client C-100$/m);
  t.match(out, /^DENY by exclusion-wall$/m);
  t.match(out, /^ {2}true {4}exclusion-wall {2}walls\/walls\.yaml:\d+\n {2}true {6}exclusion wall W-EX-3/m);
  t.match(out, /^ {2}true {4}team-lawyers {2}rules\/matter-teams\.yaml:\d+$/m, 'what would have allowed it');
  t.match(out, /^ {2}true .*resource\.matter_status is open {2}\[resource\.matter_status = "open"\]$/m);
  t.match(out, /^ {2}false {3}leavers-and-suspended {2}rules\/base-checks\.yaml:\d+$/m);
  t.match(out, /it does not speak of the action read:/);
});

t.test('a request of one’s own, from a file and from standard input', async (t) => {
  const file = path.join(t.testdir({ 'request.json': JSON.stringify(REQUEST) }), 'request.json');
  const fromFile = await privity(['policy', 'explain', '--request', file, '--format', 'json']);
  const report: Report = JSON.parse(fromFile.out);
  t.equal(fromFile.code, 0);
  t.match(report, { decision: 'deny', decided_by: ['lateral-hire-screen'] });
  t.ok(
    Math.abs(Date.parse(report.request.now) - Date.now()) < 60 * 60 * 1000,
    'now, unless the request says otherwise',
  );
  t.ok(report.rules.every((rule) => rule.out_of_scope !== null || rule.conditions.length > 0));
  t.equal(report.walls.length, 7);
  t.ok(report.walls.some(({ rule, truth }) => rule === 'lateral-hire-screen' && truth === 'true'));

  const check: Report = JSON.parse((await privity(['policy', 'check', '--format', 'json'])).out);
  t.ok(check, 'the folder is readable');

  const input = `${JSON.stringify({ ...REQUEST, now: '2020-01-01T00:00:00Z' })}\n`;
  const fromInput = await privity(['policy', 'explain', '--request', '-', '--format', 'json'], { input });
  t.match(JSON.parse(fromInput.out), { request: { now: '2020-01-01T00:00:00.000Z' } });
});

t.test('an attribute that is missing is shown as the reason', async (t) => {
  const input = JSON.stringify({ ...REQUEST, claims: { ...REQUEST.claims, sub: 'u-lind', employee_status: 7 } });
  const { out } = await privity(['policy', 'explain', '--request', '-'], { input });
  t.match(out, /^DENY by attribute-missing$/m);
  t.match(out, 'missing or of the wrong type: subject.employee_status');
  t.match(out, /^ {2}unknown leavers-and-suspended/m);
});

t.test('questions that cannot be answered', async (t) => {
  const none = await privity(['policy', 'explain']);
  t.equal(none.code, 2);
  t.match(none.err, 'give either `--test ID` or `--request FILE`');

  const typo = await privity(['policy', 'explain', '--test', 'exclusion-wal-D1']);
  t.equal(typo.code, 2);
  t.match(typo.err, 'did you mean `exclusion-wall-D1`?');

  const misshapen = await privity(['policy', 'explain', '--request', '-'], {
    input: '{ "claims": {}, "acton": "read" }',
  });
  t.equal(misshapen.code, 2);
  t.match(misshapen.err, /standard input:1:\d+.*acton.*did you mean `action`/);
  t.match(misshapen.err, 'standard input holds no request');

  const noSub = await privity(['policy', 'explain', '--request', '-'], {
    input: JSON.stringify({ ...REQUEST, claims: {} }),
  });
  t.equal(noSub.code, 2);
  t.match(noSub.err, 'the claims have no `sub`');

  const missing = await privity(['policy', 'explain', '--request', 'nothing-here.json']);
  t.equal(missing.code, 2);
  t.match(missing.err, 'there is no such file');
});
