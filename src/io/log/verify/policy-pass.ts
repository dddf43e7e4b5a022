// Checks that every policy set that decided is kept as it was: revision against names and hashes, hashes against contents. It must never
// look into a policy.
import { createHash } from 'node:crypto';
import { createInflate } from 'node:zlib';
import type { Finding, TamperKind } from '../../../core/verification/finding.ts';
import type { LogSource } from './source.ts';

export interface PolicyResult {
  readonly sets: number;
  readonly files: number;
  readonly findings: readonly Finding[];
}

/** @param used revisions that records name */
export async function passPolicies(
  own: NonNullable<LogSource['own']>,
  used: ReadonlySet<string>,
): Promise<PolicyResult> {
  const findings: Finding[] = [];
  const found = (kind: TamperKind, thing: Finding['thing'], detail: string): void =>
    void findings.push({ kind, thing, place: null, leaf: null, id: null, detail });
  const kept = new Set<string>();
  for await (const rows of own.policyFiles()) {
    for (const { hash: name, content } of rows) {
      const key = name.toString('hex');
      if (!(await hashOfContent(content))?.equals(name)) {
        found('edit', 'policy file', `the content of ${key} has another hash`);
      }
      kept.add(key);
    }
  }
  const missing = new Set(used);
  let sets = 0;
  for await (const rows of own.policySets()) {
    for (const { revision, manifest } of rows) {
      sets++;
      missing.delete(revision);
      if (revisionOf(manifest) !== revision)
        found('edit', 'policy set', `the files of ${revision} make another revision`);
      const lacking = Object.entries(manifest).filter(([, name]) => typeof name !== 'string' || !kept.has(name));
      for (const [path] of lacking) found('deletion', 'policy file', `${path} of ${revision} is not kept`);
    }
  }
  for (const revision of missing) found('deletion', 'policy set', `records name ${revision}, which is not kept`);
  return { sets, files: kept.size, findings };
}

/** Of what was compressed; null where that cannot be told, or where something follows it. */
async function hashOfContent(content: Buffer): Promise<Buffer | null> {
  const stream = createInflate();
  stream.end(content);
  const sum = createHash('sha256');
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) sum.update(chunk);
  } catch {
    return null;
  }
  return stream.bytesWritten === content.length ? sum.digest() : null;
}

/** As src/core/compile.ts makes it: SHA-256 over the sorted paths, each with the hash of its file. */
function revisionOf(manifest: Readonly<Record<string, unknown>>): string {
  const sum = createHash('sha256');
  for (const [path, name] of Object.entries(manifest).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    sum.update(`${path}\u0000${String(name)}\n`);
  }
  return `sha256:${sum.digest('hex')}`;
}
