// A comparison as one JSON object, whose members keep their names. It must never hold less than what people are shown.
import type { DirectionResult, Example } from './effect.ts';
import type { Both } from './flips.ts';
import type { Comparison } from './show.ts';
import { causeOf, exampleTest, lineOf, SYMBOLIC, touchedBy } from './words.ts';

export function comparisonAsJson({ old, now, changes, effect }: Comparison): string {
  const { verdict, newly_allowed, newly_denied, beyond, apart, changed } = effect;
  const example = (one: Example, index: number): object => ({
    line: lineOf(one),
    because_of: { ...one.cause, text: causeOf(one), changed_data: touchedBy(one, changed) },
    ...caseAsJson(one.case, one.judged),
    test: exampleTest(one, index).join('\n'),
  });
  const direction = ({ verdict: said, basis, why, examples }: DirectionResult): object => ({
    verdict: said,
    basis,
    why,
    examples: examples.map(example),
  });
  return JSON.stringify(
    {
      old,
      new: now,
      verdict,
      newly_allowed: direction(newly_allowed),
      newly_denied: direction(newly_denied),
      same_decision_other_answer: {
        verdict: beyond.verdict,
        example: beyond.example === null ? null : caseAsJson(beyond.example.case, beyond.example.judged),
      },
      read_apart: apart,
      assumptions: SYMBOLIC,
      changes: changes.list,
      counts: changes.counts,
      moved: changes.moved,
      rewritten_files: changes.rewritten,
    },
    null,
    2,
  );
}

function caseAsJson(one: Example['case'], judged: Both): object {
  const [before, after] = judged.map(({ outcome, decidedBy, walls, advice, obligations }) => ({
    ...{ outcome, decided_by: decidedBy, walls, advice, obligations },
  }));
  return { case: one, old: before, new: after };
}
