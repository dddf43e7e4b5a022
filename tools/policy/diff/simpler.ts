// Makes a counter-example easier to read without changing what it shows: plain names instead of invented ones, one usual hour. It must never change
// a request that then shows something else.
import type { Case } from '../prove/violation.ts';

/** A weekday, within everybody's working hours. */
const USUAL = Date.parse('2026-03-10T14:00:00Z');

/** @param fits judged by the engine */
export function simpler(given: Case, fits: (one: Case) => boolean): Case {
  let best = given;
  const attempt = (one: Case): boolean => {
    if (!fits(one)) return false;
    best = one;
    return true;
  };
  attempt(shifted(best, USUAL - Date.parse(best.now)));
  attempt({ ...best, now: instant(USUAL) });
  attempt(shifted(best, 0));
  attempt({ ...best, claims: { ...best.claims, sub: 'somebody' } });
  attempt({ ...best, resource: { ...best.resource, id: 'X-1' } });
  for (const [name, plain] of inventedIn(best)) attempt(renamed(best, name, plain));
  return best;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function shifted(one: Case, by: number): Case {
  return mapped(one, (text) => {
    const at = INSTANT.test(text) ? Date.parse(text) + by : Number.NaN;
    return Number.isFinite(at) && Math.abs(at) < 8e15 ? instant(at) : text;
  });
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Texts that stand for any other, with a number behind the name of their attribute. */
function inventedIn(one: Case): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  mapped(one, (text) => {
    const like = /^([a-z_]+)-\d+$/.exec(text)?.[1];
    if (like !== undefined) found.set(text, [...found.values()].includes(`some-${like}`) ? text : `some-${like}`);
    return text;
  });
  return found;
}

function renamed(one: Case, from: string, to: string): Case {
  return mapped(one, (text) => (text === from ? to : text));
}

/** Every text of a request but its action, type and the names of its members. */
function mapped({ now, claims, action, resource, context }: Case, change: (text: string) => string): Case {
  const within = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value);
    if (Array.isArray(value)) return value.map(within);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, within(member)]));
  };
  const members = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, within(member)]));
  return {
    now: change(now),
    claims: members(claims),
    action,
    resource: {
      type: resource.type,
      id: change(resource.id),
      ...(resource.properties === undefined ? {} : { properties: members(resource.properties) }),
    },
    ...(context === undefined ? {} : { context: members(context) }),
  };
}
