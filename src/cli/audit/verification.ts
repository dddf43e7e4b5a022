// Verifies a log for every command that has one before it, and tells what was found. It must never say intact of what it could not look at,
// nor believe a checkpoint without a key.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type NoteVerifier, readVerifier } from '../../core/sealing/signed-note.ts';
import { type Finding, WHAT_TO_DO } from '../../core/verification/finding.ts';
import type { Published } from '../../io/log/verify/published.ts';
import type { VerifyReport } from '../../io/log/verify/report.ts';
import type { LogSource } from '../../io/log/verify/source.ts';
import type { Shell } from '../shell/shell.ts';
import { count, printable, table } from '../shell/text.ts';
import { type Arguments, type ExitCode, UsageError } from '../shell/verb.ts';

const MOST_SHOWN = 10;
/** Records that are verified sooner than threads start. */
const SHORT_LOG = 20_000;

/** What a log is held against. */
export interface Trust {
  readonly published: Published | null;
  readonly verifiers: readonly NoteVerifier[] | null;
  readonly certifiers: readonly KeyObject[];
}

/** Reads the options `key` and `certifier`, and the one that names the place of what was published. */
export async function readTrust(shell: Shell, args: Arguments, place: 'checkpoints' | 'published'): Promise<Trust> {
  const verifiers = await readKeys(shell, args.text('key'));
  const certifiers = await readCertifiers(shell, args.text('certifier'));
  const published = await readPlace(shell, place, args.text(place), verifiers);
  return { published, verifiers, certifiers };
}

export async function openDatabase(url: string): Promise<LogSource> {
  const [{ openDatabaseSource }, { openClient }] = await Promise.all([
    import('../../io/log/verify/database-source.ts'),
    import('../../io/db/database.ts'),
  ]);
  return openDatabaseSource(() => openClient({ url, applicationName: 'privity verifier', onError: () => undefined }));
}

/**
 * Verifies what the source holds, closes it, and tells.
 * @param open gives a source, or throws SourceBroken for a file that is no whole export
 */
export async function verifyAndTell(
  shell: Shell,
  open: () => Promise<LogSource>,
  trust: Trust,
  how: { readonly threads: number | null; readonly lastHeadsOnly: boolean; readonly isJson: boolean },
): Promise<ExitCode> {
  const [{ verifyLog }, { reportOfBroken }, { SourceBroken }] = await Promise.all([
    import('../../io/log/verify/verify-log.ts'),
    import('../../io/log/verify/report.ts'),
    import('../../io/log/verify/source.ts'),
  ]);
  const onProgress = createProgress(shell);
  const found = await open().catch((error: unknown) => {
    if (error instanceof SourceBroken) return reportOfBroken(error);
    throw error;
  });
  if ('verdict' in found) return tell(shell, how.isJson, found);
  try {
    const { lastHeadsOnly } = how;
    const threads = how.threads ?? (found.amount < SHORT_LOG ? 0 : availableParallelism());
    return tell(shell, how.isJson, await verifyLog({ source: found, ...trust, lastHeadsOnly, threads, onProgress }));
  } finally {
    shell.progress.clear();
    await found.close();
  }
}

/** Of a file that an option names. */
export function unreadable(option: string) {
  return (error: unknown): never => {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new UsageError(`\`${option}\`: ${error.message}`);
  };
}

async function readKeys(shell: Shell, file: string | undefined): Promise<readonly NoteVerifier[] | null> {
  if (file === undefined) return null;
  const text = await readFile(path.resolve(shell.folder, file), 'utf8').catch(unreadable('--key'));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const verifier = readVerifier(line);
    if (verifier !== null) return verifier;
    throw new UsageError(`line ${index + 1} of ${file} is no verifier key`, '`privity seal --print-key` prints them');
  });
}

