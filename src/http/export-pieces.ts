// Reads an export piece by piece, only as fast as the pieces are taken. It must never go on when nobody takes them or policy no longer
// lets the reader, nor count fewer rows than were handed on.
import { setImmediate as otherWork } from 'node:timers/promises';
import type { PolicySet } from '../core/policy-set.ts';
import { noteReading } from '../core/reading/reading-places.ts';
import type { LogPiece } from '../io/reports/log-piece.ts';
import type { LogSearch } from '../io/reports/search.ts';
import { PrivityError } from '../model/errors.ts';
import { createExportChunk } from './export-chunk.ts';
import type { ExportLines } from './export-format.ts';
import type { LogReading, RowPermits } from './log-reading.ts';

/** How an export ended: where it was cut, what had left by then may not have arrived. */
export type Ended = 'complete' | 'client_gone' | 'not_permitted' | 'failed';

export interface ExportDeps {
  readonly log: LogSearch;
  readonly reading: LogReading;
  readonly lines: ExportLines;
  /** The set in force. */
  readonly current: () => PolicySet;
  /** Judges the export again, under the set in force; null where it is not permitted any more. */
  readonly again: () => Promise<LogReading | null>;
  /** Commits how it ended, with the members of the record of a reading. */
  readonly record: (end: { readonly ended: Ended; readonly rows: number }) => Promise<void>;
}

const ROWS_AT_ONCE = 1_000;
/** Longer than this decisions do not wait. */
const SLICE_MS = 5;
/** Rows between two looks at the clock. */
const CLOCK_EVERY = 8;

export async function* exportPieces(deps: ExportDeps): AsyncGenerator<Buffer, void> {
  const { reading, lines, record } = deps;
  const note = noteReading(reading.set);
  let rows = 0;
  let ended: Ended = 'client_gone';
  // While a piece is with the client, what goes wrong is the client's going.
  let isOurs = true;
  try {
    const permitsNow = followPolicies(deps, () => (ended = 'not_permitted'));
    const chunk = createExportChunk();
    chunk.addText(lines.head);
    let sliceBegan = performance.now();
    let looked = 0;
    for (let coming: Coming | null = fetchAfter(deps, null); coming !== null;) {
      const piece = await coming();
      coming = piece.count < ROWS_AT_ONCE ? null : fetchAfter(deps, piece.last);
      let permits = await permitsNow();
      const { row } = piece;
      while (piece.next()) {
        const line = row.from < 0 ? null : lines.line(row, permits);
        if (line !== null) {
          rows += 1;
          note.add(line.matter, line.client);
          if (line.text !== null) chunk.addText(line.text);
          else if (line.bytes !== null) chunk.addLine(line.bytes.bytes, 0, line.bytes.length);
          else chunk.addLine(row.block, row.from, row.to);
        }
        if (chunk.isFull()) {
          isOurs = false;
          yield chunk.take();
          isOurs = true;
          // The rows to come may have waited for the client.
          permits = await permitsNow();
        }
        if (++looked % CLOCK_EVERY === 0 && performance.now() - sliceBegan > SLICE_MS) {
          await otherWork();
          sliceBegan = performance.now();
        }
      }
      piece.release();
    }
    const rest = chunk.take();
    if (rest.length > 0) {
      isOurs = false;
      yield rest;
      isOurs = true;
    }
    ended = 'complete';
  } catch (error) {
    if (isOurs && ended === 'client_gone') ended = 'failed';
    throw error;
  } finally {
    await record({ ended, rows, ...note.members() });
  }
}

type Coming = () => Promise<LogPiece>;

/** The database reads on while the rows before are written. */
function fetchAfter({ log, reading }: ExportDeps, after: string | null): Coming {
  const rows = log.piece(reading.query, after, ROWS_AT_ONCE);
  // Nobody may ever ask how it went.
  rows.catch(() => undefined);
  return () => rows;
}

/**
 * A request sees one policy set from start to end (P6): what a later one says can only take rows away, or end the export, for an
 * export may take longer than somebody may be let in.
 */
function followPolicies({ reading, current, again }: ExportDeps, onRefused: () => void): () => Promise<RowPermits> {
  let latest: LogReading = reading;
  const bothPermit: RowPermits = {
    at: (...row) => reading.permits.at(...row) && latest.permits.at(...row),
    record: (...row) => reading.permits.record(...row) && latest.permits.record(...row),
  };
  return async () => {
    if (current() === latest.set) return latest === reading ? reading.permits : bothPermit;
    const judged = await again();
    if (judged === null) {
      onRefused();
      throw new PrivityError('not_found', { internal: 'the export is not permitted any more' });
    }
    latest = judged;
    return bothPermit;
  };
}
