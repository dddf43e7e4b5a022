// Small changes of one rule, wall or entry of the lockdown as it is written. It must never leave out a part that decides something.
import { parseTimestamp } from '../../../src/core/time.ts';
import { conditionEdits, isMembers, listEdits, shown, without, type Edit, type Members } from './condition-edits.ts';

/** Undefined as value: the rule is gone. */
export function* ruleEdits(entry: Members): Generator<Edit> {
  yield { path: [], what: 'the rule removed', value: undefined };
  const { advice: _advice, obligations: _obligations, ...plain } = entry;
  const effect = entry['effect'] === 'allow' ? 'deny' : 'allow';
  yield { path: ['effect'], what: `${effect} instead of ${String(entry['effect'])}`, value: { ...plain, effect } };
  yield* headerEdits(entry);
  const cases = entry['cases'];
  if (Array.isArray(cases)) {
    for (const [index, one] of cases.entries()) {
      if (cases.length > 1)
        yield {
          path: ['cases', index],
          what: `case ${index + 1} removed`,
          value: { ...entry, cases: cases.toSpliced(index, 1) },
        };
      if (!isMembers(one)) continue;
      for (const edit of headerEdits(one))
        yield {
          ...edit,
          path: ['cases', index, ...edit.path],
          value: { ...entry, cases: cases.with(index, edit.value) },
        };
    }
  }
  for (const member of ['advice', 'obligations'] as const) {
    const codes = entry[member];
    if (!Array.isArray(codes)) continue;
    for (const [index, code] of codes.entries())
      yield {
        path: [member, index],
        what: `${member} without ${shown(code)}`,
        value: { ...entry, [member]: codes.toSpliced(index, 1) },
      };
  }
}

function* headerEdits(header: Members): Generator<Edit> {
  for (const member of ['subjects', 'roles', 'actions', 'resources'] as const) {
    const value = header[member];
    if (Array.isArray(value)) {
      for (const edit of listEdits(value)) yield inMember(header, member, edit);
      const isCondition = member === 'subjects' || member === 'roles';
      if (isCondition && (member === 'roles' || value.length === 1))
        yield { path: [member], what: `without \`${member}\``, value: without(header, member) };
    } else if (isMembers(value) && Array.isArray(value['except'])) {
      const { except } = value;
      if (except.length === 1)
        yield {
          path: [member, 'except'],
          what: `without its exception ${shown(except[0])}`,
          value: { ...header, [member]: 'any' },
        };
      for (const edit of listEdits(except))
        yield inMember(header, member, { ...edit, path: ['except', ...edit.path], value: { except: edit.value } });
    }
  }
  for (const edit of conditionEdits(header['when']))
    yield edit.value === undefined
      ? { ...edit, path: ['when', ...edit.path], value: without(header, 'when') }
      : inMember(header, 'when', edit);
  if (header['unless'] === undefined) return;
  yield { path: ['unless'], what: 'without its `unless`', value: without(header, 'unless') };
  for (const edit of conditionEdits(header['unless']))
    if (edit.value !== undefined) yield inMember(header, 'unless', edit);
}

function inMember(members: Members, member: string, edit: Edit): Edit {
  const what = member === 'when' ? edit.what : `${member}: ${edit.what}`;
  return { path: [member, ...edit.path], what, value: { ...members, [member]: edit.value } };
}

const PEOPLE = ['excluded_people', 'included_people', 'acknowledged_by', 'released_assistants'] as const;

/** Undefined as value: the wall is gone. */
export function* wallEdits(entry: Members): Generator<Edit> {
  yield { path: [], what: 'the wall removed', value: undefined };
  for (const member of PEOPLE) {
    const people = entry[member];
    if (!Array.isArray(people)) continue;
    for (const [index, person] of people.entries())
      yield {
        path: [member, index],
        what: `${member} without ${shown(person)}`,
        value: { ...entry, [member]: people.toSpliced(index, 1) },
      };
    const isExemption = member === 'acknowledged_by' || member === 'released_assistants';
    if (isExemption && people.length > 1)
      yield { path: [member], what: `without \`${member}\``, value: without(entry, member) };
  }
  const { sides } = entry;
  if (Array.isArray(sides))
    for (const [index, side] of sides.entries()) {
      if (!isMembers(side)) continue;
      for (const member of ['people', 'matters'] as const) {
        const list = side[member];
        if (!Array.isArray(list) || list.length < 2) continue;
        for (const edit of listEdits(list))
          yield {
            path: ['sides', index, member, ...edit.path],
            what: `side ${index + 1} ${edit.what}`,
            value: { ...entry, sides: sides.with(index, { ...side, [member]: edit.value }) },
          };
      }
    }
  if (entry['matter_id'] !== undefined && entry['client_id'] !== undefined)
    for (const member of ['matter_id', 'client_id'])
      yield { path: [member], what: `without \`${member}\``, value: without(entry, member) };
  if (entry['reason'] !== undefined)
    yield { path: ['reason'], what: 'without its `reason`', value: without(entry, 'reason') };
  for (const member of ['valid_from', 'valid_until'] as const) yield* periodEdits(entry, member);
}

const SECOND = 1_000;

function* periodEdits(entry: Members, member: 'valid_from' | 'valid_until'): Generator<Edit> {
  const text = entry[member];
  const ms = typeof text === 'string' ? parseTimestamp(text) : undefined;
  if (ms === undefined) return;
  yield { path: [member], what: `without \`${member}\``, value: without(entry, member) };
  for (const [shift, words] of [
    [SECOND, 'later'],
    [-SECOND, 'earlier'],
  ] as const)
    // prettier-ignore
    yield {
      path: [member],
      what: `${member} a second ${words}`,
      value: { ...entry, [member]: new Date(ms + shift).toISOString() },
    };
}

/** Each entry that locks somebody or something. */
export function* lockdownEdits(value: Members): Generator<Edit> {
  for (const member of ['people', 'matters', 'clients'] as const) {
    const list = value[member];
    if (!Array.isArray(list)) continue;
    for (const [index, one] of list.entries()) {
      const id: unknown = isMembers(one) ? one['id'] : one;
      yield {
        path: [member, index],
        what: `${member} without ${shown(id)}`,
        value: { ...value, [member]: list.toSpliced(index, 1) },
      };
    }
  }
}

/** What firm.yaml says about all walls. */
export function* wallSettingEdits(walls: unknown): Generator<Edit> {
  if (!isMembers(walls)) return;
  for (const [member, list] of Object.entries(walls)) {
    if (!Array.isArray(list)) continue;
    for (const [index, one] of list.entries())
      yield {
        path: [member, index],
        what: `${member} without ${shown(one)}`,
        value: { ...walls, [member]: list.toSpliced(index, 1) },
      };
  }
}
