// The real service as a process of its own: started as an operator starts it, watched through its log and doors, ended by signals.
// It must never reach into the process, nor leave one behind.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive, signal } from '../../src/io/db/processes.ts';
import type { DatabaseUrls } from '../../src/io/db/roles.ts';
import type { KeyTimes } from '../../src/io/identity/key-set.ts';
import type { RecorderLimits } from '../../src/io/log/recorder.ts';
import type { ServiceFirm } from './service-firm.ts';
import type { TearsDown } from './postgres.ts';
import { compileCache, spawnPlain } from './processes.ts';

type Json = Readonly<Record<string, unknown>>;

export interface ServiceOptions {
  readonly urls: Pick<DatabaseUrls, 'writer' | 'reader'>;
  readonly firm: Pick<ServiceFirm, 'dir' | 'writerKeyFile'>;
  readonly environment?: Readonly<Record<string, string>>;
  /** What no setting changes; with them the same server is started by an entry of the tests' own. */
  readonly limits?: Partial<RecorderLimits>;
  /** The same, for how often keys of issuers are fetched. */
  readonly keyTimes?: Partial<KeyTimes>;
  /** Started by this instead of by the repository's own entry: another folder, other flags, another account. */
  readonly program?: Program;
}

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly account?: { readonly uid: number; readonly gid: number };
}

export interface Readiness {
  readonly status: number;
  readonly problems: readonly string[];
  readonly degraded: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Service {
  readonly url: string;
  /** What was logged so far, but for the lines of requests. */
  readonly log: readonly Json[];
  /** What it said beside the log so far. */
  words(): string;
  readonly ended: Promise<Ended>;
  isRunning(): boolean;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; returns when nothing is left of it. */
  kill(): Promise<void>;
  /** What /readyz says; null when nobody answers. */
  readiness(): Promise<Readiness | null>;
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const WITH_LIMITS = fileURLToPath(new URL('service-with-limits.ts', import.meta.url));

/** For tests in which everybody must be answered, however slow the machine is. */
export const PATIENT: Partial<RecorderLimits> = { deadlineMs: 120_000, sendTimeoutMs: 120_000 };

/** Resolves when it listens and says that it is ready. Whatever becomes of the test, the process ends with it. */
export async function startService(t: TearsDown, options: ServiceOptions): Promise<Service> {
  const { urls, firm, limits, keyTimes, environment = {} } = options;
  const settings = {
    DATABASE_URL: urls.writer,
    DATABASE_READER_URL: urls.reader,
    POLICIES_DIR: firm.dir,
    WRITER_KEY_FILE: firm.writerKeyFile,
    PORT: '0',
    ...environment,
  };
  const isPlain = limits === undefined && keyTimes === undefined;
  const own = isPlain ? [MAIN, 'serve'] : [WITH_LIMITS, JSON.stringify({ limits, keyTimes })];
  // Under limits and accounts of their own, programs start as they would anywhere.
  const faster = options.program === undefined ? compileCache() : {};
  const { file, args, account } = options.program ?? { file: process.execPath, args: own };
  const child = spawnPlain(file, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...faster, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...account,
  });
  const pid = child.pid ?? 0;
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code: number | null, name: string | null) => resolve({ code, signal: name })),
  );
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  t.teardown(kill);
  // A test that is killed itself takes the service along.
  const onExit = (): void => signal(pid, 'SIGKILL');
  process.once('exit', onExit);
  void ended.then(() => process.off('exit', onExit));

  const { url, log, words } = await readLog(child, ended);
  const service: Service = {
    url,
    log,
    words,
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null && isAlive(pid),
    signal: (name) => void child.kill(name),
    kill,
    readiness: () => readiness(url),
  };
  await whenReady(service);
  return service;
}

/** Polls until the service says so; returns what it said last. */
export async function whenReady(service: Service, limitMs = 60_000): Promise<Readiness> {
  return whenReadiness(service, 'ready', (found) => found?.status === 200, limitMs);
}

export async function whenReadiness(
  service: Service,
  what: string,
  isSo: (found: Readiness | null) => boolean,
  limitMs = 60_000,
): Promise<Readiness> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await service.readiness();
    if (isSo(found) && found !== null) return found;
    if (performance.now() > deadline || !service.isRunning()) {
      throw new Error(`never ${what}: ${JSON.stringify({ found, log: service.log.slice(-10) })}`);
    }
    await sleep(25);
  }
}

async function readiness(url: string): Promise<Readiness | null> {
  try {
    const response = await fetch(`${url}/readyz`, { headers: { connection: 'close' } });
    const { problems, degraded } = (await response.json()) as Omit<Readiness, 'status'>;
    return { status: response.status, problems, degraded };
  } catch {
    return null;
  }
}

/** Follows the log, one JSON object a line, until the service says where it listens and from then on. */
function readLog(child: ChildProcess, ended: Promise<Ended>): Promise<Pick<Service, 'url' | 'log' | 'words'>> {
  const log: Json[] = [];
  let words = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    void ended.then(() => reject(new Error(`the service did not start: ${words}\n${JSON.stringify(log.slice(-10))}`)));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        if (text.includes('"msg":"request"')) continue;
        const line = JSON.parse(text) as Json;
        log.push(line);
        if (line['msg'] === 'listening') resolve({ url: String(line['url']), log, words: () => words });
      }
    });
  });
}
