// Everything that has a name in a policies folder, by kind and name, as it is written. It must never take two entries for one.
import type { SourceFile } from '../../../src/model/diagnostic.ts';

export interface Entry {
  readonly value: unknown;
  readonly file: SourceFile;
  readonly path: readonly (string | number)[];
}

export type Entries = ReadonlyMap<Kind, ReadonlyMap<string, Entry>>;

/** In the order in which they are told. */
export const KINDS = [
  ...['rule', 'wall', 'lockdown', 'term', 'group of roles', 'group of actions', 'group of resource types', 'attribute'],
  ...[
    'role',
    'action',
    'resource type',
    'source system',
    'consent list',
    'calendar',
    'advice',
    'obligation',
    'setting',
  ],
  ...['matter', 'grant', 'person', 'assistant', 'consent', 'service', 'AI assistant', 'resource'],
  ...['issuer', 'caller', 'route', 'retention'],
] as const;
export type Kind = string;

/** What decisions never read: who may ask, what is kept, what paths stand for. */
export const BESIDE_DECISIONS: ReadonlySet<Kind> = new Set(['issuer', 'caller', 'route', 'retention']);

type Path = readonly (string | number)[];

export function entriesOf(files: readonly SourceFile[]): Entries {
  const found = new Map<Kind, Map<string, Entry>>(KINDS.map((kind) => [kind, new Map<string, Entry>()]));
  const add = (kind: Kind, id: string, entry: Entry): void => void found.get(kind)?.set(id, entry);
  const members = (kind: Kind, file: SourceFile, value: unknown, path: Path, prefix = ''): void => {
    if (!isRecord(value)) return;
    for (const [id, one] of Object.entries(value))
      add(kind, `${prefix}${id}`, { value: one, file, path: [...path, id] });
  };
  const list = (kind: Kind, file: SourceFile, value: unknown, path: Path, idOf: (one: unknown) => string): void => {
    if (!Array.isArray(value)) return;
    for (const [index, one] of value.entries()) add(kind, idOf(one), { value: one, file, path: [...path, index] });
  };
  for (const file of files) {
    const { value } = file;
    if (!isRecord(value)) continue;
    const [folder = ''] = file.path.split('/');
    if (folder === 'rules') list('rule', file, value['rules'], ['rules'], named('id'));
    if (folder === 'walls') list('wall', file, value['walls'], ['walls'], named('id'));
    if (folder === 'data') addData(file, value, list, members);
    if (file.path === 'firm.yaml') addFirm(file, value, list, members, add);
    if (file.path === 'issuers.yaml') list('issuer', file, value['issuers'], ['issuers'], named('issuer'));
    if (file.path === 'callers.yaml') list('caller', file, value['callers'], ['callers'], named('id'));
    if (file.path === 'lockdown.yaml')
      for (const root of ['people', 'matters', 'clients', 'callers', 'tokens'])
        list(
          'lockdown',
          file,
          value[root],
          [root],
          (one) => `${root}: ${typeof one === 'string' ? one : named('id')(one)}`,
        );
    if (file.path === 'routes.yaml') members('route', file, without(value), []);
    if (file.path === 'retention.yaml') members('retention', file, without(value), []);
  }
  return found;
}

type AddList = (kind: Kind, file: SourceFile, value: unknown, path: Path, idOf: (one: unknown) => string) => void;
type AddMembers = (kind: Kind, file: SourceFile, value: unknown, path: Path, prefix?: string) => void;
type Values = Readonly<Record<string, unknown>>;

function addData(file: SourceFile, value: Values, list: AddList, members: AddMembers): void {
  list('matter', file, value['matters'], ['matters'], named('id'));
  list('grant', file, value['grants'], ['grants'], named('id'));
  list('person', file, value['people'], ['people'], named('id'));
  list('service', file, value['services'], ['services'], named('sub'));
  list('AI assistant', file, value['ai_assistants'], ['ai_assistants'], named('sub'));
  list('resource', file, value['resources'], ['resources'], (one) => `${named('type')(one)} ${named('id')(one)}`);
  members('assistant', file, value['assistants'], ['assistants']);
  members('consent', file, value['consents'], ['consents']);
}

function addFirm(
  file: SourceFile,
  value: Values,
  list: AddList,
  members: AddMembers,
  add: (kind: Kind, id: string, entry: Entry) => void,
): void {
  const groups = isRecord(value['groups']) ? value['groups'] : {};
  members('group of roles', file, groups['roles'], ['groups', 'roles']);
  members('group of actions', file, groups['actions'], ['groups', 'actions']);
  members('group of resource types', file, groups['resources'], ['groups', 'resources']);
  const attributes = isRecord(value['attributes']) ? value['attributes'] : {};
  for (const namespace of ['subject', 'resource', 'context'])
    members('attribute', file, attributes[namespace], ['attributes', namespace], `${namespace}.`);
  const maps = {
    terms: 'term',
    roles: 'role',
    actions: 'action',
    resource_types: 'resource type',
    consents: 'consent list',
  };
  for (const [root, kind] of Object.entries({
    ...maps,
    calendars: 'calendar',
    advice: 'advice',
    obligations: 'obligation',
  }))
    members(kind, file, value[root], [root]);
  list('source system', file, value['source_systems'], ['source_systems'], String);
  for (const root of ['name', 'approvals', 'walls'])
    if (value[root] !== undefined) add('setting', root, { value: value[root], file, path: [root] });
}

/** `rules/copies.yaml:12` */
export function sourceOf({ file, path }: Entry): string {
  return `${file.path}:${file.locate(path).line}`;
}

function named(member: string): (one: unknown) => string {
  return (one) => (isRecord(one) ? String(one[member]) : String(one));
}

function without(value: Values): Values {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'version'));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
