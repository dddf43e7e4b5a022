// The door to lists of records: filters, order, pages. It must never let a row that the reader may not see show in a list, a count, a
// cursor or an error.
import { randomInt } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { readCursor, writeCursor } from '../core/reading/cursor.ts';
import { noteReading } from '../core/reading/reading-places.ts';
import { resumePoint, timeOfId } from '../core/reading/resume.ts';
import { foundRecord, type LogRow } from '../core/reading/row.ts';
import { askedOf, parseSearch } from '../core/reading/search.ts';
import { recordOfText, textOfEscaped } from '../core/reading/stored-text.ts';
import type { LogSearch } from '../io/reports/search.ts';
import { PrivityError } from '../model/errors.ts';
import { DecisionsQuery, ReadingHeaders, SEARCH_DEFAULT, type DecisionsAnswer } from '../model/search.ts';
import type { Gate } from './authenticate.ts';
import { openReading, type LogReading } from './log-reading.ts';
import { describe, shared } from './openapi.ts';

export interface SearchDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly log: LogSearch;
}

export function searchDoor(app: FastifyInstance, { gate, deps, log }: SearchDoorOptions, done: () => void): void {
  app.get<{ Querystring: DecisionsQuery }>(
    '/v1/decisions',
    {
      schema: {
        ...describe('listDecisions'),
        querystring: DecisionsQuery,
        headers: ReadingHeaders,
        response: { 200: shared('DecisionsAnswer') },
      },
    },
    async (request): Promise<DecisionsAnswer> => {
      const { cursor, limit: text, ...words } = request.query;
      const search = parseSearch(words, deps.clock.now());
      const limit = text === undefined ? SEARCH_DEFAULT : Number(text);
      const reading = await openReading(gate, deps, request, search, false);
      const { reader, set, question, isOpen } = reading;
      const owner = { reader: reader.id, caller: reader.caller };
      const start = cursor === undefined ? null : readCursor(cursor, search, owner);
      const page = isOpen ? await readPage(log, reading, start, limit) : NOTHING;

      const judged = reader.judge(question);
      const { rows, next } = judged.permitted ? page : NOTHING;
      const note = noteReading(set);
      const decisions = rows.map((row) => {
        const found = foundRecord(search.view, row);
        note.add(found.matter, found.client);
        return found;
      });
      const asked = { what: 'search', ...askedOf(search), limit, is_continued: start !== null };
      await judged.record({ ...asked, ...note.members(), rows: rows.length });
      if (!isOpen) throw new PrivityError('not_found');
      return { decisions, next: next === null ? null : writeCursor(next, search, owner) };
    },
  );
  done();
}

interface Page {
  readonly rows: readonly LogRow[];
  /** Position to go on from; null at the end. */
  readonly next: string | null;
}

const NOTHING: Page = { rows: [], next: null };
const MOST_AT_ONCE = 1_000;
/** Rows that one request looks at. Not always as many, so that where a page ends does not tell how many were passed. */
const WORK = { least: 10_000, most: 20_000 } as const;

async function readPage(log: LogSearch, reading: LogReading, start: string | null, limit: number): Promise<Page> {
  const { query, permits } = reading;
  const budget = randomInt(WORK.least, WORK.most);
  const rows: LogRow[] = [];
  const times: number[] = [];
  let after = start;
  // One more than is given tells whether there is more, and only of what the reader may see.
  for (let size = limit + 1; ; size = Math.min(size * 2, MOST_AT_ONCE)) {
    const looked = await log.rows(query, after, size);
    for (const { id, kind, bytes } of looked) {
      times.push(timeOfId(id));
      if (bytes === null) continue;
      const record = recordOfText(textOfEscaped(bytes));
      if (!permits.record(id, record)) continue;
      if (rows.length === limit) return { rows, next: rows.at(-1)?.id ?? null };
      rows.push({ id, kind, record });
    }
    if (looked.length < size) return { rows, next: null };
    after = looked.at(-1)?.id ?? null;
    const point = times.length < budget ? null : resumePoint(times, query.order);
    if (point !== null) {
      return { rows: rows.filter(({ id }) => point.isBefore(timeOfId(id))), next: point.position };
    }
  }
}
