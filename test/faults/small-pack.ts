// The small firm of examples/ as contents by path. It must never be written to.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIR = fileURLToPath(new URL('../../examples/small-firm', import.meta.url));

/** Everything a service reads; what is for tests of policies is left out. */
export const SMALL_PACK: Readonly<Record<string, string>> = Object.freeze(
  Object.fromEntries(
    globSync('**/*.yaml', { cwd: DIR })
      .map((name) => name.split(path.sep).join('/'))
      .filter((name) => !name.startsWith('tests/'))
      .toSorted()
      .map((name) => [name, readFileSync(path.join(DIR, name), 'utf8')]),
  ),
);
