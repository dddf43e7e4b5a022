// Makes new inputs from old ones: bytes, words and lines taken out, doubled, moved, and put in from elsewhere. It must depend on its
// random numbers alone, so that a run can be repeated.
import type { Random } from '../service/random.ts';

/** Words that parsers trip over, wherever they stand. */
const WORDS: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '~',
    '{}',
    '[]',
    '""',
    "''",
    '-',
    '?',
    ':',
    '|',
    '>',
    '&a',
    '*a',
    '<<',
    '!!str',
    '%YAML 1.1',
    '---',
    '...',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'length',
    '$ne',
    '$or',
    '$and',
    '$not',
    '$in',
    '${',
  ],
  ...[
    '0',
    '-0',
    '-1',
    '1e999',
    '1e-999',
    '9007199254740993',
    '0x10',
    '0o7',
    '.5',
    '1.',
    'NaN',
    '.inf',
    '2026-02-30T25:61:61Z',
  ],
  ...[
    '\\u0000',
    '\\ud800',
    '\u0000',
    '\ufeff',
    '\u2028',
    '\u202e',
    'é',
    '\u{1f600}',
    '\r',
    '\r\n',
    '\t',
    '\u0085',
    '\\',
  ],
  ...['"', "'", '`', '{', '}', '[', ']', ',', ';', '#', '/', '..', '../', '%00', '=', '.', ' '],
];
const MOST = 64 * 1024;

export interface Mutator {
  /** One to some changes of an input, with parts of others. */
  mutate(input: Buffer, others: readonly Buffer[]): Buffer;
}

export function createMutator(random: Random): Mutator {
  const below = (most: number): number => random.below(Math.max(1, most));
  const pick = <T>(list: readonly T[], otherwise: T): T => list[below(list.length)] ?? otherwise;
  const splice = (input: Buffer, at: number, cut: number, put: Uint8Array): Buffer =>
    Buffer.concat([input.subarray(0, at), put, input.subarray(at + cut)]);
  const stretch = (input: Buffer): [at: number, length: number] => {
    const at = below(input.length);
    return [at, below(Math.min(input.length - at, 1 << below(10))) + 1];
  };
  /** Words, numbers and signs as they stand in some input. */
  const wordOf = (input: Buffer): string => pick(input.toString('latin1').match(/[\w$.-]+|\s+|[^\w\s]/g) ?? [''], '');
  const linesOf = (input: Buffer): string[] => input.toString('latin1').split('\n');
  const ofLines = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\n'), 'latin1');

  const changes: readonly ((input: Buffer, other: Buffer) => Buffer)[] = [
    (input) => {
      const at = below(input.length);
      return splice(input, at, 1, Buffer.from([(input[at] ?? 0) ^ (1 << below(8))]));
    },
    (input) => splice(input, below(input.length), 1, Buffer.from([below(256)])),
    (input) => splice(input, below(input.length + 1), 0, Buffer.from(pick(WORDS, ''))),
    (input) => {
      const [at, length] = stretch(input);
      return splice(input, at, length, Buffer.alloc(0));
    },
    (input) => {
      const [at, length] = stretch(input);
      return splice(input, at, length, Buffer.from(pick(WORDS, '')));
    },
    (input) => {
      const [at, length] = stretch(input);
      const part = input.subarray(at, at + length);
      return splice(input, at, 0, Buffer.concat(Array.from({ length: 1 + below(8) }, () => part)));
    },
    (input, other) => {
      const [at, length] = stretch(other);
      return splice(input, below(input.length + 1), 0, other.subarray(at, at + length));
    },
    (input, other) => replaceWord(input, wordOf(input), wordOf(other)),
    (input) => replaceWord(input, wordOf(input), pick(WORDS, '')),
    (input) => replaceWord(input, wordOf(input), wordOf(input)),
    (input) => {
      const lines = linesOf(input);
      lines.splice(below(lines.length), 1);
      return ofLines(lines);
    },
    (input, other) => {
      const lines = linesOf(input);
      lines.splice(below(lines.length + 1), 0, pick(linesOf(other), ''));
      return ofLines(lines);
    },
    (input) => {
      const lines = linesOf(input);
      const at = below(lines.length);
      const [line = ''] = lines.splice(at, 1);
      lines.splice(below(lines.length + 1), 0, line);
      return ofLines(lines);
    },
    (input) => {
      const lines = linesOf(input);
      const at = below(lines.length);
      lines[at] = below(2) === 0 ? `  ${lines[at] ?? ''}` : (lines[at] ?? '').replace(/^ {2}/, '');
      return ofLines(lines);
    },
  ];

  function replaceWord(input: Buffer, word: string, by: string): Buffer {
    const places: number[] = [];
    if (word !== '') for (let at = input.indexOf(word); at >= 0; at = input.indexOf(word, at + 1)) places.push(at);
    return splice(input, pick(places, 0), places.length === 0 ? 0 : Buffer.byteLength(word), Buffer.from(by, 'latin1'));
  }

  return {
    mutate(input, others) {
      let changed = input;
      for (let count = 1 + below(1 << below(3)); count > 0; count--) {
        const change = pick(changes, (same) => same);
        changed = change(changed, pick(others, input)).subarray(0, MOST);
      }
      return changed;
    },
  };
}
