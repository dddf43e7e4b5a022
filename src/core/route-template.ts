// Templates of paths: what stands in braces, what it may look like, and whether two of them could fit the same request. It must never
// call two templates apart that some request fits both.

export type Segment = { readonly kind: 'text'; readonly text: string } | Parameter;

export interface Parameter {
  readonly kind: 'parameter';
  readonly name: string;
  /** What the value begins with. */
  readonly prefix: string;
  /** What follows: anything, or one digit or more. */
  readonly rest: 'any' | 'digits';
}

type Parsed = { readonly segments: readonly Segment[] } | { readonly problem: string; readonly hint: string };

/** What may stand in a path (RFC 3986, 3.3), but for `;`, `+` and, lest anybody take it for the rest of a path, `*`. */
const PLAIN = "[A-Za-z0-9._~!$&'(),=:@-]";
const TEXT = new RegExp(`^${PLAIN}+$`);
const PARAMETER = new RegExp(`^\\{([a-z][a-z0-9_]{0,63})(?::(${PLAIN}*?)([*#]))?\\}$`);

export function parseTemplate(path: string): Parsed {
  const parts = path.slice(1).split('/');
  const segments: Segment[] = [];
  for (const [index, part] of parts.entries()) {
    const [, name, prefix = '', end = '*'] = PARAMETER.exec(part) ?? [];
    if (name !== undefined) segments.push({ kind: 'parameter', name, prefix, rest: end === '#' ? 'digits' : 'any' });
    else if (part === '' && index === parts.length - 1) segments.push({ kind: 'text', text: '' });
    else if (TEXT.test(part) && !part.endsWith('.')) segments.push({ kind: 'text', text: part });
    else {
      const problem = part === '' ? 'the path has an empty part' : `\`${part}\` cannot be part of a path`;
      return { problem, hint: 'write plain text, {name}, {name:D-*} (D- and anything) or {name:D-#} (D- and digits)' };
    }
  }
  const names = segments.flatMap((one) => (one.kind === 'parameter' ? [one.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    return { problem: `\`{${twice}}\` is there twice`, hint: 'give each part a name of its own' };
  return { segments };
}

export function fits(segment: Segment, value: string): boolean {
  if (segment.kind === 'text') return segment.text === value;
  const { prefix, rest } = segment;
  if (value === '' || !value.startsWith(prefix)) return false;
  return rest === 'any' || DIGITS.test(value.slice(prefix.length));
}

const DIGITS = /^[0-9]+$/;

export function overlap(a: readonly Segment[], b: readonly Segment[]): boolean {
  return a.length === b.length && a.every((one, index) => meet(one, b[index] ?? one));
}

function meet(a: Segment, b: Segment): boolean {
  if (a.kind === 'text') return fits(b, a.text);
  if (b.kind === 'text') return fits(a, b.text);
  const [short, long] = a.prefix.length <= b.prefix.length ? [a, b] : [b, a];
  if (!long.prefix.startsWith(short.prefix)) return false;
  const between = long.prefix.slice(short.prefix.length);
  // Where only digits may follow the shorter prefix, the rest of the longer one must be some; more of them fit both.
  return short.rest === 'any' || between === '' || DIGITS.test(between);
}
