// What is left of a condition once the kind of subject is known: most rules speak of one kind only. It must never change the truth of a condition for a subject of that kind.
import { ALWAYS, refsOf, type Expr } from './condition.ts';
import { SLOT } from './dictionary.ts';
import { compileExpr, notesEntries } from './evaluate.ts';
import { FALSE, TRUE } from './truth.ts';

const NEVER: Expr = { op: 'any', args: [] };

/** The condition with its parts about subject.user_type judged; null when it is false for every subject of the kind. */
export function forUserType(expr: Expr, userType: string): Expr | null {
  const left = reduce(expr, userType);
  return isNever(left) ? null : left;
}

function reduce(expr: Expr, userType: string): Expr {
  switch (expr.op) {
    case 'all': {
      const args = expr.args.map((arg) => reduce(arg, userType)).filter((arg) => !isAlways(arg));
      return args.some(isNever) ? NEVER : { op: 'all', args };
    }
    case 'any': {
      const args = expr.args.map((arg) => reduce(arg, userType)).filter((arg) => !isNever(arg));
      // Where alternatives note entries, a true one does not make up for the others.
      return args.some(isAlways) && !args.some(notesEntries) ? ALWAYS : { op: 'any', args };
    }
    case 'not': {
      const arg = reduce(expr.arg, userType);
      return isAlways(arg) ? NEVER : isNever(arg) ? ALWAYS : { op: 'not', arg };
    }
    case 'term': {
      const arg = reduce(expr.arg, userType);
      return isAlways(arg) || isNever(arg) ? arg : { ...expr, arg };
    }
    case 'some':
      return expr; // its parts speak of an entry
    default:
      return isSettled(expr) ? settle(expr, userType) : expr;
  }
}

/** A part that reads subject.user_type and nothing else has one truth for each kind. */
function isSettled(expr: Expr): boolean {
  return refsOf(expr).every(({ attribute }) => attribute?.slot === SLOT.userType);
}

function settle(expr: Expr, userType: string): Expr {
  const slots: unknown[] = [];
  slots[SLOT.userType] = userType;
  const truth = compileExpr(expr)({ slots, absent: [], now: 0, entry: null, matched: [], terms: [], gates: 0 });
  return truth === TRUE ? ALWAYS : truth === FALSE ? NEVER : expr;
}

function isAlways(expr: Expr): boolean {
  return expr.op === 'all' && expr.args.length === 0;
}

function isNever(expr: Expr): boolean {
  return expr.op === 'any' && expr.args.length === 0;
}
