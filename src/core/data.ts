// Policy data of one file, in pieces that outlive a change of the file elsewhere. It must never let an entry through that was not checked.
import { DataFile } from '../model/data.ts';
import type { RowBlock, SourceFile } from '../model/diagnostic.ts';
import type { Entry } from './attribute-types.ts';
import {
  createEntryReaders,
  emptyPiece,
  isListRoot,
  LISTS,
  type DataContext,
  type EntryReaders,
  type ListRoot,
  type MatterFacts,
  type OnFile,
  type Piece,
  type ResourceFacts,
} from './data-entries.ts';
import type { Dictionary } from './dictionary.ts';
import { createReport } from './report.ts';
import { checkEntries, checkFile } from './schema-check.ts';

/** A list in the order of its file. A piece is the same object for as long as the entries in it stay as they are. */
export type Pieces<T> = readonly (readonly T[])[];

/** What one data file says; the index of an entry in its list leads back to it for messages. */
export interface DataPart {
  readonly file: SourceFile;
  readonly matters: Pieces<readonly [id: string, facts: MatterFacts]>;
  readonly grants: Pieces<Entry>;
  readonly services: Pieces<Entry>;
  readonly people: Pieces<readonly [id: string, onFile: OnFile]>;
  readonly directory: Pieces<readonly [id: string, attributes: Readonly<Record<string, unknown>>]>;
  readonly resources: Pieces<ResourceFacts>;
  readonly aiAssistants: Pieces<string>;
  readonly assistants: Readonly<Record<string, readonly string[]>>;
  readonly consents: Readonly<Record<string, readonly string[]>>;
}

/** What blocks without any mistake became, with the words of which firm. */
export type PieceMemory = WeakMap<RowBlock, { readonly dictionary: Dictionary; readonly piece: Piece }>;

/** Some entries of a list, and the index of the first. */
interface Run {
  readonly root: ListRoot;
  readonly from: number;
  readonly entries: readonly unknown[];
  readonly block: RowBlock | null;
}

/** Entries handled between two pauses. */
const STEP = 500;
const NOBODY: Readonly<Record<string, string[]>> = {};

/** Checks and compiles one file; pauses between slices so that a reload never stalls requests. Returns null when the file is unusable. */
export function* compileDataFile(
  file: SourceFile,
  context: DataContext,
  memory: PieceMemory = new WeakMap(),
): Generator<void, DataPart | null> {
  const { report } = context;
  if (!isRecord(file.value)) {
    report.add(checkFile(file, DataFile));
    return null;
  }
  const lists = new Map<ListRoot, readonly unknown[]>();
  const rest: Record<string, unknown> = {};
  for (const [root, value] of Object.entries(file.value)) {
    if (isListRoot(root) && Array.isArray(value)) lists.set(root, value);
    else rest[root] = value;
  }
  const before = report.diagnostics.length;
  report.add(checkFile({ ...file, value: rest }, DataFile));
  const runs = [...lists].flatMap(([root, entries]) => cutIntoRuns(file, root, entries));
  const known = ({ block }: Run): Piece | undefined => {
    const remembered = block === null ? undefined : memory.get(block);
    return remembered?.dictionary === context.dictionary ? remembered.piece : undefined;
  };
  for (const run of runs) {
    if (known(run) !== undefined) continue;
    report.add(checkEntries(file, [run.root], run.entries, LISTS[run.root], run.from));
    yield;
  }
  if (report.diagnostics.length > before) return null;

  const pieces: Piece[] = [];
  const order = Object.keys(LISTS);
  for (const run of runs.toSorted((a, b) => order.indexOf(a.root) - order.indexOf(b.root))) {
    let piece = known(run);
    if (piece === undefined) {
      const own = createReport();
      piece = compileRun(file, run, createEntryReaders({ ...context, report: own }));
      report.add(own.diagnostics);
      const { dictionary } = context;
      if (run.block !== null && own.diagnostics.length === 0) memory.set(run.block, { dictionary, piece });
      yield;
    }
    pieces.push(piece);
  }
  const { consents = NOBODY, assistants = NOBODY }: DataFile = rest;
  for (const id of Object.keys(consents)) {
    if (!context.names.consents.has(id))
      report.unknown({ file, path: ['consents', id] }, 'consent list', id, context.names.consents.keys());
  }
  return { file, ...listsOf(pieces), assistants, consents };
}

function cutIntoRuns(file: SourceFile, root: ListRoot, entries: readonly unknown[]): readonly Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (const block of file.blocks ?? []) {
    runs.push({ root, from, entries: block.entries, block });
    from += block.entries.length;
  }
  for (; from < entries.length; from += STEP)
    runs.push({ root, from, entries: entries.slice(from, from + STEP), block: null });
  return runs;
}

function compileRun(file: SourceFile, { root, from, entries }: Run, readers: EntryReaders): Piece {
  const piece = emptyPiece();
  const read = readers[root];
  for (const [index, entry] of entries.entries()) read(entry, { file, path: [root, from + index] }, piece);
  return piece;
}

/** Of what is empty nothing is kept: a list that has not changed is then made of the same pieces. */
function listsOf(pieces: readonly Piece[]): Omit<DataPart, 'file' | 'assistants' | 'consents'> {
  const filled = <T>(listOf: (piece: Piece) => readonly T[]): Pieces<T> =>
    pieces.map(listOf).filter(({ length }) => length > 0);
  return {
    matters: filled(({ matters }) => matters),
    grants: filled(({ grants }) => grants),
    services: filled(({ services }) => services),
    people: filled(({ people }) => people),
    directory: filled(({ directory }) => directory),
    resources: filled(({ resources }) => resources),
    aiAssistants: filled(({ aiAssistants }) => aiAssistants),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
