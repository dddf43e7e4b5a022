// The requests that `privity start` shows: found in every pack of the repository, at any time of any day, with the outcome they are shown for.
import path from 'node:path';
import t from 'tap';
import { chooseDemo } from '../../../src/cli/development/demo.ts';
import { compilePolicies } from '../../../src/core/compile.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { mirrorCallers } from '../../../src/io/identity/dev-issuer.ts';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import { REPOSITORY } from '../privity.ts';

async function load(folder: string): Promise<PolicySet> {
  const { files } = await readPolicyFolder(path.join(REPOSITORY, folder));
  const { set } = compilePolicies(files, { commit: null });
  if (set === null) throw new Error(`${folder} does not load`);
  return set;
}

const TIMES = ['2026-03-10T14:00:00Z', '2026-11-22T03:10:00Z', '2027-07-04T23:59:59Z', '2034-02-28T00:00:00Z'];

t.test('the starter policies show all three, and somebody who may read their records', async (t) => {
  const set = await load('policies');
  for (const time of TIMES) {
    const { allowed, walled, stepUp, reader } = chooseDemo(set, mirrorCallers(set.callers), Date.parse(time));
    t.equal(allowed?.decision.outcome, 'allow', time);
    t.equal(walled?.decision.outcome, 'deny', time);
    t.equal(walled?.decision.walls.length, 1, time);
    t.same(stepUp?.decision.stepUp?.acr_values, 'mfa', time);
    t.same(reader?.['roles'], ['auditor'], time);
    for (const one of [allowed, walled, stepUp]) {
      t.equal(one?.lasts, true, 'for as long as the tokens');
      t.ok(one?.caller.may.includes('explain'), 'the answer shows its reasons');
      t.equal(one?.caller.ai_assistant, undefined);
    }
  }
});

t.test('a pack that has less shows less', async (t) => {
  const set = await load('examples/small-firm');
  const { allowed, walled, stepUp } = chooseDemo(set, mirrorCallers(set.callers), Date.parse('2026-11-22T03:10:00Z'));
  t.equal(allowed?.decision.outcome, 'allow');
  t.equal(walled?.decision.outcome, 'deny');
  t.equal(stepUp, null);
  t.match(chooseDemo(set, [], 0), { allowed: null, walled: null, stepUp: null }, 'nobody may ask');
});
