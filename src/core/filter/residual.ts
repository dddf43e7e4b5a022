// For which rows a condition is true, and for which it is false (Kleene): connectives over leaf.ts, and entries of lists one by one. It
// must never take what is unknown for either.
import { childrenOf, type Expr } from '../condition.ts';
import type { Entry } from '../attribute-types.ts';
import { isEntryTable } from '../frame.ts';
import { getter, getterOf, isEntry } from '../operators.ts';
import { FALSE, NONE, UNKNOWN, UNKNOWN_VALUE } from '../truth.ts';
import { and, or } from './formula.ts';
import { decided, leafOf, truthOf, turned, untranslatable } from './leaf.ts';
import { readsField, type Both, type Situation } from './situation.ts';

export function residualOf(expr: Expr, at: Situation): Both {
  const { memory, frame } = at;
  // Within an entry, what a condition says is of that entry.
  if (memory === undefined || frame.entry !== null || !memory.isShared(expr)) return workOut(expr, at);
  let both = memory.known.get(expr);
  if (both === undefined) memory.known.set(expr, (both = workOut(expr, at)));
  return both;
}

function workOut(expr: Expr, at: Situation): Both {
  if (!readsField(expr, at)) return decided(truthOf(expr, at));
  switch (expr.op) {
    case 'all':
      return allOf(expr.args.map((arg) => residualOf(arg, at)));
    case 'any':
      return anyOf(expr.args.map((arg) => residualOf(arg, at)));
    case 'not':
      return turned(residualOf(expr.arg, at));
    case 'term':
      return residualOf(expr.arg, at);
    case 'some':
      return someOf(expr, at);
    default:
      return leafOf(expr, at);
  }
}

function allOf(parts: readonly Both[]): Both {
  return {
    whenTrue: and(parts.map(({ whenTrue }) => whenTrue)),
    whenFalse: or(parts.map(({ whenFalse }) => whenFalse)),
  };
}

export function anyOf(parts: readonly Both[]): Both {
  return {
    whenTrue: or(parts.map(({ whenTrue }) => whenTrue)),
    whenFalse: and(parts.map(({ whenFalse }) => whenFalse)),
  };
}

/** The entries are known, only what they are compared with is not. */
function someOf({ left, where }: Extract<Expr, { op: 'some' }>, at: Situation): Both {
  const { frame, fields } = at;
  if (left.attribute !== null && fields[left.attribute.slot] !== undefined) return untranslatable(left.path);
  const list = getter(left)(frame);
  if (list === UNKNOWN_VALUE) return decided(UNKNOWN);
  if (list === NONE) return decided(FALSE);
  const outer = frame.entry;
  const parts = entriesOf(list, where, at, (slot) => fields[slot] !== undefined).map((entry) => {
    frame.entry = entry;
    const part = residualOf(where, at);
    frame.entry = outer;
    return part;
  });
  return anyOf(parts);
}

/**
 * Of a long list only those that agree with what is known of the subject and the circumstances: the others cannot match.
 * @param isOpen slots of which that is not known
 */
export function entriesOf(
  list: unknown,
  where: Expr,
  { frame }: Situation,
  isOpen: (slot: number) => boolean,
): readonly Entry[] {
  if (!isEntryTable(list)) return Array.isArray(list) ? list.filter(isEntry) : [];
  let best = list.entries;
  for (const part of where.op === 'all' ? childrenOf(where) : [where]) {
    if (part.op !== 'eq' || part.left.attribute !== null || part.left.field === null) continue;
    const { right } = part;
    if (right.kind === 'ref' && right.ref.attribute !== null && isOpen(right.ref.attribute.slot)) continue;
    const value = getterOf(right)(frame);
    if (value === UNKNOWN_VALUE) continue;
    const found = value === NONE ? [] : list.find(part.left.field, value);
    if (found.length < best.length) best = found;
  }
  return best;
}
