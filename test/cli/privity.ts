// Runs the real command line as a process of its own. It must never call into the program directly.
import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../helpers/processes.ts';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
export const BINARY = path.join(REPOSITORY, 'bin', 'privity.mjs');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Nothing of the test runner's environment that could change what is tested. */
export function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...compileCache(), ...more };
}

export function privity(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [BINARY, ...args], {
    cwd: options.cwd ?? REPOSITORY,
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...text }));
  });
}

/** The example firm's policies in a folder that a test may spoil. */
export async function copyPolicies(folder: string): Promise<string> {
  const copy = path.join(folder, 'policies');
  await cp(path.join(REPOSITORY, 'policies'), copy, { recursive: true });
  return copy;
}
