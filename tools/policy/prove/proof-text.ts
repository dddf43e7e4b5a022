// Proofs for people: what holds, and for what does not the example, ready to be put into policies/tests/. It must never leave out an example.
import type { Output } from '../../../src/cli/shell/shell.ts';
import { count } from '../../../src/cli/shell/text.ts';
import { testOf } from './example-test.ts';
import type { Proof } from './prove.ts';

const SAYS: Readonly<Record<Proof['verdict'], string>> = {
  proven: 'proven',
  holds: 'holds',
  refuted: 'REFUTED',
  unknown: 'unknown',
};

const STYLES = { proven: 'green', holds: 'green', refuted: 'red', unknown: 'yellow' } as const;

export function showProofs(out: Output, proofs: readonly Proof[]): void {
  for (const proof of proofs) {
    const { invariant, verdict, example, why } = proof;
    out.line(`${out.paint(STYLES[verdict], SAYS[verdict].padEnd(8))} ${invariant.title}`);
    out.line(out.paint('dim', `         ${invariant.id}, ${invariant.source}`));
    if (why !== null) out.line(`         ${why}`);
    if (example === null) continue;
    out.line(`         allowed by ${example.decision.decidedBy.join(', ')}. As a test for policies/tests/:`);
    out.line();
    for (const line of testOf(proof)) out.line(`  ${line}`);
    out.line();
  }
  out.line();
  out.line(summaryOf(proofs));
  if (proofs.some(({ verdict }) => verdict === 'proven'))
    out.line(out.paint('dim', 'proven: for every request, whatever people, matters, grants and consents there are'));
  if (proofs.some(({ verdict }) => verdict === 'holds'))
    out.line(
      out.paint('dim', 'holds: for every request with the people, matters, grants, consents and walls of this folder'),
    );
}

export function summaryOf(proofs: readonly Proof[]): string {
  const number = (verdict: Proof['verdict']): number => proofs.filter((one) => one.verdict === verdict).length;
  const parts = [
    `${number('proven')} proven`,
    `${number('holds')} ${number('holds') === 1 ? 'holds' : 'hold'}`,
    `${number('refuted')} refuted`,
    `${number('unknown')} unknown`,
  ];
  return `${count(proofs.length, 'statement')}: ${parts.join(', ')}`;
}

export function proofsAsJson(proofs: readonly Proof[], revision: string): string {
  const statements = proofs.map(({ invariant: { id, title, owner, source }, verdict, why, example }) => ({
    id,
    title,
    owner,
    source,
    verdict,
    why,
    example: example === null ? null : { ...example.case, decided_by: example.decision.decidedBy },
  }));
  return JSON.stringify({ revision, statements }, null, 2);
}
