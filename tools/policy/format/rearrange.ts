// Puts members in order, short lists in brackets and a line between rules, by moving whole pieces of text with their comments. It must
// never touch what it cannot move as a whole: such a map stays as it is.
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import type { FileKind } from '../../../src/core/file-kind.ts';
import { memberOrder } from './member-order.ts';
import { collectionsOf, endOf, isBlock, keepsBlankLines, nameOf, startOf, type Found } from './syntax.ts';

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const WIDTH = 120;

export function rearranged(text: string, kind: FileKind): string {
  let result = text;
  let found = collectionsOf(text);
  const change = (edits: readonly Edit[]): void => {
    if (edits.length === 0) return;
    result = applied(result, edits);
    found = collectionsOf(result);
  };
  const deepest = Math.max(0, ...found.map(({ path }) => path.length));
  // Maps of one depth never overlap; those within are looked at in their new place.
  for (let depth = 0; depth <= deepest; depth++) {
    const maps = found.filter(({ path }) => path.length === depth);
    change(
      maps.flatMap(({ node, path }) => {
        const order = isMap(node) ? memberOrder(kind, path) : null;
        return order === null || !isMap(node) ? [] : reordered(node, order, result);
      }),
    );
  }
  change(found.flatMap((one) => shortList(one, result)));
  change(spaced(found, result, kind));
  return result;
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { from, to, text: better } of edits.toSorted((a, b) => b.from - a.from))
    result = `${result.slice(0, from)}${better}${result.slice(to)}`;
  return result;
}

function reordered(map: YAMLMap, order: readonly string[], text: string): readonly Edit[] {
  const rank = (pair: Pair): number => {
    const place = order.indexOf(nameOf(pair));
    return place < 0 ? order.length : place;
  };
  const sorted = map.items.toSorted((a, b) => rank(a) - rank(b));
  if (sorted.every((pair, index) => pair === map.items[index])) return [];
  return map.flow === true ? swapped(map, sorted, text) : moved(map, sorted, text);
}

/** Within braces: the members change places, what stands between them stays. */
function swapped(map: YAMLMap, sorted: readonly Pair[], text: string): readonly Edit[] {
  const slots = map.items.map((pair) => ({ from: startOf(pair), to: endOf(pair, text) }));
  const written = new Map<Pair, string>();
  let last: number | null = null;
  for (const [index, pair] of map.items.entries()) {
    const { from, to } = slots[index] ?? { from: null, to: null };
    if (from === null || to === null) return [];
    if (last !== null && !/^[\s,]*$/.test(text.slice(last, from))) return [];
    written.set(pair, text.slice(from, to));
    last = to;
  }
  return slots.flatMap(({ from, to }, index) => {
    const pair = sorted[index];
    return from === null || to === null || pair === undefined ? [] : [{ from, to, text: written.get(pair) ?? '' }];
  });
}

interface Piece {
  /** Comments and blank lines above. */
  readonly lead: string;
  /** From the name to the end of its last line. */
  readonly body: string;
}

/** On lines of their own: each member moves with the comments above it and behind it. */
function moved(map: YAMLMap, sorted: readonly Pair[], text: string): readonly Edit[] {
  const first = startOf(map.items[0]);
  if (first === null || keepsBlankLines(map, text)) return [];
  const column = first - lineStart(text, first);
  const margin = ' '.repeat(column);
  const pieces = new Map<Pair, Piece>();
  let last = first;
  for (const [index, pair] of map.items.entries()) {
    const [from, to] = [startOf(pair), endOf(pair, text)];
    if (from === null || to === null || from - lineStart(text, from) !== column) return [];
    const lead = index === 0 ? '' : text.slice(last, lineStart(text, from));
    if (index > 0 && text.slice(lineStart(text, from), from) !== margin) return [];
    // A comment that is set in deeper, or less, may belong to something else.
    if (lead.split('\n').some((line) => line.trim() !== '' && line.search(/\S/) !== column)) return [];
    const end = text.indexOf('\n', to);
    last = end < 0 ? text.length : end + 1;
    // Within an entry blank lines separated what no longer stands side by side.
    pieces.set(pair, {
      lead: column > 0 && lead.trim() === '' ? '' : lead,
      body: text.slice(from, end < 0 ? text.length : end),
    });
  }
  const written = sorted.flatMap((pair) => pieces.get(pair) ?? []);
  // Above the first member of an entry, or of the file, a comment would be about the whole.
  const isEntry = column === 0 || text.slice(lineStart(text, first), first).trim() !== '';
  if (isEntry && written[0]?.lead.trim() !== '') return [];
  const better = written.map(({ lead, body }, index) => {
    if (index > 0) return `${lead}${margin}${body}`;
    return lead.trim() === '' ? body : `${lead.trim()}\n${margin}${body}`;
  });
  const to = text[last - 1] === '\n' ? last - 1 : last;
  return [{ from: first, to, text: better.join('\n') }];
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Lists of plain values that fit into a line stand in brackets. */
function shortList({ node, path }: Found, text: string): readonly Edit[] {
  if (!isSeq(node) || node.flow === true || path.length === 0 || node.items.length === 0) return [];
  const from = node.range?.[0] ?? 0;
  const to = endOf(node, text);
  if (to === null || text[from] !== '-') return [];
  const items = node.items.flatMap((item) => plainText(item, text) ?? []);
  // Nothing but the values and their dashes: no comments, no empty entries.
  const bare = text
    .slice(from, to)
    .split('\n')
    .map((line) => line.trim().replace(/^-\s+/, ''));
  if (items.length < node.items.length || bare.filter((line) => line !== '').join('\n') !== items.join('\n')) return [];
  const before = text.slice(0, from).trimEnd();
  const behind = text.slice(to).split('\n', 1)[0] ?? '';
  if (!before.endsWith(':') || `${text.slice(before.length, from)}${behind}`.includes('#')) return [];
  const flow = ` [${items.join(', ')}]`;
  const width = before.length - lineStart(text, before.length) + flow.length;
  return width > WIDTH ? [] : [{ from: before.length, to, text: flow }];
}

/** Of a value that can stand in brackets as it is written; null of any other. */
function plainText(item: unknown, text: string): string | null {
  const [start, end] = [startOf(item), endOf(item, text)];
  if (!isScalar(item) || isBlock(item) || start === null || end === null) return null;
  const written = text.slice(start, end);
  const isSafe = item.type === 'PLAIN' ? /^[^,[\]{}#&*!|>%@`\n]*$/.test(written) : !written.includes('\n');
  return isSafe ? written : null;
}

/** Rules and statements that take several lines have a blank line between them. */
function spaced(found: readonly Found[], text: string, kind: FileKind): readonly Edit[] {
  const list = found.find(({ path }) => path.length === 1 && (path[0] === 'rules' || path[0] === 'invariants'))?.node;
  if ((kind !== 'rules' && kind !== 'invariants') || !isSeq(list) || list.flow === true) return [];
  return list.items.flatMap((item, index): readonly Edit[] => {
    const previous = list.items[index - 1];
    const [from, end] = [startOf(item), endOf(previous, text)];
    if (previous === undefined || from === null || end === null || keepsBlankLines(previous, text)) return [];
    const isLong = [item, previous].some((one) => isMap(one) && one.flow !== true);
    const newline = text.indexOf('\n', end);
    if (!isLong || newline < 0 || newline > from) return [];
    const between = text
      .slice(newline + 1, lineStart(text, from))
      .split('\n')
      .slice(0, -1);
    return between.some((line) => line.trim() === '') ? [] : [{ from: newline + 1, to: newline + 1, text: '\n' }];
  });
}
