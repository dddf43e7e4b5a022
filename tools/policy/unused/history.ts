// Finds out since when rights have been in force as they stand, from the policy sets that the log says were loaded. It must never make a right
// older than the first of them that holds it.
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import type { PolicyLoad } from '../../../src/io/reports/read-use.ts';
import type { StoredPolicies } from '../../../src/io/reports/stored-policies.ts';
import { contentsOf } from './content.ts';

export interface Since {
  /** Milliseconds since 1970; null: no policy set that was loaded holds it as it stands here. */
  readonly at: number | null;
  /** It is not known how long before: an earlier policy set was not kept. */
  readonly isLeast: boolean;
}

interface Held {
  readonly hash: string;
  readonly contents: ReadonlyMap<string, string>;
}

/**
 * Memory goes with the number of rights: of the sets no more than one is held at a time.
 * @param wanted keys of rights, and what they say
 * @param loads newest first
 * @returns those that were in force at `from` already are not in it
 */
export async function sinceOf(
  wanted: ReadonlyMap<string, string>,
  from: number,
  loads: readonly PolicyLoad[],
  stored: StoredPolicies,
  onProgress: (done: number) => void,
): Promise<ReadonlyMap<string, Since>> {
  const since = new Map<string, Since>();
  const standing = new Map(wanted);
  let firmHash = '';
  let firm: unknown;
  let held = new Map<string, Held>();
  let revision = '';
  let later: number | null = null;
  for (const [index, load] of loads.entries()) {
    if (standing.size === 0) break;
    onProgress(index);
    if (load.revision !== revision) {
      const manifest = await stored.manifest(load.revision);
      if (manifest === null) {
        for (const key of standing.keys()) since.set(key, { at: later, isLeast: true });
        return since;
      }
      const firmNow = manifest.files.get('firm.yaml') ?? '';
      const firmChanged = firmNow !== firmHash;
      if (firmChanged) firm = await valueOf(stored, 'firm.yaml', firmNow);
      firmHash = firmNow;
      const next = new Map<string, Held>();
      for (const [path, hash] of manifest.files) {
        if (!path.startsWith('rules/') && !path.startsWith('data/')) continue;
        const known = held.get(path);
        const isSame = known?.hash === hash && !(firmChanged && path.startsWith('rules/'));
        next.set(
          path,
          isSame ? known : { hash, contents: contentsOf({ path, value: await valueOf(stored, path, hash) }, firm) },
        );
      }
      const changed = [...next.values()].some((one) => ![...held.values()].includes(one)) || next.size !== held.size;
      held = next;
      revision = load.revision;
      if (changed) {
        for (const [key, said] of standing) {
          if ([...held.values()].some(({ contents }) => contents.get(key) === said)) continue;
          since.set(key, { at: later, isLeast: false });
          standing.delete(key);
        }
      }
    }
    later = load.at;
  }
  if (later === null || later > from) for (const key of standing.keys()) since.set(key, { at: later, isLeast: true });
  return since;
}

/** Undefined where it was not kept, or was changed: then nothing in it counts as having been there. */
async function valueOf(stored: StoredPolicies, path: string, hash: string): Promise<unknown> {
  const bytes = (await stored.contents([hash])).get(hash);
  return bytes === undefined ? undefined : parseSourceFile(path, bytes).value;
}
