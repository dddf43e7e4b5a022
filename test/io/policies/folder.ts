// Throw-away folders for tests of what reads them.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

interface Test {
  teardown(clean: () => unknown): void;
}

export type Contents = Readonly<Record<string, string>>;

/** A new folder, removed when the test ends; free of links, so that paths compare. */
export async function makeFolder(t: Test, contents: Contents = {}): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'privity-policies-')));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await fill(dir, contents);
  return dir;
}

export async function fill(dir: string, contents: Contents): Promise<void> {
  for (const [path, text] of Object.entries(contents)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

/** Makes `link` lead to `target` in one step, as deployments do. */
export async function swapLink(link: string, target: string): Promise<void> {
  await symlink(target, `${link}.next`);
  await rename(`${link}.next`, link);
}

/** Git without the settings of whoever runs the tests. */
export function git(dir: string, ...args: string[]): string {
  const identity = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@firm.example',
    '-c',
    'commit.gpgsign=false',
    '-c',
    'core.hooksPath=/dev/null',
  ];
  return execFileSync('git', ['-C', dir, ...identity, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
