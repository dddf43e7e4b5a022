// Takes one member out of the top of a YAML file, with the comments above it. It must never touch the members beside it.
import { isMap } from 'yaml';
import { collectionsOf, endOf, nameOf, startOf } from './syntax.ts';

/** Null where it cannot be taken out as a whole. */
export function withoutMember(text: string, name: string): string | null {
  const root = collectionsOf(text)[0]?.node;
  if (!isMap(root) || root.flow === true) return null;
  const index = root.items.findIndex((pair) => nameOf(pair) === name);
  const [pair, previous] = [root.items[index], root.items[index - 1]];
  const [from, to] = [startOf(pair), endOf(pair, text)];
  if (from === null || to === null) return null;
  const end = text.indexOf('\n', to);
  // What stands above the first member is about the file.
  const before = previous === undefined ? null : endOf(previous, text);
  const start = before === null ? from : text.indexOf('\n', before) + 1;
  return `${text.slice(0, start)}${end < 0 ? '' : text.slice(end + 1)}`;
}
