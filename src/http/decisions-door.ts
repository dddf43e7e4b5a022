// The door to single records of the log. It must never let what may not be read answer differently from what does not exist.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { RecordReader, StoredRecord } from '../io/reports/read-record.ts';
import { PrivityError } from '../model/errors.ts';
import { DecisionParams, type RecordAnswer } from '../model/reports.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { shown } from './mask.ts';
import { describe, shared } from './openapi.ts';
import { mayRead, placesOfRecord } from './own-question.ts';

export interface DecisionsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly records: RecordReader;
}

export function decisionsDoor(
  app: FastifyInstance,
  { gate, deps, records }: DecisionsDoorOptions,
  done: () => void,
): void {
  app.get<{ Params: { id: string } }>(
    '/v1/decisions/:id',
    { schema: { ...describe('readDecision'), params: DecisionParams, response: { 200: shared('RecordAnswer') } } },
    async (request): Promise<RecordAnswer> => answer(await readPermitted(gate, deps, records, request, 'record')),
  );
  done();
}

/**
 * The record that the path names, once the reading is permitted and recorded.
 * @throws PrivityError `not_found`, whether it is not there or not for the reader
 */
export async function readPermitted(
  gate: Gate,
  deps: AuthorizeDeps,
  records: RecordReader,
  request: FastifyRequest<{ Params: { id: string } }>,
  what: 'record' | 'proof',
): Promise<StoredRecord> {
  const asked = printable(request.params.id);
  const found = await records.read(request.params.id);
  const permitted = await mayRead(gate, deps, request, {
    action: 'read',
    resource: { type: 'decision_log', id: asked },
    places: placesOfRecord(askingOf(request).set, found?.record ?? {}),
    asked: { what, id: asked },
    rows: found === null ? 0 : 1,
  });
  if (!permitted || found === null) throw new PrivityError('not_found');
  return found;
}

function answer({ id, kind, at, record, writer, seq, hash, intact }: StoredRecord): RecordAnswer {
  return { id, kind, at: at.toISOString(), record: shown(record), proof: { writer, seq, hash, intact } };
}

const LONGEST = 128;

/** Whatever stood in the path, as text that can be recorded. */
export function printable(id: string): string {
  return encodeURIComponent(id.toWellFormed()).slice(0, LONGEST);
}
