// Tells editors where the schemas of a firm are: in the settings of VS Code, or in the first line of each file. It must never change anything
// else of a file.
import path from 'node:path';
import { FOLDERS, TOP_FILES } from '../../../src/core/file-kind.ts';

/** `folder` is that of the policies, from the workspace; with forward slashes. */
export function yamlSchemas(folder: string): Readonly<Record<string, readonly string[]>> {
  const kinds = new Map<string, string[]>();
  const add = (kind: string, glob: string): void => {
    const list = kinds.get(kind) ?? [];
    kinds.set(kind, [...list, path.posix.join(folder, glob)]);
  };
  for (const [name, kind] of TOP_FILES) add(kind, name);
  for (const [name, { kind, formats }] of FOLDERS) if (formats.includes('yaml')) add(kind, `${name}/**/*.{yaml,yml}`);
  return Object.fromEntries(
    [...kinds].map(([kind, globs]) => [
      `./${path.posix.join(folder, '.privity/schemas', `${kind}.schema.json`)}`,
      globs,
    ]),
  );
}

/** The settings with these schemas, those of other tools kept; null where the file is not plain JSON (comments, say). */
export function withYamlSchemas(
  settings: string | null,
  schemas: Readonly<Record<string, readonly string[]>>,
): string | null {
  let value: unknown = {};
  try {
    if (settings !== null && settings.trim() !== '') value = JSON.parse(settings);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const before: unknown = Reflect.get(value, 'yaml.schemas');
  const others = Object.entries(typeof before === 'object' && before !== null ? before : {}).filter(
    ([name]) => !name.includes('.privity/schemas/'),
  );
  return `${JSON.stringify({ ...value, 'yaml.schemas': { ...Object.fromEntries(others), ...schemas } }, null, 2)}\n`;
}

const MODELINE = /^# yaml-language-server: \$schema=\S+$/m;

/** A file that names its schema in a first line overrides all settings: the line then leads to the schema of the firm. */
export function withModeline(text: string, file: string, kind: string): string {
  const [first = ''] = text.split('\n', 1);
  if (!MODELINE.test(first)) return text;
  const up = path.posix.relative(path.posix.dirname(file), '.privity/schemas') || '.';
  return `# yaml-language-server: $schema=${up}/${kind}.schema.json${text.slice(first.length)}`;
}
