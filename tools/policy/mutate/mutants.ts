// Every small change of a policies folder, each as a policy set of its own that compiles only what changed. It must never hand on one that does not load.
import { createRuleIndex, type RuleIndex } from '../../../src/core/ability.ts';
import { compileWallsFile } from '../../../src/core/compile-walls.ts';
import { childrenOf, type Expr } from '../../../src/core/condition.ts';
import { compileFirm, type Firm } from '../../../src/core/firm.ts';
import { compileLockdown } from '../../../src/core/lockdown.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { at, createReport, type Place } from '../../../src/core/report.ts';
import { compileRule, type Rule } from '../../../src/core/rules.ts';
import { indexWalls, type Wall } from '../../../src/core/walls.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import type { RuleEntry } from '../../../src/model/rules.ts';
import { conditionEdits, isMembers, type Edit } from './condition-edits.ts';
import { lockdownEdits, ruleEdits, wallEdits, wallSettingEdits } from './entry-edits.ts';

export interface Mutant {
  readonly kind: 'rule' | 'term' | 'wall' | 'lockdown';
  /** Id of the rule or wall, name of the term. */
  readonly of: string;
  readonly place: Place;
  readonly what: string;
  /** Null: it does not load. */
  make(): Made | null;
}

export interface Made {
  readonly set: PolicySet;
  /** Rules that were changed, before and after; none after: it was removed. Null: walls or the lockdown were. */
  readonly rules: readonly (readonly [before: Rule, after: Rule | null])[] | null;
}

/** In the order of the files. */
export function mutantsOf(set: PolicySet, files: readonly SourceFile[]): readonly Mutant[] {
  return [
    ...termMutants(set),
    ...set.rules.flatMap((rule) => ruleMutants(set, rule)),
    ...wallMutants(set),
    ...lockdownMutants(set, files),
  ];
}

function ruleMutants(set: PolicySet, rule: Rule): Mutant[] {
  const { entry, place, id } = rule;
  return [...ruleEdits(entry)].map(({ path, what, value }) => ({
    kind: 'rule',
    of: id,
    place: at(place, ...path),
    what,
    make() {
      const after = value === undefined ? null : compiledRule(value, place, set.firm);
      return after === undefined ? null : { set: withRules(set, [[rule, after]]), rules: [[rule, after]] };
    },
  }));
}

/** Undefined: it does not load. */
function compiledRule(entry: unknown, place: Place, firm: Firm): Rule | undefined {
  const report = createReport();
  const rule = compileRule(entry as RuleEntry, place, firm, report);
  return report.diagnostics.some(({ severity }) => severity === 'error') ? undefined : rule;
}

/** Terms that some rule names. */
function termMutants(set: PolicySet): Mutant[] {
  const { firm, rules } = set;
  const value = isMembers(firm.file.value) ? firm.file.value : {};
  const terms = isMembers(value['terms']) ? value['terms'] : {};
  return Object.entries(terms).flatMap(([name, condition]) => {
    const affected = rules.filter(({ branches }) => branches.some(({ expr }) => namesTerm(expr, name)));
    if (affected.length === 0) return [];
    const place: Place = { file: firm.file, path: ['terms', name] };
    return [...conditionEdits(condition)].flatMap((edit): Mutant[] => {
      if (edit.value === undefined) return []; // each rule without the term is a change of that rule
      const make = (): Made | null => {
        const report = createReport();
        const file = { ...firm.file, value: { ...value, terms: { ...terms, [name]: edit.value } } };
        const changed = compileFirm(file, report);
        if (changed === null || report.diagnostics.some(({ severity }) => severity === 'error')) return null;
        const pairs = affected.map((rule) => [rule, compiledRule(rule.entry, rule.place, changed)] as const);
        const loaded = pairs.flatMap(([before, after]) => (after === undefined ? [] : [[before, after] as const]));
        return loaded.length < pairs.length
          ? null
          : { set: withRules({ ...set, firm: changed }, loaded), rules: loaded };
      };
      return [{ kind: 'term', of: name, place: at(place, ...edit.path), what: edit.what, make }];
    });
  });
}

function namesTerm(expr: Expr, name: string): boolean {
  return (expr.op === 'term' && expr.name === name) || childrenOf(expr).some((child) => namesTerm(child, name));
}

