// Small changes of one condition as it is written: a part left out, negated, moved by one step. It must never make one that people could not write.

export type Members = Readonly<Record<string, unknown>>;

export interface Edit {
  /** Where, within what is changed. */
  readonly path: readonly (string | number)[];
  /** What was done, in words. */
  readonly what: string;
  /** What is there instead; undefined: nothing is left. */
  readonly value: unknown;
  /** A condition that must hold as well. */
  readonly beside?: Members;
}

const FLIPPED: Readonly<Record<string, string>> = { $lt: '$lte', $lte: '$lt', $gt: '$gte', $gte: '$gt' };

export function* conditionEdits(condition: unknown): Generator<Edit> {
  if (!isMembers(condition)) return;
  for (const [key, inner] of Object.entries(condition)) {
    const rest = without(condition, key);
    if (!isSeveral(key, inner)) {
      yield { path: [key], what: `without ${shown({ [key]: inner })}`, value: orNothing(rest) };
      const negated = key === '$not' ? inner : { $not: { [key]: inner } };
      const what = key === '$not' ? `without its $not: ${shown(inner)}` : `${shown({ [key]: inner })} negated`;
      yield { path: [key], what, value: joined(rest, negated) };
    }
    for (const edit of editsWithin(key, inner)) {
      if (edit.value === undefined) continue; // the same as without it
      yield { path: [key, ...edit.path], what: edit.what, value: withMember(condition, key, edit) };
    }
  }
}

/** Several conditions under one key, each of which is left out and negated by itself. */
function isSeveral(key: string, inner: unknown): boolean {
  if (key === '$is') return Array.isArray(inner) && inner.length > 1;
  return !key.startsWith('$') && isMembers(inner) && Object.keys(inner).length > 1;
}

/** What a key stands for, with one thing in it changed; `$and` beside it holds what needs a condition of its own. */
function* editsWithin(key: string, inner: unknown): Generator<Edit> {
  if (key === '$and' || key === '$or') {
    if (Array.isArray(inner)) yield* ofConditions(inner);
    return;
  }
  if (key === '$not') return yield* conditionEdits(inner);
  if (key === '$is') {
    if (Array.isArray(inner) && inner.length > 1) yield* ofTerms(inner);
    return;
  }
  if (!isMembers(inner)) return;
  const operators = Object.entries(inner);
  for (const [operator, operand] of operators) {
    const rest = without(inner, operator);
    if (operators.length > 1) {
      yield { path: [operator], what: `without ${shown({ [key]: { [operator]: operand } })}`, value: rest };
      const beside = { $not: { [key]: { [operator]: operand } } };
      yield { path: [operator], what: `${shown({ [key]: { [operator]: operand } })} negated`, value: rest, beside };
    }
    for (const edit of ofOperator(operator, operand))
      yield { ...edit, path: [operator, ...edit.path], value: { ...inner, [operator]: edit.value } };
    yield* flipped(inner, operator);
  }
}

function withMember(members: Members, key: string, { value, beside }: Edit): Members {
  const changed = { ...members, [key]: value };
  return beside === undefined ? changed : joined(changed, beside);
}

function* ofConditions(list: readonly unknown[]): Generator<Edit> {
  for (const [index, one] of list.entries()) {
    if (list.length > 1) yield { path: [index], what: `without ${shown(one)}`, value: list.toSpliced(index, 1) };
    for (const edit of conditionEdits(one))
      if (edit.value !== undefined) yield { ...edit, path: [index, ...edit.path], value: list.with(index, edit.value) };
  }
}

function* ofTerms(names: readonly unknown[]): Generator<Edit> {
  for (const [index, name] of names.entries()) {
    const rest = names.toSpliced(index, 1);
    yield { path: [index], what: `without ${shown({ $is: name })}`, value: rest };
    yield { path: [index], what: `${shown({ $is: name })} negated`, value: rest, beside: { $not: { $is: name } } };
  }
}

function* ofOperator(operator: string, operand: unknown): Generator<Edit> {
  if (operator === '$some') {
    for (const edit of conditionEdits(operand)) if (edit.value !== undefined) yield edit;
  } else if (operator === '$age' || operator === '$length') {
    if (!isMembers(operand)) return;
    const bounds = Object.keys(operand);
    for (const bound of bounds) {
      if (bounds.length > 1)
        yield {
          path: [bound],
          what: `without ${operator} ${shown({ [bound]: operand[bound] })}`,
          value: without(operand, bound),
        };
      yield* flipped(operand, bound);
    }
  } else if (['$in', '$nin', '$has_any'].includes(operator) && Array.isArray(operand)) {
    yield* listEdits(operand);
  }
}

/** Each of several items left out. */
export function* listEdits(list: readonly unknown[]): Generator<Edit> {
  if (list.length < 2) return;
  for (const [index, one] of list.entries())
    yield { path: [index], what: `without ${shown(one)}`, value: list.toSpliced(index, 1) };
}

/** The boundary itself on the other side. */
function* flipped(members: Members, key: string): Generator<Edit> {
  const other = FLIPPED[key];
  if (other === undefined || Object.hasOwn(members, other)) return;
  const value = Object.fromEntries(Object.entries(members).map(([name, one]) => [name === key ? other : name, one]));
  yield { path: [key], what: `${key} ${shown(members[key])} as ${other}`, value };
}

/** Both must hold, in one condition without a key twice. */
function joined(members: Members, more: unknown): Members {
  if (!isMembers(more)) return members;
  if (Object.keys(members).length === 0) return more;
  const [key] = Object.keys(more);
  return key !== undefined && Object.keys(more).length === 1 && !Object.hasOwn(members, key)
    ? { ...members, ...more }
    : { $and: [members, more] };
}

export function without(members: Members, key: string): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
}

function orNothing(members: Members): Members | undefined {
  return Object.keys(members).length === 0 ? undefined : members;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const WIDEST = 80;

/** As it could stand in the file. */
export function shown(value: unknown): string {
  const text = flow(value);
  return `\`${text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text}\``;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (!isMembers(value)) return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${key}: ${isMembers(one) ? `{ ${flow(one)} }` : flow(one)}`)
    .join(', ');
}
