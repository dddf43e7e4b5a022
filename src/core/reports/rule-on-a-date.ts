// The report on which rules were in force on a day, and what one of them said, from the policy set that was kept. It must never show the
// words of a rule that name a matter or client which the reader may not see.
import type { ReportSection } from '../../model/audit-report.ts';
import type { SourceFile } from '../../model/diagnostic.ts';
import { isObject, type JsonObject } from '../recorded-request.ts';
import { textOf, textsOf } from '../reading/row.ts';
import { namedPlaces } from '../reading/walled.ts';
import { formatTimestamp } from '../time.ts';
import { dayOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, Want } from './report.ts';
import { listed } from './tables.ts';

/** Of one day. */
const MOST_SETS = 20;
const FOLDER = 'rules/';

interface Loaded {
  readonly record: string;
  readonly at: number;
  readonly revision: string;
  readonly commit: string | null;
}

interface FoundRule {
  readonly entry: JsonObject;
  readonly file: string;
  readonly first: number;
  readonly text: string;
}

export const ruleOnADate: ReportDefinition = {
  name: 'rule-on-a-date',
  title: 'The rules in force on a day',
  about: 'Which policy sets were in force on a day, where each came from, and what the rule (or every rule) said.',
  params: { date: 'required', rule: 'optional' },
  views: ['log'],
  ask({ date = '', rule }, now) {
    const period = dayOf(date, now);
    const asked = { date, ...(rule === undefined ? {} : { rule }) };
    return { asked, period, build: (context) => build(context, rule ?? null, period) };
  },
};

function* build(context: ReportContext, rule: string | null, period: Period): Generator<Want, ReportDraft, void> {
  const notes: string[] = [];
  const loads = yield* loadsOf(period);
  const revisions = [...new Set(loads.map(({ revision }) => revision))];
  const isHidden = createHiddenNames(context);
  const sections: ReportSection[] = [inForce(loads, period)];
  let isWhole = revisions.length <= MOST_SETS;
  if (!isWhole) notes.push(`Of ${revisions.length} policy sets of the day the first ${MOST_SETS} are shown.`);
  if (loads.length === 0)
    notes.push('No policy set is known to have been in force: the log begins later, or its records are not there.');
  for (const revision of revisions.slice(0, MOST_SETS)) {
    const [found] = yield* sourcesOf(revision);
    if (found === undefined) {
      isWhole = false;
      notes.push(`What the policy set ${revision} said was not kept.`);
    } else if (rule === null) {
      sections.push(all(revision, found));
    } else {
      const same = found.filter(({ entry }) => entry['id'] === rule);
      sections.push(
        ...(same.length === 0 ? [none(revision, rule)] : same.map((one) => said(revision, one, isHidden(one)))),
      );
    }
  }
  return {
    is_complete: isWhole,
    notes: [
      ...notes,
      'A set is in force on an instance from when it was loaded there until the next one. The words come from the files that were kept with ' +
        'the set; `privity audit verify` shows that they are those that were loaded.',
      'Who approved a change is not in the log. `privity audit report rule-on-a-date --repository DIR` adds it from a clone of the policies ' +
        'repository: author, committer, signature, reviewers.',
    ],
    sections,
  };
}

/** Nothing where they were not kept. */
function* sourcesOf(revision: string): Generator<Want, readonly (readonly FoundRule[])[], void> {
  const found: (readonly FoundRule[])[] = [];
  yield {
    want: 'sources',
    revision,
    folder: FOLDER,
    give(files) {
      if (files !== null) found.push(files.flatMap(rulesOf));
    },
  };
  return found;
}

function* loadsOf(period: Period): Generator<Want, readonly Loaded[], void> {
  const loads: Loaded[] = [];
  const filter = { kind: 'policy_loaded' };
  const add = (row: { readonly id: string; readonly at: number; readonly record: JsonObject }): void => {
    const policy = isObject(row.record['policy']) ? row.record['policy'] : {};
    const revision = textOf(policy['revision']);
    if (revision !== null) loads.push({ record: row.id, at: row.at, revision, commit: textOf(policy['commit']) });
  };
  yield {
    want: 'rows',
    search: { filter, order: 'newest', to: period.from },
    each(row) {
      add(row);
      return 'enough';
    },
  };
  yield { want: 'rows', search: { filter, ...period }, each: add };
  return loads;
}

