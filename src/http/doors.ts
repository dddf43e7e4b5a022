// Builds the HTTP server: every option set here, every door in one list. It must never let a door stand outside authentication that
// is not meant for everybody.
import http from 'node:http';
import https from 'node:https';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { AccessRequestDeps } from '../access-requests.ts';
import type { AuthorizeDeps } from '../authorize.ts';
import type { ProofReader } from '../io/log/sealing/read-proofs.ts';
import type { RecordReader } from '../io/reports/read-record.ts';
import type { SealedReader } from '../io/reports/read-sealed.ts';
import type { ReviewReader } from '../io/reports/read-reviews.ts';
import type { LogSearch } from '../io/reports/search.ts';
import type { Metrics } from '../metrics.ts';
import type { PastPolicies } from '../past-policies.ts';
import type { MetadataSource } from '../pdp-metadata.ts';
import type { Tracing } from '../tracing.ts';
import { abilitiesDoor } from './abilities-door.ts';
import { accessLog } from './access-log.ts';
import { accessRequestsDoor } from './access-requests-door.ts';
import { admit, admitBody } from './admission.ts';
import { authzenDoor } from './authzen-door.ts';
import { authzenMetadata } from './authzen-metadata.ts';
import { authzenSearchDoor } from './authzen-search-door.ts';
import { approvalsDoor } from './approvals-door.ts';
import { authenticated, createGate, type GateDeps } from './authenticate.ts';
import { authorizeDoor } from './authorize-door.ts';
import { strictJson } from './body.ts';
import { checkpointsDoor } from './checkpoints-door.ts';
import { clientCertificates } from './client-certificate.ts';
import { boundConnections } from './connections.ts';
import { decisionsDoor } from './decisions-door.ts';
import { answerClientError, problems, sendProblem, type ErrorOptions, type OnProblem } from './errors.ts';
import { exportDoor } from './export-door.ts';
import { fieldsDoor } from './fields-door.ts';
import { filterDoor } from './filter-door.ts';
import { forwardAuthDoor } from './forward-auth-door.ts';
import { health, type Health } from './health.ts';
import { metricsDoor } from './metrics-door.ts';
import { documentation, openapi } from './openapi.ts';
import { policyDoor } from './policy-door.ts';
import { rateLimits } from './rate-limit.ts';
import { reportsDoor } from './reports-door.ts';
import { requestIdOf, requestIds } from './request-id.ts';
import { reviewsDoor } from './reviews-door.ts';
import { searchDoor } from './search-door.ts';
import { authenticatedStage, stages } from './stages.ts';
import type { Tls } from './tls.ts';

export interface ServerSettings {
  readonly bodyLimit: number;
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  readonly trustProxy: readonly string[];
  /** Requests a second; 0 is no limit. */
  readonly rateLimit: number;
  /** Records that may wait before requests are turned away. */
  readonly maxWaiting: number;
  /** False: it is served elsewhere. */
  readonly withMetrics: boolean;
  readonly tls: Pick<Tls, 'options' | 'asksForCertificate' | 'follow'> | null;
}

export interface DoorsDeps extends Omit<GateDeps, 'recorder' | 'policies'> {
  readonly policies: GateDeps['policies'] & { state(): { readonly since: number | null } };
  readonly recorder: GateDeps['recorder'] & AuthorizeDeps['recorder'];
  /** Records that wait for their commit. */
  readonly waiting: () => number;
  readonly shadow: AuthorizeDeps['shadow'];
  readonly approvals: AuthorizeDeps['approvals'] & { readonly given: AccessRequestDeps['given'] };
  readonly records: RecordReader;
  readonly search: LogSearch;
  readonly openPast: () => PastPolicies;
  readonly sealed: SealedReader;
  readonly proofs: ProofReader;
  readonly reviews: ReviewReader;
  readonly health: Health;
  readonly metadata: MetadataSource | null;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
  readonly log: Logger;
  readonly version: string;
}

/** Longer than any id that a path may hold, shorter than anything that hurts. */
const MAX_PARAM_LENGTH = 512;
const MAX_HEADER_BYTES = 32 * 1024;
const CHECK_CONNECTIONS_MS = 1_000;
const SIDE_CONNECTIONS = 128;

