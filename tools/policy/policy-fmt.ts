// `privity policy fmt`: one style for all files of a policies folder. It must never write a file that says something else than before.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { showDiagnostics } from '../../src/cli/policies/diagnostics.ts';
import { POLICIES_OPTION } from '../../src/cli/policies/load.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { readSettings } from '../../src/cli/shell/settings.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { count, printable } from '../../src/cli/shell/text.ts';
import { type ExitCode, UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';
import { findFiles, within, type Target } from './format/find-files.ts';
import { formatFile } from './format/format.ts';
import { type Judged, outcomeOf, reportOf } from './format/report.ts';
import { replaceFiles } from './format/replace-files.ts';

export const verb: Verb = {
  about: [
    'Brings policy files into one style: members in the order of the schemas, two spaces, a line between rules, short ' +
      'lists in brackets, quotes, line ends. Comments stay with what they are about, and no file says anything else than ' +
      'before: where that cannot be kept, the file is left as it is and you are told. Of CSV and NDJSON only line ends ' +
      'change. Without FILES it looks at the whole policies folder.',
    'With `--check` nothing is written; exit code 1 where a file is not in this style.',
  ],
  operands: { usage: '[FILES…]', min: 0, max: 100_000, help: 'files of a policies folder, or whole folders' },
  options: {
    policies: POLICIES_OPTION,
    check: { help: 'write nothing, only say which files are not in style' },
    stdin: { help: 'read one file from standard input and write it to standard output; FILE then says which it is' },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print what was done' },
  },
  examples: [
    { command: 'privity policy fmt', does: 'the folder policies/' },
    { command: 'privity policy fmt --check', does: 'only say what would change, for a pipeline' },
    { command: 'privity policy fmt --stdin rules/sharing.yaml < draft.yaml', does: 'for an editor' },
  ],
  async run(shell, args) {
    if (args.isOn('stdin')) return await formatInput(shell, args.operands);
    const option = args.text('policies');
    if (option !== undefined && args.operands.length > 0)
      throw new UsageError('files and a folder are given', 'give FILES, or `--policies`');
    const names = args.operands.length > 0 ? args.operands : [option ?? readSettings().POLICIES_DIR];
    const { files, strange } = await findFiles(shell.folder, names);
    if (strange.length > 0) throw new UsageError('nothing was formatted', undefined, strange.map(printable));
    const isCheck = args.isOn('check');
    const judged: Judged[] = [];
    for (const [index, target] of files.entries()) {
      shell.progress.show(`${index + 1} of ${files.length} ${target.shown} …`);
      judged.push(await judge(target, isCheck));
    }
    shell.progress.clear();
    const format = args.text('format') ?? 'pretty';
    if (format === 'json') shell.out.line(JSON.stringify(reportOf(judged, isCheck), null, 2));
    else if (isOutcomeFormat(format)) await writeOutcome(shell, outcomeOf(judged, names.join(' ')), format);
    else show(shell, judged, isCheck);
    const fails = judged.some(({ state }) => state === 'broken' || state === 'refused' || state === 'to-format');
    return fails ? 1 : 0;
  },
};

async function judge(target: Target, isCheck: boolean): Promise<Judged> {
  const bytes = await readFile(target.file);
  const result = await formatFile(target.path, target.kind, bytes);
  if ('problems' in result) return { target, state: 'broken', bytes, problems: result.problems, why: null };
  if ('refused' in result) return { target, state: 'refused', bytes, problems: [], why: result.refused };
  const isSame = result.text === bytes.toString('utf8');
  if (!isSame && !isCheck) await replaceFiles([{ file: target.file, before: bytes, after: result.text }]);
  return { target, state: isSame ? 'in-style' : isCheck ? 'to-format' : 'formatted', bytes, problems: [], why: null };
}

function show({ out, err }: Shell, judged: readonly Judged[], isCheck: boolean): void {
  for (const { target, state, problems, why, bytes } of judged) {
    if (state === 'broken') {
      const places = problems.map((problem) => ({ ...problem, file: target.shown }));
      showDiagnostics(err, places, {
        files: [{ ...parseSourceFile(target.path, bytes), path: target.shown }],
        folder: '',
      });
    } else if (state === 'refused')
      err.line(`${err.paint('red', 'left as it is')} ${printable(target.shown)}: ${why}; write it by hand`);
    else if (state !== 'in-style') {
      const label = isCheck ? out.paint('yellow', 'not in style') : out.paint('green', 'formatted');
      out.line(`${label} ${printable(target.shown)}`);
    }
  }
  const of = (state: Judged['state']): number => judged.filter((one) => one.state === state).length;
  const parts = [
    ...(of('formatted') > 0 ? [`${of('formatted')} formatted`] : []),
    ...(of('to-format') > 0 ? [`${of('to-format')} not in style (\`privity policy fmt\` mends them)`] : []),
    ...(of('refused') > 0 ? [`${of('refused')} left as they are`] : []),
    ...(of('broken') > 0 ? [`${of('broken')} broken`] : []),
  ];
  out.line(`${count(judged.length, 'file')}: ${parts.length === 0 ? 'all in style' : parts.join(', ')}`);
}

async function formatInput(shell: Shell, names: readonly string[]): Promise<ExitCode> {
  const [name = ''] = names;
  if (names.length !== 1)
    throw new UsageError('`--stdin` takes one FILE, which says what it reads', 'such as `rules/sharing.yaml`');
  const known = within(path.resolve(shell.folder, name));
  if (known === null)
    throw new UsageError(`\`${name}\` is no file of a policies folder`, 'such as `rules/sharing.yaml`');
  const text = await shell.readInput();
  const result = await formatFile(known.path, known.kind, Buffer.from(text));
  if ('text' in result) {
    shell.out.write(result.text);
    return 0;
  }
  if ('problems' in result) {
    const file = { ...parseSourceFile(known.path, Buffer.from(text)), path: name };
    const places = result.problems.map((problem) => ({ ...problem, file: name }));
    showDiagnostics(shell.err, places, { files: [file], folder: '' });
  } else shell.err.line(`${name} is left as it is: ${result.refused}`);
  return 1;
}
