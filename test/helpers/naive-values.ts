// Attributes of a request read straight from raw policy values, the slow and obvious way: what POLICIES.md and the
// dictionary say in other words. It must never share code with src/core, which it is there to check.
import type { DecisionRequest } from '../../src/model/decision.ts';
import { durationOf, instantOf } from './naive-time.ts';

/** undefined is unknown. */
export type Truth = boolean | undefined;

export type Raw = Readonly<Record<string, unknown>>;

/** A known value, a known "none", or neither. */
export type Value =
  { readonly is: 'value'; readonly value: unknown } | { readonly is: 'none' } | { readonly is: 'unknown' };

const NONE: Value = { is: 'none' };
const UNKNOWN: Value = { is: 'unknown' };
const value = (of: unknown): Value => ({ is: 'value', value: of });

export interface World {
  readonly firm: Raw;
  /** What data/ says, by root. */
  readonly data: Raw;
  readonly request: DecisionRequest;
  /** Values looked up before for this request. */
  readonly looked: Map<string, Value>;
}

export const everyOf = (truths: readonly Truth[]): Truth =>
  truths.includes(false) ? false : truths.includes(undefined) ? undefined : true;
export const someOf = (truths: readonly Truth[]): Truth =>
  truths.includes(true) ? true : truths.includes(undefined) ? undefined : false;
export const notOf = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

