// Turns one file of the policies folder into a plain value, or into the problems that prevent it. It must never throw because of what a file holds.
import { createHash } from 'node:crypto';
import * as Type from 'typebox';
import type { TSchema } from 'typebox';
import { fileFormat, fileKind, FILE_SCHEMAS, rowsRoot } from '../../core/file-kind.ts';
import { nearest } from '../../core/suggest.ts';
import type { SourceFile } from '../../model/diagnostic.ts';
import { parseCsv } from './csv-file.ts';
import { parseJson, parseNdjson } from './json-file.ts';
import { createListMemory, parseList, type ListMemory } from './list-file.ts';
import { runAtOnce, runInSlices } from './slices.ts';
import { createProblems, decodeText, START, type Problems } from './text.ts';
import { locatable, NOWHERE, parseYaml, type Parsed } from './yaml-file.ts';
import type { YamlThread } from './yaml-thread.ts';

/** YAML and JSON are parsed at one go; long lists belong into CSV or NDJSON, which are read in slices. */
const MOST_BYTES = {
  yaml: 4 * 1024 * 1024,
  json: 4 * 1024 * 1024,
  csv: 64 * 1024 * 1024,
  ndjson: 64 * 1024 * 1024,
} as const;

/** Bytes of YAML that are parsed in a few milliseconds. */
const MOST_AT_ONCE = 16 * 1024;
const HASH_SLICE = 1024 * 1024;

/** A file whose content is known by its hash, and what is remembered of it as it was before. */
export interface HashedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly memory: ListMemory;
}

/** The format comes from the ending of the path, the root of a CSV or NDJSON list from its name. */
export function parseSourceFile(path: string, bytes: Uint8Array, memory = createListMemory()): SourceFile {
  return runAtOnce(parseSteps({ path, bytes, hash: runAtOnce(sha256(bytes)), memory }));
}

/** The same without stalling the thread: in slices or, for long YAML, which has none, in the other thread. */
export async function parseBesideRequests(file: HashedFile, thread: YamlThread): Promise<SourceFile> {
  const { path, bytes, hash } = file;
  const long = fileFormat(path) === 'yaml' && bytes.length > MOST_AT_ONCE && bytes.length <= mostBytes(path);
  const text = long ? decodeText(bytes, createProblems(path)) : undefined;
  if (text === undefined) return runInSlices(parseSteps(file));
  const { tree, problems } = await thread.read({ path, text });
  return { path, bytes, hash, ...(tree === null ? NOWHERE : locatable(tree)), problems };
}

/** SHA-256, lower-case hex. */
export function* sha256(bytes: Uint8Array): Generator<void, string> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += HASH_SLICE) {
    hash.update(bytes.subarray(start, start + HASH_SLICE));
    yield;
  }
  return hash.digest('hex');
}

/** Bytes a file may have; whoever reads files asks before it reads. */
export function mostBytes(path: string): number {
  return MOST_BYTES[fileFormat(path) ?? 'yaml'];
}

function* parseSteps({ path, bytes, hash, memory }: HashedFile): Generator<void, SourceFile> {
  const problems = createProblems(path);
  const parsed = yield* parseText(path, bytes, problems, memory);
  return { path, bytes, hash, problems: problems.list, ...parsed };
}

function* parseText(
  path: string,
  bytes: Uint8Array,
  problems: Problems,
  memory: ListMemory,
): Generator<void, Parsed & Partial<Pick<SourceFile, 'blocks' | 'problems'>>> {
  const format = fileFormat(path) ?? 'yaml';
  if (bytes.length > mostBytes(path)) {
    const hint =
      format === 'yaml' || format === 'json'
        ? 'write long lists as CSV or NDJSON'
        : 'split the list over several files';
    problems.add(START, 'too-large', `the file is larger than ${mostBytes(path) / 1024 / 1024} MiB`, hint);
    return NOWHERE;
  }
  if (format === 'yaml' || format === 'json') {
    const text = decodeText(bytes, problems);
    yield;
    if (text === undefined) return NOWHERE;
    return format === 'yaml' ? parseYaml(text, problems) : parseJson(text, problems);
  }
  const root = rowsRoot(path);
  const unnamed = createProblems(path);
  const entry = entrySchema(path, root, format, unnamed);
  const list = entry && (yield* parseList({ path, bytes, format, root, entry }, memory));
  if (list) return list;
  const text = decodeText(bytes, problems);
  yield;
  if (text === undefined) return NOWHERE;
  if (entry === undefined) return { ...NOWHERE, problems: unnamed.list };
  return yield* format === 'csv' ? parseCsv(text, root, entry, problems) : parseNdjson(text, root, problems);
}

/** What it accepts stands in the same file. */
const OF_ITS_FILE = 'accept';

/** The schema of the entries that the name of a CSV or NDJSON file promises. */
function entrySchema(path: string, root: string, format: string, problems: Problems): TSchema | undefined {
  const roots = fileKind(path) === 'walls' ? FILE_SCHEMAS.walls.properties : FILE_SCHEMAS.data.properties;
  const schema: unknown = Object.hasOwn(roots, root) ? Reflect.get(roots, root) : undefined;
  if (Type.IsArray(schema) && root !== OF_ITS_FILE) return schema.items;
  const lists = Object.entries(roots).flatMap(([name, list]) =>
    Type.IsArray(list) && name !== OF_ITS_FILE ? [name] : [],
  );
  if (schema !== undefined) {
    problems.add(START, 'not-a-list', `\`${root}\` cannot be written as ${format.toUpperCase()}`, 'write it as YAML');
  } else {
    const near = nearest(root, lists);
    const hint =
      near === undefined
        ? `name it after the list it holds: ${lists.join(', ')}`
        : `did you mean \`${near}.${format}\`?`;
    problems.add(START, 'unknown-list', `the name of the file begins with \`${root}\`, which is no list`, hint);
  }
  return undefined;
}
