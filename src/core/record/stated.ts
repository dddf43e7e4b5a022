// What a record keeps of the attributes a token or request stated: those that some rule reads, absence explicit. It must never keep an undeclared attribute.
import { isAbsent } from '../attribute-types.ts';
import type { CarriedNamespace } from '../facts-plan.ts';
import type { PolicySet } from '../policy-set.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * Raw values by name, null where absent, in canonical order.
 * @param freeText receives the paths of kept free text, so that readers can mask it
 */
export function statedAttributes(
  { plan }: PolicySet,
  namespace: CarriedNamespace,
  values: Values,
  freeText: string[],
): Values {
  const members = plan.members[namespace];
  const stated: Record<string, unknown> = { ...plan.unstated[namespace] };
  for (const name in values) {
    if (stated[name] !== null || !members.has(name)) continue;
    const raw = values[name];
    if (isAbsent(raw)) continue;
    stated[name] = raw;
    if (members.get(name)?.freeText === true) freeText.push(`${namespace}.${name}`);
  }
  return stated;
}
