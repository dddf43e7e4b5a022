// Writes schemas/*.schema.json, which editors use to check policy files while they are typed. It must never hold a schema of its own: model/ is the source.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FILE_SCHEMAS } from '../src/core/file-kind.ts';

const FOLDER = new URL('../schemas/', import.meta.url);

/** File names below schemas/ and what must stand in them. */
export async function schemaFiles(): Promise<ReadonlyMap<string, string>> {
  const config = await resolveConfig(FOLDER);
  const files = new Map<string, string>();
  for (const [kind, schema] of Object.entries(FILE_SCHEMAS)) {
    const json = JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema });
    files.set(`${kind}.schema.json`, await format(json, { ...config, parser: 'json' }));
  }
  return files;
}

/** Names of the files that are not as they must be; written unless it is only a check. */
export async function generateSchemas({
  check,
  folder = FOLDER,
}: {
  readonly check: boolean;
  readonly folder?: URL;
}): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [name, text] of await schemaFiles()) {
    const file = new URL(name, folder);
    const old = await readFile(file, 'utf8').catch(() => null);
    if (old === text) continue;
    stale.push(`schemas/${name}`);
    if (check) continue;
    await mkdir(folder, { recursive: true });
    await writeFile(file, text);
  }
  return stale;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const stale = await generateSchemas({ check });
  for (const name of stale)
    console.log(check ? `${name} is not up to date: run node tools/generate-schemas.ts` : `wrote ${name}`);
  if (check && stale.length > 0) process.exitCode = 1;
}
