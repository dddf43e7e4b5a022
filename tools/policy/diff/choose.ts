// Values that are one or another, by a condition: what is on file instead of what was said. It must never be both.
import { and, either, not, type Term } from '../smt/term.ts';
import type { EntryValue, Value } from '../smt/value.ts';

/** Of one type; where they are known, their contents are of one kind. */
export function choose(condition: Term, yes: Value, no: Value): Value {
  if (condition === true) return yes;
  if (condition === false) return no;
  const pick = (a: Term, b: Term): Term => (isSame(a, b) ? a : either(condition, a, b));
  return {
    known: pick(yes.known, no.known),
    none: pick(yes.none, no.none),
    unknown: pick(yes.unknown, no.unknown),
    is: contentOf(condition, yes, no),
  };
}

function contentOf(condition: Term, yes: Value, no: Value): Value['is'] {
  const [a, b] = [yes.is, no.is];
  if (yes.known === false) return b;
  if (no.known === false) return a;
  if (a.kind === 'scalar' && b.kind === 'scalar')
    return { kind: 'scalar', term: isSame(a.term, b.term) ? a.term : either(condition, a.term, b.term) };
  if (a.kind === 'list' && b.kind === 'list')
    return { kind: 'list', has: (item) => either(condition, a.has(item), b.has(item)) };
  if (a.kind === 'object' && b.kind === 'object')
    return {
      kind: 'object',
      fields: new Map(
        [...a.fields].map(([name, value]) => [name, choose(condition, value, b.fields.get(name) ?? value)]),
      ),
    };
  if (a.kind === 'entries' && b.kind === 'entries') {
    const only = (when: Term, entries: readonly EntryValue[]): readonly EntryValue[] =>
      entries.map((entry) => ({ ...entry, present: and(when, entry.present) }));
    return { kind: 'entries', entries: [...only(condition, a.entries), ...only(not(condition), b.entries)] };
  }
  throw new Error('two values of different kinds');
}

function isSame(a: Term, b: Term): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
