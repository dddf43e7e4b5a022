// Allow rules that open more than somebody decided: wildcards, and no bound by matter, client or time. It must never name a deny.
import type { Expr } from '../../../src/core/condition.ts';
import { childrenOf, refsOf } from '../../../src/core/condition.ts';
import { at, type Report } from '../../../src/core/report.ts';
import type { Branch, Rule } from '../../../src/core/rules.ts';
import type { SelectorEntry } from '../../../src/model/firm.ts';

export function reviewWideAllows(rules: readonly Rule[], report: Report): void {
  for (const rule of rules) {
    if (rule.effect !== 'allow') continue;
    for (const member of ['actions', 'resources'] as const) reviewWildcard(rule, member, report);
    reviewBounds(rule, report);
  }
}

function reviewWildcard({ entry, place }: Rule, member: 'actions' | 'resources', report: Report): void {
  const tell = (selector: SelectorEntry | undefined, where: typeof place): void => {
    if (selector === undefined || Array.isArray(selector)) return;
    const [one, all] = member === 'actions' ? ['action', 'actions'] : ['type of resource', 'types of resources'];
    const which = selector === 'any' ? `any ${one}` : `all ${all} but those it names`;
    const what = `the rule allows ${which}, future ones included`;
    report.finding(at(where, member), 'wildcard-in-allow', what, `list the ${member}, or name a group`);
  };
  const { cases = [] } = entry;
  for (const [index, one] of cases.entries()) tell(one[member], at(place, 'cases', index));
  // What every case narrows by itself is not what the rule allows.
  if (cases.length === 0 || cases.some((one) => one[member] === undefined)) tell(entry[member], place);
}

function reviewBounds({ branches, place }: Rule, report: Report): void {
  const open = branches.filter(({ expr }) => !isBounded(expr, true));
  const hint = 'add a condition such as `$is: on_the_team`, or a date';
  if (open.length === branches.length) {
    report.finding(place, 'unbounded-allow', 'the rule has no condition about a matter, a client or a time', hint);
    return;
  }
  for (const branch of open as readonly Branch[])
    report.finding(
      { ...branch.place, item: place.item },
      'unbounded-allow',
      'the case has no condition about a matter, a client or a time',
      hint,
    );
}

/** Whether the condition, or its opposite, can only be true where something about a matter, a client or a time is. */
function isBounded(expr: Expr, wanted: boolean): boolean {
  switch (expr.op) {
    case 'all':
    case 'any':
      return (expr.op === 'all') === wanted
        ? expr.args.some((arg) => isBounded(arg, wanted))
        : expr.args.length > 0 && expr.args.every((arg) => isBounded(arg, wanted));
    case 'not':
      return isBounded(expr.arg, !wanted);
    case 'term':
      return isBounded(expr.arg, wanted);
    case 'age':
    case 'during':
      return true;
    default:
      return readsBound(expr);
  }
}

const NAMESPACES: ReadonlySet<string> = new Set(['matter', 'client', 'now']);
const PATHS: ReadonlySet<string> = new Set(['resource.matter_id', 'resource.client_id', 'data.grants']);

function readsBound(expr: Expr): boolean {
  const isBound = refsOf(expr).some(
    ({ attribute }) =>
      attribute !== null &&
      (NAMESPACES.has(attribute.namespace) || PATHS.has(attribute.path) || attribute.path.startsWith('data.consents.')),
  );
  return isBound || childrenOf(expr).some(readsBound);
}
