// `privity start` as a process of its own, in a folder of its own, for tests of what a user sees. It must never touch the user's `.privity`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TearsDown } from '../helpers/postgres.ts';
import { BINARY, environment, REPOSITORY } from './privity.ts';

/** @returns once it has greeted: its address, and the folder for `--state` of `privity token` */
export async function startPrivity(
  t: TearsDown,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly url: string; readonly state: string }> {
  const state = await mkdtemp(path.join(tmpdir(), 'privity-start-'));
  const child = spawn(process.execPath, [BINARY, 'start', '--state', state], {
    cwd: REPOSITORY,
    env: environment({ PORT: '0', ...settings }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(state, { recursive: true, force: true });
  });
  let printed = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.includes('# What was recorded')) break;
  }
  return { url: /http:\/\/[\w.:[\]]+\d/.exec(printed)?.[0] ?? '', state };
}
