// Finds claims by JSON Pointer (RFC 6901). It must never reach what the token did not say: prototypes, array methods, lengths.

export type Lookup = (root: unknown) => unknown;

/** @throws when the text is no JSON Pointer to a member; loaded policies never hold such a one. */
export function compilePointer(pointer: string): Lookup {
  const tokens = parsePointer(pointer);
  return (root) => {
    let value = root;
    for (const token of tokens) {
      value = member(value, token);
      if (value === undefined) return undefined;
    }
    return value;
  };
}

/** RFC 6901 4: own members of objects; items of arrays by index without leading zeros; `-` names what does not exist. */
export function member(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return /^(?:0|[1-9][0-9]*)$/.test(name) ? items[Number(name)] : undefined;
  }
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsePointer(pointer: string): readonly string[] {
  if (!/^(?:\/(?:[^~/]|~[01])*)+$/.test(pointer)) throw new Error(`\`${pointer}\` is no JSON Pointer to a member`);
  // RFC 6901 4: ~1 first, then ~0, so that ~01 becomes ~1 and not a slash.
  const unescape = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');
  return pointer.slice(1).split('/').map(unescape);
}
