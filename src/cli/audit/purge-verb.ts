// The steps that `audit purge` and `audit erase` share: plan, request, execute. It must never remove anything in the first two.
import { purgeHash, type Scope } from '../../core/purge.ts';
import { formatTimestamp, parseTimestamp } from '../../core/time.ts';
import type { Output, Shell } from '../shell/shell.ts';
import { count, printable, table } from '../shell/text.ts';
import { type Arguments, type ExitCode, type OptionSpec, UsageError } from '../shell/verb.ts';
import { executePurge, openPurgeWork } from './purge-execute.ts';
import { LOG_TYPE, PURGE_ACTION } from './purge-approvals.ts';
import { planPurge, type PurgePlan } from './purge-plan.ts';
import { makeRequest, readRequest, scopeOf, statedIn, writeRequest } from './purge-request.ts';
import { readVersion } from './version.ts';
import { openPurgeSession, type PurgeSession } from './purge-session.ts';

export const STEPS: Readonly<Record<string, OptionSpec>> = {
  plan: { help: 'show what would go, and what legal holds keep' },
  request: { value: 'FILE', help: 'write a request into this new file, with --requester and --reason' },
  requester: { value: 'ID', help: 'the person who requests it' },
  reason: { value: 'TEXT', help: 'why, for the record' },
  execute: { value: 'FILE', help: 'carry out the request in this file, with --approvals' },
  approvals: { value: 'IDS', help: 'ids of the approvals of two people, separated by a comma' },
};

export const PROCEDURE =
  'Two people approve the request: each posts to /v1/approvals what --request prints, with a fresh second factor. Both must hold ' +
  'a role that retention.yaml names under `approvers`; neither may be the requester. --execute checks that against the records ' +
  'of the approvals, commits a purge record that names every place, and only then removes the payloads. It can be run again ' +
  'after a crash. Commitments stay, so chains, tree and proofs still verify.';

export const NEEDS =
  'Needs DATABASE_READER_URL; --execute also DATABASE_URL, WRITER_KEY_FILE and DATABASE_OWNER_URL. Policies are those that a ' +
  'service loaded last, as the log knows them.';

/** @param subject null: everything whose retention has ended */
export async function runPurge(shell: Shell, args: Arguments, subject: string | null): Promise<ExitCode> {
  const steps = ['plan', 'request', 'execute'].filter((one) => args.isOn(one));
  if (steps.length !== 1) throw new UsageError('say what to do', 'give one of --plan, --request FILE, --execute FILE');
  const session = openPurgeSession();
  try {
    if (args.isOn('execute')) return await execute(shell, args, session, subject);
    return await plan(shell, args, session, subject);
  } finally {
    shell.progress.clear();
    await session.close();
  }
}

async function plan(shell: Shell, args: Arguments, session: PurgeSession, subject: string | null): Promise<ExitCode> {
  const { out, progress } = shell;
  const file = args.text('request');
  const stated = file === undefined ? null : statedIn(args);
  const asOf = shell.now();
  const scope: Scope = { subject, asOf, before: beforeOf(args, asOf) };
  const inForce = await session.inForce();
  const found = await planPurge(session.reader, [inForce], scope, (n) => progress.show(`${n} records looked at …`));
  progress.clear();
  out.line(`policy set ${inForce.set.revision}, as of ${formatTimestamp(asOf)}`);
  showPlan(out, found);
  if (file === undefined || stated === null) return 0;
  if (found.goes === 0) throw new UsageError('nothing would go: there is nothing to request');
  const request = makeRequest(stated, scope, inForce.set.revision, found);
  await writeRequest(shell, file, request);
  const wanted = { action: { name: PURGE_ACTION }, resource: { type: LOG_TYPE, id: purgeHash(request) } };
  out.line();
  out.line(
    `${file} is the request. Two of ${[...inForce.retention.approvers].join(', ')} approve it with POST /v1/approvals:`,
  );
  out.line(JSON.stringify({ requester: request.requester, ...wanted, expires_at: '<RFC 3339>' }));
  return 0;
}

function beforeOf(args: Arguments, asOf: number): number {
  const text = args.text('before');
  if (text === undefined) return asOf;
  const time = parseTimestamp(text);
  if (time === undefined || time > asOf) {
    throw new UsageError(`\`--before ${text}\` is no instant of the past`, 'such as 2019-01-01T00:00:00Z');
  }
  return Math.floor(time);
}

function showPlan(out: Output, { goes, held, classes, heldMatters }: PurgePlan): void {
  const number = (one: number): string => one.toLocaleString('en-US');
  const rows = [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, number(one)]);
  for (const line of table([['class', 'payloads that go'], ...rows, ['all', number(goes)]], '  ')) out.line(line);
  if (held === 0) return;
  out.line(`legal holds keep ${count(held, 'payload')} that would have gone:`);
  const matters = [...heldMatters].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = matters.map(([matter, one]) => [matter === '' ? '(without a matter)' : printable(matter), number(one)]);
  for (const line of table(named, '  ')) out.line(line);
}

async function execute(
  shell: Shell,
  args: Arguments,
  session: PurgeSession,
  subject: string | null,
): Promise<ExitCode> {
  const { out, err, progress } = shell;
  const request = await readRequest(shell, args.text('execute') ?? '');
  if (request.subject !== subject && (request.subject === null || subject === null)) {
    const verb = request.subject === null ? 'purge' : 'erase --subject ID';
    throw new UsageError('this is a request of another kind', `use \`privity audit ${verb}\``);
  }
  if (request.subject !== subject) throw new UsageError(`the request is about another person than ${subject ?? ''}`);
  const scope = scopeOf(request);
  const ids = [
    ...new Set(
      args
        .text('approvals')
        ?.split(',')
        .map((one) => one.trim().toLowerCase()),
    ),
  ];
  const work = await openPurgeWork(await readVersion(), (code) => err.line(`the log: ${code}`));
  try {
    const done = await executePurge(session, work, request, scope, ids, (text) => progress.show(text));
    progress.clear();
    showPlan(out, done.plan);
    out.line(
      `${count(done.removed, 'payload')} removed, as recorded in ${count(done.records.length, 'purge record')}:`,
    );
    for (const id of done.records) out.line(`  ${id}`);
    return 0;
  } finally {
    progress.clear();
    await work.close();
  }
}
