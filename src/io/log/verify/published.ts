// Reads what was published outside the database: a folder of checkpoints, a file to which they were appended, or one checkpoint. It must
// never take a text for a checkpoint whose signature does not hold.
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { peekCheckpoint, readCheckpoint } from '../../../core/sealing/checkpoint.ts';
import type { NoteVerifier } from '../../../core/sealing/signed-note.ts';
import type { Finding } from '../../../core/verification/finding.ts';
import type { KnownRoot } from './source.ts';

export interface Published {
  /** By size, each size once. */
  readonly roots: readonly KnownRoot[];
  readonly count: number;
  readonly findings: readonly Finding[];
  /** What is no tampering and should be known. */
  readonly notes: readonly string[];
}

interface Reading {
  readonly verifiers: readonly NoteVerifier[];
  readonly bySize: Map<number, Buffer>;
  readonly findings: Finding[];
  readonly notes: string[];
  count: number;
}

const LATEST = 'checkpoint';
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SIZE = /^\d{16}$/;

/** @throws Error for what cannot be read */
export async function readPublished(place: string, verifiers: readonly NoteVerifier[]): Promise<Published> {
  const reading: Reading = { verifiers, bySize: new Map(), findings: [], notes: [], count: 0 };
  const isFolder = (await stat(place)).isDirectory();
  await (isFolder ? readFolder(reading, place) : readAppended(reading, place));
  const roots = [...reading.bySize].map(([size, root]) => ({ size, root })).toSorted((a, b) => a.size - b.size);
  const { count, findings, notes } = reading;
  return { roots, count, findings, notes };
}

async function readFolder(reading: Reading, folder: string): Promise<void> {
  for (const day of (await readdir(folder)).filter((name) => DAY.test(name)).toSorted()) {
    const names = (await readdir(path.join(folder, day))).filter((name) => SIZE.test(name)).toSorted();
    for (const name of names) take(reading, await readFile(path.join(folder, day, name), 'utf8'), `${day}/${name}`);
  }
  const latest = await readFile(path.join(folder, LATEST), 'utf8').catch(() => null);
  if (latest === null)
    reading.notes.push(`${folder} has no file \`${LATEST}\`: the newest one that was published is not there`);
  else take(reading, latest, LATEST);
}

async function readAppended(reading: Reading, file: string): Promise<void> {
  let number = 0;
  let isNote = false;
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    number++;
    // A single checkpoint, as it is in a folder, begins with the name of the log.
    if (number === 1) isNote = !line.startsWith('{');
    if (isNote) lines.push(line);
    else if (line !== '') takeLine(reading, line, `line ${number}`);
  }
  if (isNote) take(reading, `${lines.join('\n')}\n`, path.basename(file));
}

function takeLine(reading: Reading, line: string, where: string): void {
  const note = noteOf(line);
  if (note !== null) take(reading, note, where);
  // Whoever appends starts a new line after one that was cut off by a crash: that ends before its note does.
  else if (!line.endsWith('}') && !line.includes('\\n"'))
    reading.notes.push(`${where} was cut off while it was written`);
  else forged(reading, `${where} is no checkpoint`);
}

function noteOf(line: string): string | null {
  try {
    const entry: unknown = JSON.parse(line);
    const note: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'note') : undefined;
    return typeof note === 'string' ? note : null;
  } catch {
    return null;
  }
}

function take(reading: Reading, note: string, where: string): void {
  reading.count++;
  const checkpoint = readCheckpoint(note, reading.verifiers);
  if (checkpoint === null || !reading.verifiers.some(({ name }) => name === checkpoint.origin)) {
    const said = peekCheckpoint(note);
    const words =
      said === null ? 'is no checkpoint' : `(${said.size} records of ${said.origin}) is not signed by the keys given`;
    return forged(reading, `${where} ${words}`);
  }
  const { size } = checkpoint;
  const root = Buffer.from(checkpoint.root);
  const known = reading.bySize.get(size);
  if (known === undefined) reading.bySize.set(size, root);
  else if (!known.equals(root))
    forged(reading, `${where} is signed and has another root than another one over ${size} records`);
}

function forged(reading: Reading, detail: string): void {
  reading.findings.push({ kind: 'forged_checkpoint', thing: 'checkpoint', place: null, leaf: null, id: null, detail });
}
