// Reads the migrations and what each says of itself in its header. It must never run one, nor judge a database by them.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
  /** `-- compatible-with: 000005`: the oldest schema whose code works on the database after this migration. */
  readonly compatibleWith: number;
  /** `-- contract`: takes away what code of this version does not use any more, and works without as well as with. */
  readonly isContract: boolean;
}

/** A folder of migrations; tests have others. */
export const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

const FILE_NAME = /^(\d{6})_[a-z0-9_]+\.sql$/;
const HEADER = /^(?:--[^\n]*(?:\n|$))*/;
const COMPATIBLE_WITH = /^-- compatible-with: (.*)$/m;
const CONTRACT = /^-- contract(?:$|:)/m;

export async function readMigrations(folder: URL = MIGRATIONS): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(FILE_NAME.exec(name)?.[1]);
      if (version !== index + 1) throw new Error(`migration \`${name}\` is out of order; number files from 000001 on`);
      const sql = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n');
      const [header = ''] = HEADER.exec(sql) ?? [];
      return {
        version,
        name,
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
        compatibleWith: oldestOf(header, version, name),
        isContract: CONTRACT.test(header),
      };
    }),
  );
}

/** A migration that says nothing works with the code of its own version alone. */
function oldestOf(header: string, version: number, name: string): number {
  const said = COMPATIBLE_WITH.exec(header)?.[1];
  if (said === undefined) return version;
  const oldest = /^\d{6}$/.test(said) ? Number(said) : 0;
  if (oldest < 1 || oldest > version) {
    throw new Error(`migration \`${name}\`: \`compatible-with: ${said}\` must be a schema from 000001 to its own`);
  }
  return oldest;
}
