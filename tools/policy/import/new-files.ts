// The data files as they will be after an import, read back as the engine reads them. It must never hand out a list that reads otherwise than
// it was meant.
import { isDeepStrictEqual } from 'node:util';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { withoutMember } from '../format/remove-member.ts';
import { isFields, type Fields } from './entries.ts';
import { formatFor, listText } from './list-text.ts';
import type { Plan } from './plan.ts';
import { isYaml, type Present, type Root } from './present.ts';

export interface NewFile {
  /** Within the policies folder. */
  readonly path: string;
  readonly before: Uint8Array | null;
  readonly after: string | null;
}

export interface NewFiles {
  /** The whole folder, for a check before anything is written. */
  readonly files: readonly SourceFile[];
  readonly changes: readonly NewFile[];
  /** Why it cannot be done. */
  readonly problems: readonly string[];
}

export function newFiles(plan: Plan, present: Readonly<Record<Root, Present>>, files: readonly SourceFile[]): NewFiles {
  const problems: string[] = [];
  const texts = new Map<string, string | null>();
  for (const root of ['people', 'matters'] as const) {
    const entries = plan[root];
    if (entries === null) continue;
    for (const { path } of present[root].replaced) texts.set(path, null);
    for (const file of present[root].shared) {
      const text = texts.get(file.path) ?? Buffer.from(file.bytes).toString('utf8');
      const rest = isYaml(file) ? withoutMember(text, root) : null;
      if (rest === null) problems.push(`${file.path} holds \`${root}\` among other lists: take them out by hand`);
      else texts.set(file.path, rest);
    }
    const format = formatFor(entries);
    const path = `data/${root}.${format}`;
    const text = listText(root, entries, format);
    texts.set(path, text);
    if (!isReadAs(path, text, root, entries))
      problems.push(`${path} would not be read as it is meant: this is a fault of Privity`);
  }
  const old = new Map(files.map((file) => [file.path, file]));
  const changes = [...texts].flatMap(([path, after]): NewFile[] => {
    const before = old.get(path)?.bytes ?? null;
    const isSame = after !== null && before !== null && Buffer.from(before).toString('utf8') === after;
    return isSame || (after === null && before === null) ? [] : [{ path, before, after }];
  });
  const changed = new Map(changes.map(({ path, after }) => [path, after]));
  return {
    changes,
    problems,
    files: [
      ...files.filter(({ path }) => !changed.has(path)),
      ...changes.flatMap(({ path, after }) => (after === null ? [] : [parseSourceFile(path, Buffer.from(after))])),
    ],
  };
}

function isReadAs(path: string, text: string, root: Root, entries: readonly Fields[]): boolean {
  const { value, problems } = parseSourceFile(path, Buffer.from(text));
  const read: unknown = isFields(value) ? value[root] : undefined;
  const sorted = entries.toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
  return problems.length === 0 && isDeepStrictEqual(read, sorted);
}