export function isMap(raw: unknown): raw is Raw {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
export function mapOf(raw: unknown): Raw {
  return isMap(raw) ? raw : {};
}
export function listOf(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [];
}
export function member(raw: unknown, ...names: readonly string[]): unknown {
  let here = raw;
  for (const name of names) here = isMap(here) && Object.hasOwn(here, name) ? here[name] : undefined;
  return here;
}
export const absent = (raw: unknown): boolean => raw === undefined || raw === null || raw === '';

/** Names and groups, groups within groups. */
export function spelledOut(firm: Raw, kind: 'roles' | 'actions' | 'resources', names: unknown): string[] {
  return listOf(names).flatMap((name) => {
    const group = member(firm, 'groups', kind, String(name));
    return group === undefined ? [String(name)] : spelledOut(firm, kind, group);
  });
}

/** `any`, a list, or everything but a list. */
export function selects(firm: Raw, kind: 'actions' | 'resources', selector: unknown, name: string): boolean {
  if (selector === 'any') return true;
  if (Array.isArray(selector)) return spelledOut(firm, kind, selector).includes(name);
  return !spelledOut(firm, kind, member(selector, 'except')).includes(name);
}

/** A stated raw value in the form conditions compare; unknown when it is not of the declared type. */
function typed(raw: unknown, type: Raw, fromToken: boolean): Value {
  const is = (fits: boolean): Value => (fits ? value(raw) : UNKNOWN);
  switch (type['type']) {
    case 'boolean':
      return is(typeof raw === 'boolean');
    case 'number':
      return is(typeof raw === 'number' && raw > -Infinity && raw < Infinity);
    case 'string':
    case 'person':
      return is(typeof raw === 'string');
    case 'enum':
      return is(listOf(type['values']).includes(raw));
    case 'timestamp': {
      // NumericDate, as far as a date of the proleptic calendar can say it
      if (fromToken && typeof raw === 'number') return Math.abs(raw) <= 8.64e12 ? value(raw * 1000) : UNKNOWN;
      const ms = typeof raw === 'string' ? instantOf(raw) : undefined;
      return ms === undefined ? UNKNOWN : value(ms);
    }
    case 'duration': {
      const ms = typeof raw === 'string' ? durationOf(raw) : undefined;
      return ms === undefined ? UNKNOWN : value(ms);
    }
    case 'object':
      return is(isMap(raw));
    case 'list': {
      if (!Array.isArray(raw)) return UNKNOWN;
      const items = raw.map((item) => (absent(item) ? UNKNOWN : typed(item, itemType(type), fromToken)));
      return items.some(({ is: state }) => state !== 'value')
        ? UNKNOWN
        : value(items.map((item) => (item.is === 'value' ? item.value : null)));
    }
    default:
      throw new Error(`unknown type ${String(type['type'])}`);
  }
}

function itemType({ items }: Raw): Raw {
  if (typeof items === 'string') return { type: items };
  return isMap(items) && items['type'] === undefined ? { ...items, type: 'object' } : mapOf(items);
}

const text = { type: 'string' };
const listOfText = { type: 'list', items: 'string' };
const GRANT_FIELDS: Raw = {
  ...{ id: text, granted_to: text, matter_id: text, approved_by: text, reason: text, actions: listOfText },
  ...{ valid_from: { type: 'timestamp' }, valid_until: { type: 'timestamp' } },
};
const JOB = { fields: { resource_type: text, actions: listOfText } };
const SERVICE_FIELDS: Raw = { sub: text, source_systems: listOfText, allowed: { type: 'list', items: JOB } };

const listOfEntries = (fields: Raw): Raw => ({ type: 'list', items: { fields }, default: [] });
const APPROVALS = listOfEntries({ by: text, role: text });
const GRANTS = listOfEntries(GRANT_FIELDS);
const SERVICES = listOfEntries(SERVICE_FIELDS);
const KINDS: Raw = { type: 'enum', values: ['internal', 'external', 'client', 'service'], required: true };

/** What the dictionary says about an attribute; undefined for those that nobody declares. */
export function declaration({ firm }: World, path: string): Raw | undefined {
  switch (path) {
    case 'subject.roles':
      return { type: 'list', items: { type: 'enum', values: Object.keys(mapOf(firm['roles'])) }, required: true };
    case 'subject.user_type':
      return KINDS;
    case 'context.source_system':
      return { type: 'enum', values: firm['source_systems'], required: true };
    case 'context.approvals':
      return APPROVALS;
    case 'data.grants':
      return GRANTS;
    case 'data.services':
      return SERVICES;
  }
  const dot = path.indexOf('.');
  const found = member(firm, 'attributes', path.slice(0, dot), path.slice(dot + 1));
  return isMap(found) ? found : undefined;
}

const find = (list: unknown, fits: (entry: Raw) => boolean): Raw => mapOf(listOf(list).find((one) => fits(mapOf(one))));

/** What is on file about the person, the resource or its matter, in that order of weight. */
function onFile(world: World, namespace: string, name: string): unknown {
  const { data, request } = world;
  const { type, id } = request.resource;
  if (namespace === 'subject')
    return member(
      find(data['people'], (one) => one['id'] === request.subject.id),
      name,
    );
  if (namespace !== 'resource') return undefined;
  const own = member(
    find(data['resources'], (one) => one['type'] === type && one['id'] === id),
    'properties',
    name,
  );
  if (!absent(own) || name === 'matter_id' || name === 'client_id') return own;
  const matter = valueAt(world, 'matter.id');
  if (matter.is !== 'value') return undefined;
  return member(
    find(data['matters'], (one) => one['id'] === matter.value),
    'properties',
    name,
  );
}

function stated({ request }: World, path: string): unknown {
  if (path === 'context.source_system') return request.sourceSystem;
  if (path === 'context.approvals') return request.approvals;
  const [namespace = '', name = ''] = path.split('.');
  const from = { subject: request.subject.attributes, resource: request.resource.properties, context: request.context };
  return member(from, namespace, name);
}

/** Whether its absence is unknown rather than a known none, for this request. */
export function isRequired(world: World, path: string, declared: Raw): boolean {
  if (declared['required'] === true) return true;
  const { firm, request } = world;
  const userType = path === 'subject.user_type' ? UNKNOWN : valueAt(world, 'subject.user_type');
  return listOf(declared['required_for']).some((entry) => {
    const { resources, actions, user_types: kinds } = mapOf(entry);
    return (
      (resources === undefined || selects(firm, 'resources', resources, request.resource.type)) &&
      (actions === undefined || selects(firm, 'actions', actions, request.action)) &&
      (kinds === undefined || userType.is !== 'value' || listOf(kinds).includes(userType.value))
    );
  });
}

/** Whether the request itself leaves it out, whatever is on file. */
export function isAbsent(world: World, path: string): boolean {
  return absent(stated(world, path));
}

/** What the request states of the wrong type: the attribute, or fields of it; of a list of entries the whole list. */
export function mistyped(world: World, path: string, declared: Raw): string[] {
  const raw = stated(world, path);
  if (absent(raw)) return [];
  if (typed(raw, declared, path.startsWith('subject.')).is === 'unknown') return [path];
  const wrongFields = (entry: unknown, fields: unknown): string[] =>
    Object.keys(mapOf(fields)).filter((name) => fieldOf(mapOf(entry), fields, name).is === 'unknown');
  if (declared['type'] === 'object') return wrongFields(raw, declared['fields']).map((name) => `${path}.${name}`);
  const fields = declared['type'] === 'list' ? itemType(declared)['fields'] : undefined;
  return listOf(raw).some((entry) => wrongFields(entry, fields).length > 0) ? [path] : [];
}

function carried(world: World, path: string, declared: Raw): { readonly value: Value; readonly there: boolean } {
  const [namespace = '', name = ''] = path.split('.');
  const filed = onFile(world, namespace, name);
  const raw = absent(filed) ? stated(world, path) : filed;
  if (!absent(raw)) return { value: typed(raw, declared, namespace === 'subject'), there: true };
  if (declared['default'] !== undefined) return { value: typed(declared['default'], declared, false), there: false };
  return { value: isRequired(world, path, declared) ? UNKNOWN : NONE, there: false };
}

/** Paths of which `$exists` looks at what was sent; for all others at whether there is a value. */
function whatIsAsked({ request }: World, path: string): string {
  if (path === 'matter.id' && request.resource.type !== 'matter') return 'resource.matter_id';
  return path === 'client.id' && request.resource.type !== 'client' ? 'resource.client_id' : path;
}

export function existsAt(world: World, path: string): Truth {
  const asked = whatIsAsked(world, path);
  // A field is not there where its object is not.
  for (const whole of [asked, asked.slice(0, asked.lastIndexOf('.'))]) {
    const declared = whole.startsWith('data.') ? undefined : declaration(world, whole);
    if (declared !== undefined && !carried(world, whole, declared).there) return false;
  }
  const found = valueAt(world, asked);
  return found.is === 'unknown' ? undefined : found.is === 'value';
}

export function valueAt(world: World, path: string): Value {
  const known = world.looked.get(path) ?? lookUp(world, path);
  world.looked.set(path, known);
  return known;
}

function lookUp(world: World, path: string): Value {
  const { request, data } = world;
  const of = (raw: unknown): Value => (absent(raw) ? NONE : value(raw));
  const { type, id } = request.resource;
  switch (path) {
    case 'now':
      return value(request.now);
    case 'subject.id':
      return absent(request.subject.id) ? UNKNOWN : value(request.subject.id);
    case 'actor.id':
      return of(request.actor);
    case 'action.name':
      return value(request.action);
    case 'resource.type':
      return value(type);
    case 'resource.id':
      return absent(id) ? UNKNOWN : value(id);
    case 'matter.id':
      return type === 'matter' ? valueAt(world, 'resource.id') : valueAt(world, 'resource.matter_id');
    case 'client.id':
      return type === 'client' ? valueAt(world, 'resource.id') : valueAt(world, 'resource.client_id');
    case 'data.grants':
      return value(listOf(data['grants']));
    case 'data.services':
      return value(listOf(data['services']));
  }
  if (path.startsWith('data.consents.')) return value(listOf(member(data['consents'], path.slice(14))));
  if (path.startsWith('matter.')) {
    const matter = valueAt(world, 'matter.id');
    if (matter.is === 'unknown') return UNKNOWN;
    const record = find(data['matters'], (one) => matter.is === 'value' && one['id'] === matter.value);
    if (path === 'matter.registered') return value(record['id'] !== undefined);
    return path === 'matter.team' ? value(listOf(record['team'])) : of(record[path.slice(7)]);
  }
  const declared = declaration(world, path);
  if (declared !== undefined) return carried(world, path, declared).value;
  const dot = path.lastIndexOf('.');
  const parent = valueAt(world, path.slice(0, dot));
  if (parent.is !== 'value') return parent;
  return fieldOf(mapOf(parent.value), mapOf(declaration(world, path.slice(0, dot)))['fields'], path.slice(dot + 1));
}

export function fieldOf(entry: Raw, fields: unknown, name: string): Value {
  const raw = member(entry, name);
  return absent(raw) ? NONE : typed(raw, mapOf(member(fields, name)), false);
}

/** The fields that entries of a list have. */
export function entryFields(listType: Raw): Raw {
  return mapOf(itemType(listType)['fields']);
}
