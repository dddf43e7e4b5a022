// Reads YAML 1.2 (core schema) into a plain value and keeps where everything stands. It must never resolve tags, aliases or merge keys.
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import { flat } from '../../core/flat.ts';
import type { Path } from '../../core/report.ts';
import { placeAt, START, startsOfLines, type Place, type Problems } from './text.ts';
import { DEEPEST, refuseName, refuseNumber, refuseText, type Refuse } from './values.ts';

export interface Parsed {
  /** Undefined when the text could not be parsed. */
  readonly value: unknown;
  readonly locate: (path: Path) => Place;
}

/** Offsets in the shape of the value, so that the syntax tree, many times larger, need not be kept. */
type Offsets = number | { readonly at: number; readonly within: Offsets[] | Record<string, Offsets> };

/** What one thread can hand to another. */
export interface YamlTree {
  readonly value: unknown;
  readonly offsets: Offsets;
  readonly lineStarts: readonly number[];
}

export const NOWHERE: Parsed = { value: undefined, locate: () => START };

export function parseYaml(text: string, problems: Problems): Parsed {
  const tree = readYaml(text, problems);
  return tree === null ? NOWHERE : locatable(tree);
}

export function locatable({ value, offsets, lineStarts }: YamlTree): Parsed {
  return { value, locate: (path) => placeAt(lineStarts, offsetOf(offsets, path)) };
}

/** Null when the text could not be parsed. */
export function readYaml(text: string, problems: Problems): YamlTree | null {
  const lineStarts = startsOfLines(text);
  const placeOf = (offset: number): Place => placeAt(lineStarts, offset);
  // Duplicate keys are found below in one pass; the parser would compare every key with every other.
  const options = { version: '1.2', schema: 'core', strict: true, uniqueKeys: false, stringKeys: true } as const;
  const document = tryParse(() => parseDocument(text, { ...options, prettyErrors: false, logLevel: 'error' }));
  const gaveUp =
    document instanceof Error ? document : document.errors.find(({ message }) => STACK_ENDED.test(message));
  if (document instanceof Error || gaveUp !== undefined) {
    const deep = STACK_ENDED.test(gaveUp?.message ?? '');
    problems.add(
      START,
      'too-deep',
      deep ? `nested deeper than ${DEEPEST} levels` : 'the YAML parser gives up on this file',
    );
    return null;
  }
  for (const { pos, message } of document.errors) {
    problems.add(placeOf(pos[0]), 'yaml-syntax', `${message.charAt(0).toLowerCase()}${message.slice(1)}`);
  }
  if (document.errors.length > 0) return null;
  if (document.directives.yaml.explicit === true) {
    problems.add(
      START,
      'yaml-directive',
      'a %YAML directive has no place here',
      'remove the line; policy files are YAML 1.2',
    );
  }
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    problems.add(START, 'empty-file', 'the file is empty');
    return null;
  }
  const [value, offsets] = createReader(problems, placeOf)(root, 0, []);
  return { value, offsets, lineStarts };
}

/** The parser recurses; it may also catch its own overflow and list it among the errors. */
const STACK_ENDED = /call stack/iu;

function tryParse(parse: () => Document.Parsed): Document.Parsed | Error {
  try {
    return parse();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function createReader(problems: Problems, placeOf: (offset: number) => Place) {
  return function read(node: unknown, from: number, trail: Path): [value: unknown, offsets: Offsets] {
    const refuse: Refuse = (_, ...problem) => problems.add(placeOf(from), ...problem);
    if (isAlias(node)) {
      refuse(
        trail,
        'yaml-alias',
        `the alias \`*${node.source}\` has no place here`,
        'write the value out; use groups and terms to share names',
      );
      return [null, from];
    }
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.tag !== undefined) {
      refuse(trail, 'yaml-tag', `the tag \`${node.tag}\` has no place here`, 'put text in quotes instead');
    }
    if (isScalar(node)) return [readScalar(node.value, trail, refuse), from];
    if ((isMap(node) || isSeq(node)) && trail.length >= DEEPEST) {
      refuse(trail, 'too-deep', `nested deeper than ${DEEPEST} levels`);
      return [null, from];
    }
    if (isSeq(node)) {
      const entries = node.items.map((item, index) => read(item, startOf(item, from), [...trail, index]));
      return [entries.map(([value]) => value), { at: from, within: entries.map(([, offsets]) => offsets) }];
    }
    const value: Record<string, unknown> = {};
    const within: Record<string, Offsets> = {};
    for (const { key, value: member } of isMap(node) ? node.items : []) {
      const at = startOf(key, from);
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : '';
      const refuseHere: Refuse = (_, ...problem) => problems.add(placeOf(at), ...problem);
      const first = within[name];
      if (Object.hasOwn(within, name) && first !== undefined) {
        const line = placeOf(typeof first === 'number' ? first : first.at).line;
        refuseHere(
          trail,
          'duplicate-key',
          `\`${name.slice(0, 60)}\` stands twice in one map`,
          `it is first given in line ${line}`,
        );
      }
      refuseName(name, trail, refuseHere);
      if (name !== '__proto__') [value[name], within[name]] = read(member, at, [...trail, name]);
    }
    return [value, { at: from, within }];
  };
}

function readScalar(value: unknown, trail: Path, refuse: Refuse): unknown {
  if (typeof value === 'string') {
    refuseText(value, trail, refuse);
    return flat(value);
  }
  if (typeof value === 'number') refuseNumber(value, trail, refuse);
  return value;
}

function startOf(node: unknown, otherwise: number): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? otherwise) : otherwise;
}

/** Of the member a path leads to, or of its nearest parent. */
function offsetOf(offsets: Offsets, path: Path): number {
  let here = offsets;
  for (const step of path) {
    if (typeof here === 'number') break;
    const { within } = here;
    const found = Array.isArray(within) === (typeof step === 'number') && Object.hasOwn(within, step);
    const next: Offsets | undefined = found ? Reflect.get(within, step) : undefined;
    if (next === undefined) break;
    here = next;
  }
  return typeof here === 'number' ? here : here.at;
}
