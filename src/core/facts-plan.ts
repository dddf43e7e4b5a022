// Prepares, once per policy set, how requests are brought into frames: where each member goes, what is asked of whom. It must never hold a value of a request.
import { USER_TYPES } from '../model/firm.ts';
import { isRequired, SLOT, type Attribute } from './dictionary.ts';
import type { Firm } from './firm.ts';
import { UNKNOWN_VALUE } from './truth.ts';

export type CarriedNamespace = 'subject' | 'resource' | 'context';

/** The frame of a request that states nothing, for one resource type, action and kind of subject. */
export interface Start {
  readonly slots: readonly unknown[];
  /** 1 for every attribute that a token, caller or request may carry. */
  readonly absent: readonly number[];
  /** Attributes that must be stated, and their slots. */
  readonly required: readonly Attribute[];
  readonly requiredSlots: readonly number[];
}

export interface FactsPlan {
  readonly members: Readonly<Record<CarriedNamespace, ReadonlyMap<string, Attribute>>>;
  /** Names that records keep, null, in the order of canonical JSON. */
  readonly unstated: Readonly<Record<CarriedNamespace, Readonly<Record<string, null>>>>;
  readonly userType: Attribute;
  readonly sourceSystem: Attribute;
  readonly approvals: Attribute;
  /** Null: the firm declares no such attribute. */
  readonly matterId: Attribute | null;
  readonly clientId: Attribute | null;
  /** @param userType undefined while absent or mistyped */
  start(resourceType: string, action: string, userType: string | undefined): Start;
}

export function planFacts(firm: Firm, recorded: readonly Attribute[], template: readonly unknown[]): FactsPlan {
  const { attributes, byPath, declared } = firm.dictionary;
  const builtIn = (path: string): Attribute => {
    const attribute = byPath.get(path);
    if (attribute === undefined) throw new Error(`the dictionary lacks ${path}`);
    return attribute;
  };
  const ofNamespace = (namespace: CarriedNamespace, list: readonly Attribute[]) =>
    list
      .filter((attribute) => attribute.namespace === namespace)
      .map((attribute) => [attribute.name, attribute] as const);
  // Object.fromEntries keeps V8's fast objects, which are cheap to copy for every record.
  const unstated = (namespace: CarriedNamespace): Record<string, null> =>
    Object.fromEntries(
      ofNamespace(namespace, recorded)
        .map(([name]) => [name, null] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  const carried = [...declared, builtIn('context.source_system'), builtIn('context.approvals')];
  const types = new Map([...firm.names.resourceTypes.keys()].map((name, index) => [name, index + 1]));
  const actions = new Map([...firm.names.actions.keys()].map((name, index) => [name, index + 1]));
  const userTypes = new Map<string, number>(USER_TYPES.map((name, index) => [name, index + 1]));
  const starts: (Start | undefined)[] = [];

  const createStart = (resourceType: string, action: string, userType: string | undefined): Start => {
    const slots = [...template];
    const absent = attributes.map(() => 0);
    const required: Attribute[] = [];
    for (const attribute of carried) {
      const needed = isRequired(attribute.presence, resourceType, action, userType);
      if (needed) required.push(attribute);
      slots[attribute.slot] = needed ? UNKNOWN_VALUE : attribute.whenAbsent;
      absent[attribute.slot] = 1;
    }
    absent[SLOT.actorId] = 1;
    return { slots, absent, required, requiredSlots: required.map(({ slot }) => slot) };
  };

  return {
    members: {
      subject: new Map(ofNamespace('subject', declared)),
      resource: new Map(ofNamespace('resource', declared)),
      context: new Map(ofNamespace('context', declared)),
    },
    unstated: { subject: unstated('subject'), resource: unstated('resource'), context: unstated('context') },
    userType: builtIn('subject.user_type'),
    sourceSystem: builtIn('context.source_system'),
    approvals: builtIn('context.approvals'),
    matterId: byPath.get('resource.matter_id') ?? null,
    clientId: byPath.get('resource.client_id') ?? null,
    start(resourceType, action, userType) {
      // Names that firm.yaml does not know share one entry, so callers cannot fill memory with them.
      const [t, a] = [types.get(resourceType) ?? 0, actions.get(action) ?? 0];
      const u = userType === undefined ? 0 : (userTypes.get(userType) ?? 0);
      const key = (t * (actions.size + 1) + a) * (USER_TYPES.length + 1) + u;
      let start = starts[key];
      if (start === undefined) starts[key] = start = createStart(resourceType, action, userType);
      return start;
    },
  };
}
