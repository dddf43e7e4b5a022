// The process of the service: starts it, says where it listens, stops it on signals. It must never listen before it could record,
// nor trust the development issuer beyond this machine.
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { buildApp, type App, type AppExtras } from './app.ts';
import { processEnvironment, readConfig } from './config.ts';
import type { Config } from './environment.ts';
import { StartupError } from './startup-error.ts';

export interface ServerExtras extends AppExtras {
  /** Runs after everything else has ended: what was started before the service, such as its database. */
  readonly afterStop?: () => Promise<void>;
  /** False: the caller stops the server itself. */
  readonly onSignals?: boolean;
}

export interface Server {
  /** Where it listens, such as http://127.0.0.1:8080 */
  readonly url: string;
  readonly app: App;
  /** False: not in order, as the log says. */
  stop(): Promise<boolean>;
}

/** How long a start waits for keys, before it listens all the same and says that it is not ready. */
const KEYS_WAIT_MS = 1_000;
const KEYS_POLL_MS = 10;
/** What webhook, recorder and connections may take to end together. */
const PARTS_CLOSE_MS = 20_000;

/** @throws StartupError with every problem */
export async function startServer(config: Config, extras: ServerExtras = {}): Promise<Server> {
  if (extras.development === true && !isLoopback(config.HOST)) {
    throw new StartupError('development is for this machine only', [
      `HOST=${config.HOST}: must be 127.0.0.1, ::1 or localhost`,
    ]);
  }
  const app = await buildApp(config, extras);
  const stop = async (): Promise<boolean> => {
    const isInOrder = await app.stop();
    await extras.afterStop?.();
    return isInOrder;
  };
  try {
    await waitForKeys(app);
    await app.side?.listen({ host: config.METRICS_HOST ?? config.HOST, port: config.METRICS_PORT ?? 0 });
    await app.http.listen({ host: config.HOST, port: config.PORT, backlog: 1024 });
  } catch (error) {
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError('cannot listen', [reason], error);
  }
  const url = urlOf(config, app.http.server.address());
  app.log.info({ url }, 'listening');
  if (extras.onSignals !== false) stopOnSignals(app, config, stop);
  return { url, app, stop };
}

/** `privity serve`: the exit code when the service does not start, undefined when it runs. */
export async function serve(write: (line: string) => void): Promise<number | undefined> {
  const { config, problems } = readConfig(processEnvironment());
  try {
    if (config === null) throw new StartupError('the configuration is wrong', problems);
    if (config.DATABASE_URL === undefined) {
      const words =
        'DATABASE_URL is not set: `privity serve` needs a database of yours; `privity start` brings its own';
      throw new StartupError('the configuration is wrong', [words]);
    }
    await startServer(config);
    return undefined;
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    write(`privity serve: ${error.message}`);
    for (const problem of error.problems) write(`  ${problem}`);
    return 2;
  }
}

/** Exit code 0: everything in order, the writer's chain closed; 1: not so, and the log says what. */
function stopOnSignals(app: App, config: Config, stop: () => Promise<boolean>): void {
  const delay = config.SHUTDOWN_DELAY + config.SHUTDOWN_TIMEOUT + PARTS_CLOSE_MS;
  const onTimeout = (): void => app.log.error({ after_ms: delay }, 'the stop took too long and was cut short');
  closeWithGrace({ delay, logger: false, onTimeout }, async ({ signal, err }) => {
    if (err !== undefined) app.log.fatal({ err }, 'stopping after a failure');
    else app.log.info({ signal }, 'stopping');
    if (!(await stop())) throw new Error('not in order');
  });
}

/** Most issuers answer at once; one that does not must not keep the others waiting. */
async function waitForKeys(app: App): Promise<void> {
  const deadline = performance.now() + KEYS_WAIT_MS;
  while (app.problems().includes('no_usable_issuer') && performance.now() < deadline) await sleep(KEYS_POLL_MS);
}

function urlOf({ TLS_CERT_FILE }: Config, address: string | AddressInfo | null): string {
  const scheme = TLS_CERT_FILE === undefined ? 'http' : 'https';
  if (address === null || typeof address === 'string') return `${scheme}:${address ?? ''}`;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
