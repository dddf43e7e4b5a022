// Makes new structured values from old ones: members taken out, renamed, moved, wrapped, and put in from elsewhere or from a list of
// values that readers trip over. It must depend on its random numbers alone.
import { HOSTILE } from '../helpers/mutations.ts';
import type { Random } from '../service/random.ts';

const NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'length',
  '',
  ' ',
  '$ne',
  '$or',
  '$some',
  'id',
  'x',
];
const MORE: readonly unknown[] = [
  ...[
    '*',
    '${subject.id}',
    '${',
    'P1D',
    '2026-06-01T00:00:00Z',
    'u-*',
    '../x',
    '\u0000',
    'x'.repeat(300),
    '\u20ac'.repeat(90),
  ],
  ...[{ $or: [] }, { $not: null }, [[[[[]]]]], 1.5, -1, 9007199254740991, { $gt: 1, $lt: 'x' }, '/', '~'],
];
const VALUES = [...HOSTILE, ...MORE].filter((one) => typeof one !== 'number' || Number.isFinite(one));

type Node = Record<string, unknown> | unknown[];
interface Spot {
  readonly parent: Node;
  readonly name: string;
}

/** One to three changes; `other` lends parts. */
export function mutateValue(value: unknown, other: unknown, random: Random): unknown {
  const root: Node = { value: structuredClone(value) };
  const lent = spotsOf({ value: other });
  for (let count = 1 + random.below(3); count > 0; count--) {
    const spots = spotsOf(root);
    if (spots.length === 0) return undefined;
    const { parent, name } = random.pick(spots);
    switch (random.below(8)) {
      case 0:
        remove(parent, name);
        break;
      case 1: {
        const from = random.pick(spots);
        put(parent, name, structuredClone(get(from)));
        break;
      }
      case 2:
        put(parent, name, structuredClone(get(random.pick(lent))));
        break;
      case 3:
        put(parent, random.pick(NAMES), structuredClone(get({ parent, name })));
        break;
      case 4:
        put(parent, random.pick(lent).name, structuredClone(random.pick(VALUES)));
        break;
      case 5:
        put(
          parent,
          name,
          random.below(2) === 0 ? [get({ parent, name })] : { [random.pick(NAMES)]: get({ parent, name }) },
        );
        break;
      default:
        put(parent, name, structuredClone(random.pick(VALUES)));
    }
  }
  return Reflect.get(root, 'value');
}

/** Every place where a value stands. */
function spotsOf(node: Node): readonly Spot[] {
  const spots: Spot[] = [];
  const visit = (parent: Node): void => {
    for (const name of Object.keys(parent)) {
      spots.push({ parent, name });
      const value = get({ parent, name });
      if (typeof value === 'object' && value !== null) visit(value as Node);
    }
  };
  visit(node);
  return spots;
}

function get({ parent, name }: Spot): unknown {
  return Reflect.get(parent, name);
}

/** As a member of its own, whatever its name. */
function put(parent: Node, name: string, value: unknown): void {
  if (Array.isArray(parent)) parent.splice(Number(name) || 0, 1, value);
  else Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

function remove(parent: Node, name: string): void {
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else Reflect.deleteProperty(parent, name);
}
