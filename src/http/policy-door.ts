// The door to what policy set is in force. It must never show what the set says, only which one it is.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { PrivityError } from '../model/errors.ts';
import type { PolicyAnswer } from '../model/reports.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { describe, shared } from './openapi.ts';
import { mayRead, NOWHERE } from './own-question.ts';

export interface PolicyDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly policies: { state(): { readonly since: number | null } };
}

export function policyDoor(app: FastifyInstance, { gate, deps, policies }: PolicyDoorOptions, done: () => void): void {
  app.get(
    '/v1/policy',
    { schema: { ...describe('readPolicy'), response: { 200: shared('PolicyAnswer') } } },
    async (request): Promise<PolicyAnswer> => {
      const { revision, commit } = askingOf(request).set;
      const since = policies.state().since;
      const permitted = await mayRead(gate, deps, request, {
        action: 'read',
        resource: { type: 'policy', id: revision },
        places: NOWHERE,
        asked: { what: 'policy', id: revision },
        rows: 1,
      });
      if (!permitted || since === null) throw new PrivityError('not_found');
      return { revision, commit, loaded_at: new Date(since).toISOString() };
    },
  );
  done();
}
