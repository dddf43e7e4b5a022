// Judges encoded conditions for one frame, without a solver: how the encoding is compared with the engine. It must never know what the engine says.
import { judge, type Meaning, type Term } from './term.ts';

/** @param definitions named terms, each judged once */
export function createJudge(meaning: Meaning, definitions: ReadonlyMap<string, Term>): (term: Term) => unknown {
  const known = new Map<string, unknown>();
  const whole: Meaning = {
    valueOf(symbol) {
      const term = definitions.get(symbol);
      if (term === undefined) return meaning.valueOf(symbol);
      if (!known.has(symbol)) known.set(symbol, judge(term, whole));
      return known.get(symbol);
    },
    apply: (name, argument) => meaning.apply(name, argument),
  };
  return (term) => judge(term, whole);
}
