// The certificate of one ethical wall: imposed, loaded, acknowledged, and everything that screened people tried. It must never certify
// what it has not looked at, nor tell of a wall to somebody who may not see every place that it is about.
import type { ReportSection } from '../../model/audit-report.ts';
import { formatTimestamp } from '../time.ts';
import { DAY, periodOf } from './period.ts';
import type { Period, ReportContext, ReportDefinition, ReportDraft, Want } from './report.ts';
import { createScreen, type Attempts } from './screen-attempts.ts';
import { listed } from './tables.ts';
import { followWall, type WallEntry, type WallHistory, type WallVersion } from './wall-history.ts';

/** As long as firms keep such records. */
const MOST_DAYS = 3_660;

export const screenCertificate: ReportDefinition = {
  name: 'screen-certificate',
  title: 'Certificate of an ethical wall',
  about:
    'When a wall was imposed, loaded and acknowledged, and everything that the people it screens tried, with its outcome.',
  params: { wall: 'required', from: 'optional', to: 'optional' },
  views: ['log'],
  ask(words, now) {
    const { wall = '' } = words;
    const period = periodOf(words, now, { mostDays: MOST_DAYS, otherwiseDays: MOST_DAYS });
    return { asked: { wall }, period, build: (context) => build(wall, period, context) };
  },
};

function* build(wall: string, asked: Period, context: ReportContext): Generator<Want, ReportDraft | null, void> {
  const history = yield* followWall(wall);
  const entries = history.versions.flatMap(({ entry }) => (entry === null ? [] : [entry]));
  const last = entries.at(-1);
  const first = history.versions.find(({ entry }) => entry !== null);
  if (last === undefined || first === undefined) return null;
  if (!mayBeTold(entries, context)) return null;

  const imposed = Math.min(...entries.map(({ from }) => from));
  const period = { from: Math.max(asked.from, imposed), to: asked.to };
  const screen = createScreen({ wall, history, set: context.set, period });
  for (const want of screen.wants()) yield want;
  let purges = 0;
  yield {
    want: 'rows',
    search: { filter: { kind: 'purge' }, order: 'newest', to: asked.to },
    each: () => void (purges += 1),
  };
  const attempts = screen.found();
  const notes = [
    ...history.lost.map(
      (revision) => `The policy set ${revision} was not kept: what it said of the wall cannot be told.`,
    ),
    ...(history.isWhole ? [] : ['More policy sets were loaded than this report looks at; the last ones are left out.']),
    ...(purges === 0
      ? []
      : [`Payloads were removed ${purges} times, by retention or erasure: what they told is not here.`]),
    ...(period.from < period.to ? [] : ['The wall begins after the period: there was nothing to look at.']),
    ...[attempts.table.note('attempts')].filter((one) => one !== null),
  ];
  const isComplete = history.lost.length === 0 && history.isWhole && attempts.table.isWhole;
  const sections: ReportSection[] = [
    wallSection(wall, last, first, history),
    versionsSection(history),
    peopleSection(last, history, context),
    acknowledgedSection(last, history),
    ...attemptSections(attempts, period),
    completeness(isComplete, attempts, period, history),
    {
      heading: 'Signature',
      signature:
        `I have read this certificate of the wall ${wall}. To the best of my knowledge the wall was in force in every system of the ` +
        'firm that holds material of the matter, and no screened person was given any of it by other means.',
    },
  ];
  return { sections, notes, is_complete: isComplete };
}

/** The places of every version, so that neither what a wall was nor what it is tells of a hidden matter. */
function mayBeTold(entries: readonly WallEntry[], { set, shows }: ReportContext): boolean {
  const matters = new Set(entries.flatMap((one) => one.matters));
  const clients = new Set(entries.flatMap((one) => one.clients));
  return (
    [...matters].every((id) => shows(id, set.data.matters.get(id)?.clientId ?? null)) &&
    [...clients].every((id) => shows(null, id))
  );
}

