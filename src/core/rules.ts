// Compiles allow and deny rules: header and conditions into branches with a typed tree and its closure. It must never drop a part of a rule it does not understand.
import type { SelectorEntry } from '../model/firm.ts';
import { RulesFile, type RuleCaseEntry, type RuleEntry } from '../model/rules.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import { all, type Expr } from './condition.ts';
import { compileExpr, type Test } from './evaluate.ts';
import type { Firm } from './firm.ts';
import { parseCondition, parseTerms, placed } from './parse-condition.ts';
import { at, sourceOf, type Place, type Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { NO_ROUTE, REQUESTED, UNSUPPORTED } from './terms.ts';
import { WALL_RULES } from './walls.ts';

/** Names of which no policy author may make a rule: they appear in decided_by with a meaning of their own. */
export const RESERVED_RULES: ReadonlySet<string> = new Set([
  ...WALL_RULES,
  'default-deny',
  'attribute-missing',
  'lockdown',
  'token-refused',
  UNSUPPORTED,
  REQUESTED,
  NO_ROUTE,
]);

/** Which actions or resource types a branch speaks of; `others` are names firm.yaml does not know. */
export interface Selection {
  readonly names: ReadonlySet<string>;
  readonly others: boolean;
}

export interface Branch {
  readonly actions: Selection;
  readonly resources: Selection;
  readonly expr: Expr;
  readonly test: Test;
  readonly place: Place;
  /** What a case adds to its rule; nothing where the rule has no cases. */
  readonly parts: readonly Expr[];
}

export interface Rule {
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  /** `file:line` */
  readonly source: string;
  readonly branches: readonly Branch[];
  /** What the rule itself says, in each of its branches. */
  readonly parts: readonly Expr[];
  readonly advice: readonly string[];
  readonly obligations: readonly string[];
  readonly entry: RuleEntry;
  readonly place: Place;
}

export function compileRulesFile(file: SourceFile, firm: Firm, report: Report): readonly Rule[] {
  const problems = checkFile(file, RulesFile);
  report.add(problems);
  if (problems.length > 0) return [];
  const { rules } = file.value as RulesFile;
  return rules.map((entry, index) =>
    compileRule(entry, { file, path: ['rules', index], item: entry.id }, firm, report),
  );
}

/** Also for what is said about rules in the same words, such as invariants. */
export function compileRule(entry: RuleEntry, place: Place, firm: Firm, report: Report): Rule {
  if (RESERVED_RULES.has(entry.id)) {
    report.error(
      at(place, 'id'),
      'reserved-name',
      `\`${entry.id}\` is a name of the engine`,
      'give the rule another id',
    );
  }
  if (entry.effect === 'allow' && entry.advice !== undefined) {
    report.error(
      at(place, 'advice'),
      'advice-on-allow',
      'advice comes from denials only',
      'use obligations on an allow rule',
    );
  }
  if (entry.effect === 'deny' && entry.obligations !== undefined) {
    report.error(
      at(place, 'obligations'),
      'obligation-on-deny',
      'obligations come from allowed requests only',
      'use advice on a deny rule',
    );
  }
  const header = compileHeader(entry, place, firm, report);
  const cases = entry.cases?.map((one, index) => compileHeader(one, at(place, 'cases', index), firm, report));
  return {
    id: entry.id,
    effect: entry.effect,
    source: sourceOf(place),
    branches: (cases ?? [header]).map((one) => compileBranch(header, one, report)),
    parts: header.parts,
    advice: known(entry.advice ?? [], firm.advice, 'advice', at(place, 'advice'), report),
    obligations: known(entry.obligations ?? [], firm.obligations, 'obligation', at(place, 'obligations'), report),
    entry,
    place,
  };
}

/** What the header of a rule, or of one of its cases, states. */
interface Header {
  readonly place: Place;
  readonly actions: Selection | null;
  readonly resources: Selection | null;
  readonly parts: readonly Expr[];
}

function compileHeader(header: RuleCaseEntry, place: Place, firm: Firm, report: Report): Header {
  return {
    place,
    actions: selection(header.actions, 'action', at(place, 'actions'), firm, report),
    resources: selection(header.resources, 'resource type', at(place, 'resources'), firm, report),
    parts: headerConditions(header, place, firm, report),
  };
}

/** A case says everything that its rule says, and more; a rule without cases is its own only case. */
function compileBranch(rule: Header, one: Header, report: Report): Branch {
  const parts = rule === one ? [] : one.parts;
  const expr = all([...rule.parts, ...parts]);
  return {
    actions: narrowed('actions', rule, one, report),
    resources: narrowed('resources', rule, one, report),
    expr,
    test: compileExpr(expr),
    place: one.place,
    parts,
  };
}

function narrowed(member: 'actions' | 'resources', rule: Header, one: Header, report: Report): Selection {
  const [outer, inner] = [rule[member], one[member]];
  if (outer === null && inner === null) {
    report.error(
      one.place,
      'unstated-header',
      `the rule does not say which ${member} it is about`,
      `write \`${member}: any\` if it is about all`,
    );
  }
  if (outer === null || inner === null) return outer ?? inner ?? { names: new Set(), others: false };
  const outside = [...inner.names].filter((name) => !outer.names.has(name));
  if (outside.length > 0 || (inner.others && !outer.others)) {
    const what = outside.length > 0 ? outside.join(', ') : 'names that firm.yaml does not know';
    report.error(
      at(one.place, member),
      'case-outside-header',
      `the case speaks of ${what}, the rule does not`,
      'a case narrows its rule',
    );
  }
  return inner;
}

/** subjects, roles, when and unless are all parts of the condition: three-valued like the rest. */
function headerConditions(header: RuleCaseEntry, place: Place, firm: Firm, report: Report): Expr[] {
  const scope = firm.scope(report);
  const parts: Expr[] = [];
  if (header.subjects !== undefined) parts.push(parseTerms(header.subjects, scope, at(place, 'subjects')));
  if (header.roles !== undefined) {
    const roles = firm.names.expand('role', header.roles, at(place, 'roles'), report);
    const attribute = firm.dictionary.byPath.get('subject.roles');
    if (attribute !== undefined) {
      const left = { path: attribute.path, attribute, field: null, type: attribute.type };
      parts.push(placed({ op: 'has_any', left, values: [...roles] }, scope, at(place, 'roles')));
    }
  }
  if (header.when !== undefined) parts.push(parseCondition(header.when, scope, at(place, 'when')));
  if (header.unless !== undefined) {
    const here = at(place, 'unless');
    parts.push(placed({ op: 'not', arg: parseCondition(header.unless, scope, here) }, scope, here));
  }
  return parts;
}

function selection(
  entry: SelectorEntry | undefined,
  kind: 'action' | 'resource type',
  place: Place,
  firm: Firm,
  report: Report,
): Selection | null {
  if (entry === undefined) return null;
  const every = kind === 'action' ? firm.names.actions : firm.names.resourceTypes;
  if (entry === 'any') return { names: new Set(every.keys()), others: true };
  if (Array.isArray(entry)) return { names: firm.names.expand(kind, entry, place, report), others: false };
  const except = firm.names.expand(kind, entry.except, at(place, 'except'), report);
  return { names: new Set([...every.keys()].filter((name) => !except.has(name))), others: true };
}

function known(
  codes: readonly string[],
  table: ReadonlyMap<string, unknown>,
  kind: string,
  place: Place,
  report: Report,
): readonly string[] {
  for (const [index, code] of codes.entries()) {
    if (!table.has(code)) report.unknown(at(place, index), kind, code, table.keys());
  }
  return codes;
}
