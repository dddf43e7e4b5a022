// TAP 14: one line for each item, details as YAML; a harness reads the same whatever the files say.
import fc from 'fast-check';
import t from 'tap';
import { Parser } from 'tap-parser';
import { parse } from 'yaml';
import { tapText } from '../../../src/cli/outcomes/tap.ts';
import { HOSTILE, item, outcome, saying } from '../../helpers/outcomes.ts';
import { runs } from '../../helpers/runs.ts';

t.test('ok, not ok, skipped and accepted', async (t) => {
  const text = tapText(
    outcome([
      item(),
      item({ name: 'unreadable', status: 'unreadable', level: 'note', details: [], hint: null, file: null }),
      item({ name: 'skipped # 1', status: 'skipped', message: 'not asked' }),
      item({ name: 'passed', status: 'passed' }),
      item({ name: 'accepted', accepted: 'It is meant.', details: [], hint: null }),
      item({ name: 'note', level: 'note', details: [], hint: null, column: null }),
    ]),
  );
  t.equal(
    text,
    `TAP version 14
1..6
not ok 1 - no-owner copies (policies/rules/copies.yaml:12:5)
  ---
  at: "policies/rules/copies.yaml:12:5"
  code: "no-owner"
  severity: "warning"
  message: "copies: the rule has no owner"
  details: ["Nobody can say whether it is still right."]
  hint: "write \`owner:\`"
  ...
not ok 2 - unreadable
  ---
  at: ""
  code: "no-owner"
  severity: "note"
  message: "copies: the rule has no owner"
  ...
ok 3 - skipped \\# 1 # SKIP not asked
ok 4 - passed
ok 5 - accepted
  ---
  at: "policies/rules/copies.yaml:12:5"
  code: "no-owner"
  message: "copies: the rule has no owner"
  accepted: "It is meant."
  ...
ok 6 - note
  ---
  at: "policies/rules/copies.yaml:12"
  code: "no-owner"
  severity: "note"
  message: "copies: the rule has no owner"
  ...`,
  );
});

t.test('nothing to report is a plan of nothing', async (t) => {
  t.equal(tapText(outcome([])), 'TAP version 14\n1..0 # SKIP there is nothing to report');
});

t.test('no text of a file is a line, a directive or a member', async (t) => {
  const holds = (text: string): void => {
    const tap = tapText(outcome([saying(text), item({ name: 'last', status: 'passed' })]));
    const lines = tap.split('\n');
    t.equal(lines.length, 12, 'as many lines as of any other text');
    const flat = Parser.parse(`${tap}\n`);
    const points = flat.flatMap((event) => (event[0] === 'assert' ? [event[1]] : []));
    t.strictSame(
      points.map(({ ok, id, skip, todo }) => [ok, id, skip, todo]),
      [
        [false, 1, false, false],
        [true, 2, false, false],
      ],
    );
    const members: unknown = parse(
      lines
        .slice(4, 10)
        .map((line) => line.slice(2))
        .join('\n'),
    );
    t.match(members, { code: 'no-owner', severity: 'warning' });
    if (text.isWellFormed()) t.match(members, { message: text, hint: text });
  };
  for (const text of HOSTILE) holds(text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), runs(30));
});