function wallSection(id: string, wall: WallEntry, first: WallVersion, { versions }: WallHistory): ReportSection {
  const now = versions.at(-1);
  const imposed = Number.isFinite(first.entry?.from) ? (first.entry?.from ?? null) : null;
  const late = imposed === null ? 0 : first.at - imposed;
  return {
    heading: 'The wall',
    facts: [
      { label: 'wall', value: id },
      { label: 'kind', value: KINDS[wall.kind] ?? wall.kind },
      ...(wall.reason === null ? [] : [{ label: 'reason', value: wall.reason }]),
      ...wall.matters.map((matter) => ({ label: 'matter', value: matter })),
      ...wall.clients.map((client) => ({ label: 'client', value: `${client}, with all its matters` })),
      {
        label: 'imposed from',
        value: imposed === null ? 'no date: from the moment it was loaded' : formatTimestamp(imposed),
      },
      { label: 'ends', value: Number.isFinite(wall.until) ? formatTimestamp(wall.until) : 'no end' },
      { label: 'stands in', value: `${wall.source} (as last loaded)` },
      { label: 'first in force', value: `${formatTimestamp(first.at)}, record ${first.record}` },
      { label: 'with policy set', value: first.revision },
      { label: 'commit', value: first.commit ?? 'none: loaded from a folder' },
      ...(late > 0 ? [{ label: 'loaded after its beginning by', value: durationWords(late) }] : []),
      {
        label: 'today',
        value: now?.entry === null ? `lifted: not in the set loaded ${formatTimestamp(now.at)}` : 'in the policies',
      },
    ],
  };
}

const KINDS: Readonly<Record<string, string>> = {
  exclusion: 'exclusion: the named people get nothing of it',
  inclusion: 'inclusion: only the named people get in, and read only after they acknowledged',
  opposing: 'opposing teams: people of one side never reach the matters of the other',
};

function versionsSection({ versions, loads }: WallHistory): ReportSection {
  const table = listed({
    at: 'In force from',
    revision: 'Policy set',
    commit: 'Commit',
    source: 'Stands in',
    change: 'What changed',
    record: 'Record',
  });
  for (const [index, version] of versions.entries()) {
    const { at, revision, commit, entry, record } = version;
    table.add(
      formatTimestamp(at),
      revision,
      commit,
      entry?.source ?? null,
      changeOf(versions[index - 1]?.entry ?? null, entry),
      record,
    );
  }
  return {
    heading: 'When it was loaded',
    note: `Each line is a policy set with which the wall changed, as a service put it in force; loads looked at: ${loads}.`,
    table: table.table(),
  };
}

function changeOf(before: WallEntry | null, after: WallEntry | null): string {
  if (after === null) return 'the wall is gone';
  if (before === null) return 'the wall is there';
  const changes: string[] = [];
  const compare = (what: string, was: ReadonlySet<string>, is: ReadonlySet<string>): void => {
    const [added, removed] = [is.difference(was), was.difference(is)];
    if (added.size > 0) changes.push(`${what} added: ${[...added].join(', ')}`);
    if (removed.size > 0) changes.push(`${what} removed: ${[...removed].join(', ')}`);
  };
  compare('screened', before.people, after.people);
  compare('included', before.included, after.included);
  compare('acknowledged', before.acknowledged, after.acknowledged);
  compare('released assistants', before.released, after.released);
  compare('matters', new Set(before.matters), new Set(after.matters));
  if (before.from !== after.from) changes.push('another beginning');
  if (before.until !== after.until) changes.push('another end');
  return changes.length === 0 ? 'other words' : changes.join('; ');
}

