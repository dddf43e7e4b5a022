// Puts one more entry at the end of a list in a YAML file, everything else as it is. It must never write over what stands there.
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { collectionsOf, endOf, nameOf } from './syntax.ts';

/** Short conditions stand in one line. */
const CONDITIONS: ReadonlySet<string> = new Set(['when', 'unless']);
const SHORT = 90;
/** Instants and codes stand in quotes, as everywhere in policies. */
const QUOTED = /^\d{4}-\d{2}-\d{2}T|^[a-z_]+:\S/;

/** An entry of a list as YAML, lists of plain values in brackets; the dash stands at `column`. */
export function entryText(entry: unknown, column: number): string {
  const document = new Document([entry], { version: '1.2' });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && QUOTED.test(node.value)) node.type = 'QUOTE_SINGLE';
    },
    Pair: (_, { key, value }) => {
      if (isMap(value) && CONDITIONS.has(String(key)) && JSON.stringify(value).length < SHORT) value.flow = true;
    },
    Seq: (_, node) => {
      if (node !== document.contents && node.items.every(isScalar)) node.flow = true;
    },
  });
  const text = document.toString({ lineWidth: 0, singleQuote: true, flowCollectionPadding: false });
  const margin = ' '.repeat(column);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${line === '' ? '' : margin}${line}\n`)
    .join('');
}

/** Null where the file has another shape than such a list. */
export function withEntries(text: string, root: string, entries: readonly unknown[]): string | null {
  const file = text.endsWith('\n') || text === '' ? text : `${text}\n`;
  const found = collectionsOf(file);
  const outer = found[0]?.node;
  if (outer !== undefined && (!isMap(outer) || outer.flow === true)) return null;
  const list = found.find(({ path }) => path.length === 1 && path[0] === root)?.node;
  if (list === undefined) {
    if (isMap(outer) && outer.items.some((pair) => nameOf(pair) === root)) return null;
    return `${file}${root}:\n${entries.map((entry) => entryText(entry, 2)).join('')}`;
  }
  const end = endOf(list, file);
  const from = list.range?.[0] ?? 0;
  if (!isSeq(list) || end === null) return null;
  if (list.items.length === 0)
    return `${file.slice(0, from).trimEnd()}\n${entries.map((entry) => entryText(entry, 2)).join('')}${file.slice(end).replace(/^[ \t]*\n/, '')}`;
  if (list.flow === true) return null;
  const column = from - (file.lastIndexOf('\n', from - 1) + 1);
  const line = file.indexOf('\n', end) + 1;
  return `${file.slice(0, line)}${entries.map((entry) => entryText(entry, column)).join('')}${file.slice(line)}`;
}
