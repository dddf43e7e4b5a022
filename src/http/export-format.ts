// Turns rows of the log into lines of an export. It must never let free text out unmasked, nor write a row that was not permitted.
import { type CsvBytes, createCsvBytes } from '../core/reading/csv-bytes.ts';
import { csvHead, csvLine } from '../core/reading/csv.ts';
import { createGlance, PERMITTED_BY, SHOWN_IN_LISTS } from '../core/reading/glance.ts';
import { createLineBytes, type LineBytes } from '../core/reading/line-bytes.ts';
import { createOcsfBytes, type OcsfBytes } from '../core/reading/ocsf-bytes.ts';
import { ocsfEvent } from '../core/reading/ocsf.ts';
import { createRecordSpans, placeOf } from '../core/reading/record-spans.ts';
import { foundRecord, type LogRow } from '../core/reading/row.ts';
import { recordOfText } from '../core/reading/stored-text.ts';
import type { PieceRow } from '../io/reports/log-piece.ts';
import type { ExportFormat, View } from '../model/search.ts';
import type { RowPermits } from './log-reading.ts';
import { hasMasked, shown } from './mask.ts';

export interface ExportLines {
  readonly contentType: string;
  readonly fileName: string;
  /** What comes before the first row. */
  readonly head: string;
  /** Null: the reader does not get this row. */
  line(row: PieceRow, permits: RowPermits): ExportLine | null;
}

export interface ExportLine {
  /** With its line end; null: it is in `bytes`. */
  readonly text: string | null;
  /** Without its line feed; null: the bytes of the row as they are. To be taken before the next line is made. */
  readonly bytes: LineBytes | null;
  readonly matter: string | null;
  readonly client: string | null;
}

type Json = LogRow['record'];

/** The members of a record that are asked for, of the whole record where its bytes are in doubt. */
type Look = (row: PieceRow) => { readonly record: Json; readonly isGlance: boolean };

const MATTER = placeOf('matter');
const CLIENT = placeOf('client');
const NDJSON = 'application/x-ndjson; charset=utf-8';
const CSV = 'text/csv; charset=utf-8; header=present';

/** @param version of Privity */
export function exportLines(format: ExportFormat, view: View, version: string): ExportLines {
  const name = view === 'log' ? 'decisions' : 'access-report';
  if (format === 'csv') {
    const write = (row: LogRow): string => csvLine(view, foundRecord(view, row));
    const line = everyday(createCsvBytes(view), byRecord(write));
    return { contentType: CSV, fileName: `${name}.csv`, head: csvHead(view), line };
  }
  if (format === 'ocsf') {
    const write = (row: LogRow): string => `${JSON.stringify(ocsfEvent(row, version))}\n`;
    const line = everyday(createOcsfBytes(version), byRecord(write));
    return { contentType: NDJSON, fileName: `${name}.ocsf.ndjson`, head: '', line };
  }
  const write = (row: LogRow): string => `${JSON.stringify(foundRecord(view, row))}\n`;
  const line = view === 'log' ? everyday(null, byBytes()) : byRecord(write);
  return { contentType: NDJSON, fileName: `${name}.ndjson`, head: '', line };
}

/**
 * Nearly all records need no more than a look at their bytes.
 * @param writer null: the bytes are the line
 * @param others makes the lines of all others
 */
function everyday(writer: CsvBytes | OcsfBytes | null, others: ExportLines['line']): ExportLines['line'] {
  const spans = createRecordSpans();
  const line = createLineBytes();
  return (row, permits) => {
    const { block } = row;
    if (!spans.scan(block, row.from, row.to)) return others(row, permits);
    const { id } = row;
    if (writer?.write(line, id, block, spans) === false) return others(row, permits);
    const [matter, client] = [spans.text(MATTER), spans.text(CLIENT)];
    if (!permits.record(id, { matter, client })) return null;
    return { text: null, bytes: writer === null ? null : line, matter, client };
  };
}

function byRecord(write: (row: LogRow) => string): ExportLines['line'] {
  const look = lookFor(SHOWN_IN_LISTS);
  return (row, permits) => {
    const { record } = look(row);
    const { id } = row;
    if (!permits.record(id, record)) return null;
    return lineOf(record, write({ id, kind: row.kind, record }));
  };
}

/** The record itself, on one line: where nothing is masked, byte for byte what was hashed. */
function byBytes(): ExportLines['line'] {
  const look = lookFor(PERMITTED_BY);
  return (row, permits) => {
    const { record, isGlance } = look(row);
    const { id } = row;
    if (!permits.record(id, record)) return null;
    const isMasked = hasMasked(record);
    // Canonical JSON has no line ends.
    if (isGlance && !isMasked) return lineOf(record, null);
    const text = textOf(row);
    const whole = recordOfText(text);
    if (Object.keys(whole).length === 0) {
      return lineOf(record, `${JSON.stringify({ id, kind: row.kind, unreadable: true })}\n`);
    }
    // What has some was tampered with.
    const isOneLine = !isMasked && !text.includes('\n') && !text.includes('\r');
    return lineOf(record, isOneLine ? `${text}\n` : `${JSON.stringify(shown(whole))}\n`);
  };
}

function lookFor(paths: readonly string[]): Look {
  const glance = createGlance(paths);
  return (row) => {
    const record = glance.at(row.block, row.from, row.to);
    return record === null ? { record: recordOfText(textOf(row)), isGlance: false } : { record, isGlance: true };
  };
}

/** What is no UTF-8 is replaced. */
function textOf({ block, from, to }: PieceRow): string {
  return block.toString('utf8', from, to);
}

function lineOf({ matter, client }: Json, text: string | null): ExportLine {
  const place = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { text, bytes: null, matter: place(matter), client: place(client) };
}
