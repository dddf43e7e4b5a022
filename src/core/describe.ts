// Conditions in plain English, for explanations and the description of a policy. It must never say less than the condition does.
import type { Bound, Expr, Operand, Ref } from './condition.ts';

export function describeExpr(expr: Expr): string {
  switch (expr.op) {
    case 'all':
      return expr.args.length === 0 ? 'always' : join(expr.args, 'and');
    case 'any':
      return join(expr.args, 'or');
    case 'not':
      return `not (${describeExpr(expr.arg)})`;
    case 'term':
      return expr.name.replaceAll('_', ' ');
    case 'eq':
      return `${nameOf(expr.left)} is ${operand(expr.right)}`;
    case 'ne':
      return `${nameOf(expr.left)} is not ${operand(expr.right)}`;
    case 'lt':
      return `${nameOf(expr.left)} is ${isTime(expr.left) ? 'earlier' : 'lower'} than ${operand(expr.right)}`;
    case 'lte':
      return `${nameOf(expr.left)} is at most ${operand(expr.right)}`;
    case 'gt':
      return `${nameOf(expr.left)} is ${isTime(expr.left) ? 'later' : 'higher'} than ${operand(expr.right)}`;
    case 'gte':
      return `${nameOf(expr.left)} is at least ${operand(expr.right)}`;
    case 'in':
    case 'nin': {
      const list = expr.right.kind === 'list' ? `one of ${expr.right.values.join(', ')}` : `in ${operand(expr.right)}`;
      return `${nameOf(expr.left)} is ${expr.op === 'nin' ? 'not ' : ''}${list}`;
    }
    case 'has':
      return `${nameOf(expr.left)} includes ${operand(expr.right)}`;
    case 'has_any':
      return `${nameOf(expr.left)} ${expr.values.length === 1 ? 'includes' : 'includes any of'} ${expr.values.join(', ')}`;
    case 'exists':
      return `${nameOf(expr.left)} is ${expr.want ? 'stated' : 'not stated'}`;
    case 'none':
      return `${nameOf(expr.left)} is ${expr.want ? 'known to be none' : 'not known to be none'}`;
    case 'same':
      return `${nameOf(expr.left)} and ${nameOf(expr.right)} are the same, or both none`;
    case 'age':
      return `${nameOf(expr.left)} is ${expr.bounds.map((bound) => `${boundWords(bound)} ${durationWords(bound.text)} ago`).join(' and ')}`;
    case 'length':
      return `${nameOf(expr.left)} has ${expr.bounds.map((bound) => `${boundWords(bound)} ${bound.text} characters`).join(' and ')}`;
    case 'during':
      return `${nameOf(expr.left)} is during ${expr.calendar.replaceAll('_', ' ')}`;
    case 'some':
      return `some entry of ${nameOf(expr.left)} has: ${describeExpr(expr.where)}`;
  }
}

function join(args: readonly Expr[], word: 'and' | 'or'): string {
  return args
    .map((arg) => {
      const text = describeExpr(arg);
      return (arg.op === 'all' || arg.op === 'any') && arg.args.length > 1 ? `(${text})` : text;
    })
    .join(` ${word} `);
}

function nameOf(ref: Ref): string {
  return ref.path === 'now' ? 'the time' : ref.path;
}

function isTime({ type }: Ref): boolean {
  return type.kind === 'timestamp';
}

function operand(right: Operand): string {
  return right.kind === 'literal' ? right.text : right.ref.path === 'now' ? 'now' : right.ref.path;
}

function boundWords({ order }: Bound): string {
  return { lt: 'less than', lte: 'at most', gt: 'more than', gte: 'at least' }[order];
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/(\d+)W/, 'week'],
  [/(\d+)D/, 'day'],
  [/T(?:.*?)(\d+)H/, 'hour'],
  [/T(?:.*?)(\d+)M/, 'minute'],
  [/T(?:.*?)(\d+)S/, 'second'],
];

/** `PT30M` as `30 minutes`. */
export function durationWords(text: string): string {
  const parts = UNITS.flatMap(([pattern, unit]) => {
    const count = pattern.exec(text)?.[1];
    return count === undefined ? [] : [`${count} ${unit}${count === '1' ? '' : 's'}`];
  });
  return parts.join(' ');
}
