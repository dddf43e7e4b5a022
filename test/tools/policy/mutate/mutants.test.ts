// Changes of conditions are those an author could make; a change that compiles only what it touches decides as the whole folder does when it is
// written that way; and what the solver calls equivalent no request tells apart.
import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import type { DecisionRequest } from '../../../../src/model/decision.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { conditionEdits } from '../../../../tools/policy/mutate/condition-edits.ts';
import { ruleEdits } from '../../../../tools/policy/mutate/entry-edits.ts';
import { equivalentOnes } from '../../../../tools/policy/mutate/equivalent.ts';
import { mutantsOf, type Made } from '../../../../tools/policy/mutate/mutants.ts';
import { condition, smallRequest } from '../../../helpers/conditions.ts';
import { compiled, errorsIn, smallFiles, smallFirm } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';

t.test('changes of a condition', async (t) => {
  const edits = [
    ...conditionEdits({
      $is: ['internal', 'mfa'],
      'resource.pages': { $gt: 1, $lte: 10 },
      $or: [{ 'resource.sealed': true }, { 'context.zone': { $in: ['office', 'home'] } }],
      $not: { 'subject.auth_time': { $age: { $lte: 'PT30M' } } },
    }),
  ];
  const whats = edits.map(({ path, what }) => `${path.join('/')}: ${what}`);
  for (const expected of [
    '$is/0: without `$is: internal`',
    '$is/1: `$is: mfa` negated',
    'resource.pages/$gt: without `resource.pages: { $gt: 1 }`',
    'resource.pages/$gt: `resource.pages: { $gt: 1 }` negated',
    'resource.pages/$gt: $gt `1` as $gte',
    'resource.pages/$lte: $lte `10` as $lt',
    '$or/0: without `resource.sealed: true`',
    '$or/0/resource.sealed: `resource.sealed: true` negated',
    '$or/1/context.zone/$in/0: without `office`',
    '$not/subject.auth_time/$age/$lte: $lte `PT30M` as $lt',
  ])
    t.ok(whats.includes(expected), `${expected}\n${whats.join('\n')}`);
  t.equal(new Set(edits.map(({ value }) => JSON.stringify(value))).size, edits.length, 'no change twice');
  const negated = edits.find(({ what }) => what === '`$is: mfa` negated')?.value;
  t.match(negated, { $and: [{ $is: ['internal'] }, { $not: { $is: 'mfa' } }] });
});

const seen = ({ outcome, decidedBy, advice, obligations }: ReturnType<typeof decide>): string =>
  JSON.stringify([outcome, decidedBy, advice, obligations.map(({ id }) => id)]);

t.test('a change decides as the folder does when it is written that way', async (t) => {
  const rule = (when: unknown) => ({
    ...{ id: 'first', effect: 'allow', subjects: ['internal'], roles: ['partner', 'clerk'], resources: ['content'] },
    cases: [
      { actions: ['read', 'list'], when },
      { actions: { except: ['export'] }, unless: when },
    ],
    obligations: ['log:copy'],
  });
  const second = { id: 'second', effect: 'deny', actions: ['edit'], resources: 'any', advice: ['step_up:mfa'] };
  let compared = 0;
  fc.assert(
    fc.property(condition, fc.array(smallRequest, { minLength: 10, maxLength: 10 }), (when, requests) => {
      const entry = rule(when);
      const set = smallFirm([entry, second]);
      const mutants = mutantsOf(set, []).filter(({ of }) => of === 'first');
      for (const [index, { value, what }] of [...ruleEdits(entry)].entries()) {
        const made = mutants[index]?.make() ?? null;
        const files = smallFiles(value === undefined ? [second] : [value, second]);
        if (made === null) {
          if (errorsIn(files).length === 0) throw new Error(`${what}: it loads`);
          continue;
        }
        const whole = compiled(files);
        for (const request of requests) {
          compared += 1;
          if (seen(decide(made.set, request)) !== seen(decide(whole, request))) throw new Error(what);
        }
      }
    }),
    runs(4, 300),
  );
  t.ok(compared > 200, String(compared));
});

t.test('what is called equivalent is not told apart by any request', async (t) => {
  const solver = await startSolver();
  t.teardown(() => solver.close());
  let [equivalent, different] = [0, 0];
  const compare = async (set: PolicySet, requests: readonly DecisionRequest[]): Promise<void> => {
    const made = mutantsOf(set, []).flatMap((one): Made[] => {
      const changed = one.make();
      return changed === null ? [] : [changed];
    });
    const proofs = await equivalentOnes(set, made, solver, () => undefined);
    for (const one of made) {
      const differing = requests.find((request) => seen(decide(set, request)) !== seen(decide(one.set, request)));
      if (differing !== undefined) different += 1;
      if (proofs.has(one)) equivalent += 1;
      if (differing !== undefined && proofs.has(one))
        throw new Error(`${JSON.stringify(one.rules?.map(([, after]) => after?.entry))} ${JSON.stringify(differing)}`);
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(condition, { minLength: 2, maxLength: 2 }),
      fc.array(smallRequest, { minLength: 120, maxLength: 120 }),
      async ([first, again], requests) => {
        const rules = [first, again, first].map((when, index) => ({ id: `r-${index}`, effect: index === 0 ? 'deny' : 'allow', actions: 'any', resources: 'any', when })); // prettier-ignore
        await compare(
          smallFirm(rules),
          requests.filter(({ subject }) => subject.id !== ''),
        );
      },
    ),
    runs(3, 200),
  );
  t.ok(equivalent > 0 && different > 0, `${equivalent} equivalent, ${different} told apart`);
});
