// Says what a file of the policies folder is by its path, and which schema it follows. It must never look into a file.
import type { TSchema } from 'typebox';
import { ReviewFile } from '../model/access-review.ts';
import { CallersFile, DataFile, IssuersFile, LockdownFile, WallsFile } from '../model/data.ts';
import { FirmFile } from '../model/firm.ts';
import { InvariantsFile } from '../model/invariants.ts';
import { RetentionFile } from '../model/retention.ts';
import { RoutesFile } from '../model/routes.ts';
import { RulesFile, TestsFile } from '../model/rules.ts';

/** `keys` are JSON Web Key Sets that issuers.yaml may name; `invariants` are statements to prove; `reviews` is evidence. */
export type FileKind =
  | 'firm'
  | 'issuers'
  | 'callers'
  | 'lockdown'
  | 'retention'
  | 'routes'
  | 'rules'
  | 'walls'
  | 'data'
  | 'invariants'
  | 'reviews'
  | 'tests'
  | 'keys';

export type FileFormat = 'yaml' | 'json' | 'ndjson' | 'csv';

/** Schemas that `schemas/` publishes for editors, by the kind of file. */
export const FILE_SCHEMAS = {
  firm: FirmFile,
  issuers: IssuersFile,
  callers: CallersFile,
  lockdown: LockdownFile,
  retention: RetentionFile,
  routes: RoutesFile,
  rules: RulesFile,
  walls: WallsFile,
  data: DataFile,
  invariants: InvariantsFile,
  reviews: ReviewFile,
  tests: TestsFile,
} as const satisfies Partial<Record<FileKind, TSchema>>;

export const LOCKDOWN_PATH = 'lockdown.yaml';

/** Files that stand alone at the top of the folder. */
export const TOP_FILES: ReadonlyMap<string, FileKind> = new Map([
  ['firm.yaml', 'firm'],
  ['issuers.yaml', 'issuers'],
  ['callers.yaml', 'callers'],
  [LOCKDOWN_PATH, 'lockdown'],
  ['retention.yaml', 'retention'],
  ['routes.yaml', 'routes'],
]);

/** Folders, each with the formats its files may have. */
export const FOLDERS: ReadonlyMap<string, { readonly kind: FileKind; readonly formats: readonly FileFormat[] }> =
  new Map([
    ['rules', { kind: 'rules', formats: ['yaml'] }],
    ['walls', { kind: 'walls', formats: ['yaml', 'csv', 'ndjson', 'json'] }],
    ['data', { kind: 'data', formats: ['yaml', 'csv', 'ndjson', 'json'] }],
    ['invariants', { kind: 'invariants', formats: ['yaml'] }],
    ['reviews', { kind: 'reviews', formats: ['yaml'] }],
    ['tests', { kind: 'tests', formats: ['yaml', 'json'] }],
    ['keys', { kind: 'keys', formats: ['json'] }],
  ]);

const ENDINGS: ReadonlyMap<string, FileFormat> = new Map([
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
  ['json', 'json'],
  ['ndjson', 'ndjson'],
  ['jsonl', 'ndjson'],
  ['csv', 'csv'],
]);

/** What the file is; null when it plays no part in policies (README, hidden files, anything unknown). */
export function fileKind(path: string): FileKind | null {
  const parts = path.split('/');
  if (parts.some((part) => part.startsWith('.') || part === '')) return null;
  const [first = '', ...below] = parts;
  if (below.length === 0) return TOP_FILES.get(first) ?? null;
  const folder = FOLDERS.get(first);
  const format = fileFormat(path);
  return folder !== undefined && format !== null && folder.formats.includes(format) ? folder.kind : null;
}

export function fileFormat(path: string): FileFormat | null {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  return dot < 1 ? null : (ENDINGS.get(name.slice(dot + 1)) ?? null);
}

/** The root that the rows of a CSV or NDJSON file belong to: `data/matters-litigation.csv` holds `matters`. */
export function rowsRoot(path: string): string {
  if (fileKind(path) === 'walls') return 'walls';
  return /^[^.-]*/.exec(baseName(path))?.[0] ?? '';
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
