// Finds the policy files that a command names: a whole folder, or single files wherever they are. It must never take up what is none.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileKind, FOLDERS, type FileKind } from '../../../src/core/file-kind.ts';
import { listFolder } from '../../../src/io/policies/listing.ts';

export interface Target {
  /** As the user named it. */
  readonly shown: string;
  /** Absolute. */
  readonly file: string;
  /** Within the policies folder. */
  readonly path: string;
  readonly kind: FileKind;
}

export interface Targets {
  readonly files: readonly Target[];
  /** What was named and is no policy file, with the reason. */
  readonly strange: readonly string[];
}

export async function findFiles(folder: string, names: readonly string[]): Promise<Targets> {
  const files: Target[] = [];
  const strange: string[] = [];
  for (const name of names) {
    const absolute = path.resolve(folder, name);
    const found = await stat(absolute).catch(() => null);
    if (found === null) strange.push(`there is no \`${name}\``);
    else if (found.isDirectory() && fileKind(`${path.basename(absolute)}/any.yaml`) === null) {
      const listed = await listFolder(absolute);
      for (const one of listed.files) {
        const kind = fileKind(one.path);
        if (kind === null) continue;
        files.push({ shown: path.join(name, one.path), file: one.real, path: one.path, kind });
      }
    } else if (found.isDirectory())
      strange.push(`\`${name}\` is a part of a policies folder: name its files, or the whole folder`);
    else {
      const known = within(absolute);
      if (known === null) strange.push(`\`${name}\` is no file of a policies folder`);
      else files.push({ shown: name, file: absolute, ...known });
    }
  }
  return { files, strange };
}

/** Where in a policies folder a file is, by the nearest folder of such a name above it. */
export function within(absolute: string): Pick<Target, 'path' | 'kind'> | null {
  const parts = absolute.split(path.sep);
  const from = parts.findLastIndex((part, index) => index < parts.length - 1 && FOLDERS.has(part));
  for (const start of [from, parts.length - 1]) {
    const inside = start < 0 ? '' : parts.slice(start).join('/');
    const kind = fileKind(inside);
    if (kind !== null) return { path: inside, kind };
  }
  return null;
}
