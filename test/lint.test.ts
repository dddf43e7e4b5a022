// The linter that guards against a forgotten `await` really runs with types: it must report what is planted here.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { collect, spawnPlain } from './helpers/processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Lints one file, outside the repository, with the repository's own rules and compiler settings; returns the rules it breaks. */
async function lint(t: Tap, source: string): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-lint-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const settings = { extends: path.join(root, 'tsconfig.json'), compilerOptions: { types: [] }, include: ['*.ts'] };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(settings));
  await writeFile(path.join(folder, 'planted.ts'), source);
  const program = path.join(root, 'node_modules', '.bin', 'oxlint');
  const options = ['--type-aware', '--config', path.join(root, '.oxlintrc.json'), '--format=json', 'planted.ts'];
  const { output } = await collect(spawnPlain(program, options, { cwd: folder }));
  t.match(output, /"number_of_files": 1/, 'the linter has read the file');
  return [...output.matchAll(/"code":\s*"[\w-]+\(([\w-]+)\)"/g)].map((match) => match[1] ?? '');
}

interface Tap {
  teardown(clear: () => Promise<void>): unknown;
  match(found: string, pattern: RegExp, message: string): boolean;
}

const APPEND = 'async function append(): Promise<void> {}\n';

t.test('a forgotten await is an error', async (t) => {
  const rules = await lint(t, `${APPEND}export function answer(): boolean {\n  append();\n  return true;\n}\n`);
  t.strictSame(rules, ['no-floating-promises']);
});

t.test('a promise where a condition is expected is an error', async (t) => {
  const rules = await lint(
    t,
    `${APPEND}export function answer(): boolean {\n  if (append()) return true;\n  return false;\n}\n`,
  );
  t.strictSame(rules, ['no-misused-promises']);
});

t.test('a case that is left out is an error', async (t) => {
  const rules = await lint(
    t,
    `export function text(effect: 'allow' | 'deny'): string {\n  switch (effect) {\n    case 'allow':\n      return 'yes';\n  }\n  return '';\n}\n`,
  );
  t.strictSame(rules, ['switch-exhaustiveness-check']);
});

t.test('any is an error', async (t) => {
  t.strictSame(await lint(t, 'export const anything = (value: any): unknown => value;\n'), ['no-explicit-any']);
});

t.test('an awaited append passes', async (t) => {
  t.strictSame(
    await lint(
      t,
      `${APPEND}export async function answer(): Promise<boolean> {\n  await append();\n  return true;\n}\n`,
    ),
    [],
  );
});
