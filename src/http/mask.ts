// Masks free text in records before they are shown: people write names and reasons into it. It must never change what is kept.

const MASK = '[masked]';

type Json = Readonly<Record<string, unknown>>;

/** Where a record keeps the attributes of each namespace (core/record/decision-record.ts). */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  subject: ['subject', 'attributes'],
  resource: ['resource', 'properties'],
  context: ['context'],
};

/** Replaces what stands at the paths that the record itself lists under `free_text`. */
export function maskFreeText(record: Json): Record<string, unknown> {
  const listed = record['free_text'];
  const copy: Record<string, unknown> = { ...record };
  if (!Array.isArray(listed)) return copy;
  for (const path of listed) {
    if (typeof path !== 'string') continue;
    const [namespace = '', ...name] = path.split('.');
    const place = PLACES[namespace];
    if (place !== undefined) maskAt(copy, [...place, name.join('.')]);
  }
  return copy;
}

function maskAt(object: Record<string, unknown>, [name, ...rest]: readonly string[]): void {
  if (name === undefined || !Object.hasOwn(object, name)) return;
  const value = object[name];
  if (rest.length === 0) {
    object[name] = MASK;
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const copy: Record<string, unknown> = { ...value };
    object[name] = copy;
    maskAt(copy, rest);
  }
}
