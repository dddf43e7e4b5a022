// Masks in records, before they are shown, free text (people write names and reasons into it) and the held matters that a purge names
// (walled ones among them). It must never change what is kept.

const MASK = '[masked]';

type Json = Readonly<Record<string, unknown>>;

/** Where a record keeps the attributes of each namespace (core/record/decision-record.ts). */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  subject: ['subject', 'attributes'],
  resource: ['resource', 'properties'],
  context: ['context'],
};

/** Members that are masked though no list says so, by the kind of record: what a disposal report names it filters for its reader. */
const MASKED_KIND = 'purge';
const HELD = ['held', 'clients', 'matters'] as const;

/** Whether `shown` would change anything. */
export function hasMasked(record: Json): boolean {
  const { free_text: listed, kind } = record;
  return kind === MASKED_KIND || (Array.isArray(listed) && listed.length > 0);
}

/** A record as it leaves the service. */
export function shown(record: Json): Record<string, unknown> {
  const copy = maskFreeText(record);
  if (record['kind'] !== MASKED_KIND) return copy;
  const [held, ...lists] = HELD;
  for (const list of lists) maskAt(copy, [held, list]);
  return copy;
}

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
