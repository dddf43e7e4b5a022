// What limits a comparison: time, which leaves things unknown and never equivalent, and data of which there is too much for a solver.
import t from 'tap';
import { effectOf, type Effect } from '../../../../tools/policy/diff/effect.ts';
import { fails } from '../../../../tools/policy/diff/as-outcome.ts';
import { startSolver, type Solver } from '../../../../tools/policy/smt/solver.ts';
import { compiled, smallFiles, type Files } from '../../../helpers/policies.ts';
import { isLong } from '../../../helpers/fault-run.ts';

const solver = await startSolver();
t.teardown(() => solver.close());

const team = { id: 'team', effect: 'allow', actions: ['read'], resources: ['content'], when: { $is: 'on_the_team' } };
const rulesFor = (roles: readonly string[]): string => JSON.stringify({ version: 1, rules: [{ ...team, roles }] });

const compare = (old: Files, now: Files): Promise<Effect> =>
  effectOf([compiled(old), compiled(now)], { solver, timeoutMs: 60_000, examples: 1, onProgress: () => undefined });

t.test('what is not settled in time is unknown, never equivalent', async (t) => {
  const never: Solver = {
    open: () =>
      Promise.resolve({ check: () => Promise.resolve({ verdict: 'unknown', seen: null }), close: () => undefined }),
    close: () => undefined,
  };
  const old = { ...smallFiles([]), 'rules/rules.yaml': rulesFor(['lawyer']) };
  const now = { ...old, 'rules/rules.yaml': rulesFor(['partner']) };
  const options = { solver: never, timeoutMs: 1, examples: 1, onProgress: () => undefined };
  const effect = await effectOf([compiled(old), compiled(now)], options);
  t.equal(effect.verdict, 'unknown');
  t.same([effect.newly_allowed.verdict, effect.newly_denied.verdict], ['unknown', 'unknown']);
  t.ok(fails(effect, 'wider'), 'it counts as wider');
  t.notOk(fails(effect, 'never'));
});

t.test('more data than is asked of a solver at once', async (t) => {
  const number = isLong ? 50_000 : 2_500;
  const rows = Array.from({ length: number }, (_, index) => `X-${index},C-${index % 97},u-${index % 211};u-ann`);
  const list = `id,client_id,team\n${rows.join('\n')}\n`;
  const many = { ...smallFiles([]), 'rules/rules.yaml': rulesFor(['lawyer']), 'data/matters.csv': list };
  const same = await compare(many, { ...many, 'rules/rules.yaml': rulesFor(['associate', 'partner']) });
  t.equal(same.verdict, 'equivalent');
  const wider = await compare(many, { ...many, 'rules/rules.yaml': rulesFor(['lawyer', 'clerk']) });
  t.equal(wider.verdict, 'wider');
  const fewer = list.replace('X-2000,C-60,u-101;u-ann', 'X-2000,C-60,u-ann');
  const off = await compare(many, { ...many, 'data/matters.csv': fewer });
  t.equal(off.verdict, 'stricter');
  t.equal(off.newly_denied.examples[0]?.case.claims['sub'], 'u-101');
});
