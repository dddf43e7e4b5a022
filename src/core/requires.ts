// Derives from the rules what a caller must send for an action on a resource type, and for whom. It must never leave out what some rule reads.
import { attributesIn } from './condition.ts';
import { isRequired, type Attribute, type Presence } from './dictionary.ts';
import { USER_TYPES } from '../model/firm.ts';
import type { PolicySet } from './policy-set.ts';

export interface Requirement {
  readonly attribute: string;
  readonly type: string;
  /** User types for whom it is required; empty: optional or with a default. */
  readonly requiredFor: readonly string[];
  /** What absence means where it is not required. */
  readonly absence: string | null;
  /** Rules that read it for this action and type, in file order; empty when only the dictionary asks for it. */
  readonly rules: readonly string[];
}

/** Attributes that come with the request, required ones first. */
export function requires(set: PolicySet, resourceType: string, action: string): readonly Requirement[] {
  const readers = new Map<Attribute, Set<string>>();
  for (const { rule } of set.ruleIndex.candidates(action, resourceType, null)) {
    for (const { actions, resources, expr } of rule.branches) {
      const knownAction = set.firm.names.actions.has(action) ? actions.names.has(action) : actions.others;
      const knownType = set.firm.names.resourceTypes.has(resourceType)
        ? resources.names.has(resourceType)
        : resources.others;
      if (!knownAction || !knownType) continue;
      for (const attribute of attributesIn(expr)) addTo(readers, attribute, rule.id);
    }
  }
  // matter.* and client.* are looked up by what the request says.
  const { byPath } = set.firm.dictionary;
  for (const [attribute, rules] of [...readers]) {
    const from =
      attribute.namespace === 'matter'
        ? 'resource.matter_id'
        : attribute.path === 'client.id'
          ? 'resource.client_id'
          : '';
    const source = byPath.get(from);
    const isItself =
      resourceType === 'matter' ? 'resource.matter_id' : resourceType === 'client' ? 'resource.client_id' : null;
    if (source !== undefined && from !== isItself) for (const rule of rules) addTo(readers, source, rule);
  }
  return set.firm.dictionary.declared
    .filter(({ source }) => source === 'request')
    .map((attribute): Requirement => {
      const { presence } = attribute;
      return {
        attribute: attribute.path,
        type: attribute.type.kind,
        requiredFor: USER_TYPES.filter((userType) => isRequired(presence, resourceType, action, userType)),
        absence: meaningOf(presence),
        rules: [...(readers.get(attribute) ?? [])],
      };
    })
    .filter(({ requiredFor, rules }) => requiredFor.length > 0 || rules.length > 0)
    .sort((a, b) => b.requiredFor.length - a.requiredFor.length);
}

function meaningOf(presence: Presence): string | null {
  if (presence.kind === 'default') return `counts as ${JSON.stringify(presence.value)}`;
  return presence.kind === 'required' ? null : presence.meaning;
}

function addTo(readers: Map<Attribute, Set<string>>, attribute: Attribute, rule: string): void {
  const rules = readers.get(attribute);
  if (rules === undefined) readers.set(attribute, new Set([rule]));
  else rules.add(rule);
}
