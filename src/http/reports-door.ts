// The door to audit reports. It must never give a report before its reading is recorded, nor let what is hidden from the reader answer
// differently from what nobody has heard of.
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { AuthorizeDeps } from '../authorize.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { wrong, type Search } from '../core/reading/search.ts';
import { REPORTS_BY_NAME } from '../core/reports/catalogue.ts';
import { periodWords } from '../core/reports/period.ts';
import { renderReport, reportFileName, REPORT_TYPES } from '../core/reports/render.ts';
import type { ReportDefinition, ReportPlan } from '../core/reports/report.ts';
import { formatTimestamp } from '../core/time.ts';
import type { SealedReader } from '../io/reports/read-sealed.ts';
import type { LogSearch } from '../io/reports/search.ts';
import {
  ReportName,
  ReportQuery,
  type AuditReport,
  type ReportParam,
  type ReportWords,
} from '../model/audit-report.ts';
import { PrivityError } from '../model/errors.ts';
import { ReadingHeaders, type View } from '../model/search.ts';
import type { PastPolicies } from '../past-policies.ts';
import type { Gate } from './authenticate.ts';
import { openReading } from './log-reading.ts';
import { describe, shared } from './openapi.ts';
import { runReport } from './report-run.ts';

export interface ReportsDoorOptions {
  readonly gate: Gate;
  readonly deps: AuthorizeDeps;
  readonly log: LogSearch;
  readonly policies: { current(): PolicySet };
  /** A new one for every report: what it has read of the past is not kept. */
  readonly openPast: () => PastPolicies;
  readonly sealed: SealedReader;
}

/** Each may read a million records. */
const MOST_AT_ONCE = 4;
const RETRY_SECONDS = 5;
const MOST_MS = 5 * 60_000;
/** Under how many policy sets a report is begun before its reader is asked to come again. */
const MOST_SETS = 3;
const text = { schema: { type: 'string' } };

export function reportsDoor(app: FastifyInstance, options: ReportsDoorOptions, done: () => void): void {
  const { gate, deps, log, policies, openPast, sealed } = options;
  let running = 0;
  app.get<{ Params: ReportName; Querystring: ReportQuery }>(
    '/v1/reports/:name',
    {
      schema: {
        ...describe('readReport'),
        params: ReportName,
        querystring: ReportQuery,
        headers: ReadingHeaders,
        response: {
          200: {
            description: 'Report',
            content: { 'application/json': { schema: shared('AuditReport') }, 'text/csv': text, 'text/html': text },
          },
        },
      },
    },
    async (request, reply) => {
      const { format = 'json', view = 'log', ...words } = request.query;
      const definition = REPORTS_BY_NAME.get(request.params.name);
      if (definition === undefined) throw new PrivityError('not_found');
      checkWords(definition, words, view);
      if (running >= MOST_AT_ONCE) {
        throw new PrivityError('overloaded', { detail: 'too many reports at once', retryAfterSeconds: RETRY_SECONDS });
      }
      running += 1;
      let isGone = false;
      reply.raw.once('close', () => (isGone = true));
      try {
        // Nothing travels while a report is made: longer than other connections may be silent.
        if (reply.raw.socket instanceof Socket) reply.raw.socket.setTimeout(MOST_MS);
        const report = await read(definition, words, view);
        return await reply
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
          .header('content-disposition', `inline; filename="${reportFileName(definition.name, format)}"`)
          .type(REPORT_TYPES[format])
          .send(format === 'json' ? report : renderReport(report, format));
      } finally {
        running -= 1;
      }

      /** A request sees one policy set (P6): where another comes into force meanwhile, the report begins again. */
      async function read(one: ReportDefinition, asked: ReportWords, shown: View): Promise<AuditReport> {
        for (let attempt = 1; attempt <= MOST_SETS; attempt++) {
          if (attempt > 1) await gate.authenticate(request);
          const now = deps.clock.now();
          const plan = one.ask(asked, now);
          const reading = await openReading(gate, deps, request, searchOf(plan, shown), false);
          const run = await runReport(plan, {
            log,
            past: openPast(),
            sealed,
            reading,
            view: shown,
            now,
            isGone: () => isGone,
          });
          if (policies.current() !== reading.set) continue;
          const judged = reading.reader.judge(reading.question);
          // About a matter that is hidden from the reader it says what it would say of one that nobody has heard of.
          const isGiven = reading.isOpen && (judged.permitted || reading.query.isVoid);
          const draft = isGiven ? run.draft : null;
          const rows = draft === null ? 0 : run.rows;
          const members = draft === null ? {} : run.noted;
          await judged.record({
            what: 'report',
            report: one.name,
            format,
            view: shown,
            asked: plan.asked,
            ...members,
            rows,
          });
          if (draft === null) throw new PrivityError('not_found');
          const { set, reader } = reading;
          return {
            report: one.name,
            title: one.title,
            about: one.about,
            asked: { ...plan.asked },
            generated_at: formatTimestamp(now),
            generated_for: reader.id,
            period: plan.period === null ? null : periodWords(plan.period),
            policy: { revision: set.revision, commit: set.commit },
            rows,
            ...draft,
          };
        }
        throw new PrivityError('overloaded', {
          detail: 'policies changed while the report was made',
          retryAfterSeconds: RETRY_SECONDS,
        });
      }
    },
  );
  done();
}

function searchOf({ matter, client }: ReportPlan, view: View): Search {
  const filter = { ...(matter === undefined ? {} : { matter }), ...(client === undefined ? {} : { client }) };
  return { view, order: 'oldest', filter, from: null, to: null };
}

function checkWords({ params, views, name }: ReportDefinition, words: ReportWords, view: View): void {
  if (!views.includes(view)) throw wrong('view', `cannot be \`${view}\` for the report \`${name}\``);
  for (const [param, value] of Object.entries(words)) {
    if (params[param as ReportParam] === undefined) throw wrong(param, `means nothing to the report \`${name}\``);
    if (!value.isWellFormed() || value.includes('\u0000')) throw wrong(param, 'is no text that a record can hold');
    if (Buffer.byteLength(value) > LONGEST_BYTES) throw wrong(param, `is longer than ${LONGEST_BYTES} bytes`);
  }
  for (const [param, use] of Object.entries(params)) {
    if (use === 'required' && words[param as ReportParam] === undefined) {
      throw wrong(param, `is missing: the report \`${name}\` needs it`);
    }
  }
}

const LONGEST_BYTES = 256;
