// `privity policy unused`: rights that the log shows nobody used, and the narrower policies as a patch. It must never propose to take away what
// the log cannot judge, nor change a file.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { POLICIES_OPTION, isTestFile, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { UsageError, type Arguments, type Verb } from '../../src/cli/shell/verb.ts';
import { judgeRights, type Finding, type FindingKind } from './unused/judge.ts';
import { agesOf, lookAtUse } from './unused/look.ts';
import { openExport, openLog } from './unused/open-log.ts';
import { patchPlace } from './unused/place.ts';
import { propose } from './unused/proposal.ts';
import { lookAsJson, lookAsOutcome } from './unused/report.ts';
import { showLook, type Look } from './unused/report-text.ts';
import { sinceWhen } from './unused/window.ts';

const RULES: readonly FindingKind[] = [
  'rule',
  'case',
  'roles_of_rule',
  'actions_of_rule',
  'resources_of_rule',
  'role',
  'deny',
];
const SCOPES: Readonly<Record<string, readonly FindingKind[]>> = {
  rules: RULES,
  grants: ['grant', 'actions_of_grant'],
  teams: ['membership'],
};

export const verb: Verb = {
  about: [
    'Lists allow rules, their cases, roles, actions and types, grants and places on matter teams that no recorded allow rested ' +
      'on since a time, and prints a patch that takes them away. Files are not changed. Where the log does not reach back that ' +
      'far, or payloads were purged, it says from when on it can judge, and proposes nothing.',
    'Rules that allowed only together with others, and rights younger than the window, are listed apart. Denies are listed where ' +
      'they decided nothing, and never proposed; walls are left alone. Rules for emergencies (control `nist-ac-3.10`, or an ' +
      'obligation `review:…`) are proposed only with `--include-emergency`.',
    'Needs DATABASE_READER_URL, or `--export`; then git tells how old rights are. Exit code 1: only with `--fail-on unused`, where something is proposed.',
  ],
  operands: { usage: '[DIR]', min: 0, max: 1, help: 'the policies folder, instead of `--policies`' },
  options: {
    policies: POLICIES_OPTION,
    since: { value: 'TIME', help: 'how far back: `90d`, `P90D`, a day or an instant' },
    export: { value: 'FILE', help: 'an NDJSON or verification export instead of the database; `-` is standard input' },
    only: { value: 'KIND', choices: Object.keys(SCOPES), help: 'only these' },
    'include-emergency': { help: 'propose to take away unused rules for emergencies as well' },
    patch: { value: 'FILE', help: 'where to write the patch; otherwise it is printed' },
    'fail-on': { value: 'WHAT', choices: ['unused'], help: 'exit with 1 where something is proposed' },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy unused --since 90d', does: 'what nobody used in 90 days, and the patch' },
    {
      command: 'privity policy unused --since 2026-01-01 --only teams --patch teams.patch',
      does: 'the teams, into a file',
    },
  ],
  async run(shell, args) {
    const since = args.text('since');
    if (since === undefined) throw new UsageError('since when?', 'write `--since 90d`');
    const now = shell.now();
    const from = sinceWhen(since, now);
    const folder = await readFolder(shell, args, args.operands[0]);
    const files = folder.files.filter((file) => !isTestFile(file));
    const set = requireSet(shell, { ...folder, files });
    const file = args.text('export');
    const log = file === undefined ? openLog('privity policy unused') : await openExport(shell, file, folder.folder);
    try {
      const onProgress = (text: string): void => shell.progress.show(text);
      const looked = await lookAtUse(log, set, files, { from, now, onProgress });
      const ages = await agesOf(log, files, looked, onProgress);
      const kinds = SCOPES[args.text('only') ?? ''];
      const findings = judgeRights({ ...looked, since: ages }).filter(({ kind }) => kinds?.includes(kind) ?? true);
      shell.progress.show('the patch is made and tried …');
      const isWhole = looked.judgedFrom === from;
      const proposed = new Set(isWhole ? findings.filter((one) => isProposable(one, args)) : []);
      const absolute = path.resolve(shell.folder, folder.folder);
      const { root, prefix } = await patchPlace(absolute);
      const proposal = isWhole ? propose(set, folder.files, [...proposed], prefix) : null;
      for (const one of proposal?.byHand ?? []) proposed.delete(one);
      shell.progress.clear();
      const patchFile =
        proposal === null || proposal.patch === '' ? null : await writePatch(shell, args, proposal.patch);
      const look = {
        folder: folder.folder,
        set,
        looked,
        findings,
        isWhole,
        proposal,
        proposed,
        patchFile,
        place: root,
      };
      const failsOnUnused = args.text('fail-on') === 'unused';
      await print(shell, args, look, failsOnUnused);
      return failsOnUnused && proposed.size > 0 ? 1 : 0;
    } finally {
      shell.progress.clear();
      await log.close();
    }
  },
};

function isProposable({ state, kind, isEmergency }: Finding, args: Arguments): boolean {
  if (state !== 'unused' || kind === 'role' || kind === 'deny') return false;
  return !isEmergency || args.isOn('include-emergency');
}

async function print(shell: Shell, args: Arguments, look: Look, failsOnUnused: boolean): Promise<void> {
  const format = args.text('format') ?? 'pretty';
  if (format === 'json') shell.out.line(lookAsJson(look));
  else if (isOutcomeFormat(format)) await writeOutcome(shell, lookAsOutcome(look, failsOnUnused), format);
  else showLook(shell.out, look);
}

async function writePatch(shell: Shell, args: Arguments, patch: string): Promise<string | null> {
  const file = args.text('patch');
  if (file === undefined) return null;
  await writeFile(path.resolve(shell.folder, file), patch, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new UsageError(`\`${file}\` cannot be written: ${error.message}`);
    throw new UsageError(`\`${file}\` is there already`, 'name another file');
  });
  return file;
}
