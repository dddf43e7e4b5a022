// Draws policy files as careless hands write them: any order, spacing, quotes and brackets, comments everywhere. It must never draw what does
// not mean the value that it hands out beside it.
import fc from 'fast-check';
import type { FileKind } from '../../../../src/core/file-kind.ts';

export interface Drawn {
  readonly text: string;
  readonly value: unknown;
  readonly kind: FileKind;
}

type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

/** Choices in their order: what is drawn shrinks with them. */
type Choose = (below: number) => number;

const WORDS = fc.constantFrom(
  'read',
  'a b',
  '${subject.id}',
  'it: no',
  '# no comment',
  "it's",
  'say "so"',
  '- x',
  'true',
  '12',
  '2027-01-01',
  'long '.repeat(30).trim(),
  'ü',
  '{',
  'a, b',
);
const scalar = fc.oneof(WORDS, fc.integer({ min: -5, max: 99 }), fc.boolean());
const condition: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('$is', '$or', 'subject.id', 'resource.final', '$not', 'id', 'effect'), tie('value'), {
      maxKeys: 3,
    }),
  ),
})).value;

const members = {
  id: WORDS,
  title: scalar,
  effect: fc.constantFrom('allow', 'deny'),
  roles: fc.array(WORDS, { maxLength: 4 }),
  actions: fc.oneof(fc.constant('any'), fc.record({ except: fc.array(WORDS, { minLength: 1, maxLength: 2 }) })),
  when: condition,
  cases: fc.array(fc.dictionary(fc.constantFrom('when', 'roles', 'actions'), scalar, { minKeys: 1, maxKeys: 3 }), {
    minLength: 1,
    maxLength: 2,
  }),
  kind: scalar,
  reason: scalar,
  valid_from: scalar,
} satisfies Record<string, fc.Arbitrary<Value>>;

const entry = fc.record(members, { requiredKeys: [] }).chain((drawn) => {
  const names = Object.entries(drawn);
  return fc.shuffledSubarray(names, { minLength: names.length }).map((mixed): Value => Object.fromEntries(mixed));
});

export function untidyText(): fc.Arbitrary<Drawn> {
  const kinds = fc.constantFrom<FileKind[]>('rules', 'walls', 'tests');
  const drawn = fc.tuple(
    kinds,
    fc.array(entry, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }),
  );
  return drawn.map(([kind, entries, isLate, choices]) => {
    let next = 0;
    const choose: Choose = (below) => (choices[next++ % choices.length] ?? 0) % below;
    const root: Value = isLate ? { [kind]: entries, version: 1 } : { version: 1, [kind]: entries };
    const text = createWriter(choose).map(Object.entries(root), 0);
    return { kind, value: JSON.parse(JSON.stringify(root)), text };
  });
}

function createWriter(choose: Choose) {
  let comments = 0;
  const comment = (): string => `# note ${++comments}`;
  const above = (margin: string): string => {
    const lines = [
      '',
      '',
      '',
      `${margin}${comment()}\n`,
      '\n',
      `\n\n${margin}${comment()}\n`,
      `${margin}${comment()}\n\n${margin}${comment()}\n`,
    ];
    return lines[choose(lines.length)] ?? '';
  };
  const behind = (): string => ['', '', '', ` ${comment()}`, '  '][choose(5)] ?? '';
  const spaces = (least: number): string => ' '.repeat(least + (choose(4) === 0 ? 2 : 0));

  const flow = (value: Value): string => {
    if (isList(value)) return `[${spaces(0)}${value.map(flow).join(`,${spaces(0)} `)}${spaces(0)}]`;
    if (typeof value !== 'object') return quoted(value);
    const pairs = Object.entries(value).map(([name, member]) => `${quoted(name)}:${spaces(1)}${flow(member)}`);
    return `{${spaces(0)}${pairs.join(`,${spaces(0)} `)}${spaces(0)}}`;
  };
  const quoted = (value: string | number | boolean): string => {
    if (typeof value !== 'string') return String(value);
    return choose(2) === 0 ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
  };
  const isEmpty = (value: Value): boolean => typeof value !== 'object' || Object.keys(value).length === 0;

  /** What stands behind a name or a dash, with the end of its last line. */
  const below = (value: Value, indent: number, isEntry: boolean): string => {
    if (isEmpty(value) || typeof value !== 'object') {
      if (typeof value === 'string' && choose(6) === 0 && /^[\x20-\x7e]+$/.test(value) && !isEntry)
        return `${spaces(1)}>-\n${' '.repeat(indent + 2)}${value}\n`;
      return `${spaces(1)}${flow(value)}${behind()}\n`;
    }
    if (choose(3) === 0) return `${spaces(1)}${flow(value)}${behind()}\n`;
    if (isList(value))
      return isEntry ? `\n${list(value, indent + 2)}` : `${behind()}\n${list(value, indent + choose(2) * 2)}`;
    if (isEntry) return ` ${map(Object.entries(value), indent + 2, true)}`;
    return `${behind()}\n${map(Object.entries(value), indent + 2 + choose(2) * 2)}`;
  };
  const list = (items: readonly Value[], indent: number): string =>
    items.map((item) => `${above(' '.repeat(indent))}${' '.repeat(indent)}-${below(item, indent, true)}`).join('');
  const map = (pairs: readonly (readonly [string, Value])[], indent: number, isOpen = false): string =>
    pairs
      .map(([name, value], index) => {
        const margin = ' '.repeat(indent);
        const before = isOpen && index === 0 ? '' : `${above(margin)}${margin}`;
        return `${before}${/^[a-z_]+$/.test(name) ? name : quoted(name)}:${below(value, indent, false)}`;
      })
      .join('');
  return { map };
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
