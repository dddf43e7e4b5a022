// All words that a firm has: declared in firm.yaml, or used in its files. It must never hold more names than an editor can offer.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import type { FirmFile } from '../../../src/model/firm.ts';

export interface FirmWords {
  readonly roles: readonly string[];
  readonly rolesOrGroups: readonly string[];
  readonly actions: readonly string[];
  readonly actionsOrGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourcesOrGroups: readonly string[];
  readonly sourceSystems: readonly string[];
  readonly terms: readonly string[];
  readonly calendars: readonly string[];
  readonly advice: readonly string[];
  readonly obligations: readonly string[];
  readonly consents: ReadonlyMap<string, string>;
  /** Names of subject attributes. */
  readonly subject: readonly string[];
  /** Of attributes, by path. */
  readonly titles: ReadonlyMap<string, string>;
  readonly owners: readonly string[];
  readonly reasons: readonly string[];
  readonly practiceGroups: readonly string[];
  readonly people: readonly string[];
  readonly matters: readonly string[];
  readonly clients: readonly string[];
  readonly issuers: readonly string[];
  readonly callers: readonly string[];
  readonly aiAssistants: readonly string[];
}

/** What nobody may vouch for, as trust.ts has it. */
export const CALLER_FACTS: ReadonlySet<string> = new Set([
  'roles',
  'user_type',
  'employee_status',
  'amr',
  'auth_time',
  'act',
]);

/** An editor that offers more helps nobody. */
const MOST_IDS = 2_000;

export function firmWords({ firm, rules, walls, data, issuers, callers, aiAssistants }: PolicySet): FirmWords {
  const { names, dictionary } = firm;
  const entry = firm.file.value as FirmFile;
  const groups = (kind: 'roles' | 'actions' | 'resources'): readonly string[] =>
    Object.keys(entry.groups?.[kind] ?? {});
  const ids = (list: Iterable<unknown>): readonly string[] =>
    [...new Set(list)]
      .filter((one) => typeof one === 'string')
      .slice(0, MOST_IDS)
      .toSorted();
  const matters = [...data.matters];
  const titles = (['subject', 'resource', 'context'] as const).flatMap((namespace) =>
    Object.entries(entry.attributes[namespace] ?? {}).flatMap(([name, { title }]) =>
      title === undefined ? [] : [[`${namespace}.${name}`, title] as const],
    ),
  );
  return {
    roles: [...names.roles.keys()],
    rolesOrGroups: [...names.roles.keys(), ...groups('roles')],
    actions: [...names.actions.keys()],
    actionsOrGroups: [...names.actions.keys(), ...groups('actions')],
    resources: [...names.resourceTypes.keys()],
    resourcesOrGroups: [...names.resourceTypes.keys(), ...groups('resources')],
    sourceSystems: [...names.sourceSystems],
    terms: [...firm.terms.keys()],
    calendars: [...firm.calendars.keys()],
    advice: [...firm.advice.keys()],
    obligations: [...firm.obligations.keys()],
    consents: names.consents,
    subject: dictionary.declared.filter(({ namespace }) => namespace === 'subject').map(({ name }) => name),
    titles: new Map(titles),
    owners: ids(rules.map(({ entry: rule }) => rule.owner)),
    reasons: ids([...firm.walls.lateralReasons, ...walls.all.map(({ place }) => reasonOf(place))]),
    practiceGroups: ids(matters.map(([, { practiceGroup }]) => practiceGroup)),
    people: ids([...data.people.keys(), ...matters.flatMap(([, { team }]) => team)]),
    matters: ids(data.matters.keys()),
    clients: ids(matters.map(([, { clientId }]) => clientId)),
    issuers: issuers.map(({ issuer }) => issuer),
    callers: callers.map(({ id }) => id),
    aiAssistants: [...aiAssistants],
  };
}

/** Of a wall, as its file says. */
function reasonOf({ file, path }: PolicySet['walls']['all'][number]['place']): unknown {
  let value: unknown = file.value;
  for (const step of [...path, 'reason'])
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return value;
}
