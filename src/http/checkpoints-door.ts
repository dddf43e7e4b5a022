// The doors to what proves the log: checkpoints, that one extends another, and a record's place under them. Commitments say nothing
// about anyone, so any registered caller gets them; a record's proof must never tell more than the record's own door would.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { ProofReader } from '../io/log/sealing/read-proofs.ts';
import type { RecordReader } from '../io/reports/read-record.ts';
import {
  CHECKPOINTS_DEFAULT,
  CheckpointsQuery,
  ConsistencyParams,
  type CheckpointsAnswer,
  type ConsistencyAnswer,
} from '../model/checkpoints.ts';
import { PrivityError } from '../model/errors.ts';
import { DecisionParams } from '../model/reports.ts';
import type { Gate } from './authenticate.ts';
import { readPermitted } from './decisions-door.ts';
import { describe, shared } from './openapi.ts';

export interface CheckpointsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly records: RecordReader;
  readonly proofs: ProofReader;
}

export function checkpointsDoor(app: FastifyInstance, options: CheckpointsDoorOptions, done: () => void): void {
  const { gate, deps, records, proofs } = options;

  app.get<{ Querystring: CheckpointsQuery }>(
    '/v1/checkpoints',
    {
      schema: {
        ...describe('listCheckpoints'),
        querystring: CheckpointsQuery,
        response: { 200: shared('CheckpointsAnswer') },
      },
    },
    async ({ query }): Promise<CheckpointsAnswer> => {
      const limit = query.limit === undefined ? CHECKPOINTS_DEFAULT : Number(query.limit);
      const found = await proofs.checkpoints(query.before === undefined ? null : Number(query.before), limit + 1);
      const given = found.slice(0, limit);
      return {
        checkpoints: given.map(({ size, root, at, note }) => ({
          size,
          root: root.toString('base64'),
          at: at.toISOString(),
          note,
        })),
        next: found.length > limit ? (given.at(-1)?.size ?? null) : null,
      };
    },
  );

  app.get<{ Params: ConsistencyParams }>(
    '/v1/checkpoints/:first/consistency/:second',
    {
      schema: {
        ...describe('readConsistency'),
        params: ConsistencyParams,
        response: { 200: shared('ConsistencyAnswer') },
      },
    },
    async ({ params }): Promise<ConsistencyAnswer> => {
      const [first, second] = [Number(params.first), Number(params.second)];
      if (first > second) {
        throw new PrivityError('malformed_request', {
          detail: 'the first size must not be greater than the second',
          pointer: '/first',
        });
      }
      const proof = await proofs.consistency(first, second);
      if (proof === null) throw new PrivityError('not_found');
      return { first, second, proof: proof.map((hash) => Buffer.from(hash).toString('base64')) };
    },
  );

  app.get<{ Params: { id: string } }>(
    '/v1/decisions/:id/proof',
    {
      schema: {
        ...describe('readProof'),
        params: DecisionParams,
        response: { 200: { description: 'Proof', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
    async (request, reply) => {
      const { id, writer, seq } = await readPermitted(gate, deps, records, request, 'proof');
      // Only now: how long an answer takes must not tell whether there is a record.
      const proof = await proofs.proofOf(writer, seq);
      if (proof === null) throw new PrivityError('not_sealed');
      return reply
        .header('content-type', 'text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename="${id}.tlog-proof"`)
        .send(proof);
    },
  );
  done();
}
