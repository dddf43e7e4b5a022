// Reads the text of a YAML file as it is written: where each member and entry begins and ends, and every comment. It must never change it.
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  Parser,
  parseDocument,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Path } from '../../../src/core/report.ts';

export type Collection = YAMLMap | YAMLSeq;

export interface Found {
  readonly node: Collection;
  readonly path: Path;
}

/** Every map and list, the outer before the inner ones. */
export function collectionsOf(text: string): readonly Found[] {
  const found: Found[] = [];
  const visit = (node: unknown, path: Path): void => {
    if (isMap(node)) {
      found.push({ node, path });
      for (const pair of node.items) visit(pair.value, [...path, nameOf(pair)]);
    } else if (isSeq(node)) {
      found.push({ node, path });
      node.items.forEach((item, index) => visit(item, [...path, index]));
    }
  };
  visit(parseDocument(text, { keepSourceTokens: true, uniqueKeys: false, logLevel: 'silent' }).contents, []);
  return found;
}

export function nameOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Offset of the first character of a member, an entry or a value; null where nothing is written. */
export function startOf(node: unknown): number | null {
  if (isPair(node)) return startOf(node.key);
  return isMap(node) || isSeq(node) || isScalar(node) ? (node.range?.[0] ?? null) : null;
}

/** Offset behind the last character that says something: line ends and comments that follow are left out. */
export function endOf(node: unknown, text: string): number | null {
  if (isPair(node)) return endOf(node.value, text) ?? separatorEnd(node, text);
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null;
  if (!isScalar(node) && node.flow !== true) {
    const ends = node.items.flatMap((item) => endOf(item, text) ?? []);
    return ends.length === 0 ? (node.range?.[1] ?? null) : Math.max(...ends);
  }
  const [from, end] = node.range ?? [0, 0];
  if (isScalar(node) && end === from) return null;
  return isBlock(node) ? from + text.slice(from, end).trimEnd().length : end;
}

/** Behind the colon of a member without a value. */
function separatorEnd({ key }: Pair, text: string): number | null {
  const end = endOf(key, text);
  if (end === null) return null;
  const colon = text.indexOf(':', end);
  return colon < 0 ? end : colon + 1;
}

export function isBlock(node: unknown): boolean {
  return isScalar(node) && (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL');
}

/** A block text that keeps the blank lines behind it (`|+`): they are part of what it says. */
export function keepsBlankLines(node: unknown, text: string): boolean {
  if (isPair(node)) return keepsBlankLines(node.value, text);
  if (isMap(node) || isSeq(node)) return node.items.some((item) => keepsBlankLines(item, text));
  return isBlock(node) && /^[|>][0-9]*\+/.test(text.slice((node as Scalar).range?.[0] ?? 0));
}

export interface Comment {
  readonly text: string;
  readonly offset: number;
  /** Nothing but space stands before it. */
  readonly isAlone: boolean;
}

/** In the order of the text. */
export function commentsOf(text: string): readonly Comment[] {
  const found: Comment[] = [];
  const visit = (token: unknown): void => {
    if (typeof token !== 'object' || token === null) return;
    if (Array.isArray(token)) return token.forEach(visit);
    if ('type' in token && token.type === 'comment' && 'offset' in token && 'source' in token) {
      const offset = Number(token.offset);
      const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
      found.push({ text: String(token.source).trimEnd(), offset, isAlone: before.trim() === '' });
    }
    Object.values(token).forEach(visit);
  };
  for (const token of new Parser().parse(text)) visit(token);
  return found.toSorted((a, b) => a.offset - b.offset);
}
