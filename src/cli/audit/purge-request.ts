// A request to remove payloads, as a file that people read, approve and keep. It must never be made to mean something else after it was
// approved: approvals name its hash.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomNonce, uuidv7 } from '../../core/record/uuid.ts';
import type { Scope } from '../../core/purge.ts';
import { checkFile } from '../../core/schema-check.ts';
import { formatTimestamp, parseTimestamp } from '../../core/time.ts';
import { PurgeRequest } from '../../model/retention.ts';
import { showDiagnostics } from '../policies/diagnostics.ts';
import type { Shell } from '../shell/shell.ts';
import { type Arguments, UsageError } from '../shell/verb.ts';
import type { PurgePlan } from './purge-plan.ts';

/** What a person states; the rest is found out. */
export interface Stated {
  readonly requester: string;
  readonly reason: string;
}

const SHORTEST_REASON = 10;

export function statedIn(args: Arguments): Stated {
  const [requester, reason] = [args.text('requester'), args.text('reason')];
  if (requester === undefined) throw new UsageError('who requests it?', 'give --requester ID; two others approve');
  if (reason === undefined || reason.trim().length < SHORTEST_REASON) {
    throw new UsageError('why?', 'give --reason TEXT, in words that an auditor understands in ten years');
  }
  return { requester, reason: reason.trim() };
}

export function makeRequest(
  { requester, reason }: Stated,
  { subject, asOf, before }: Scope,
  revision: string,
  plan: Pick<PurgePlan, 'goes' | 'held'>,
): PurgeRequest {
  return {
    version: 1,
    id: uuidv7(asOf),
    subject,
    as_of: formatTimestamp(asOf),
    before: formatTimestamp(before),
    reason,
    requester,
    revision,
    planned: { records: plan.goes, held: plan.held },
    salt: randomNonce(),
  };
}

/** Never over a file that is there: it may have been approved. */
export async function writeRequest(shell: Shell, name: string, request: PurgeRequest): Promise<void> {
  const file = path.resolve(shell.folder, name);
  const options = { mode: 0o600, flag: 'wx' } as const;
  await writeFile(file, `${JSON.stringify(request, null, 2)}\n`, options).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'there is such a file already' : error.message;
    throw new UsageError(`\`${name}\` cannot be written: ${why}`);
  });
}

export async function readRequest(shell: Shell, name: string): Promise<PurgeRequest> {
  const text = await readFile(path.resolve(shell.folder, name)).catch((error: Error) => {
    throw new UsageError(`\`${name}\` cannot be read`, error.message);
  });
  const { parseSourceFile } = await import('../../io/policies/parse.ts');
  const file = { ...parseSourceFile('tests/request.json', text), path: name };
  const problems = checkFile(file, PurgeRequest);
  if (problems.length > 0) {
    showDiagnostics(shell.err, problems, { files: [file], folder: '' });
    throw new UsageError(`${name} is no request to remove payloads`);
  }
  return file.value as PurgeRequest;
}

export function scopeOf({ subject, as_of: asOf, before }: PurgeRequest): Scope {
  const [end, last] = [parseTimestamp(asOf), parseTimestamp(before)];
  if (end === undefined || last === undefined)
    throw new UsageError('the times of the request are no RFC 3339 instants');
  return { subject, asOf: end, before: last };
}
