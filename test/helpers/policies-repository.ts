// A git repository with the starter policies, as a firm has one. It must never read or change git's settings of whoever runs the tests.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Test } from 'tap';
import { copyPolicies } from '../cli/privity.ts';

export interface PoliciesRepository {
  readonly folder: string;
  /** @returns what it printed; throws where git fails */
  git(...words: readonly string[]): string;
}

export async function policiesRepository(t: Test): Promise<PoliciesRepository> {
  const folder = `${t.testdir({ firm: {} })}/firm`;
  await reviewed(await copyPolicies(folder));
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words: readonly string[]): string =>
    execFileSync('git', words, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'u-lind');
  git('config', 'user.email', 'u-lind@firm.example');
  git('add', '.');
  git('commit', '-qm', 'policies: the starter pack');
  return { folder, git };
}

/** A review that is due is found, whatever the test is about. */
async function reviewed(policies: string): Promise<void> {
  for (const name of await readdir(path.join(policies, 'rules'))) {
    const file = path.join(policies, 'rules', name);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll(/review_by: \d{4}-\d\d-\d\d/g, 'review_by: 2099-12-31'));
  }
}
