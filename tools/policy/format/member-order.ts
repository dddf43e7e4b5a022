// Says in which order the members of a policy file stand: that of the published schemas, or of the starter pack where people read it
// otherwise. It must never order what authors order themselves, such as the parts of a condition.
import * as Type from 'typebox';
import type { TSchema } from 'typebox';
import { FILE_SCHEMAS, type FileKind } from '../../../src/core/file-kind.ts';
import type { Path } from '../../../src/core/report.ts';
import { DataFile, Wall } from '../../../src/model/data.ts';
import { Attribute } from '../../../src/model/firm.ts';

/** Whom a wall concerns, then when, then why in words. */
const OF_A_WALL = [
  ...[
    'id',
    'kind',
    'reason',
    'matter_id',
    'client_id',
    'excluded_people',
    'included_people',
    'acknowledged_by',
    'sides',
  ],
  ...['valid_from', 'valid_until', 'memo', 'released_assistants'],
];
const OF_AN_ATTRIBUTE = ['title', ...Object.keys(Attribute.properties).filter((name) => name !== 'title')];

/** Null: the order of the file is the author's. */
const OWN_ORDER: ReadonlyMap<TSchema, readonly string[] | null> = new Map<TSchema, readonly string[] | null>([
  [Wall, OF_A_WALL],
  [Attribute, OF_AN_ATTRIBUTE],
  [DataFile, null],
]);

/** Names in their order; members that are not named stand behind, as they were. Null: nothing is put in order here. */
export function memberOrder(kind: FileKind, path: Path): readonly string[] | null {
  if (path.includes('required_for')) return null; // whom it is asked of may stand first
  let schemas: readonly TSchema[] = kind === 'keys' ? [] : [FILE_SCHEMAS[kind]];
  for (const step of path) schemas = schemas.flatMap(variantsOf).flatMap((schema) => memberOf(schema, step));
  for (const schema of schemas.flatMap(variantsOf)) {
    const own = OWN_ORDER.get(schema);
    if (own !== undefined) return own;
    if (!Type.IsObject(schema)) continue;
    const names = Object.keys(schema.properties);
    if (names.includes('behind')) return ['behind', ...names.filter((name) => name !== 'behind')];
    if (path.at(-2) === 'accept') return ['code', 'item', 'file', 'reason', 'until'];
    // Of a whole file: below what it is about.
    return path.length === 0 && names.includes('accept')
      ? [...names.filter((name) => name !== 'accept'), 'accept']
      : names;
  }
  return null;
}

function variantsOf(schema: TSchema): readonly TSchema[] {
  return Type.IsUnion(schema) ? schema.anyOf.flatMap(variantsOf) : [schema];
}

function memberOf(schema: TSchema, step: string | number): readonly TSchema[] {
  if (typeof step === 'number') return Type.IsArray(schema) ? [schema.items] : [];
  if (Type.IsRecord(schema)) return [Type.RecordValue(schema)];
  const member = Type.IsObject(schema) && Object.hasOwn(schema.properties, step) ? schema.properties[step] : undefined;
  return member === undefined ? [] : [member];
}