export async function buildDoors(settings: ServerSettings, deps: DoorsDeps): Promise<FastifyInstance> {
  const { log, metrics, tracing } = deps;
  const onProblem: OnProblem = (code, reason, request) => {
    metrics.problem(code, reason);
    if (request?.stages != null) request.stages.problem = code;
  };
  const app = createApp(settings, deps, { log, onProblem });
  const admission = { waiting: deps.waiting, maxWaiting: settings.maxWaiting, onShed: metrics.shed };
  const gate = createGate(deps);
  const { recorder, clock, approvals, shadow = null } = deps;
  const spine: AuthorizeDeps = { recorder, clock, approvals, shadow };

  await app.register(requestIds);
  await app.register(stages, { metrics, tracing });
  await app.register(problems, { log, onProblem });
  await app.register(accessLog, { log });
  if (settings.tls?.asksForCertificate === true) await app.register(clientCertificates);
  await app.register(openapi, { version: deps.version });
  await app.register(health, { health: deps.health });
  await app.register(authzenMetadata, { metadata: deps.metadata, policies: deps.policies });
  if (settings.withMetrics) await app.register(metricsDoor, { metrics });
  await app.register(async (inside) => {
    await inside.register(authenticated, { gate });
    await inside.register(authenticatedStage);
    const { rateLimit: perSecond } = settings;
    if (perSecond > 0) await inside.register(rateLimits, { perSecond, onLimited: metrics.rateLimited });
    await inside.register(strictJson, { admit: () => admitBody(admission) });
    await inside.register(authorizeDoor, { gate, deps: spine });
    await inside.register(fieldsDoor, { gate, deps: spine });
    await inside.register(filterDoor, { gate, deps: spine });
    await inside.register(abilitiesDoor, { gate, deps: spine });
    await inside.register(forwardAuthDoor, { gate, deps: spine });
    const access = { ...spine, records: deps.records, given: deps.approvals.given };
    const address = deps.metadata?.address ?? null;
    await inside.register(authzenDoor, { gate, deps: access, isRequestable: address !== null });
    await inside.register(accessRequestsDoor, { gate, deps: access, address });
    await inside.register(authzenSearchDoor, { gate, deps: spine });
    await inside.register(approvalsDoor, { gate, deps: spine });
    await inside.register(decisionsDoor, { gate, deps: spine, records: deps.records });
    const { records, proofs, search: log, policies, version } = deps;
    await inside.register(searchDoor, { gate, deps: spine, log });
    await inside.register(exportDoor, { gate, deps: spine, log, policies, version });
    await inside.register(reportsDoor, {
      gate,
      deps: spine,
      log,
      policies,
      openPast: deps.openPast,
      sealed: deps.sealed,
    });
    await inside.register(checkpointsDoor, { gate, deps: spine, records, proofs });
    await inside.register(reviewsDoor, { gate, deps: spine, reviews: deps.reviews });
    await inside.register(policyDoor, { gate, deps: spine, policies: deps.policies });
  });
  await app.register(documentation);
  await app.ready();
  return app;
}

/** Health and metrics on a port of their own, which the callers' connections cannot take. */
export async function buildSideDoors(settings: ServerSettings, deps: DoorsDeps): Promise<FastifyInstance> {
  const { log, metrics } = deps;
  const onProblem: OnProblem = (code) => metrics.problem(code, undefined);
  const app = createApp({ ...settings, maxConnections: SIDE_CONNECTIONS, tls: null }, deps, { log, onProblem });
  await app.register(requestIds);
  await app.register(problems, { log, onProblem });
  await app.register(openapi, { version: deps.version });
  await app.register(health, { health: deps.health });
  await app.register(metricsDoor, { metrics });
  await app.ready();
  return app;
}

function createApp(settings: ServerSettings, deps: DoorsDeps, errors: ErrorOptions): FastifyInstance {
  const admission = {
    waiting: deps.waiting,
    maxWaiting: settings.maxWaiting,
    onShed: deps.metrics.shed,
    log: deps.log,
  };
  return Fastify({
    // Its own logger makes an object for each request; accessLog writes the same line for less.
    logger: false,
    serverFactory: (handler) => countDropped(createServer(settings, admit(handler, admission)), deps.metrics),
    genReqId: requestIdOf,
    requestIdHeader: false,
    trustProxy: settings.trustProxy.length === 0 ? false : [...settings.trustProxy],
    bodyLimit: settings.bodyLimit,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, caseSensitive: true, ignoreTrailingSlash: false },
    exposeHeadRoutes: false,
    // Requests on connections that are open already are answered and recorded like the others; each answer closes its connection.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, errors),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, errors.onProblem),
  });
}

function countDropped(server: http.Server, metrics: Metrics): http.Server {
  return server.on('drop', () => metrics.connectionDropped());
}

/** Every time limit is explicit: a slow or silent client holds a connection, never more. */
function createServer(settings: ServerSettings, handler: http.RequestListener): http.Server {
  const limits = {
    requestTimeout: settings.requestTimeoutMs,
    headersTimeout: Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs),
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Judged by requestIds, so that the answer is a problem document like the others.
    requireHostHeader: false,
  };
  const { tls } = settings;
  if (tls === null) return bounded(http.createServer(limits, handler), settings, handler);
  const handshakeTimeout = limits.headersTimeout;
  const server = https.createServer({ ...limits, ...tls.options, handshakeTimeout }, handler);
  tls.follow(server);
  return bounded(server, settings, handler);
}

function bounded(server: http.Server, settings: ServerSettings, handler: http.RequestListener): http.Server {
  boundConnections(server, settings.maxConnections);
  // Node would answer 417 without a body; the handler refuses it like everything else that has no meaning here.
  server.on('checkExpectation', handler);
  return server.setTimeout(settings.connectionTimeoutMs);
}
