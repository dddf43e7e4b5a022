// Words of firm.yaml that nothing uses: roles, attributes, terms, groups, calendars, advice, obligations. It must never name one that some
// rule, wall, statement or retention class relies on.
import { attributesIn, childrenOf, termsIn, type Expr } from '../../../src/core/condition.ts';
import type { Invariant } from '../../../src/core/invariants.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { Path, Report } from '../../../src/core/report.ts';
import type { FindingCode } from '../../../src/model/findings.ts';
import type { FirmFile, SelectorEntry } from '../../../src/model/firm.ts';
import type { RuleCaseEntry } from '../../../src/model/rules.ts';

export function reviewUnusedWords(set: PolicySet, invariants: readonly Invariant[], report: Report): void {
  const { firm } = set;
  const entry = firm.file.value as FirmFile;
  const tell = (path: Path, item: string, code: FindingCode, message: string, hint: string): void =>
    report.finding({ file: firm.file, path, item }, code, message, hint);
  const conditions = conditionsOf(set, invariants);
  const everywhere = [...conditions, ...firm.terms.values()];

  const roles = rolesSpokenOf(set, conditions);
  for (const role of firm.names.roles.keys()) {
    if (!roles.has(role))
      tell(
        ['roles', role],
        role,
        'role-without-rules',
        'no rule speaks of the role',
        'write a rule, or remove the role',
      );
  }
  const read = new Set(everywhere.flatMap((expr) => [...attributesIn(expr)].map(({ path }) => path)));
  for (const path of OF_THE_ENGINE) read.add(path);
  for (const { properties } of set.retention?.classes ?? []) for (const { path } of properties) read.add(path);
  for (const namespace of ['subject', 'resource', 'context'] as const) {
    for (const name of Object.keys(entry.attributes[namespace] ?? {})) {
      const path = `${namespace}.${name}`;
      if (!read.has(path))
        tell(
          ['attributes', namespace, name],
          path,
          'unused-attribute',
          'no condition reads it',
          'use it, or remove it',
        );
    }
  }
  const terms = new Set<string>();
  for (const expr of conditions) termsIn(expr, terms); // and in the terms that they name
  for (const name of firm.terms.keys()) {
    if (!terms.has(name))
      tell(['terms', name], name, 'unused-term', 'no rule, term or invariant uses it', 'use it, or remove it');
  }
  const groups = groupsNamed(set, invariants, entry);
  for (const kind of ['roles', 'resources', 'actions'] as const) {
    for (const name of Object.keys(entry.groups?.[kind] ?? {})) {
      if (!groups[kind].has(name))
        tell(['groups', kind, name], name, 'unused-group', 'nothing names the group', 'use it, or remove it');
    }
  }
  const calendars = new Set(everywhere.flatMap(calendarsIn));
  for (const name of firm.calendars.keys()) {
    if (!calendars.has(name))
      tell(['calendars', name], name, 'unused-calendar', 'no condition uses it', 'use it with `$during`, or remove it');
  }
  const given = new Set([...set.rules.flatMap(({ advice }) => advice), ...firm.walls.memoAdvice]);
  for (const code of firm.advice.keys()) {
    if (!given.has(code)) tell(['advice', code], code, 'unused-advice', 'no deny gives it', 'give it, or remove it');
  }
  const demanded = new Set(set.rules.flatMap(({ obligations }) => obligations));
  for (const code of firm.obligations.keys()) {
    if (!demanded.has(code))
      tell(['obligations', code], code, 'unused-obligation', 'no allow demands it', 'demand it, or remove it');
  }
}

/** Read by the engine itself, where they lead to what is on file or keep records from being removed. */
const OF_THE_ENGINE = ['resource.matter_id', 'resource.client_id', 'resource.legal_hold'];

/** Of rules, approvals and statements; those of terms stand in them. */
function conditionsOf({ rules, firm }: PolicySet, invariants: readonly Invariant[]): readonly Expr[] {
  return [
    ...rules.flatMap(({ branches }) => branches.map(({ expr }) => expr)),
    ...(firm.approvals === null ? [] : [firm.approvals.expr]),
    ...invariants.flatMap(({ about }) => about.branches.map(({ expr }) => expr)),
    ...invariants.flatMap(({ requires }) => (requires === null ? [] : [requires])),
  ];
}

function rolesSpokenOf({ firm, retention }: PolicySet, conditions: readonly Expr[]): ReadonlySet<unknown> {
  const roles = new Set<unknown>([...firm.walls.conflictCheckers, ...(retention?.approvers ?? [])]);
  const look = (expr: Expr): void => {
    if ('left' in expr && expr.left.path === 'subject.roles') {
      if (expr.op === 'has_any') for (const role of expr.values) roles.add(role);
      if (expr.op === 'has' && expr.right.kind === 'literal') roles.add(expr.right.value);
    }
    for (const child of childrenOf(expr)) look(child);
  };
  for (const expr of conditions) look(expr);
  return roles;
}

function calendarsIn(expr: Expr): readonly string[] {
  return [...(expr.op === 'during' ? [expr.calendar] : []), ...childrenOf(expr).flatMap(calendarsIn)];
}

type Groups = Readonly<Record<'roles' | 'resources' | 'actions', Set<string>>>;

function groupsNamed(set: PolicySet, invariants: readonly Invariant[], entry: FirmFile): Groups {
  const named: Groups = { roles: new Set(), resources: new Set(), actions: new Set() };
  const note = (kind: keyof Groups, list: SelectorEntry | undefined): void => {
    if (list === undefined || list === 'any') return;
    for (const name of Array.isArray(list) ? list : list.except) named[kind].add(name);
  };
  const header = ({ roles, resources, actions }: RuleCaseEntry): void => {
    note('roles', roles);
    note('resources', resources);
    note('actions', actions);
  };
  for (const { entry: rule } of [...set.rules, ...invariants.map(({ about }) => about)]) {
    header(rule);
    for (const one of rule.cases ?? []) header(one);
  }
  for (const kind of ['roles', 'resources', 'actions'] as const)
    for (const members of Object.values(entry.groups?.[kind] ?? {})) note(kind, members);
  note('roles', entry.walls?.conflict_checkers);
  for (const attributes of Object.values(entry.attributes))
    for (const { required_for: required = [] } of Object.values(attributes ?? {}))
      for (const { resources, actions } of required) {
        note('resources', resources);
        note('actions', actions);
      }
  return named;
}
