// The door to hints for front ends: packed rules by which buttons are shown or hidden. It must never be taken for a permission, say anything of
// walls or single matters, nor answer before its record is committed.
import type { FastifyInstance } from 'fastify';
import { findAbilities, type Ability } from '../core/abilities.ts';
import { packHints, type HintRule } from '../core/ability.ts';
import { abilitiesEntry } from '../core/record/abilities-record.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import { formatTimestamp } from '../core/time.ts';
import { runInSlices } from '../io/policies/slices.ts';
import type { AuthorizeDeps } from '../authorize.ts';
import { AbilitiesQuery, type AbilitiesAnswer } from '../model/abilities.ts';
import { ReadingHeaders } from '../model/search.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { malformed, readBody } from './body.ts';
import { approvalIdsOf, checkContext } from './envelope.ts';
import { describe, shared } from './openapi.ts';
import { subjectTokenOf } from './own-question.ts';

export interface AbilitiesDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

type Values = Readonly<Record<string, unknown>>;

/** Rules and roles change rarely; a front end that is behind shows a button too many or too few. */
const LIFETIME_MS = 5 * 60_000;
const NOTHING: Values = Object.freeze({});

export function abilitiesDoor(app: FastifyInstance, { gate, deps }: AbilitiesDoorOptions, done: () => void): void {
  app.get<{ Querystring: AbilitiesQuery }>(
    '/v1/abilities',
    {
      config: { right: 'authorize' },
      schema: {
        ...describe('readAbilities'),
        querystring: AbilitiesQuery,
        headers: ReadingHeaders,
        response: { 200: shared('AbilitiesAnswer') },
      },
    },
    async (request): Promise<AbilitiesAnswer> => {
      const asking = askingOf(request);
      const { set } = asking;
      const context = contextOf(request.query.context);
      checkContext(set, context, '/context');
      if (approvalIdsOf(context).length > 0) throw malformed('a hint uses no approvals', '/context/approval_ids');
      const { caller, subject } = await gate.subjectOf(request, asking, subjectTokenOf(request));
      const now = deps.clock.now();
      const actor = caller.aiAssistant ?? subject.actor;
      const question = { subject, actor, context, sourceSystem: caller.sourceSystem, now };
      const abilities = await runInSlices(findAbilities(set, question));
      const id = uuidv7(now);
      const durationUs = Math.round((performance.now() - request.arrivedAt) * 1000);
      const event = { id, question, abilities, subject, caller, requestId: request.id, traceId: request.traceId };
      await deps.recorder.append([abilitiesEntry(set, { ...event, durationUs })]);
      return {
        rules: packHints(ruled(abilities)).map((rule) => [...rule]),
        expires_at: formatTimestamp(now + LIFETIME_MS),
        evaluation_id: id,
        evaluated_at: formatTimestamp(now),
        policy: { revision: set.revision, commit: set.commit },
      };
    },
  );
  done();
}

function contextOf(text: string | undefined): Values {
  if (text === undefined) return NOTHING;
  try {
    return readBody(Buffer.from(text, 'utf8'));
  } catch {
    throw malformed('the parameter `context` must be a JSON object', '/context');
  }
}

/** One rule for all actions on a type that need the same. */
function ruled(abilities: readonly Ability[]): readonly HintRule[] {
  const groups = Map.groupBy(abilities, ({ resourceType, conditions }) => JSON.stringify([resourceType, conditions]));
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, actions: [first.action, ...others.map(({ action }) => action)] }],
  );
}
