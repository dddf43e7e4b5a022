// The door to exports: as many rows as there are, in constant memory, as fast as the client takes them. It must never send a row before
// the record of the export is committed, nor end in order before the record of its rows is.
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { askedOf, parseSearch, wrong } from '../core/reading/search.ts';
import type { LogSearch } from '../io/reports/search.ts';
import { PrivityError } from '../model/errors.ts';
import { ExportQuery, ReadingHeaders } from '../model/search.ts';
import type { Gate } from './authenticate.ts';
import { exportLines } from './export-format.ts';
import { exportPieces } from './export-pieces.ts';
import { openReading, type LogReading } from './log-reading.ts';
import { describe } from './openapi.ts';

export interface ExportDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly log: LogSearch;
  readonly policies: { current(): PolicySet };
  readonly version: string;
}

/** Each holds a piece of the log in memory for as long as its client takes. */
const MOST_AT_ONCE = 16;
const RETRY_SECONDS = 5;
const text = { schema: { type: 'string' } };

export function exportDoor(app: FastifyInstance, options: ExportDoorOptions, done: () => void): void {
  const { gate, deps, log, policies, version } = options;
  let running = 0;
  app.get<{ Querystring: ExportQuery }>(
    '/v1/decisions/export',
    {
      schema: {
        ...describe('exportDecisions'),
        querystring: ExportQuery,
        headers: ReadingHeaders,
        response: { 200: { description: 'Export', content: { 'application/x-ndjson': text, 'text/csv': text } } },
      },
    },
    async (request, reply) => {
      const { format, ...words } = request.query;
      const beganAt = deps.clock.now();
      const search = parseSearch(words, beganAt);
      if (format === 'ocsf' && search.view !== 'log') throw wrong('format', 'an access report comes as ndjson or csv');
      if (running >= MOST_AT_ONCE) {
        throw new PrivityError('overloaded', { detail: 'too many exports at once', retryAfterSeconds: RETRY_SECONDS });
      }
      const asked = { what: 'export', format, ...askedOf(search) };
      const open = (): Promise<LogReading> => openReading(gate, deps, request, search, true);
      const reading = await open();
      // Until its rows are counted the record stands for all that filter and policy give: never for fewer than left.
      const judged = reading.reader.judge(reading.question);
      const isGiven = judged.permitted && !reading.query.isVoid;
      const begun = await judged.record({ ...asked, rows: isGiven ? null : 0 });
      if (!reading.isOpen) throw new PrivityError('not_found');

      const lines = exportLines(format, search.view, version);
      const pieces = exportPieces({
        log,
        // What comes after the beginning, the record of this export first, is not part of it: otherwise it might never end.
        reading: {
          ...reading,
          query: { ...reading.query, isVoid: !isGiven, to: Math.min(search.to ?? beganAt, beganAt) },
        },
        lines,
        current: policies.current,
        async again() {
          await gate.authenticate(request);
          const now = await open();
          return now.query.isVoid === !isGiven ? now : null;
        },
        async record(end) {
          const { reader, question } = reading;
          await reader.judge(question).record({ ...asked, export: begun, ...end });
        },
      });
      running += 1;
      const leave = (): void => {
        running -= 1;
        // Does nothing where it has ended.
        pieces.return().catch(() => undefined);
      };
      reply.raw.once('close', leave);
      // What cannot begin is answered like everything else that fails; what breaks off later can only be cut.
      const first = await pieces.next();
      return reply
        .header('content-type', lines.contentType)
        .header('content-disposition', `attachment; filename="${lines.fileName}"`)
        .send(Readable.from(resumed(first, pieces), { objectMode: false }));
    },
  );
  done();
}

async function* resumed(first: IteratorResult<Buffer, void>, rest: AsyncGenerator<Buffer, void>) {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
