// Reads a request to a web application as the one question that routes.yaml makes of it. It must never see a path as the application
// might not: what has a second reading fits no route.
import type { Fact, Route, Routes } from './routes.ts';
import { fits } from './route-template.ts';

export interface RoutedQuestion {
  readonly action: string;
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties: Readonly<Record<string, unknown>>;
  };
  readonly context: Readonly<Record<string, unknown>>;
}

/** What a question names that fits no route: no type and no action of the firm. */
export const UNROUTED_TYPE = 'path';
const LONGEST_PATH = 256;
const LONGEST_URI = 4_096;

/**
 * Null: no route.
 * @param header value of a header; undefined where there is none
 */
export function questionAt(
  routes: Routes,
  method: string,
  uri: string,
  header: (name: string) => string | undefined,
): RoutedQuestion | null {
  const [path = '', ...query] = uri.split('?');
  const values = readPath(path);
  if (values === null || uri.length > LONGEST_URI) return null;
  const route = routes.paths.find(({ segments }) => isAt(segments, values));
  const action = route?.actions.get(method);
  if (route === undefined || action === undefined) return null;
  if (!mayHave(route.query, query.length === 0 ? null : query.join('?'))) return null;
  const parameters = new Map<string, string>();
  for (const [index, one] of route.segments.entries()) {
    if (one.kind === 'parameter') parameters.set(one.name, values[index] ?? '');
  }
  const lookUp = (fact: Fact): unknown => {
    if (fact.from === 'value') return fact.value;
    const text = fact.from === 'path' ? parameters.get(fact.source) : header(fact.source);
    return text === undefined ? undefined : typed(fact.kind, text);
  };
  return {
    action,
    resource: {
      type: route.resource,
      id: route.id ?? parameters.get('id') ?? '',
      properties: stated(route.properties, lookUp),
    },
    context: stated(routes.context, lookUp),
  };
}

/** What is recorded of a request that fits no route. The query is left out: people put secrets there. */
export function unroutedQuestion(method: string, uri: string): RoutedQuestion {
  const path = uri.split('?', 1)[0] ?? '';
  const ascii = path
    .slice(0, LONGEST_PATH)
    .replace(/[^\x21-\x7e]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return {
    action: method,
    resource: { type: UNROUTED_TYPE, id: ascii.slice(0, LONGEST_PATH), properties: {} },
    context: {},
  };
}

function isAt(segments: Route['segments'], values: readonly string[]): boolean {
  return segments.length === values.length && segments.every((one, index) => fits(one, values[index] ?? ''));
}

/** The characters of RFC 3986, 3.3, without `;` (parameters to some) and `+` (a space to some); and encoded ones. */
const SEGMENT = /^(?:[A-Za-z0-9._~!$&'()*,=:@-]|%[0-9A-Fa-f]{2})+$/;
/** A space, or part of a letter beyond ASCII. Everything else has no need to be encoded, or another meaning when it is not. */
const NEEDLESS = /%(?!20|[89A-Fa-f][0-9A-Fa-f])/;
const CONTROL = /[\p{C}\p{Z}]/u;

/** The parts of a path between its slashes; null where applications disagree on what it means. */
export function readPath(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const parts = path.slice(1).split('/');
  const values: string[] = [];
  for (const [index, part] of parts.entries()) {
    const value = part === '' && index === parts.length - 1 ? '' : readSegment(part);
    if (value === null) return null;
    values.push(value);
  }
  return values;
}

function readSegment(part: string): string | null {
  if (!SEGMENT.test(part) || NEEDLESS.test(part)) return null;
  const value = part.includes('%') ? decode(part) : part;
  if (value === null || value.endsWith('.') || value.trim() !== value) return null;
  // The same letters in other code points, and signs that some take for a slash or a dot.
  if (value.normalize('NFKC') !== value || CONTROL.test(value.replaceAll(' ', ''))) return null;
  return value;
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

const QUERY = /^[A-Za-z0-9._~!$'()*,:@/?%=&+-]*$/;

/** Only names in the list: an application may take others for another action. */
function mayHave(allowed: ReadonlySet<string> | null, query: string | null): boolean {
  if (query === null || allowed === null) return true;
  return QUERY.test(query) && query.split('&').every((pair) => allowed.has(pair.split('=', 1)[0] ?? ''));
}

/** What fits no type stays text: that is unknown to policy, and denies. */
function typed(kind: Extract<Fact, { readonly kind: unknown }>['kind'], text: string): unknown {
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return kind === 'number' && NUMBER.test(text) ? Number(text) : text;
}

const NUMBER = /^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?$/;

function stated(facts: readonly Fact[], lookUp: (fact: Fact) => unknown): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const fact of facts) {
    const value = lookUp(fact);
    if (value !== undefined) values[fact.name] = value;
  }
  return values;
}
