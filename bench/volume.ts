// Measures a large firm's policies: how long they take to load, how long a reload keeps requests waiting, what they cost in memory and in the log.
// `node bench/volume.ts [matters] [people]`; it must never measure anything but the code that the service runs.
import { generateKeyPairSync } from 'node:crypto';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { createCompileCache } from '../src/core/compile-cache.ts';
import { compileInSteps } from '../src/core/compile.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { runInSlices } from '../src/io/policies/slices.ts';
import { createSourceCache } from '../src/io/policies/snapshot.ts';
import { writeFirm } from './data.ts';

const [matters = 50_000, people = 5_000] = process.argv.slice(2).map(Number);
const MIB = 2 ** 20;

interface Load {
  readonly set: PolicySet;
  readonly ms: number;
  /** Longest time in which the process could do nothing else. */
  readonly stallMs: number;
}

const dir = await mkdtemp(path.join(tmpdir(), 'privity-volume-'));
try {
  const { publicKey } = generateKeyPairSync('ed25519');
  const keySet = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'EdDSA' }],
  });
  await writeFirm({ dir, seed: 1, now: Date.now(), keySet, matters, people });
  const cache = { files: createSourceCache(), parts: createCompileCache() };
  const before = process.memoryUsage().rss;
  const first = await load();
  report('first load', first);
  console.log(`memory            ${((process.memoryUsage().rss - before) / MIB).toFixed(0)} MiB more resident`);
  const { data, walls, rules } = first.set;
  console.log(
    `policies          ${data.matters.size} matters, ${data.directory.size} people, ${walls.all.length} walls, ${data.grants.entries.length} grants, ${rules.length} rules`,
  );
  await appendFile(path.join(dir, 'lockdown.yaml'), '\n# changed\n');
  report('lockdown changed', await load());
  await appendFile(path.join(dir, 'data', 'matters-large.csv'), 'M-NEW,C-NEW,tax,,u-l0001,open\n');
  const second = await load();
  report('one matter added', second);
  const known = new Set(first.set.files.map(({ hash }) => hash));
  const size = (list: PolicySet['files']) => list.reduce((sum, { bytes }) => sum + deflateSync(bytes).length, 0) / 1024;
  const added = second.set.files.filter(({ hash }) => !known.has(hash));
  console.log(
    `kept per revision ${size(first.set.files).toFixed(0)} KiB compressed at first, ${size(added).toFixed(0)} KiB more (${added.length} files) for the last change`,
  );

  async function load(): Promise<Load> {
    await sleep(200);
    globalThis.gc?.();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const started = performance.now();
    const { files, commit, problems } = await readPolicyFolder(dir, { cache: cache.files });
    const { set, diagnostics } = await runInSlices(compileInSteps(files, { commit, cache: cache.parts }));
    const ms = performance.now() - started;
    await sleep(20);
    delay.disable();
    if (set === null) throw new Error([...problems, ...diagnostics].map(formatDiagnostic).join('\n'));
    return { set, ms, stallMs: delay.max / 1e6 };
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

function report(what: string, { ms, stallMs }: Load): void {
  console.log(`${what.padEnd(17)} ${ms.toFixed(0)} ms, longest stall ${stallMs.toFixed(1)} ms`);
}
