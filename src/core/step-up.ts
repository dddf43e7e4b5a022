// Tells a client to step up only where that turns the answer into an allow (DESIGN 5.1), so that no client loops and no wall shows. It must never speak of a deny it cannot cure.
import type { PolicySet } from './policy-set.ts';
import type { Rule } from './rules.ts';

/**
 * Called when an allow is true and nothing is unknown.
 * @param denying number of all true denies, walls and lockdown included
 */
export function stepUpOf(
  set: PolicySet,
  denying: number,
  denies: readonly Rule[],
): { readonly acr_values: string; readonly max_age: number | null } | null {
  if (denies.length === 0 || denies.length < denying) return null;
  const values = new Set<string>();
  let maxAge: number | null = null;
  for (const { advice } of denies) {
    const cures = advice.flatMap((code) => {
      const entry = set.firm.advice.get(code);
      return entry?.acr_values === undefined ? [] : [entry];
    });
    if (cures.length === 0) return null;
    for (const { acr_values, max_age } of cures) {
      for (const value of acr_values?.split(' ') ?? []) values.add(value);
      if (max_age !== undefined) maxAge = Math.min(maxAge ?? max_age, max_age);
    }
  }
  return { acr_values: [...values].sort().join(' '), max_age: maxAge };
}
