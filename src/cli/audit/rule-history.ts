// Adds to the report on the rules of a day who wrote and approved them, from a clone of the policies repository. It must never take a commit
// for the origin of a rule whose words it does not hold.
import path from 'node:path';
import {
  changeOf,
  changesOfLines,
  commitsOfFile,
  filesAt,
  mergeOf,
  type Change,
} from '../../io/policies/git-history.ts';
import { resolveCommit } from '../../io/policies/git.ts';
import type { AuditReport, ReportSection } from '../../model/audit-report.ts';
import { UsageError } from '../shell/verb.ts';

const MOST_CHANGES = 200;
/** Commits that are looked through for the words of a rule that was loaded from a plain folder. */
const MOST_COMMITS = 300;

interface Loaded {
  readonly revision: string;
  readonly commit: string | null;
}

interface Shown {
  readonly heading: string;
  readonly revision: string;
  readonly file: string;
  readonly text: string;
}

/** @throws UsageError where the folder is no clone */
export async function addHistory(report: AuditReport, repository: string, folder: string): Promise<AuditReport> {
  const clone = path.resolve(folder, repository);
  await resolveCommit(clone, 'HEAD').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `\`${repository}\` is no clone of a repository: ${why}`,
      'give the folder of a clone of the policies',
    );
  });
  const loaded = loadedIn(report);
  const commits = new Map(loaded.map(({ revision, commit }) => [revision, commit]));
  const added: ReportSection[] = [await commitSection(clone, loaded)];
  for (const rule of rulesIn(report)) added.push(await ruleSection(clone, rule, commits.get(rule.revision) ?? null));
  const notes = report.notes.filter((note) => !note.includes('--repository'));
  return {
    ...report,
    notes: [
      ...notes,
      'Who wrote and approved a rule was added on this machine from a clone, and is as good as the clone: authors are stated names, ' +
        'signatures are judged by git with the keys that it knows here.',
    ],
    sections: [...report.sections, ...added],
  };
}

function loadedIn(report: AuditReport): readonly Loaded[] {
  const table = report.sections.find(({ heading }) => heading === 'In force')?.table;
  const at = (name: string): number => table?.columns.findIndex((column) => column.name === name) ?? -1;
  const [revision, commit] = [at('revision'), at('commit')];
  const text = (cell: unknown): string | null => (typeof cell === 'string' ? cell : null);
  const all = (table?.rows ?? []).map((row) => ({ revision: text(row[revision]) ?? '', commit: text(row[commit]) }));
  return all.filter((one, index) => all.findIndex(({ revision: other }) => other === one.revision) === index);
}

function rulesIn(report: AuditReport): readonly Shown[] {
  return report.sections.flatMap(({ heading, facts = [], text }): readonly Shown[] => {
    const fact = (name: string): string | undefined => facts.find(({ label }) => label === name)?.value;
    const [revision, file] = [fact('Policy set'), fact('File')];
    return text === undefined || revision === undefined || file === undefined
      ? []
      : [{ heading, revision, file, text }];
  });
}

const CHANGE_COLUMNS = [
  { name: 'commit', label: 'Commit' },
  { name: 'committed_at', label: 'Committed at' },
  { name: 'author', label: 'Author' },
  { name: 'committer', label: 'Committer' },
  { name: 'signature', label: 'Signature' },
  { name: 'trailers', label: 'Says who reviewed' },
  { name: 'merged_by', label: 'Merged by' },
  { name: 'subject', label: 'About' },
];

async function commitSection(clone: string, loaded: readonly Loaded[]): Promise<ReportSection> {
  const rows: (string | null)[][] = [];
  for (const { revision, commit } of loaded) {
    const change = commit === null ? null : await changeOf(clone, commit);
    const none = commit === null ? 'loaded from a plain folder' : 'not in this clone: fetch it';
    rows.push(
      change === null
        ? [revision, commit, none, ...CHANGE_COLUMNS.slice(2).map(() => null)]
        : [revision, ...cellsOf(change, null)],
    );
  }
  return {
    heading: 'Commits of the policy sets',
    table: { columns: [{ name: 'revision', label: 'Policy set' }, ...CHANGE_COLUMNS], rows },
  };
}

async function ruleSection(clone: string, rule: Shown, commit: string | null): Promise<ReportSection> {
  const heading = `Who wrote and approved ${rule.heading}`;
  const origin = await originOf(clone, rule, commit);
  if (origin === null) {
    const where = commit === null ? 'no commit of this clone' : `the commit ${commit}, as it is in this clone,`;
    return { heading, note: `Not known: ${where} holds a rule of exactly these words in ${rule.file}.` };
  }
  const changes = await changesOfLines(clone, origin, MOST_CHANGES);
  const rows: (string | null)[][] = [];
  for (const change of changes) rows.push(cellsOf(change, await mergeOf(clone, change.commit, origin.commit)));
  const found =
    commit === null
      ? `The set was loaded from a plain folder. The newest commit with exactly these words is ${origin.commit}.`
      : `As of the commit ${origin.commit}, which holds exactly these words.`;
  return {
    heading,
    note: `${found} Every commit that wrote some of these lines, newest first.`,
    table: { columns: CHANGE_COLUMNS, rows },
  };
}

async function originOf(clone: string, { file, text }: Shown, commit: string | null) {
  const candidates = commit === null ? await commitsOfFile(clone, file, MOST_COMMITS) : [commit];
  for (const candidate of candidates) {
    const files = await filesAt(clone, candidate, file).catch(() => []);
    for (const one of files) {
      const first = lineOf(one.text, text);
      if (first !== null)
        return { commit: candidate, path: one.path, first, last: first + text.split('\n').length - 1 };
    }
  }
  return null;
}

/** Where these whole lines begin. */
function lineOf(file: string, wanted: string): number | null {
  const [lines, part] = [file.split(/\r?\n/), wanted.split('\n')];
  const first = lines.findIndex((_, index) => part.every((line, offset) => lines[index + offset] === line));
  return first < 0 ? null : first + 1;
}

function cellsOf(change: Change, merge: Change | null): (string | null)[] {
  const { commit, committedAt, author, committer, signature, trailers, subject } = change;
  const merged = merge === null ? null : [merge.committer, ...merge.trailers].join('; ');
  return [commit, committedAt, author, committer, signature, trailers.join('; '), merged, subject];
}
