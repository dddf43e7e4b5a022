// JSON Schemas as plain values, and how parts of one are put in the place of others. It must never know what a policy is.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Schema = { readonly [name: string]: Json };

/** One of these words. In a file that declares words itself, others may follow: then they are only offered. */
export function words(names: Iterable<string>, isOpen = false, otherwise: Schema = { type: 'string' }): Schema {
  const list = [...new Set(names)];
  if (list.length === 0) return isOpen ? otherwise : { not: {} };
  return isOpen ? { anyOf: [{ enum: list }, otherwise] } : { enum: list };
}

/** A map with these names and no others. */
export function mapOf(members: Readonly<Record<string, Schema>>, rest: Json = false): Schema {
  return { type: 'object', properties: members, additionalProperties: rest };
}

/**
 * The schema with other parts at some places: `/rules/<any>/when` is the member of every entry. What is put there keeps the
 * description of what it replaces.
 */
export function withParts(schema: Schema, parts: ReadonlyMap<string, Schema>): Schema {
  const visit = (node: Json, place: string): Json => {
    if (Array.isArray(node)) return node.map((one) => visit(one, place));
    if (typeof node !== 'object' || node === null || !isSchema(node)) return node;
    const part = parts.get(place);
    if (part !== undefined && place !== '' && (node['type'] !== undefined || node['anyOf'] !== undefined)) {
      const { description } = node;
      return description === undefined || part['description'] !== undefined ? part : { ...part, description };
    }
    return Object.fromEntries(
      Object.entries(node).map(([name, value]): [string, Json] => {
        if (name === 'properties' && isSchema(value))
          return [name, mapValues(value, (inner, member) => visit(inner, `${place}/${member}`))];
        if (name === 'patternProperties' && isSchema(value))
          return [name, mapValues(value, (inner) => visit(inner, `${place}/*`))];
        if (name === 'items') return [name, visit(value, `${place}/*`)];
        return [name, name === 'anyOf' || name === 'allOf' ? visit(value, place) : value];
      }),
    );
  };
  const result = visit(schema, '');
  return isSchema(result) ? result : schema;
}

function mapValues(values: Schema, change: (value: Json, name: string) => Json): Schema {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}

export function isSchema(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