function inForce(loads: readonly Loaded[], { from }: Period): ReportSection {
  const table = listed({
    at: 'Loaded at',
    when: 'When',
    revision: 'Policy set',
    commit: 'Git commit',
    record: 'Record',
  });
  for (const { at, revision, commit, record } of loads) {
    table.add(formatTimestamp(at), at < from ? 'in force as the day began' : 'on this day', revision, commit, record);
  }
  return {
    heading: 'In force',
    note: 'Each instance of the service records every set that it loads. Without a commit the files came from a plain folder.',
    table: table.table(),
  };
}

function rulesOf(file: SourceFile): readonly FoundRule[] {
  const rules: unknown = isObject(file.value) ? file.value['rules'] : undefined;
  if (!Array.isArray(rules)) return [];
  const lines = Buffer.from(file.bytes).toString('utf8').split(/\r?\n/);
  return rules.flatMap((entry: unknown, index): readonly FoundRule[] => {
    if (!isObject(entry)) return [];
    const first = file.locate(['rules', index]).line;
    const next = index + 1 < rules.length ? file.locate(['rules', index + 1]).line : lines.length + 1;
    return [{ entry, file: file.path, first, text: trimmed(lines.slice(first - 1, next - 1)) }];
  });
}

/** Without blank lines and comments at the end: they belong to what follows. */
function trimmed(lines: readonly string[]): string {
  const last = lines.findLastIndex((line) => !/^\s*(#.*)?$/.test(line));
  return lines.slice(0, last + 1).join('\n');
}

function all(revision: string, rules: readonly FoundRule[]): ReportSection {
  const table = listed({
    id: 'Rule',
    effect: 'Effect',
    title: 'Title',
    owner: 'Owner',
    review_by: 'Review by',
    source: 'Where',
  });
  for (const { entry, file, first } of rules) {
    const [id, effect, title, owner, reviewBy] = ['id', 'effect', 'title', 'owner', 'review_by'].map((name) =>
      textOf(entry[name]),
    );
    table.add(id ?? null, effect ?? null, title ?? null, owner ?? null, reviewBy ?? null, `${file}:${first}`);
  }
  return { heading: `Rules of ${revision}`, table: table.table() };
}

function said(revision: string, { entry, file, first, text }: FoundRule, isHidden: boolean): ReportSection {
  const fact = (label: string, value: string | null) => (value === null ? [] : [{ label, value }]);
  return {
    heading: `${textOf(entry['id']) ?? ''} in ${revision}`,
    facts: [
      { label: 'Policy set', value: revision },
      { label: 'File', value: file },
      { label: 'Lines', value: `${first} to ${first + text.split('\n').length - 1}` },
      ...fact('Title', textOf(entry['title'])),
      ...fact('Effect', textOf(entry['effect'])),
      ...fact('Owner', textOf(entry['owner'])),
      ...fact('Review by', textOf(entry['review_by'])),
      ...fact('Controls', textsOf(entry['controls']).join(' ') || null),
    ],
    ...(isHidden ? { note: 'Its words are not shown: they name a matter or client that is not for you.' } : { text }),
  };
}

function none(revision: string, rule: string): ReportSection {
  return { heading: `${rule} in ${revision}`, note: 'This set had no rule of that name.' };
}

/** Whether a rule names a matter or client, anywhere in its words, that the reader may not be told of. */
function createHiddenNames({ set, shows }: ReportContext): (rule: FoundRule) => boolean {
  const places = namedPlaces(set);
  const clients = new Set([...places.clients, ...[...set.data.matters.values()].map(({ clientId }) => clientId)]);
  const isHidden = (word: string): boolean =>
    ((set.data.matters.has(word) || places.matters.has(word)) && !shows(word, null)) ||
    (clients.has(word) && !shows(null, word));
  return ({ entry, text }) =>
    [...(text.match(/[\p{L}\p{N}][\p{L}\p{N}_./:@-]*/gu) ?? []), ...wordsOf(entry)].some(isHidden);
}

function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...wordsOf(inner)]);
}