async function readCertifiers(shell: Shell, file: string | undefined): Promise<readonly KeyObject[]> {
  if (file === undefined) return [];
  const text = await readFile(path.resolve(shell.folder, file), 'utf8').catch(unreadable('--certifier'));
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  try {
    const keys = blocks.map((block) => createPublicKey(block));
    if (keys.length > 0 && keys.every((key) => key.asymmetricKeyType === 'ed25519')) return keys;
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} holds no Ed25519 public keys (PEM)`, '`privity seal --print-certifier` prints them');
}

async function readPlace(
  shell: Shell,
  option: string,
  place: string | undefined,
  verifiers: readonly NoteVerifier[] | null,
): Promise<Published | null> {
  if (place === undefined) return null;
  if (verifiers === null)
    throw new UsageError(`\`--${option}\` needs \`--key\``, 'without a public key anybody could have made them');
  const { readPublished } = await import('../../io/log/verify/published.ts');
  return readPublished(path.resolve(shell.folder, place), verifiers).catch(unreadable(`--${option}`));
}

/** How far, how fast, how long still. */
function createProgress(shell: Shell) {
  let begun = shell.now();
  let current = '';
  return ({
    step,
    done,
    total,
  }: {
    readonly step: string;
    readonly done: number;
    readonly total: number | null;
  }): void => {
    if (step !== current) [current, begun] = [step, shell.now()];
    const seconds = (shell.now() - begun) / 1000;
    if (total === null || seconds <= 0) return shell.progress.show(`${step} …`);
    const rate = done / seconds;
    const left = Math.max(0, Math.ceil((total - done) / rate));
    const number = (value: number): string => Math.round(value).toLocaleString('en-US');
    shell.progress.show(
      `${step}: ${number(done)} of about ${number(total)}, ${number(rate)}/s, ${number(left)} s left`,
    );
  };
}

function tell(shell: Shell, isJson: boolean, report: VerifyReport): ExitCode {
  shell.progress.clear();
  if (isJson) shell.out.line(JSON.stringify(report, null, 2));
  else describe(shell, report);
  return report.verdict === 'intact' ? 0 : 1;
}

function describe({ out }: Shell, { verdict, first, findings, more, counts, notes }: VerifyReport): void {
  const { records, purged, leaves, unsealed, proven, published, writers, heads, policySets } = counts;
  if (verdict === 'intact')
    out.line(`${out.paint('green', 'intact')}: nothing was found that is not as it was written`);
  if (first !== null) describeFirst(out, first);
  out.line();
  const rows = [
    ['records', `${count(records, 'record')} of ${count(writers, 'writer')}; ${count(heads, 'signed head')}`],
    ['purged', `${count(purged, 'record')}, as sealed purge records say`],
    ['sealed', `${count(leaves, 'leaf', 'leaves')}; ${count(unsealed, 'record')} not sealed yet`],
    [
      'proven',
      `${count(proven, 'leaf', 'leaves')} under signed checkpoints (${count(published, 'checkpoint')} published)`,
    ],
    ['policies', count(policySets, 'policy set')],
  ];
  for (const line of table(rows, '  ')) out.line(line);
  for (const note of notes) out.line(`  ${out.paint('yellow', 'note')}  ${note}`);
  if (findings.length < 2) return;
  out.line();
  out.line(`all findings, in the order of the log:`);
  for (const finding of findings.slice(0, MOST_SHOWN))
    out.line(`  ${finding.kind}  ${place(finding)}: ${printable(finding.detail)}`);
  const hidden = findings.length - MOST_SHOWN + more;
  if (hidden > 0) out.line(`  and at least ${count(hidden, 'more finding')}; \`--json\` lists a hundred`);
}

function describeFirst(out: Shell['out'], first: Finding): void {
  out.line(`${out.paint('red', 'tampered with')}: ${out.paint('bold', first.kind)}`);
  out.line(`  where  ${place(first)}`);
  out.line(`  why    ${printable(first.detail)}`);
  out.line(`  do     ${WHAT_TO_DO[first.kind]}`);
}

function place({ thing, place: at, leaf, id }: Finding): string {
  const parts = [
    ...(id === null ? [] : [printable(id)]),
    ...(at === null ? [] : [`writer ${at.writer}, sequence number ${at.seq}`]),
    ...(leaf === null ? [] : [`leaf ${leaf}`]),
  ];
  return parts.length === 0 ? thing : `${thing} (${parts.join('; ')})`;
}
