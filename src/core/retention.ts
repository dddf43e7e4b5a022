// How long payloads of the log are kept, per class of matter, and what a legal hold keeps for ever. It must never let an unknown matter
// go before any known one would, nor a hold end by itself.
import type { SourceFile } from '../model/diagnostic.ts';
import { RetentionFile } from '../model/retention.ts';
import { describeType } from './attribute-types.ts';
import type { OnFile } from './data-entries.ts';
import type { Attribute } from './dictionary.ts';
import type { Firm } from './firm.ts';
import type { PolicyData } from './merge-data.ts';
import { resourceKey } from './merge-data.ts';
import { at, type Place, type Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { UNKNOWN_VALUE } from './truth.ts';

export interface RetentionClass {
  readonly id: string;
  readonly keep: Period;
  readonly kinds: ReadonlySet<string> | null;
  readonly practiceGroups: ReadonlySet<string> | null;
  readonly properties: readonly { readonly path: string; readonly value: unknown }[];
}

export interface Retention {
  readonly keep: Period;
  /** Roles of which each approver of a purge must hold one. */
  readonly approvers: ReadonlySet<string>;
  readonly classes: readonly RetentionClass[];
  readonly heldMatters: ReadonlySet<string>;
  readonly heldClients: ReadonlySet<string>;
}

export interface Period {
  readonly text: string;
  readonly months: number;
  readonly days: number;
}

/** What is known of a record without its bytes. */
export interface Payload {
  readonly kind: string;
  readonly matter: string | null;
  readonly client: string | null;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
}

export const DEFAULT_CLASS = 'default';
/** Of records about a matter that is not on file. */
export const UNKNOWN_MATTER = 'matter not on file';
const HOLD_PATH = 'resource.legal_hold';

export function compileRetention(
  file: SourceFile | undefined,
  firm: Firm,
  data: PolicyData,
  report: Report,
): Retention | null {
  if (file === undefined) return null;
  const problems = checkFile(file, RetentionFile);
  report.add(problems);
  if (problems.length > 0) return null;
  const entry = file.value as RetentionFile;
  const place: Place = { file, path: [] };
  const groups = new Set<unknown>();
  for (const { practiceGroup } of data.matters.values()) groups.add(practiceGroup);
  const ids = new Set<string>();
  const classes = (entry.classes ?? []).map((one, index): RetentionClass => {
    const here = at({ ...place, item: one.id }, 'classes', index);
    if (ids.has(one.id))
      report.error(here, 'duplicate-id', `there is already a class \`${one.id}\``, 'give it another id');
    ids.add(one.id);
    if (one.kinds === undefined && one.practice_groups === undefined && one.properties === undefined) {
      report.error(here, 'class-of-everything', 'the class speaks of every record', 'that is what `keep` above is for');
    }
    for (const [step, group] of (one.practice_groups ?? []).entries()) {
      if (groups.has(group)) continue;
      report.finding(at(here, 'practice_groups', step), 'unused-class', `no matter on file is of \`${group}\``);
    }
    return {
      id: one.id,
      keep: periodOf(one.keep, at(here, 'keep'), report),
      kinds: one.kinds === undefined ? null : new Set<string>(one.kinds),
      practiceGroups: one.practice_groups === undefined ? null : new Set(one.practice_groups),
      properties: Object.entries(one.properties ?? {}).flatMap(([name, raw]) =>
        propertyOf(name, raw, firm, at(here, 'properties', name), report),
      ),
    };
  });
  for (const [index, role] of entry.approvers.entries()) {
    if (!firm.names.roles.has(role))
      report.unknown(at(place, 'approvers', index), 'role', role, firm.names.roles.keys());
  }
  const held = (list: 'matters' | 'clients'): ReadonlySet<string> =>
    new Set(entry.holds?.[list]?.map((one) => (typeof one === 'string' ? one : one.id)));
  const heldMatters = held('matters');
  for (const [index, id] of [...heldMatters].entries()) {
    if (data.matters.has(id)) continue;
    const hint = 'the hold counts all the same; is the id right?';
    report.finding(at(place, 'holds', 'matters', index), 'held-unknown', `the matter \`${id}\` is not on file`, hint);
  }
  return {
    keep: periodOf(entry.keep, at(place, 'keep'), report),
    approvers: new Set(entry.approvers),
    classes,
    heldMatters,
    heldClients: held('clients'),
  };
}

const PERIOD = /^P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?$/;

function periodOf(text: string, place: Place, report: Report): Period {
  const parts = PERIOD.exec(text);
  const [, years = 0, months = 0, days = 0] = (parts ?? []).map((part) => Number(part ?? 0));
  const period = { text, months: years * 12 + months, days };
  if (parts === null || period.months + days === 0) {
    report.error(place, 'wrong-type', `\`${text}\` is no period`, 'write P7Y, P18M or P90D');
  }
  return period;
}

function propertyOf(name: string, raw: unknown, { dictionary }: Firm, place: Place, report: Report) {
  const path = `resource.${name}`;
  const attribute: Attribute | undefined = dictionary.byPath.get(path);
  if (attribute === undefined || !dictionary.declared.includes(attribute)) {
    const names = dictionary.declared.filter(({ namespace }) => namespace === 'resource');
    report.unknown(
      place,
      'resource attribute',
      name,
      names.map((one) => one.name),
    );
    return [];
  }
  const value = attribute.read(raw);
  if (value === UNKNOWN_VALUE || typeof value === 'object') {
    report.error(place, 'wrong-type', `\`${name}\` must be one value: ${describeType(attribute.type)}`);
    return [];
  }
  return [{ path, value }];
}

/** The first instant that is still kept at `asOf`. UTC; a day that the month does not have is its last. */
export function cutoffOf({ months, days }: Period, asOf: number): number {
  const date = new Date(asOf);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime() - days * 86_400_000;
}

/** A class by whatever is on file about the matter now; the longest of those that fit. */
export function classOf(
  retention: Retention,
  data: PolicyData,
  payload: Payload,
): { readonly id: string; readonly keep: Period } {
  const { classes, keep } = retention;
  const matter = payload.matter === null ? undefined : data.matters.get(payload.matter);
  const general = { id: DEFAULT_CLASS, keep };
  if (payload.matter !== null && matter === undefined) {
    return { id: UNKNOWN_MATTER, keep: [general, ...classes].reduce(longer).keep };
  }
  const fitting = classes.filter(({ kinds, practiceGroups, properties }) => {
    if (kinds !== null && !kinds.has(payload.kind)) return false;
    if (practiceGroups !== null && !practiceGroups.has(String(matter?.practiceGroup))) return false;
    return properties.every(({ path, value }) => matter !== undefined && isOnFile(matter.onFile, path, value));
  });
  const [first = general, ...more] = fitting;
  const { id, keep: longest } = more.reduce<{ readonly id: string; readonly keep: Period }>(longer, first);
  return { id, keep: longest };
}

/** By the list of holds, or by policy data: about the matter, or about the very thing. */
export function isHeld({ heldMatters, heldClients }: Retention, data: PolicyData, payload: Payload): boolean {
  const { matter, client, resourceType, resourceId } = payload;
  if (matter !== null && heldMatters.has(matter)) return true;
  if (client !== null && heldClients.has(client)) return true;
  const facts = matter === null ? undefined : data.matters.get(matter);
  if (facts !== undefined && heldClients.has(facts.clientId)) return true;
  if (facts !== undefined && isOnFile(facts.onFile, HOLD_PATH, true)) return true;
  if (resourceType === null || resourceId === null) return false;
  return isOnFile(data.resources.get(resourceKey(resourceType, resourceId)) ?? [], HOLD_PATH, true);
}

/** Every matter that is on hold, listed or on file. */
export function heldMattersOf(retention: Retention, data: PolicyData): readonly string[] {
  const onFile = [...data.matters].filter(
    ([, facts]) => retention.heldClients.has(facts.clientId) || isOnFile(facts.onFile, HOLD_PATH, true),
  );
  return [...new Set([...retention.heldMatters, ...onFile.map(([id]) => id)])].sort();
}

function isOnFile(onFile: OnFile, path: string, value: unknown): boolean {
  return onFile.some((one) => one.path === path && one.value === value);
}

function longer<T extends { readonly keep: Period }>(one: T, other: T): T {
  return cutoffOf(other.keep, 0) < cutoffOf(one.keep, 0) ? other : one;
}
