// Random pairs of policy sets that differ a little, and requests as policy tests state them. It must never judge one by anything but the engine.
import fc from 'fast-check';
import { decide } from '../../../../src/core/decide.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { requestOfTest } from '../../../../src/core/run-tests.ts';
import type { DecisionRequest } from '../../../../src/model/decision.ts';
import type { Case } from '../../../../tools/policy/prove/violation.ts';
import type { SourceFile } from '../../../../src/model/diagnostic.ts';
import { compiled, SMALL_DATA, SMALL_FIRM, sourceFile, starterFiles, type Files } from '../../../helpers/policies.ts';

export function caseFrom({
  subject,
  actor,
  action,
  resource,
  context,
  sourceSystem,
  approvals,
  now,
}: DecisionRequest): Case {
  return {
    now: new Date(now).toISOString(),
    claims: { ...subject.attributes, sub: subject.id, ...(actor === null ? {} : { act: { sub: actor } }) },
    action,
    resource,
    context: { ...context, approvals, ...(sourceSystem === null ? {} : { source_system: sourceSystem }) },
  };
}

/** A token that is refused gets nothing. */
export function outcomeOf(set: PolicySet, one: Case): 'allow' | 'deny' {
  const made = requestOfTest(set, one);
  return 'refused' in made ? 'deny' : decide(set, made.request).outcome;
}