function withRules(set: PolicySet, pairs: readonly (readonly [before: Rule, after: Rule | null])[]): PolicySet {
  const changed = new Map(pairs);
  const own = createRuleIndex(
    pairs.flatMap(([, after]) => after ?? []),
    { actions: set.firm.names.actions.keys(), resourceTypes: set.firm.names.resourceTypes.keys(), gates: set.gates },
  );
  const ruleIndex: RuleIndex = {
    candidates: (action, type, userType) => [
      ...set.ruleIndex.candidates(action, type, userType).filter(({ rule }) => !changed.has(rule)),
      ...own.candidates(action, type, userType),
    ],
  };
  const rules = set.rules.flatMap((rule) => {
    const after = changed.get(rule);
    return after === undefined ? [rule] : after === null ? [] : [after];
  });
  return { ...set, rules, ruleIndex };
}

function wallMutants(set: PolicySet): Mutant[] {
  const files = Map.groupBy(set.walls.all, ({ place }) => place.file);
  const mutants = [...files].flatMap(([file, walls]) => {
    const entries = isMembers(file.value) && Array.isArray(file.value['walls']) ? file.value['walls'] : [];
    return walls.flatMap((wall, index): Mutant[] => {
      const entry: unknown = entries[index];
      if (!isMembers(entry)) return [];
      return [...wallEdits(entry)].map((edit) => ({
        kind: 'wall',
        of: wall.id,
        place: at(wall.place, ...edit.path),
        what: edit.what,
        make: () => withWall(set, wall, edit, file),
      }));
    });
  });
  const { firm } = set;
  const place: Place = { file: firm.file, path: ['walls'] };
  const settings = isMembers(firm.file.value) ? firm.file.value['walls'] : undefined;
  return [
    ...mutants,
    ...[...wallSettingEdits(settings)].map((edit): Mutant => ({
      kind: 'wall',
      of: 'firm.yaml',
      place: at(place, ...edit.path),
      what: edit.what,
      make: () => withSettings(set, edit),
    })),
  ];
}

function withWall(set: PolicySet, wall: Wall, { value }: Edit, file: SourceFile): Made | null {
  const after = value === undefined ? [] : wallsFrom({ ...file, value: { walls: [value] } }, set.firm);
  if (after === null || after.some((one) => isSameWall(one, wall))) return null;
  const { assistants, conflictCheckers, memoAdvice } = set.walls;
  const all = set.walls.all.flatMap((one) =>
    one === wall ? after.map((other) => ({ ...other, place: one.place })) : [one],
  );
  return { set: { ...set, walls: indexWalls(all, { assistants, conflictCheckers, memoAdvice }) }, rules: null };
}

function withSettings(set: PolicySet, { value }: Edit): Made | null {
  const report = createReport();
  const { file } = set.firm;
  const firm = compileFirm({ ...file, value: { ...Object(file.value), walls: value } }, report);
  if (firm === null || report.diagnostics.some(({ severity }) => severity === 'error')) return null;
  const again = [...Map.groupBy(set.walls.all, ({ place }) => place.file).keys()].map((one) => wallsFrom(one, firm));
  const walls = again.flatMap((list) => list ?? []);
  const { assistants } = set.walls;
  return { set: { ...set, walls: indexWalls(walls, { assistants, ...firm.walls }) }, rules: null };
}

/** Null: they do not load. */
function wallsFrom(file: SourceFile, firm: Firm): readonly Wall[] | null {
  const report = createReport();
  const steps = compileWallsFile(file, firm, report);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return report.diagnostics.some(({ severity }) => severity === 'error') ? null : step.value;
}

/** A change of what is for readers only is none. */
function isSameWall(one: Wall, other: Wall): boolean {
  const plain = ({ place: _place, source: _source, ...wall }: Wall): string =>
    JSON.stringify(wall, (_, value: unknown) =>
      value instanceof Set ? [...value] : value === Infinity ? 'end' : value,
    );
  return plain(one) === plain(other);
}

function lockdownMutants(set: PolicySet, files: readonly SourceFile[]): Mutant[] {
  const file = files.find(({ path }) => path === 'lockdown.yaml');
  if (file === undefined || !isMembers(file.value)) return [];
  return [...lockdownEdits(file.value)].map(({ path, what, value }) => ({
    kind: 'lockdown',
    of: 'lockdown',
    place: { file, path },
    what,
    make() {
      const report = createReport();
      const lockdown = compileLockdown({ ...file, value }, report);
      return report.diagnostics.length > 0 ? null : { set: { ...set, lockdown }, rules: null };
    },
  }));
}
