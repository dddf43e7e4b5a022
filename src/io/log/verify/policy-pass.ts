// Checks that every policy set that decided is kept as it was: revision against names and hashes, hashes against contents. It must never
// look into a policy.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { createInflate, inflate } from 'node:zlib';
import { partsIn } from '../../../core/kept-parts.ts';
import type { Finding, TamperKind } from '../../../core/verification/finding.ts';
import type { LogSource } from './source.ts';

const unpack = promisify(inflate);

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
  const inParts = new Map<string, readonly string[]>();
  for await (const rows of own.policyFiles()) {
    for (const { hash: name, content } of rows) {
      const key = name.toString('hex');
      const parts = partsIn(content);
      if (parts !== null)
        inParts.set(
          key,
          parts.map((part) => part.toString('hex')),
        );
      else if (!(await hashOfContent(content))?.equals(name)) {
        found('edit', 'policy file', `the content of ${key} has another hash`);
      }
      kept.add(key);
    }
  }
  // Whatever is compressed was compared with its hash above; what is made of it has to have its hash as well.
  let last: ReadonlyMap<string, Buffer> = new Map();
  for (const [key, parts] of inParts) {
    if (parts.some((part) => !kept.has(part) || inParts.has(part))) {
      found('deletion', 'policy file', `a part of ${key} is not kept`);
      continue;
    }
    last = await readParts(own, parts, last);
    const sum = createHash('sha256');
    for (const part of parts) sum.update(last.get(part) ?? '');
    if (sum.digest('hex') !== key) found('edit', 'policy file', `the content of ${key} has another hash`);
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

/** By hash. Files that are kept in parts are mostly the same file at several times: the parts they share are read once. */
async function readParts(
  own: NonNullable<LogSource['own']>,
  names: readonly string[],
  known: ReadonlyMap<string, Buffer>,
): Promise<ReadonlyMap<string, Buffer>> {
  const parts = new Map<string, Buffer>();
  const unread = new Set<string>();
  for (const name of names) {
    const part = known.get(name);
    if (part === undefined) unread.add(name);
    else parts.set(name, part);
  }
  if (unread.size === 0) return parts;
  for await (const rows of own.policyParts([...unread])) {
    for (const { hash, content } of rows) {
      const bytes = await unpack(content).catch(() => null);
      if (bytes !== null) parts.set(hash.toString('hex'), bytes);
    }
  }
  return parts;
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
