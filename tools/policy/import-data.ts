// `privity import`: turns exports of a practice-management system into the data files, all or nothing. It must never write a folder that would
// not load, nor leave out in silence what it could not take.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compilePolicies } from '../../src/core/compile.ts';
import type { Firm } from '../../src/core/firm.ts';
import { formatDiagnostic } from '../../src/core/schema-check.ts';
import { isOutcomeFormat, OUTCOME_FORMATS, writeOutcome } from '../../src/cli/outcomes/write.ts';
import { isTestFile, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { type Arguments, UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { replaceFiles } from './format/replace-files.ts';
import { mapColumns, readWishes, type Subject, type Wish } from './import/columns.ts';
import { readEntries, type Rejected, type Titles } from './import/entries.ts';
import { rejectedAsCsv, resultAsJson, resultAsOutcome, showResult, type Result } from './import/import-text.ts';
import { titlesOf } from './import/list-text.ts';
import { newFiles } from './import/new-files.ts';
import { objectionsTo } from './import/objections.ts';
import { planImport, type Export } from './import/plan.ts';
import { presentEntries } from './import/present.ts';
import { DELIMITERS, ENCODINGS, readTable, type TableOptions } from './import/table.ts';

const SUBJECTS = ['people', 'matters', 'teams'] as const;

export const verb: Verb = {
  about: [
    'Reads tables that a practice-management system exported and writes data/people and data/matters as the service ' +
      'reads them. Everything or nothing: one rejected line, and no file changes, unless you accept so many. What the ' +
      'export no longer has goes; entries in other files of data/ are kept by hand and stay. A member for which the ' +
      'export has no column stays as it was.',
    'Columns are found by their names (docs/policy-tools.md lists them), or named with `--map`. The whole folder is ' +
      'checked with the new data before anything is written. Exit code 1 where nothing was written.',
  ],
  options: {
    policies: POLICIES_OPTION,
    people: { value: 'FILE', help: 'a table of people: id, and attributes of firm.yaml' },
    matters: { value: 'FILE', help: 'a table of matters: id, client_id, practice_group, responsible_attorney, team …' },
    teams: { value: 'FILE', help: 'a table of team members: matter_id, person_id' },
    map: { value: 'LIST', help: 'columns of other names: "Matter No=id,people:Login=id"' },
    encoding: { value: 'NAME', choices: ENCODINGS, help: 'of files without a byte order mark; otherwise utf-8' },
    delimiter: { value: 'NAME', choices: [...DELIMITERS.keys()], help: 'otherwise what the header is separated by' },
    'take-over': { help: 'the import owns these lists from now on: entries kept by hand in data/ go' },
    'accept-rejected': { value: 'N', help: 'write although up to N lines were rejected' },
    'accept-changed-clients': { value: 'N', help: 'write although up to N matters change their client' },
    'accept-removed': { value: 'N', help: 'write although more than a tenth of a list goes, up to N entries' },
    'dry-run': { help: 'write nothing, only say what would change' },
    report: { value: 'FILE', help: 'write all rejected lines to FILE, as CSV for a spreadsheet' },
    format: { value: 'FORMAT', choices: ['pretty', 'json', ...OUTCOME_FORMATS], help: 'how to print it' },
  },
  examples: [
    {
      command: 'privity import --people people.csv --matters matters.csv --teams teams.csv --dry-run',
      does: 'see what would change',
    },
    {
      command: 'privity import --matters export.csv --map "Matter No=id,Client No=client_id"',
      does: 'columns of other names',
    },
  ],
  async run(shell, args) {
    if (SUBJECTS.every((one) => args.text(one) === undefined))
      throw new UsageError('there is nothing to import', 'give `--people FILE`, `--matters FILE` or `--teams FILE`');
    const limits = {
      rejected: limit(args, 'accept-rejected'),
      clients: limit(args, 'accept-changed-clients'),
      removed: limit(args, 'accept-removed'),
    };
    const folder = await readFolder(shell, args);
    const files = folder.files.filter((file) => !isTestFile(file));
    const set = requireSet(shell, { ...folder, files });
    const rejected: Rejected[] = [];
    const reject = (one: Rejected): unknown => rejected.push(one);
    const { exports, unread } = await readExports(shell, args, set.firm, reject);
    const takesOver = args.isOn('take-over');
    const present = {
      people: presentEntries(files, 'people', takesOver && exports.people !== null),
      matters: presentEntries(files, 'matters', takesOver && (exports.matters !== null || exports.teams !== null)),
    };
    shell.progress.show('comparing with data/ …');
    const plan = planImport(exports, present, reject);
    const fresh = newFiles(plan, present, files);
    shell.progress.show('checking the folder with the new data …');
    const { set: after, diagnostics } = compilePolicies(fresh.files, { commit: null });
    shell.progress.clear();
    const before = new Set(set.findings.map(({ code, message, item }) => JSON.stringify([code, item, message])));
    const objections = [
      ...objectionsTo(plan, rejected.length, limits),
      ...fresh.problems,
      ...(after === null ? diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic) : []),
    ];
    const isDryRun = args.isOn('dry-run');
    const absolute = path.resolve(shell.folder, folder.folder);
    if (objections.length === 0 && !isDryRun) {
      await replaceFiles(
        fresh.changes.map(({ path: name, before: old, after: text }) => ({
          file: path.join(absolute, name),
          before: old,
          after: text,
        })),
      );
    }
    const report = args.text('report');
    if (report !== undefined) await writeFile(path.resolve(shell.folder, report), rejectedAsCsv(rejected));
    const result: Result = {
      plan,
      rejected: rejected.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)),
      unread,
      objections,
      findings: diagnostics.filter(
        ({ severity, code, message, item }) =>
          severity === 'finding' && !before.has(JSON.stringify([code, item, message])),
      ),
      files: fresh.changes.map(({ path: name, before: old, after: text }) => ({
        path: path.join(folder.folder, name),
        action: text === null ? 'remove' : old === null || /\.(csv|ndjson)$/.test(name) ? 'write' : 'change',
      })),
      isWritten: objections.length === 0 && !isDryRun,
      isDryRun,
    };
    const format = args.text('format') ?? 'pretty';
    if (format === 'json') shell.out.line(resultAsJson(result));
    else if (isOutcomeFormat(format)) await writeOutcome(shell, resultAsOutcome(result, folder.folder), format);
    else showResult(shell, result);
    return objections.length > 0 ? 1 : 0;
  },
};

