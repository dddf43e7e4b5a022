// Builds the HTTP server: every option set here, every door in one list. It must never let a door stand outside authentication that
// is not meant for everybody.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { AuthorizeDeps } from '../authorize.ts';
import type { RecordReader } from '../io/reports/read-record.ts';
import type { ReviewReader } from '../io/reports/read-reviews.ts';
import { accessLog } from './access-log.ts';
import { approvalsDoor } from './approvals-door.ts';
import { authenticated, createGate, type GateDeps } from './authenticate.ts';
import { authorizeDoor } from './authorize-door.ts';
import { strictJson } from './body.ts';
import { decisionsDoor } from './decisions-door.ts';
import { answerClientError, problems, sendProblem } from './errors.ts';
import { fieldsDoor } from './fields-door.ts';
import { health, type Health } from './health.ts';
import { documentation, openapi } from './openapi.ts';
import { policyDoor } from './policy-door.ts';
import { createRateLimit } from './rate-limit.ts';
import { requestIdOf, requestIds } from './request-id.ts';
import { reviewsDoor } from './reviews-door.ts';

export interface ServerSettings {
  readonly bodyLimit: number;
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly trustProxy: readonly string[];
  /** Requests a second; 0 is no limit. */
  readonly rateLimit: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
}

export interface DoorsDeps extends Omit<GateDeps, 'recorder' | 'rateLimit' | 'policies'> {
  readonly policies: GateDeps['policies'] & { state(): { readonly since: number | null } };
  readonly recorder: GateDeps['recorder'] & AuthorizeDeps['recorder'];
  readonly approvals: AuthorizeDeps['approvals'];
  readonly records: RecordReader;
  readonly reviews: ReviewReader;
  readonly health: Health;
  readonly log: Logger;
  readonly version: string;
}

/** Longer than any id that a path may hold, shorter than anything that hurts. */
const MAX_PARAM_LENGTH = 512;
const MAX_HEADER_BYTES = 32 * 1024;
const CHECK_CONNECTIONS_MS = 1_000;

export async function buildDoors(settings: ServerSettings, deps: DoorsDeps): Promise<FastifyInstance> {
  const { log } = deps;
  const app = createApp(settings, log);
  const gate = createGate({ ...deps, rateLimit: createRateLimit(settings.rateLimit, () => performance.now()) });
  const spine: AuthorizeDeps = { recorder: deps.recorder, clock: deps.clock, approvals: deps.approvals };

  await app.register(requestIds);
  await app.register(problems, { log });
  await app.register(accessLog, { log });
  await app.register(openapi, { version: deps.version });
  await app.register(health, { health: deps.health });
  await app.register(async (inside) => {
    await inside.register(authenticated, { gate });
    await inside.register(strictJson);
    await inside.register(authorizeDoor, { gate, deps: spine });
    await inside.register(fieldsDoor, { gate, deps: spine });
    await inside.register(approvalsDoor, { gate, deps: spine });
    await inside.register(decisionsDoor, { gate, deps: spine, records: deps.records });
    await inside.register(reviewsDoor, { gate, deps: spine, reviews: deps.reviews });
    await inside.register(policyDoor, { gate, deps: spine, policies: deps.policies });
  });
  await app.register(documentation);
  await app.ready();
  return app;
}

function createApp(settings: ServerSettings, log: Logger): FastifyInstance {
  return Fastify({
    // Its own logger makes an object for each request; accessLog writes the same line for less.
    logger: false,
    serverFactory: (handler) => createServer(settings, handler),
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
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, log),
    clientErrorHandler: answerClientError,
  });
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
  const server =
    tls === null
      ? http.createServer(limits, handler)
      : https.createServer({ ...limits, cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, handler);
  return server.setTimeout(settings.connectionTimeoutMs);
}
