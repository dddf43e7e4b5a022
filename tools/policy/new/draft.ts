// What somebody wants to add to a policies folder: the entry, where it goes, and how its test cases are made. It must never hold behaviour.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { TestCase } from '../../../src/model/rules.ts';

export interface Draft {
  readonly kind: 'wall' | 'grant' | 'rule';
  readonly id: string;
  /** Name of the list that it joins. */
  readonly root: 'walls' | 'grants' | 'rules';
  readonly entry: Readonly<Record<string, unknown>>;
  /** Within the policies folder. */
  readonly file: string;
  /** Within the policies folder. */
  readonly testFile: string;
  /** `before` lacks the entry, `after` has it. */
  readonly casesFor: (before: PolicySet, after: PolicySet) => Cases;
}

export type Cases =
  | { readonly tests: readonly TestCase[]; /** What could not be shown, in words. */ readonly notes: readonly string[] }
  | { readonly why: string };
