// Finds the places of a YAML or JSON text that have to change, by its syntax tree, so that everything else stays as it was typed. It must
// never print a node that somebody else wrote.
import { isMap, isPair, isScalar, isSeq, parseDocument, type CST, type Document, type Node, type YAMLSeq } from 'yaml';
import { afterLine, lineCut, lineStart, type Edit } from './cut.ts';

export type Steps = readonly (string | number)[];

export interface YamlText {
  /** Null: the list is written in a way that has to be changed by hand. */
  cutItems(list: Steps, indexes: ReadonlySet<number>): readonly Edit[] | null;
  /** Other names in the place of one. */
  replaceItem(list: Steps, index: number, names: readonly string[]): readonly Edit[] | null;
  replaceValue(place: Steps, text: string): readonly Edit[] | null;
  /** Lines behind the last member of a block map, indented as its members are. */
  addMembers(map: Steps, lines: readonly string[]): readonly Edit[] | null;
}

/** Null where the text cannot be parsed. */
export function openYaml(text: string): YamlText | null {
  let document: Document.Parsed;
  try {
    const options = { version: '1.2', schema: 'core', keepSourceTokens: true, logLevel: 'error' } as const;
    document = parseDocument(text, options);
  } catch {
    return null;
  }
  if (document.errors.length > 0) return null;
  const nodeAt = (steps: Steps): unknown => (steps.length === 0 ? document.contents : document.getIn(steps, true));

  return {
    cutItems(list, indexes) {
      const node = nodeAt(list);
      if (!isSeq(node)) return null;
      if (indexes.size >= node.items.length) return emptied(text, document, list, node);
      return node.flow === true ? cutFlow(text, node, indexes) : cutBlock(text, node, indexes);
    },
    replaceItem(list, index, names) {
      const node = nodeAt(list);
      if (!isSeq(node)) return null;
      const [from, to] = rangeOf(node.items[index]);
      if (from === null) return null;
      if (node.flow === true) return [{ from, to, text: names.join(', ') }];
      const dash = dashOf(node, index);
      if (dash === null) return null;
      const lead = text.slice(lineStart(text, dash), from);
      return lead.trim() === '-' ? [{ from, to, text: names.join(`\n${lead}`) }] : null;
    },
    replaceValue(place, value) {
      const node = nodeAt(place);
      const [from, to] = rangeOf(node);
      if (from === null) return null;
      const isBlock = (isMap(node) || isSeq(node)) && node.flow !== true;
      return [{ from, to: isBlock ? endOfBlock(text, to) : to, text: value }];
    },
    addMembers(map, lines) {
      const node = nodeAt(map);
      if (!isMap(node) || node.flow === true) return null;
      const [first, last] = [node.items[0], node.items.at(-1)];
      const [start] = rangeOf(first?.key);
      const [, end] = rangeOf(last?.value ?? last?.key);
      if (start === null || end === null) return null;
      const indent = ' '.repeat(start - lineStart(text, start));
      const at = text[end - 1] === '\n' ? end : afterLine(text, end);
      const lead = at > 0 && text[at - 1] !== '\n' ? '\n' : '';
      return [{ from: at, to: at, text: `${lead}${lines.map((line) => `${indent}${line}\n`).join('')}` }];
    },
  };
}

function rangeOf(node: unknown): readonly [from: number, to: number] | readonly [null, 0] {
  const range = isNode(node) ? node.range : undefined;
  return range ? [range[0], range[1]] : [null, 0];
}

function isNode(node: unknown): node is Node {
  return isMap(node) || isSeq(node) || isScalar(node);
}

/** A block ends behind the newline of its last line, which has to stay where the block becomes a word. */
function endOfBlock(text: string, to: number): number {
  return to - (/\s*$/.exec(text.slice(0, to))?.[0].length ?? 0);
}

function tokenOf(list: YAMLSeq): CST.BlockSequence | CST.FlowCollection | null {
  const { srcToken } = list;
  return srcToken?.type === 'block-seq' || srcToken?.type === 'flow-collection' ? srcToken : null;
}

function markOf(list: YAMLSeq, index: number, type: 'seq-item-ind' | 'comma'): number | null {
  const start = tokenOf(list)?.items[index]?.start ?? [];
  return start.find((token) => token.type === type)?.offset ?? null;
}

function dashOf(list: YAMLSeq, index: number): number | null {
  return markOf(list, index, 'seq-item-ind');
}

/** Comments that stand above an item stay: they may speak of what follows as well. */
function cutBlock(text: string, list: YAMLSeq, indexes: ReadonlySet<number>): readonly Edit[] | null {
  const edits: Edit[] = [];
  const firstKept = list.items.findIndex((_, index) => !indexes.has(index));
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const dash = dashOf(list, index);
    const [from, to] = rangeOf(list.items[index]);
    if (dash === null || from === null || text.slice(lineStart(text, dash), dash).trim() !== '') return null;
    const edit = index < firstKept ? leadingCut(text, dash, to) : lineCut(text, dash, to);
    const before = edits.at(-1);
    // The blank line between two items that both go belongs to one of them only.
    edits.push(before !== undefined && edit.from < before.to ? { ...edit, from: before.to } : edit);
  }
  return edits;
}

/** In front of the first item that stays no blank line is left. */
function leadingCut(text: string, dash: number, to: number): Edit {
  const { from, to: end } = { ...lineCut(text, dash, to), from: lineStart(text, dash) };
  const next = afterLine(text, end);
  return { from, to: text.slice(end, next).trim() === '' ? next : end, text: '' };
}

function cutFlow(text: string, list: YAMLSeq, indexes: ReadonlySet<number>): readonly Edit[] | null {
  const count = list.items.length;
  const edits: Edit[] = [];
  const firstKept = list.items.findIndex((_, index) => !indexes.has(index));
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const [from, to] = rangeOf(list.items[index]);
    const [before, after] = [rangeOf(list.items[index - 1]), rangeOf(list.items[index + 1])];
    if (from === null) return null;
    // Before the first that stays, each goes with the comma behind it; after it, with the comma in front.
    const isLeading = index < firstKept;
    const [start, end] = isLeading ? [from, index + 1 < count ? after[0] : to] : [before[1], to];
    if (start === null || end === null) return null;
    if (!text.slice(start, end).includes('#')) {
      edits.push({ from: start, to: end, text: '' });
      continue;
    }
    const comma = markOf(list, isLeading ? index + 1 : index, 'comma');
    if (comma === null) return null;
    edits.push({ from, to, text: '' }, { from: comma, to: comma + 1, text: '' });
  }
  return edits;
}

/** A list that nothing is left of is written `[]`, behind its name. */
function emptied(text: string, document: Document.Parsed, list: Steps, node: YAMLSeq): readonly Edit[] | null {
  const [from, to] = rangeOf(node);
  if (from === null) return null;
  if (node.flow === true) return [{ from, to, text: '[]' }];
  const parent = list.length === 1 ? document.contents : document.getIn(list.slice(0, -1), true);
  const name = list.at(-1);
  const pair = isMap(parent)
    ? parent.items.find((one) => isPair(one) && isScalar(one.key) && one.key.value === name)
    : undefined;
  const [, key] = rangeOf(pair?.key);
  if (pair === undefined || key === 0) return null;
  const colon = text.indexOf(':', key);
  const cuts = cutBlock(text, node, new Set(node.items.keys()));
  return cuts === null || colon < 0 ? null : [{ from: colon + 1, to: colon + 1, text: ' []' }, ...cuts];
}
