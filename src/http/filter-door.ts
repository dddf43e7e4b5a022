// The door of list filters: which rows of a list somebody may see, as a condition for the system that keeps the list. It must never give a
// filter before it is recorded, nor one to anybody but a system that asks with its own token.
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import { deriveFilter, type FilterForm, type FilterQuestion } from '../core/filter/filter.ts';
import { isSqlName } from '../core/filter/target.ts';
import { MATTER_ALIAS } from '../core/filter/to-postgres.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { filterEntry } from '../core/record/filter-record.ts';
import { uuidv7 } from '../core/record/uuid.ts';
import { formatTimestamp } from '../core/time.ts';
import { runInSlices } from '../io/policies/slices.ts';
import { PrivityError } from '../model/errors.ts';
import { MATTER_COLUMNS, type FilterAnswer, type FilterRequest } from '../model/filter.ts';
import { askingOf, type Gate } from './authenticate.ts';
import { malformed } from './body.ts';
import { checkQuestion } from './envelope.ts';
import { describe, shared } from './openapi.ts';
import { joinPointer } from './pointer.ts';

export interface FilterDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});
/** For checks of what a filter leaves open. */
const ANY = '*';

export function filterDoor(app: FastifyInstance, { gate, deps }: FilterDoorOptions, done: () => void): void {
  app.post<{ Body: FilterRequest }>(
    '/v1/filter',
    {
      config: { right: 'filter' },
      schema: { ...describe('filter'), body: shared('FilterRequest'), response: { 200: shared('FilterAnswer') } },
    },
    async (request): Promise<FilterAnswer> => {
      const asking = askingOf(request);
      const { set, bearer } = asking;
      if (!bearer.caller.own) {
        throw new PrivityError('caller_not_allowed', {
          detail: 'a filter is for a system that asks with its own token, and brings the person’s as `subject_token`',
        });
      }
      const { body } = request;
      const { action, resource, context = NOTHING } = body;
      checkQuestion(set, { action, resource: { ...resource, id: ANY }, context }, '');
      if (context['approval_ids'] !== undefined)
        throw malformed('an approval is for one item, never for a list', '/context/approval_ids');
      const form = formOf(set, body);
      const { caller, subject, until } = await gate.subjectOf(request, asking, body.subject_token);

      const now = deps.clock.now();
      const question: FilterQuestion = {
        subject,
        actor: caller.aiAssistant ?? subject.actor,
        action: action.name,
        resource: { type: resource.type, properties: resource.properties ?? NOTHING },
        context,
        sourceSystem: caller.sourceSystem,
        now,
      };
      const found = await derive(set, question, form);
      const filter = found instanceof PrivityError ? null : found;
      const id = uuidv7(now);
      const expiresAt = Math.min(filter?.expiresAt ?? now, until);
      const durationUs = Math.round((performance.now() - request.arrivedAt) * 1000);
      const { id: requestId, traceId } = request;
      const event = { id, question, form, filter, expiresAt, subject, caller, requestId, traceId, durationUs };
      await deps.recorder.append([filterEntry(set, event)]);
      if (found instanceof PrivityError) throw found;
      return {
        kind: found.kind,
        ...found.members,
        expires_at: formatTimestamp(expiresAt),
        evaluation_id: id,
        evaluated_at: formatTimestamp(now),
        policy: { revision: set.revision, commit: set.commit },
      };
    },
  );
  done();
}

/** What cannot be said is an answer like any other, and is recorded. */
async function derive(set: PolicySet, question: FilterQuestion, form: FilterForm) {
  try {
    return await runInSlices(deriveFilter(set, question, form));
  } catch (error) {
    if (error instanceof PrivityError) return error;
    throw error;
  }
}

/** @throws PrivityError `malformed_request` */
function formOf(set: PolicySet, body: FilterRequest): FilterForm {
  const { target, matters, first_parameter: first } = body;
  const isSql = target === 'postgresql';
  if (!isSql && first !== undefined) throw malformed('only PostgreSQL numbers parameters', '/first_parameter');
  const columns = columnsOf(set, body, isSql);
  if (matters === undefined)
    return { target, mapping: { columns, matters: null }, matters: null, firstParameter: first ?? 1 };
  if (!isSql) throw malformed('only PostgreSQL can look into a table of matters', '/matters');
  for (const [name, column] of Object.entries(columns)) {
    // Inside the look-up a bare name could be a column of the table of matters.
    const [owner, ...rest] = column.split('.');
    if (rest.length === 0 || owner === MATTER_ALIAS)
      throw malformed('beside a table of matters a column stands behind the name of its table, as in d.matter_id', `/columns${joinPointer(name)}`); // prettier-ignore
  }
  const { table, id, columns: named = {} } = matters;
  mustBeName(table, '/matters/table');
  mustBePlain(id, '/matters/id');
  const facts = new Set<string>([...MATTER_COLUMNS, ...declaredOf(set)]);
  for (const [name, column] of Object.entries(named)) {
    const pointer = `/matters/columns${joinPointer(name)}`;
    if (!facts.has(name)) throw malformed('no fact of a matter', pointer);
    mustBePlain(column, pointer);
  }
  return { target, mapping: { columns, matters: named }, matters: { table, id }, firstParameter: first ?? 1 };
}

function columnsOf(set: PolicySet, body: FilterRequest, isSql: boolean): Readonly<Record<string, string>> {
  const properties = body.resource.properties ?? NOTHING;
  const declared = declaredOf(set);
  const { columns } = body;
  if (columns === undefined) {
    if (isSql) throw malformed('PostgreSQL needs the columns', '/columns');
    const open = ['id', ...declared].filter((name) => !Object.hasOwn(properties, name));
    return Object.fromEntries(open.map((name) => [name, name]));
  }
  if (!Object.hasOwn(columns, 'id'))
    throw malformed('`id` is missing: what is on file about an item is found by it', '/columns');
  const known = new Set(['id', ...declared]);
  for (const [name, column] of Object.entries(columns)) {
    const pointer = `/columns${joinPointer(name)}`;
    if (!known.has(name)) throw malformed('no attribute of a resource', pointer);
    if (Object.hasOwn(properties, name)) throw malformed('stands in `properties` as well', pointer);
    if (isSql) mustBeName(column, pointer);
  }
  return columns;
}

function declaredOf({ firm }: PolicySet): readonly string[] {
  return firm.dictionary.declared.flatMap(({ namespace, name }) => (namespace === 'resource' ? [name] : []));
}

function mustBeName(name: string, pointer: string): void {
  if (!isSqlName(name))
    throw malformed('must be a name, with up to two names before it, as in schema.table.column', pointer);
}

function mustBePlain(name: string, pointer: string): void {
  mustBeName(name, pointer);
  if (name.includes('.')) throw malformed('must be a column of the table of matters, by its name alone', pointer);
}
