// What attributes of people, matters and resources may be in data files of this firm, as JSON Schema. It must never refuse what data-entries.ts
// accepts.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import type { Dictionary } from '../../../src/core/dictionary.ts';
import { type Schema } from './json-schema.ts';

/** Counts as absent wherever it stands, also under a name that is not known. */
const ABSENT: Schema = { enum: [null, ''] };

export function attributeMap(
  namespace: 'subject' | 'resource',
  { declared }: Dictionary,
  titles: ReadonlyMap<string, string>,
  without: readonly string[] = [],
): Readonly<Record<string, Schema>> {
  const found = declared.filter((one) => one.namespace === namespace && !without.includes(one.name));
  return Object.fromEntries(
    found.map(({ name, path, type, source }) => [
      name,
      {
        anyOf: [valueSchema(type, source === 'token'), ABSENT],
        ...(titles.has(path) ? { description: titles.get(path) ?? '' } : {}),
      },
    ]),
  );
}

export function attributes(
  members: Readonly<Record<string, Schema>>,
  more: Readonly<Record<string, Schema>> = {},
): Schema {
  return { type: 'object', properties: { ...members, ...more }, additionalProperties: ABSENT };
}

function valueSchema(type: AttributeType, inSeconds: boolean): Schema {
  switch (type.kind) {
    case 'boolean':
      return { type: 'boolean' };
    case 'number':
      return { type: 'number' };
    case 'enum':
      return type.open === true ? { type: 'string' } : { enum: [...type.values] };
    case 'timestamp': {
      const instant: Schema = { type: 'string', pattern: '^[0-9]{4}-', examples: ['2027-03-31T00:00:00Z'] };
      return inSeconds ? { anyOf: [instant, { type: 'number' }] } : instant;
    }
    case 'list':
      return { type: 'array', items: valueSchema(type.items, inSeconds) };
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          [...type.fields].map(([name, field]) => [name, { anyOf: [valueSchema(field, inSeconds), ABSENT] }]),
        ),
      };
    default:
      return { type: 'string' };
  }
}