function peopleSection(wall: WallEntry, history: WallHistory, { set }: ReportContext): ReportSection {
  if (wall.kind === 'inclusion') {
    return {
      heading: 'Whom it screens',
      note: `Everybody but the people included: ${[...wall.included].join(', ') || 'nobody is included'}.`,
    };
  }
  const table = listed({ person: 'Person', why: 'Why', since: 'Screened since', until: 'No longer since' });
  const everScreened = new Set(history.versions.flatMap(({ entry }) => [...(entry?.people ?? [])]));
  for (const person of [...everScreened].toSorted()) {
    const since = history.versions.find(({ entry }) => entry?.people.has(person));
    const ended = history.versions.findLast(({ entry }) => entry?.people.has(person));
    const after = ended === undefined ? undefined : history.versions[history.versions.indexOf(ended) + 1];
    const side = wall.sides.findIndex(({ people }) => people.includes(person));
    const why = wall.kind === 'opposing' ? `side ${side + 1}` : 'named';
    table.add(
      person,
      why,
      formatTimestamp(Math.max(since?.at ?? 0, since?.entry?.from ?? 0)),
      after === undefined ? null : formatTimestamp(after.at),
    );
  }
  if (wall.kind === 'exclusion') {
    for (const [assistant, assisted] of set.data.assistants) {
      const whose = assisted.filter((person) => wall.people.has(person));
      if (whose.length === 0 || wall.people.has(assistant)) continue;
      const why = `assists ${whose.join(', ')}`;
      table.add(assistant, wall.released.has(assistant) ? `${why}; released by name` : why, null, null);
    }
  }
  return {
    heading: 'Whom it screens',
    ...(wall.kind === 'exclusion'
      ? { note: 'Assistants are those whom the policies name today; they share the wall unless released by name.' }
      : {}),
    table: table.table(),
  };
}

function acknowledgedSection(wall: WallEntry, { versions }: WallHistory): ReportSection {
  const heading = 'Acknowledged';
  if (wall.kind !== 'inclusion') {
    return {
      heading,
      note: 'The policies ask nobody to acknowledge a wall of this kind before it works, and keep no acknowledgement of it.',
    };
  }
  const table = listed({ person: 'Person', at: 'In force from', revision: 'Policy set', commit: 'Commit' });
  for (const person of [...wall.included].toSorted()) {
    const version = versions.find(({ entry }) => entry?.acknowledged.has(person));
    const isSo = wall.acknowledged.has(person);
    table.add(
      person,
      isSo && version !== undefined ? formatTimestamp(version.at) : 'not acknowledged: opens nothing',
      isSo ? (version?.revision ?? null) : null,
      isSo ? (version?.commit ?? null) : null,
    );
  }
  return {
    heading,
    note: 'From when the policies say that somebody acknowledged; the paper itself is not in the log.',
    table: table.table(),
  };
}

function attemptSections(
  { table, byPerson, days, stopped, otherwise, letIn, letInAfter }: Attempts,
  { from, to }: Period,
): ReportSection[] {
  return [
    {
      heading: 'What screened people tried',
      note: `Every record about what the wall covers, from ${formatTimestamp(from)} to ${formatTimestamp(Math.max(from, to))}, of people while they were screened.`,
      facts: [
        { label: 'attempts', value: String(table.count) },
        { label: 'stopped by this wall', value: String(stopped) },
        { label: 'denied for other reasons', value: String(otherwise) },
        { label: 'let in', value: letIn === 0 ? '0' : `${letIn}, of these ${letInAfter} after the wall was loaded` },
      ],
      chart: byPerson,
      table: table.table(),
    },
    ...(table.count === 0 ? [] : [{ heading: 'When they tried', chart: days }]),
  ];
}

function completeness(
  isComplete: boolean,
  { table }: Attempts,
  { from, to }: Period,
  { loads }: WallHistory,
): ReportSection {
  return {
    heading: 'How complete this is',
    facts: [
      {
        label: 'looked at',
        value: `every record in the log that the reader may see, from ${formatTimestamp(from)} to ${formatTimestamp(Math.max(from, to))}; loads of policies: ${loads}`,
      },
      {
        label: 'found',
        value: `attempts: ${table.count}; ${isComplete ? 'nothing was left out' : 'something was left out: see the notes'}`,
      },
      {
        label: 'rests on',
        value:
          'no answer leaves Privity before its record is committed; records are numbered without gaps and sealed under signed checkpoints',
      },
      {
        label: 'to prove that',
        value:
          '`privity audit verify` against checkpoints published outside the database; `privity audit replay` for single decisions',
      },
      { label: 'cannot tell', value: 'what systems gave out that do not ask Privity, and what people told each other' },
    ],
  };
}

function durationWords(ms: number): string {
  const days = Math.floor(ms / DAY);
  if (days > 0) return days === 1 ? '1 day' : `${days} days`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes >= 120) return `${Math.floor(minutes / 60)} hours`;
  return minutes > 1 ? `${minutes} minutes` : 'less than two minutes';
}
