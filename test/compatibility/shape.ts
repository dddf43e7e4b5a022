// Says which members of a recorded answer are gone, or have another type, in a new one. It must never complain of what was added, nor of
// a value that differs, but for those that callers decide by.
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Members whose values callers decide by: another one is another answer. */
const DECISIVE: ReadonlySet<string> = new Set(['decision', 'code', 'type', 'status', 'mode', 'kind', 'template']);

/** Empty where everything that was there is still there. @param at path, for what is said */
export function changes(recorded: Json, now: Json | undefined, at = ''): readonly string[] {
  const name = at === '' ? 'the body' : at;
  if (now === undefined) return [`${name} is gone`];
  // Nothing is known of the type of what was null.
  if (recorded === null) return [];
  const [was, is] = [typeOf(recorded), typeOf(now)];
  if (was !== is) return [`${name} was ${was} and is ${is}`];
  if (isList(recorded) && isList(now)) return changesInList(recorded, now, name);
  if (isObject(recorded) && isObject(now)) {
    return Object.entries(recorded).flatMap(([member, value]) => {
      const path = at === '' ? member : `${at}.${member}`;
      const found = changes(value, now[member], path);
      const isOther = DECISIVE.has(member) && typeOf(value) !== 'list' && !isObject(value) && now[member] !== value;
      return found.length === 0 && isOther
        ? [`${path} was ${JSON.stringify(value)} and is ${JSON.stringify(now[member])}`]
        : found;
    });
  }
  return [];
}

/** Order and number of what a list holds may differ; each kind of item must still be there. */
function changesInList(recorded: readonly Json[], now: readonly Json[], at: string): readonly string[] {
  if (recorded.length > 0 && now.length === 0) return [`${at} is empty`];
  return recorded.flatMap((item, index) => {
    const found = now.map((one) => changes(item, one, `${at}[${index}]`));
    return found.some((one) => one.length === 0) ? [] : (found[index] ?? found[0] ?? []);
  });
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  return isList(value) ? 'list' : typeof value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value);
}

const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, '<uuid>'],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, '<time>'],
  [/^(?:sha256:)?[0-9a-f]{64}$/, '<hash>'],
];
const IDS_IN_TEXT = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** As it is recorded: what differs from one run to the next is named instead. @param depth how much of it is recorded */
export function normalised(value: Json, depth = 20): Json {
  if (typeof value === 'string') {
    const found = VOLATILE.find(([pattern]) => pattern.test(value));
    return found === undefined ? value.replaceAll(IDS_IN_TEXT, '<uuid>') : found[1];
  }
  if (isList(value)) return depth <= 0 ? [] : value.map((one) => normalised(one, depth - 1));
  if (!isObject(value)) return typeof value === 'number' ? 0 : value;
  if (depth <= 0) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, kept(name, one, depth - 1)]));
}

function kept(name: string, value: Json, depth: number): Json {
  return DECISIVE.has(name) && typeof value === 'number' ? value : normalised(value, depth);
}
