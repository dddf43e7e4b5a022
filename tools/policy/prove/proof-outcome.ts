// Proofs as an outcome, which every report for machines is made of. It must never let a statement pass that was not settled.
import path from 'node:path';
import type { Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { testOf } from './example-test.ts';
import type { Proof } from './prove.ts';
import { summaryOf } from './proof-text.ts';

const CODES: ReadonlyMap<string, string> = new Map([
  ['statement-refuted', 'A request that contradicts a statement of policies/invariants/ would be allowed.'],
  ['statement-unknown', 'Whether a statement of policies/invariants/ holds was not settled.'],
  ['statement', 'A statement of policies/invariants/ holds.'],
]);

export function proofOutcome(proofs: readonly Proof[], folder: string, revision: string): Outcome {
  return {
    tool: 'policy prove',
    subject: folder,
    revision,
    items: proofs.map((proof) => itemOf(proof, folder)),
    codes: CODES,
    summary: summaryOf(proofs),
    markdown: [],
  };
}

function itemOf(proof: Proof, folder: string): OutcomeItem {
  const { invariant, verdict, example, why } = proof;
  const { id, title, source } = invariant;
  const colon = source.lastIndexOf(':');
  const holds = verdict === 'proven' || verdict === 'holds';
  const by = example === null ? [] : [`allowed by ${example.decision.decidedBy.join(', ')}; as a policy test:`];
  return {
    name: id,
    code: holds ? 'statement' : `statement-${verdict}`,
    status: holds ? 'passed' : 'failed',
    level: 'error',
    file: path.join(folder, source.slice(0, colon)),
    line: Number(source.slice(colon + 1)),
    column: null,
    message: holds ? `${verdict}: ${title}` : `${verdict === 'refuted' ? 'does not hold' : 'not settled'}: ${title}`,
    details: [...(why === null ? [] : [why]), ...by, ...(example === null ? [] : testOf(proof))],
    hint: holds ? null : verdict === 'refuted' ? 'mend the rules, or say what the statement leaves out' : HINT_UNKNOWN,
    accepted: null,
  };
}

const HINT_UNKNOWN = 'give the solver more time with `--timeout`';
