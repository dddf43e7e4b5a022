// Measures a large firm's policies: how long they take to load, how long a reload keeps requests waiting, what they cost in memory and in the log.
// `node bench/volume.ts [matters] [people] [reloads]`; it must never measure anything but the code that the service runs.
import { generateKeyPairSync, hash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { createCompileCache } from '../src/core/compile-cache.ts';
import { compileInSteps } from '../src/core/compile.ts';
import { partsOf } from '../src/core/kept-parts.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { runAtOnce, runInSlices } from '../src/io/policies/slices.ts';
import { createSourceCache } from '../src/io/policies/snapshot.ts';
import { writeFirm } from './data.ts';

const [matters = 50_000, people = 5_000, reloads = 20] = process.argv.slice(2).map(Number);
const MIB = 2 ** 20;
/** Milliseconds of collecting garbage worth telling. */
const LONG_PAUSE = 4;

interface Load {
  readonly set: PolicySet;
  readonly ms: number;
  /** Longest time in which the process could do nothing else. */
  readonly stallMs: number;
}

const pauses: number[] = [];
const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) if (duration > LONG_PAUSE) pauses.push(duration);
});
observer.observe({ entryTypes: ['gc'] });

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
  // Somewhere in the list, as an export in the order of its ids has it; nothing collects garbage in between but the engine.
  const blobs = new Set<string>();
  const atFirst = keptBytes(first.set.files, blobs);
  const stalls: number[] = [];
  const times: number[] = [];
  const kept: number[] = [];
  pauses.length = 0;
  for (let index = 0; index < reloads; index++) {
    const file = path.join(dir, 'data', 'matters-large.csv');
    const lines = (await readFile(file, 'utf8')).split('\n');
    lines.splice(1 + Math.floor(((lines.length - 2) * index) / reloads), 0, `M-NEW${index},C-NEW,tax,,u-l0001,open`);
    await writeFile(file, lines.join('\n'));
    const { set, ms, stallMs } = await load(false);
    times.push(ms);
    stalls.push(stallMs);
    kept.push(keptBytes(set.files, blobs));
  }
  console.log(`one matter added  ${reloads} times: ${spread(times)}; longest stall ${spread(stalls)}`);
  const worst = Math.max(0, ...pauses).toFixed(1);
  console.log(`garbage           ${pauses.length} pauses over ${LONG_PAUSE} ms meanwhile, the longest ${worst} ms`);
  const most = (Math.max(0, ...kept) / 1024).toFixed(0);
  console.log(
    `kept per revision ${(atFirst / 1024).toFixed(0)} KiB compressed at first, at most ${most} KiB more for a matter`,
  );
  await sleep(200);
  globalThis.gc?.();
  console.log(
    `memory            ${((process.memoryUsage().rss - before) / MIB).toFixed(0)} MiB more resident after that`,
  );

  async function load(clean = true): Promise<Load> {
    await sleep(200);
    if (clean) globalThis.gc?.();
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

/** Bytes that the log keeps anew for these files. */
function keptBytes(files: PolicySet['files'], blobs: Set<string>): number {
  let sum = 0;
  for (const { bytes } of files) {
    for (const part of runAtOnce(partsOf(bytes))) {
      const name = hash('sha256', part);
      if (!blobs.has(name)) sum += deflateSync(part).length;
      blobs.add(name);
    }
  }
  return sum;
}

function spread(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
  return `median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)} ms`;
}

function report(what: string, { ms, stallMs }: Load): void {
  console.log(`${what.padEnd(17)} ${ms.toFixed(0)} ms, longest stall ${stallMs.toFixed(1)} ms`);
}
