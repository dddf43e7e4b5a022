// Decides everything again that a log holds, from its records and the policy sets it kept, and nothing else. It must never ask the
// service, nor take a set whose revision is not the hash of what was kept.
import { hash as digest } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import type pg from 'pg';
import { createCompileCache } from '../../src/core/compile-cache.ts';
import { compilePolicies } from '../../src/core/compile.ts';
import { decide } from '../../src/core/decide.ts';
import { partsIn } from '../../src/core/kept-parts.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { openClient } from '../../src/io/db/database.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';
import type { SourceFile } from '../../src/model/diagnostic.ts';
import type { LoggedRecord } from '../service/log.ts';

type Json = Readonly<Record<string, unknown>>;

export interface KeptSet {
  readonly revision: string;
  readonly commit: string | null;
  /** Hash of the content by path. */
  readonly manifest: Readonly<Record<string, string>>;
  readonly set: PolicySet | null;
}

export async function readKeptSets(superuserUrl: string): Promise<readonly KeptSet[]> {
  const client = await openClient({ url: superuserUrl, applicationName: 'privity tests', onError: () => undefined });
  try {
    return await read(client);
  } finally {
    await client.end();
  }
}

async function read(client: pg.Client): Promise<readonly KeptSet[]> {
  const sets = await client.query<Omit<KeptSet, 'set'>>('select revision, commit, manifest from policy_sets');
  const { rows } = await client.query<{ content: Buffer }>('select content from policy_blobs');
  const packed = rows.filter(({ content }) => partsIn(content) === null).map(({ content }) => inflateSync(content));
  const blobs = new Map(packed.map((bytes) => [digest('sha256', bytes), bytes]));
  for (const { content } of rows) {
    const parts = partsIn(content)?.map((part) => blobs.get(part.toString('hex')) ?? Buffer.alloc(0));
    if (parts !== undefined) blobs.set(digest('sha256', Buffer.concat(parts)), Buffer.concat(parts));
  }
  const parsed = new Map<string, SourceFile>();
  const cache = createCompileCache();
  const parse = ([path, hash]: [string, string]): SourceFile => {
    const key = `${path} ${hash}`;
    const file = parsed.get(key) ?? parseSourceFile(path, blobs.get(hash) ?? Buffer.alloc(0));
    parsed.set(key, file);
    return file;
  };
  return sets.rows.map(({ revision, commit, manifest }) => {
    const { set } = compilePolicies(Object.entries(manifest).map(parse), { commit, cache });
    return { revision, commit, manifest, set: set?.revision === revision ? set : null };
  });
}

/** One line for every decision that the set named by its record would not have made so. */
export function judgeReplay(records: readonly LoggedRecord[], sets: readonly KeptSet[]): readonly string[] {
  const byRevision = new Map(sets.map((one) => [one.revision, one.set]));
  return records
    .filter(({ kind }) => kind === 'decision')
    .flatMap(({ id, said }) => {
      const set = byRevision.get(String((said['policy'] as Json)['revision'])) ?? null;
      if (set === null) return [`${id}: the set it names was not kept, or is another`];
      const again = decideAgain(set, said);
      const text = JSON.stringify([again.outcome, again.decidedBy, again.walls, again.results, again.missing]);
      const recorded = JSON.stringify(['outcome', 'decided_by', 'walls', 'rules', 'missing'].map((name) => said[name]));
      return sameMembers(text, recorded) ? [] : [`${id}: decided ${recorded}, replayed ${text}`];
    });
}

function decideAgain(set: PolicySet, said: Json) {
  const [subject, resource] = [said['subject'] as Json, said['resource'] as Json];
  return decide(set, {
    subject: { id: String(subject['id']), attributes: subject['attributes'] as Json },
    actor: subject['actor'] as string | null,
    action: String(said['action']),
    resource: {
      type: String(resource['type']),
      id: String(resource['id']),
      properties: resource['properties'] as Json,
    },
    context: said['context'] as Json,
    sourceSystem: (said['caller'] as Json)['source_system'] as string | null,
    approvals: (said['approvals'] as Json)['proven'] as never,
    now: Date.parse(String(said['at'])),
  });
}

/** Whatever the order of an object's members. */
function sameMembers(one: string, other: string): boolean {
  const ordered = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  const normal = (text: string): string => JSON.stringify(JSON.parse(text, ordered) as unknown);
  return normal(one) === normal(other);
}
