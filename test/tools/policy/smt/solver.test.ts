// The solver reads the encoding as the engine reads the conditions: with everything given, no other truth of a rule is possible.
import t from 'tap';
import { decide } from '../../../../src/core/decide.ts';
import { gatherFacts } from '../../../../src/core/facts.ts';
import { createCodes } from '../../../../tools/policy/smt/codes.ts';
import { createEncoder } from '../../../../tools/policy/smt/encode.ts';
import { startSolver } from '../../../../tools/policy/smt/solver.ts';
import { and, equal, int, not, or, real, type Term } from '../../../../tools/policy/smt/term.ts';
import { createUniverse } from '../../../../tools/policy/smt/universe.ts';
import { LENGTH } from '../../../../tools/policy/smt/variables.ts';
import { starterPolicies } from '../../../helpers/policies.ts';
import { isLong } from '../../../helpers/fault-run.ts';
import { STARTER_CASES } from '../../../helpers/starter-requests.ts';

const solver = await startSolver();
t.teardown(() => solver.close());

t.test('every case of the starter policies has the truths that the engine gives it, and no others', async (t) => {
  const set = starterPolicies();
  const codes = createCodes();
  const universe = createUniverse(set, codes, { data: 'loaded', entries: 6 });
  const encoder = createEncoder(set, universe);
  const truths = set.rules.map((rule) => ({ rule, ...encoder.rule(rule) }));
  const { symbols, functions } = universe;
  const session = await solver.open(
    { symbols, functions, definitions: encoder.definitions, laws: universe.laws },
    60_000,
  );
  const step = isLong ? 1 : 12;
  for (const [index, request] of STARTER_CASES.entries()) {
    if (index % step !== 0) continue;
    const { frame } = gatherFacts(set, request);
    const meaning = universe.meaningOf(frame);
    if (meaning === null) continue;
    const given: Term[] = [];
    for (const [symbol, sort] of symbols) {
      const value = meaning.valueOf(symbol);
      given.push(equal(symbol, typeof value === 'boolean' ? value : (sort === 'Int' ? int : real)(Number(value))));
    }
    const texts = [...codes.all().keys()];
    for (const [name, [argument, result]] of functions) {
      if (argument !== 'Int') continue;
      for (const code of texts) {
        const value = meaning.apply(name, code);
        given.push(equal([name, int(code)], result === 'Int' ? int(Number(value)) : value === true));
      }
    }
    for (const calendar of set.firm.calendars.keys()) {
      const name = `during-${calendar}`;
      given.push(equal([name, real(frame.now)], meaning.apply(name, frame.now) === true));
    }
    const { results } = decide(set, request);
    const said = truths.map(({ rule, isTrue, isFalse }) => {
      const truth = results.find((one) => one.rule === rule.id)?.truth ?? 'false';
      if (truth === 'true') return and(isTrue, not(isFalse));
      return truth === 'false' ? and(isFalse, not(isTrue)) : and(not(isTrue), not(isFalse));
    });
    const name = `${request.subject.id} ${request.action} ${request.resource.id}`;
    t.equal((await session.check(given)).verdict, 'possible', `${name} can be`);
    t.equal((await session.check([...given, or(...said.map(not))])).verdict, 'impossible', `${name} is judged alike`);
  }
  session.close();
});

t.test('values come back as they are, and what cannot be read is refused', async (t) => {
  const problem = {
    symbols: new Map([['a', 'Real'], ['b', 'Int'], ['c', 'Bool']] as const), // prettier-ignore
    functions: new Map([[LENGTH, ['Int', 'Int']] as const]),
    definitions: new Map<string, Term>([['d', ['>', 'a', real(-0.75)]]]),
    laws: [equal('a', real(-0.5)), equal('b', int(-7)), equal('c', 'd')],
  };
  const session = await solver.open(problem, 10_000);
  const { verdict, seen } = await session.check([], (model) => model.valuesOf(['a', 'b', 'c', ['-', 'a', real(1.25)]]));
  t.equal(verdict, 'possible');
  t.same(seen, [-0.5, -7, true, -1.75]);
  t.equal((await session.check([not('c')])).verdict, 'impossible');
  t.equal((await session.check([])).verdict, 'possible', 'a question leaves nothing behind');
  await t.rejects(session.check([['unheard-of', 'a']]), /the solver refused/);
  session.close();
});
