// Compiles invariants: statements about the policies, in the words of rules. It must never prove one: that is for tools/policy/prove.
import type { SourceFile } from '../model/diagnostic.ts';
import { InvariantsFile, type InvariantEntry } from '../model/invariants.ts';
import type { Expr } from './condition.ts';
import type { Firm } from './firm.ts';
import { parseCondition } from './parse-condition.ts';
import { at, sourceOf, type Place, type Report } from './report.ts';
import { compileRule, type Rule } from './rules.ts';
import { checkFile } from './schema-check.ts';

export interface Invariant {
  readonly id: string;
  readonly title: string;
  readonly owner: string | null;
  /** `file:line` */
  readonly source: string;
  /** The requests it is about, as a rule that is true of them. */
  readonly about: Rule;
  /** What must be true of those that are allowed; null: none may be. */
  readonly requires: Expr | null;
  /** Only people whom an exclusion wall names, on what it covers. */
  readonly isBehindWall: boolean;
}

export function isInvariantsFile({ path }: Pick<SourceFile, 'path'>): boolean {
  return path.startsWith('invariants/');
}

export function compileInvariants(files: readonly SourceFile[], firm: Firm, report: Report): readonly Invariant[] {
  const found = files.filter(isInvariantsFile).flatMap((file) => compileFile(file, firm, report));
  const seen = new Map<string, string>();
  for (const { id, source, about } of found) {
    const earlier = seen.get(id);
    if (earlier === undefined) seen.set(id, source);
    else
      report.error(
        about.place,
        'duplicate-id',
        `there is already an invariant \`${id}\` at ${earlier}`,
        'give one of them another id',
      );
  }
  return found;
}

function compileFile(file: SourceFile, firm: Firm, report: Report): readonly Invariant[] {
  const problems = checkFile(file, InvariantsFile);
  report.add(problems);
  if (problems.length > 0) return [];
  const { invariants } = file.value as InvariantsFile;
  return invariants.flatMap(
    (entry, index) => compileOne(entry, { file, path: ['invariants', index], item: entry.id }, firm, report) ?? [],
  );
}

function compileOne(entry: InvariantEntry, place: Place, firm: Firm, report: Report): Invariant | null {
  const { id, title, owner, never, allowed, requires } = entry;
  const isNever = never !== undefined && allowed === undefined && requires === undefined;
  const isRequirement = never === undefined && allowed !== undefined && requires !== undefined;
  if (!isNever && !isRequirement) {
    report.error(
      place,
      'invariant-shape',
      `\`${id}\` must say either what is never allowed, or what is allowed and what that requires`,
      'write `never: { … }`, or `allowed: { … }` together with `requires: { … }`',
    );
    return null;
  }
  const { behind, ...header } = { ...allowed, ...never };
  return {
    id,
    title,
    owner: owner ?? null,
    source: sourceOf(place),
    about: compileRule({ id, effect: 'deny', ...header }, at(place, isNever ? 'never' : 'allowed'), firm, report),
    requires: requires === undefined ? null : parseCondition(requires, firm.scope(report), at(place, 'requires')),
    isBehindWall: behind === 'exclusion',
  };
}