function limit(args: Arguments, option: string): number {
  const text = args.text(option) ?? '0';
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`\`--${option} ${text}\` is no number`, `write \`--${option} 3\``);
  return Number(text);
}

async function readExports(shell: Shell, args: Arguments, firm: Firm, reject: (one: Rejected) => void) {
  const wishes = readWishes(args.text('map'));
  const used = new Set<Wish>();
  const encoding = ENCODINGS.find((one) => one === args.text('encoding')) ?? null;
  const options: TableOptions = { encoding, delimiter: DELIMITERS.get(args.text('delimiter') ?? '') ?? null };
  const unread: { file: string; columns: readonly string[] }[] = [];
  const read = async (subject: Subject): Promise<Export | null> => {
    const file = args.text(subject);
    if (file === undefined) return null;
    shell.progress.show(`reading ${file} …`);
    const table = await readTable(shell.folder, file, options);
    const mapping = mapColumns(subject, table, firm.dictionary, wishes);
    for (const wish of mapping.used) used.add(wish);
    if (mapping.unread.length > 0) unread.push({ file, columns: mapping.unread });
    const titles: Titles = { of: ({ type }) => titlesOf(type, firm.dictionary, firm.names.roles) };
    return { file, columns: mapping.columns, entries: readEntries(table, mapping, titles, reject) };
  };
  const exports = { people: await read('people'), matters: await read('matters'), teams: await read('teams') };
  shell.progress.clear();
  const idle = wishes.filter((wish) => !used.has(wish));
  if (idle.length > 0)
    throw new UsageError(
      `no column is named ${idle.map(({ column }) => `\`${column}\``).join(', ')}`,
      'look at `--map`',
    );
  if (exports.teams !== null && exports.matters?.columns.some(({ target }) => target.name === 'team') === true)
    throw new UsageError('teams come from two files', 'give `--teams`, or matters with a column `team`');
  return { exports, unread };
}
