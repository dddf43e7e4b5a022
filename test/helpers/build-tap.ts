// Sees to it that tap's test class is built without its TypeScript plugin, which cannot run beside TypeScript 7.
// It must cost next to nothing when that has happened already.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tapRequire = createRequire(import.meta.resolve('tap'));
// `tap build` writes the class with the names of its plugins into the package itself.
const builtClass = tapRequire.resolve('@tapjs/test/built');

if (readFileSync(builtClass, 'utf8').includes('@tapjs/typescript')) {
  const build = spawnSync('tap', ['build'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.error) throw build.error;
  process.exitCode = build.status ?? 1;
}
