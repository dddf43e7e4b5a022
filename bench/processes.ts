// Starts the processes that are measured and reads from /proc what they cost. It must never end a process that it did not start.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadReply, LoadResult } from './generator.ts';

export interface Measured {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Generator extends Measured {
  load(job: LoadJob): Promise<LoadResult>;
}

export interface Service extends Measured {
  readonly url: string;
  /** From its start to the first /readyz that says so, in milliseconds. */
  readonly readyAfterMs: number;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const READY_POLL_MS = 10;
const READY_LIMIT_MS = 60_000;

export async function startEcho(): Promise<Measured & { readonly url: string }> {
  const child = fork(here('echo.ts'));
  const [message] = (await once(child, 'message')) as [{ readonly url: string }];
  return { pid: child.pid ?? 0, url: message.url, stop: () => stopChild(child) };
}

export function startGenerator(): Generator {
  const child = fork(here('generator.ts'));
  return {
    pid: child.pid ?? 0,
    async load(job) {
      child.send(job);
      const [reply] = (await once(child, 'message')) as [LoadReply];
      if ('failure' in reply) throw new Error(`the load on ${job.url} failed: ${reply.failure}`);
      return reply.result;
    },
    stop: () => stopChild(child),
  };
}

/** As an operator starts it; its log goes to a file, as it would to one of a log collector. */
export async function startService(options: {
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly nodeOptions: readonly string[];
}): Promise<Service> {
  const begun = performance.now();
  const log = openSync(options.logFile, 'w');
  const child = spawn(process.execPath, [...options.nodeOptions, here('../src/cli/main.ts'), 'serve'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  for (;;) {
    const url = /"url":"([^"]+)"/.exec(readFileSync(options.logFile, 'utf8'))?.[1];
    const readyAfterMs = performance.now() - begun;
    if (url !== undefined && (await isReady(url))) {
      return { pid: child.pid ?? 0, url, readyAfterMs, stop: () => stopChild(child) };
    }
    if (child.exitCode !== null || readyAfterMs > READY_LIMIT_MS) {
      await stopChild(child);
      throw new Error(`the service did not start: ${readFileSync(options.logFile, 'utf8').slice(-2_000)}`);
    }
    await sleep(READY_POLL_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { headers: { connection: 'close' } })).ok;
  } catch {
    return false;
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

// proc_pid_stat(5): clock ticks, of which Linux reports a hundred a second; proc_pid_status(5): kB.
const TICKS = 100;

/** CPU seconds that a process has used, all threads; with `family`, its children and those that have ended as well. */
export function cpuSeconds(pid: number, family = false): number {
  const fields = statOf(pid);
  if (fields === null) return 0;
  const own = (fields[11] ?? 0) + (fields[12] ?? 0);
  if (!family) return own / TICKS;
  const ended = (fields[13] ?? 0) + (fields[14] ?? 0);
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.[1] === pid);
  return (own + ended) / TICKS + children.reduce((sum, child) => sum + cpuSeconds(Number(child)), 0);
}

export function memoryMiB(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

/** The numbers after the name, beginning with the third field, of which the first (a letter) is no number. */
function statOf(pid: number): readonly number[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
  } catch {
    return null;
  }
}
