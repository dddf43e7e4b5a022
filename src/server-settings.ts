// What the HTTP server is told of the configuration. It must never hold a value of its own.
import type { Config } from './environment.ts';
import type { ServerSettings } from './http/doors.ts';
import type { Tls } from './http/tls.ts';

export function serverSettings(config: Config, tls: Tls | null): ServerSettings {
  return {
    bodyLimit: config.BODY_LIMIT,
    requestTimeoutMs: config.REQUEST_TIMEOUT,
    headersTimeoutMs: config.HEADERS_TIMEOUT,
    connectionTimeoutMs: config.CONNECTION_TIMEOUT,
    keepAliveTimeoutMs: config.KEEP_ALIVE_TIMEOUT,
    maxConnections: config.MAX_CONNECTIONS,
    trustProxy: config.TRUST_PROXY?.split(',').map((one) => one.trim()) ?? [],
    rateLimit: config.RATE_LIMIT,
    maxWaiting: config.MAX_WAITING,
    withMetrics: config.METRICS_PORT === undefined,
    tls,
  };
}
