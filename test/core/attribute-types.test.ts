import t from 'tap';
import {
  comparable,
  compileReader,
  describeType,
  isAbsent,
  typeOf,
  type AttributeType,
} from '../../src/core/attribute-types.ts';
import { NONE, UNKNOWN_VALUE } from '../../src/core/truth.ts';
import type { AttributeEntry } from '../../src/model/firm.ts';

const level: AttributeType = { kind: 'enum', values: ['low', 'high'], ordered: true };
const action: AttributeType = { kind: 'enum', values: ['read'], ordered: false, open: true };
const visit: AttributeType = {
  kind: 'object',
  fields: new Map<string, AttributeType>([
    ['by', { kind: 'person' }],
    ['at', { kind: 'timestamp' }],
    ['constructor', { kind: 'string' }],
  ]),
};

/** [type, raw value, what it becomes]; a raw value without third member is unknown. */
const READ: readonly (readonly [AttributeType, unknown, unknown?])[] = [
  [{ kind: 'boolean' }, true, true],
  [{ kind: 'boolean' }, false, false],
  ...['true', 1, 0, [], {}, [true]].map((raw) => [{ kind: 'boolean' }, raw] as const),
  [{ kind: 'number' }, 0, 0],
  [{ kind: 'number' }, -1.5, -1.5],
  ...['1', NaN, Infinity, -Infinity, 1n, true, [1]].map((raw) => [{ kind: 'number' }, raw] as const),
  [{ kind: 'string' }, 'x', 'x'],
  [{ kind: 'string' }, ' ', ' '],
  [{ kind: 'person' }, '__proto__', '__proto__'],
  ...[1, true, ['x'], { length: 20 }, new String('x')].map((raw) => [{ kind: 'string' }, raw] as const),
  [level, 'low', 'low'],
  ...['Low', 'low ', 'medium', 0, ['low'], 'constructor', '__proto__', 'toString'].map((raw) => [level, raw] as const),
  [action, 'read', 'read'],
  [action, 'shred', 'shred'],
  ...[1, ['read'], { $ne: null }].map((raw) => [action, raw] as const),
  [{ kind: 'timestamp' }, '1970-01-01T00:00:01Z', 1000],
  ...[1, '1970-01-01', '2O26-01-05T00:00:00Z', new Date(0)].map((raw) => [{ kind: 'timestamp' }, raw] as const),
  [{ kind: 'duration' }, 'PT1S', 1000],
  ...[1, 'P1M', `P${'9'.repeat(400)}D`].map((raw) => [{ kind: 'duration' }, raw] as const),
  [{ kind: 'list', items: { kind: 'string' } }, [], []],
  [{ kind: 'list', items: { kind: 'string' } }, ['a', 'b'], ['a', 'b']],
  // One wrong entry makes the whole list unknown: what it might have said counts neither for nor against anybody.
  ...[['a', 5], ['a', null], ['a', ''], [['a']], 'a', { 0: 'a', length: 1 }, new Set(['a'])].map(
    (raw) => [{ kind: 'list', items: { kind: 'string' } }, raw] as const,
  ),
  [visit, {}, { by: NONE, at: NONE, constructor: NONE }],
  [visit, { by: 'u-1', at: null, extra: 1 }, { by: 'u-1', at: NONE, constructor: NONE }],
  [visit, { by: 1, at: 'soon', constructor: 'x' }, { by: UNKNOWN_VALUE, at: UNKNOWN_VALUE, constructor: 'x' }],
  [visit, JSON.parse('{"__proto__": {"by": "u-1"}}'), { by: NONE, at: NONE, constructor: NONE }],
  [visit, Object.create({ by: 'u-1' }), { by: NONE, at: NONE, constructor: NONE }],
  ...['u-1', [{ by: 'u-1' }], 5].map((raw) => [visit, raw] as const),
];

t.test('a raw value is what its type says, or unknown', async (t) => {
  for (const [type, raw, expected = UNKNOWN_VALUE] of READ) {
    const value: unknown = compileReader(type)(raw);
    const name = `${describeType(type)}: ${typeof raw === 'bigint' ? '1n' : JSON.stringify(raw)}`;
    if (typeof expected === 'object') t.strictSame({ ...Object(value) }, { ...Object(expected) }, name);
    else t.equal(value, expected, name);
  }
});

t.test('only tokens state instants in seconds, and only such as a date can name', async (t) => {
  const [fromToken, fromRequest] = [compileReader({ kind: 'timestamp' }, true), compileReader({ kind: 'timestamp' })];
  t.equal(fromToken(1.5), 1500);
  t.equal(fromToken('1970-01-01T00:00:01Z'), 1000);
  t.equal(fromToken(8.64e12), 8.64e15);
  for (const raw of [8.64e12 + 1, -8.64e12 - 1, 1e306, Infinity, NaN, '1', true])
    t.equal(fromToken(raw), UNKNOWN_VALUE);
  t.equal(fromRequest(1), UNKNOWN_VALUE);
  t.strictSame(compileReader({ kind: 'list', items: { kind: 'timestamp' } }, true)([1]), [1000]);
});

t.test('null and the empty string are absence, everything else is a statement', async (t) => {
  for (const raw of [undefined, null, '']) t.equal(isAbsent(raw), true);
  for (const raw of [0, false, ' ', [], {}, NaN]) t.equal(isAbsent(raw), false);
});

t.test('declarations of types', async (t) => {
  const problems: readonly (readonly [AttributeEntry, string])[] = [
    [{ type: 'enum' }, 'an enum needs `values`'],
    [{ type: 'enum', values: ['a', 'b', 'a'] }, 'a value is listed twice'],
    [{ type: 'string', values: ['a'] }, '`values` belongs to type enum only'],
    [{ type: 'number', ordered: true }, '`ordered` belongs to type enum only'],
    [{ type: 'list' }, 'a list needs `items`, the type of its entries'],
    [{ type: 'list', items: 'enum' }, 'an enum needs `values`'],
    [{ type: 'list', items: 'list' }, 'a list needs `items`, the type of its entries'],
    [{ type: 'object' }, 'an object needs `fields`'],
    [{ type: 'object', fields: { a: { type: 'object' } } }, 'field `a` must be of a simple type'],
    [{ type: 'object', fields: { a: { type: 'list' } } }, 'field `a` must be of a simple type'],
    [{ type: 'object', fields: { 'a.b': { type: 'string' } } }, 'field `a.b` must be named without a dot'],
    [{ type: 'list', items: { fields: { a: { type: 'enum' } } } }, 'field `a`: an enum needs `values`'],
  ];
  for (const [entry, problem] of problems) t.strictSame(typeOf(entry), { problem });
  t.strictSame(typeOf({ type: 'enum', values: ['a'], ordered: true }), { kind: 'enum', values: ['a'], ordered: true });
  t.strictSame(typeOf({ type: 'list', items: { type: 'enum', values: ['a'] } }), {
    kind: 'list',
    items: { kind: 'enum', values: ['a'], ordered: false },
  });
});

t.test('text of any kind compares with text, everything else with its own kind only', async (t) => {
  const kinds: readonly AttributeType[] = [
    { kind: 'string' },
    { kind: 'person' },
    level,
    action,
    { kind: 'boolean' },
    { kind: 'number' },
    { kind: 'timestamp' },
    { kind: 'duration' },
    { kind: 'list', items: { kind: 'string' } },
    visit,
  ];
  for (const [i, a] of kinds.entries()) {
    for (const [j, b] of kinds.entries())
      t.equal(comparable(a, b), (i < 4 && j < 4) || (i === j && i < 8), `${describeType(a)} and ${describeType(b)}`);
  }
});
