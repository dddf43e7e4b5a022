// Turns rows of the log into lines of an export. It must never let free text out unmasked, nor write a row that was not permitted.
import { csvHead, csvLine } from '../core/reading/csv.ts';
import { ocsfEvent } from '../core/reading/ocsf.ts';
import { foundRecord, type LogRow } from '../core/reading/row.ts';
import { recordOfText, textOfEscaped } from '../core/reading/stored-text.ts';
import type { LookedAt } from '../io/reports/search.ts';
import type { ExportFormat, View } from '../model/search.ts';
import type { RowPermits } from './log-reading.ts';
import { maskFreeText } from './mask.ts';

export interface ExportLines {
  readonly contentType: string;
  readonly fileName: string;
  /** What comes before the first row. */
  readonly head: string;
  /** Null: the reader does not get this row. */
  line(row: LookedAt, permits: RowPermits): ExportLine | null;
}

export interface ExportLine {
  readonly text: string;
  readonly matter: string | null;
  readonly client: string | null;
}

const NDJSON = 'application/x-ndjson; charset=utf-8';
const CSV = 'text/csv; charset=utf-8; header=present';

/** @param version of Privity */
export function exportLines(format: ExportFormat, view: View, version: string): ExportLines {
  const name = view === 'log' ? 'decisions' : 'access-report';
  if (format === 'csv') {
    const write = (row: LogRow): string => csvLine(view, foundRecord(view, row));
    return { contentType: CSV, fileName: `${name}.csv`, head: csvHead(view), line: byRecord(write) };
  }
  if (format === 'ocsf') {
    const write = (row: LogRow): string => `${JSON.stringify(ocsfEvent(row, version))}\n`;
    return { contentType: NDJSON, fileName: `${name}.ocsf.ndjson`, head: '', line: byRecord(write) };
  }
  const write = (row: LogRow): string => `${JSON.stringify(foundRecord(view, row))}\n`;
  const line = view === 'log' ? recordLine : byRecord(write);
  return { contentType: NDJSON, fileName: `${name}.ndjson`, head: '', line };
}

function byRecord(write: (row: LogRow) => string): ExportLines['line'] {
  return ({ id, kind, bytes }, permits) => {
    const record = recordOfText(textOfEscaped(bytes ?? ''));
    if (!permits.record(id, record)) return null;
    return lineOf(record, write({ id, kind, record }));
  };
}

/** The record itself, on one line: where nothing is masked, byte for byte what was hashed. */
function recordLine({ id, kind, bytes }: LookedAt, permits: RowPermits): ExportLine | null {
  const text = textOfEscaped(bytes ?? '');
  const record = recordOfText(text);
  if (!permits.record(id, record)) return null;
  if (Object.keys(record).length === 0) return lineOf(record, `${JSON.stringify({ id, kind, unreadable: true })}\n`);
  const freeText = record['free_text'];
  const isMasked = Array.isArray(freeText) && freeText.length > 0;
  // Canonical JSON has no line ends; what has was tampered with.
  const isWhole = !isMasked && !text.includes('\n') && !text.includes('\r');
  return lineOf(record, isWhole ? `${text}\n` : `${JSON.stringify(maskFreeText(record))}\n`);
}

function lineOf({ matter, client }: LogRow['record'], text: string): ExportLine {
  const place = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { text, matter: place(matter), client: place(client) };
}
