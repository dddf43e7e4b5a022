// What a record keeps of the attributes a token or request stated: those that some rule reads, absence explicit. It must never keep an undeclared attribute.
import { isAbsent, type AttributeType } from '../attribute-types.ts';
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
    const attribute = stated[name] === null ? members.get(name) : undefined;
    const raw = values[name];
    if (attribute === undefined || isAbsent(raw)) continue;
    stated[name] = declaredParts(attribute.type, raw);
    if (attribute.freeText) freeText.push(`${namespace}.${name}`);
  }
  return stated;
}

/** Fields that the dictionary does not declare could hold anything; what is mistyped is kept, for that is what was judged. */
function declaredParts(type: AttributeType, raw: unknown): unknown {
  if (type.kind === 'list' && type.items.kind === 'object' && Array.isArray(raw)) {
    return raw.map((item) => declaredParts(type.items, item));
  }
  // A frozen list, as those of cached tokens are, is written several times slower than a copy of it.
  if (Array.isArray(raw)) return raw.slice();
  if (type.kind !== 'object' || typeof raw !== 'object' || raw === null) return raw;
  return Object.fromEntries(Object.entries(raw).filter(([field]) => type.fields.has(field)));
}
