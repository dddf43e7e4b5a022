// What a policies folder says today about people and matters, and which of it an import may replace. It must never count what is kept by hand
// among what the import owns.
import { fileFormat, fileKind } from '../../../src/core/file-kind.ts';
import type { SourceFile } from '../../../src/model/diagnostic.ts';
import { isFields, type Fields } from './entries.ts';

export type Root = 'people' | 'matters';

export interface Present {
  /** Entries that the import brought before, or takes over now. */
  readonly owned: ReadonlyMap<string, Fields>;
  /** Entries that are kept by hand, with their place. */
  readonly byHand: ReadonlyMap<string, string>;
  /** Files that hold nothing else and are replaced. */
  readonly replaced: readonly SourceFile[];
  /** Files with other lists as well: this one is taken out. */
  readonly shared: readonly SourceFile[];
}

export function presentEntries(files: readonly SourceFile[], root: Root, takesOver: boolean): Present {
  const owned = new Map<string, Fields>();
  const byHand = new Map<string, string>();
  const replaced: SourceFile[] = [];
  const shared: SourceFile[] = [];
  for (const file of files) {
    const { value } = file;
    if (fileKind(file.path) !== 'data' || !isFields(value) || !Array.isArray(value[root])) continue;
    const entries: readonly unknown[] = value[root];
    const isOwn = isImported(file.path, root);
    const isAlone = Object.keys(value).every((name) => name === root || name === 'version');
    for (const [index, entry] of entries.entries()) {
      if (!isFields(entry) || typeof entry['id'] !== 'string') continue;
      if (isOwn || takesOver) owned.set(entry['id'], entry);
      else byHand.set(entry['id'], `${file.path}:${file.locate([root, index]).line}`);
    }
    if (isOwn || (takesOver && isAlone)) replaced.push(file);
    else if (takesOver) shared.push(file);
  }
  return { owned, byHand, replaced, shared };
}

/** The file that an import writes. */
export function isImported(path: string, root: Root): boolean {
  return path === `data/${root}.csv` || path === `data/${root}.ndjson`;
}

/** The member of the list is taken out of a file that holds others: only YAML and JSON hold several. */
export function isYaml(file: SourceFile): boolean {
  return fileFormat(file.path) === 'yaml';
}