type Edit = (files: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;

const replacing =
  (file: string, from: string, to: string): Edit =>
  (files) => ({ ...files, [file]: (files[file] ?? '').replace(from, () => to) });

/** In the words of the firm: each changes how something is read. */
const FIRM_EDITS: readonly Edit[] = [
  replacing('firm.yaml', 'text: Log it., properties: { days: 30 }', 'text: Log it., properties: { days: 60 }'),
  replacing('firm.yaml', 'analyst: Analyst }', 'analyst: Analyst, visitor: Visitor }'),
  replacing('firm.yaml', 'lawyer: [partner, associate]', 'lawyer: [partner]'),
  replacing('firm.yaml', 'export: Export }', 'export: Export, shred: Shred }'),
  replacing('firm.yaml', 'report: Report }', 'report: Report, scroll: Scroll }'),
  replacing('firm.yaml', 'content: [document, note]', 'content: [document]'),
  replacing(
    'firm.yaml',
    'clearance: { type: enum, values: [low, mid, high]',
    'clearance: { type: enum, values: [top, low, mid, high]',
  ),
  replacing(
    'firm.yaml',
    'zone: { type: enum, values: [office, home]',
    'zone: { type: enum, values: [office, home, train]',
  ),
  replacing('firm.yaml', 'owner: { type: person, optional: nobody }', 'owner: { type: person, required: true }'),
  replacing('firm.yaml', 'managed: { type: boolean, default: false }', 'managed: { type: boolean, optional: unknown }'),
  replacing('firm.yaml', 'pages: { type: number, default: 1 }', 'pages: { type: number, default: 2 }'),
  replacing(
    'firm.yaml',
    'tags: { type: list, items: string, optional: none }',
    'tags: { type: list, items: string, default: [x] }',
  ),
  replacing('firm.yaml', 'from: "07:00"', 'from: "14:00"'),
  replacing(
    'firm.yaml',
    'internal: { subject.user_type: internal }',
    'internal: { subject.user_type: { $in: [internal, external] } }',
  ),
  replacing('firm.yaml', 'conflict_checkers: [analyst]', 'conflict_checkers: [analyst, clerk]'),
  replacing('firm.yaml', 'size: { type: number }, to:', 'size: { type: number }, more: { type: string }, to:'),
];

const DATA_EDITS: readonly Edit[] = [
  replacing('data/data.yaml', 'team: [u-ann, u-ben]', 'team: [u-ann, u-eve]'),
  replacing('data/data.yaml', 'client_id: C-2, proposing', 'client_id: C-1, proposing'),
  replacing('data/data.yaml', 'practice_group: tax', 'practice_group: x'),
  replacing('data/data.yaml', '  - { id: G-1,', '  - { id: G-9,'),
  replacing('data/data.yaml', 'actions: [list], valid', 'actions: [list, edit], valid'),
  replacing('data/data.yaml', 'sharing: [C-1]', 'sharing: [C-1, C-2]'),
  replacing('data/data.yaml', 'matters:', 'matters:\n  - { id: M-9, client_id: C-2, properties: { sealed: true } }'),
  (files) => ({
    ...files,
    'data/people.yaml': 'people:\n  - { id: u-ann, clearance: low, roles: [clerk] }\n  - { id: u-ben }\n',
  }),
  (files) => ({
    ...files,
    'data/own.yaml': 'resources:\n  - { type: document, id: D-1, properties: { matter_id: M-2, sealed: true } }\n',
  }),
  (files) => ({ ...files, 'data/ai.yaml': 'ai_assistants:\n  - { sub: ai }\n' }),
  (files) => ({ ...files, 'data/assist.yaml': 'assistants: { u-ben: [u-ann], u-eve: [u-dan] }\n' }),
  (files) => ({
    ...files,
    'walls/one.yaml': 'walls:\n  - { id: W-1, kind: exclusion, client_id: C-1, excluded_people: [u-ann] }\n',
  }),
  (files) => ({
    ...files,
    'walls/two.yaml':
      'walls:\n  - { id: W-2, kind: inclusion, matter_id: M-1, included_people: [u-ann, u-ben], acknowledged_by: [u-ann] }\n',
  }),
  (files) => ({
    ...files,
    'walls/three.yaml':
      "walls:\n  - { id: W-3, kind: opposing, sides: [{ people: [u-ann], matters: [M-1] }, { people: [u-dan], matters: [M-2] }], valid_from: '2026-03-10T14:00:00Z' }\n",
  }),
  (files) => ({ ...files, 'lockdown.yaml': 'version: 1\npeople: [u-ann]\nclients: [C-2]\n' }),
];

export interface Changed {
  readonly sets: readonly [PolicySet, PolicySet];
  readonly files: Files;
}

/**
 * Three random rules, of which some are others in the new set, and edits of words, data and walls on either side.
 * @param conditions three of them
 */
export function changedSmallFirms(conditions: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Changed> {
  const edits = fc
    .subarray([...FIRM_EDITS], { maxLength: 2 })
    .chain((words) => fc.subarray([...DATA_EDITS], { maxLength: 3 }).map((data) => [...words, ...data]));
  return fc
    .record({
      both: fc.tuple(conditions, conditions),
      isOther: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      edits: fc.tuple(edits, edits),
      roles: fc.constantFrom(null, ['lawyer'], ['clerk', 'partner']),
    })
    .map(({ both: [chosen, others], isOther, edits: [before, after], roles }) => {
      const rules = (conditions: readonly unknown[]): string =>
        JSON.stringify({
          version: 1,
          rules: conditions.map((when, index) => ({
            id: `rule-${index}`,
            effect: index === 0 ? 'deny' : 'allow',
            ...(index === 1 && roles !== null ? { roles } : {}),
            ...(index === 0 ? { advice: ['step_up:mfa'] } : index === 1 ? { obligations: ['log:copy'] } : {}),
            actions: index === 2 ? { except: ['edit'] } : 'any',
            resources: index === 1 ? ['content', 'matter', 'client'] : 'any',
            when,
          })),
        });
      const base = { 'firm.yaml': SMALL_FIRM, 'data/data.yaml': SMALL_DATA };
      const edited = (list: readonly Edit[], conditions: readonly unknown[]): Files =>
        list.reduce<Readonly<Record<string, string>>>((files, edit) => edit(files), {
          ...base,
          'rules/rules.yaml': rules(conditions),
        });
      const files = [
        edited(before, chosen),
        edited(
          after,
          chosen.map((one, index) => (isOther[index] === true ? others[index] : one)),
        ),
      ] as const;
      return { sets: [compiled(files[0]), compiled(files[1])] as const, files: { old: files[0], new: files[1] } };
    });
}

/** A rule of the starter pack without a part, with another part, or turned round. */
export const changedStarter: fc.Arbitrary<{
  readonly old: readonly SourceFile[];
  readonly now: readonly SourceFile[];
  readonly what: string;
}> = fc
  .record({
    rule: fc.nat(),
    edit: fc.constantFrom('gone', 'turned', 'fewer', 'unless', 'always', 'actions', 'roles'),
    again: fc.boolean(),
    other: fc.nat(),
  })
  .map(({ rule, edit, again, other }) => {
    const old = starterFiles().filter(({ path }) => !path.startsWith('tests/') && !path.startsWith('invariants/'));
    const files = old.filter(({ path }) => path.startsWith('rules/'));
    const all = files.flatMap((file) => rulesIn(file).map((_, index) => ({ file, index })));
    const what: string[] = [];
    let now: readonly SourceFile[] = old;
    for (const number of again ? [rule, other] : [rule]) {
      const chosen = all[number % all.length];
      if (chosen === undefined) continue;
      now = now.map((file) => {
        if (file.path !== chosen.file.path) return file;
        const rules = rulesIn(file).flatMap((one, index) => (index === chosen.index ? edited(one, edit) : [one]));
        what.push(`${edit} ${String(rulesIn(file)[chosen.index]?.['id'])}`);
        return sourceFile(file.path, { version: 1, rules });
      });
    }
    return { old, now, what: what.join(', ') };
  });

type RuleValue = Readonly<Record<string, unknown>>;

function rulesIn({ value }: SourceFile): readonly RuleValue[] {
  const rules: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'rules') : [];
  return Array.isArray(rules) ? (rules as RuleValue[]) : [];
}

function edited(rule: RuleValue, edit: string): readonly RuleValue[] {
  const { when, unless, roles, actions, effect, advice, obligations, ...rest } = rule;
  const others = { ...rest, effect, ...(actions === undefined ? {} : { actions }) };
  const parts = {
    ...(when === undefined ? {} : { when }),
    ...(unless === undefined ? {} : { unless }),
    ...(roles === undefined ? {} : { roles }),
  };
  const said = { ...(advice === undefined ? {} : { advice }), ...(obligations === undefined ? {} : { obligations }) };
  switch (edit) {
    case 'gone':
      return [];
    case 'turned':
      return when === undefined ? [rule] : [{ ...others, ...parts, ...said, when: { $not: when } }];
    case 'fewer': {
      const kept = typeof when === 'object' && when !== null ? Object.entries(when).slice(1) : [];
      const { when: _, ...without } = parts;
      return [{ ...others, ...without, ...said, ...(kept.length > 0 ? { when: Object.fromEntries(kept) } : {}) }];
    }
    case 'unless': {
      const { unless: _, ...without } = parts;
      return [{ ...others, ...without, ...said }];
    }
    case 'always': {
      // De Morgan: the same in other words.
      return when === undefined
        ? [rule]
        : [{ ...others, ...parts, ...said, when: { $not: { $or: [{ $not: when }] } } }];
    }
    case 'actions':
      return [
        {
          ...others,
          ...parts,
          ...said,
          ...(Array.isArray(actions) && actions.length > 1 ? { actions: actions.slice(1) } : {}),
        },
      ];
    default:
      return [{ ...others, ...parts, ...said, ...(roles === undefined ? {} : { roles: ['partner'] }) }];
  }
}
