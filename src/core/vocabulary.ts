// The names firm.yaml declares and their groups: roles, actions, resource types, systems, consents. It must never accept a name it does not know.
import type { FirmFile } from '../model/firm.ts';
import { at, type Place, type Report } from './report.ts';

export type NameKind = 'role' | 'action' | 'resource type';

export interface Vocabulary {
  /** id: title */
  readonly roles: ReadonlyMap<string, string>;
  readonly actions: ReadonlyMap<string, string>;
  readonly resourceTypes: ReadonlyMap<string, string>;
  readonly sourceSystems: ReadonlySet<string>;
  readonly consents: ReadonlyMap<string, string>;
  /** Names and groups to plain names; unknown ones are reported. */
  expand(kind: NameKind, names: readonly string[], place: Place, report: Report): ReadonlySet<string>;
}

export function compileVocabulary(firm: FirmFile, place: Place, report: Report): Vocabulary {
  const names = {
    role: new Map(Object.entries(firm.roles)),
    action: new Map(Object.entries(firm.actions)),
    'resource type': new Map(Object.entries(firm.resource_types)),
  };
  const groups = {
    role: new Map(Object.entries(firm.groups?.roles ?? {})),
    action: new Map(Object.entries(firm.groups?.actions ?? {})),
    'resource type': new Map(Object.entries(firm.groups?.resources ?? {})),
  };
  const expanded = new Map<string, ReadonlySet<string>>();

  const expandGroup = (kind: NameKind, group: string, trail: readonly string[]): ReadonlySet<string> => {
    const key = `${kind}:${group}`;
    const done = expanded.get(key);
    if (done !== undefined) return done;
    const members = new Set<string>();
    const folder = kind === 'role' ? 'roles' : kind === 'action' ? 'actions' : 'resources';
    for (const [index, member] of (groups[kind].get(group) ?? []).entries()) {
      const here = at(place, 'groups', folder, group, index);
      if (trail.includes(member)) {
        report.error(here, 'group-cycle', `group \`${member}\` contains itself`, 'list the plain names instead');
      } else if (groups[kind].has(member)) {
        for (const name of expandGroup(kind, member, [...trail, member])) members.add(name);
      } else if (names[kind].has(member)) {
        members.add(member);
      } else {
        report.unknown(here, kind, member, [...names[kind].keys(), ...groups[kind].keys()]);
      }
    }
    expanded.set(key, members);
    return members;
  };

  for (const kind of ['role', 'action', 'resource type'] as const) {
    for (const group of groups[kind].keys()) {
      const folder = kind === 'role' ? 'roles' : kind === 'action' ? 'actions' : 'resources';
      if (names[kind].has(group)) {
        report.error(
          at(place, 'groups', folder, group),
          'duplicate-name',
          `\`${group}\` is already a ${kind}`,
          'rename the group',
        );
      }
      expandGroup(kind, group, [group]);
    }
  }

  return {
    roles: names.role,
    actions: names.action,
    resourceTypes: names['resource type'],
    sourceSystems: new Set(firm.source_systems),
    consents: new Map(Object.entries(firm.consents ?? {})),
    expand(kind, list, where, to) {
      const members = new Set<string>();
      for (const [index, name] of list.entries()) {
        if (names[kind].has(name)) members.add(name);
        else if (groups[kind].has(name)) for (const member of expandGroup(kind, name, [name])) members.add(member);
        else to.unknown(at(where, index), kind, name, [...names[kind].keys(), ...groups[kind].keys()]);
      }
      return members;
    },
  };
}
