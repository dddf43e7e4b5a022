// Data that is legitimate but deserves a look: void grants, walled people on teams, overlong lists, unknown people. It must never stop a load.
import type { Diagnostic } from '../model/diagnostic.ts';
import type { DataPart } from './data.ts';
import type { Entry } from './attribute-types.ts';
import type { PolicyData } from './merge-data.ts';
import { at, createReport, type Report } from './report.ts';
import type { Rule } from './rules.ts';
import { NONE } from './truth.ts';
import type { Wall } from './walls.ts';

/** YAML lists above this belong into CSV or NDJSON, which load much faster. */
const LONG_LIST = 5_000;

/** Entries looked at between two pauses. */
const STEP = 2_000;

export function* reviewData(
  walls: readonly Wall[],
  data: PolicyData,
  parts: readonly DataPart[],
  report: Report,
): Generator<void> {
  const exclusions = indexExclusions(walls);
  for (const part of parts) {
    reviewLists(part, report);
    for (const [index, grant] of part.grants.entries()) {
      reviewGrant(grant, index, part, data, report);
      if (index % STEP === STEP - 1) yield;
    }
    for (let index = 0; index < part.matters.length; index++) {
      reviewTeam(part, index, exclusions, report);
      if (index % STEP === STEP - 1) yield;
    }
    yield;
  }
  for (const [index, wall] of walls.entries()) {
    reviewWall(wall, data, report);
    if (index % STEP === STEP - 1) yield;
  }
}

interface Exclusions {
  readonly byMatter: ReadonlyMap<string, readonly Wall[]>;
  readonly byClient: ReadonlyMap<string, readonly Wall[]>;
}

function indexExclusions(walls: readonly Wall[]): Exclusions {
  const exclusions = walls.filter(({ kind }) => kind === 'exclusion');
  return {
    byMatter: Map.groupBy(
      exclusions.filter(({ matter }) => matter !== null),
      ({ matter }) => matter ?? '',
    ),
    byClient: Map.groupBy(
      exclusions.filter(({ client }) => client !== null),
      ({ client }) => client ?? '',
    ),
  };
}

const NO_WALLS: readonly Wall[] = [];

function reviewLists(part: DataPart, report: Report): void {
  if (!/\.ya?ml$/.test(part.file.path)) return;
  for (const root of ['matters', 'grants', 'people', 'resources'] as const) {
    const { length } = part[root];
    if (length <= LONG_LIST) continue;
    report.finding(
      { file: part.file, path: [root] },
      'long-yaml-list',
      `${root} has ${length} entries`,
      `move them to data/${root}.csv or data/${root}.ndjson`,
    );
  }
}

function reviewGrant(grant: Entry, index: number, part: DataPart, data: PolicyData, report: Report): void {
  const place = { file: part.file, path: ['grants', index], item: String(grant['id']) };
  if (grant['valid_until'] === NONE)
    report.finding(place, 'void-grant', 'a grant without valid_until gives nothing', 'add an end date');
  if (grant['approved_by'] === grant['granted_to']) {
    report.finding(
      place,
      'void-grant',
      'a grant approved by the person who receives it gives nothing',
      'have somebody else approve it',
    );
  }
  if (!data.matters.has(String(grant['matter_id']))) {
    report.finding(
      place,
      'unknown-matter',
      `the matter \`${String(grant['matter_id'])}\` is not registered`,
      'the grant gives nothing until it is',
    );
  }
}

function reviewTeam(part: DataPart, index: number, { byMatter, byClient }: Exclusions, report: Report): void {
  const entry = part.matters[index];
  if (entry === undefined) return;
  const [id, matter] = entry;
  for (const wall of [...(byMatter.get(id) ?? NO_WALLS), ...(byClient.get(matter.clientId) ?? NO_WALLS)]) {
    for (const person of matter.team.filter((one) => wall.excluded.has(one))) {
      report.finding(
        { file: part.file, path: ['matters', index, 'team'], item: id },
        'walled-team-member',
        `\`${person}\` is on the team but excluded by ${wall.id} (${wall.source})`,
        'the wall wins while it is active; take the person off the team',
      );
    }
  }
}

function reviewWall(wall: Wall, data: PolicyData, report: Report): void {
  const { place } = wall;
  for (const id of [wall.matter, ...wall.sides.flatMap(({ matters }) => [...matters])]) {
    if (id === null || data.matters.has(id)) continue;
    report.finding(
      place,
      'unknown-matter',
      `the matter \`${id}\` is not registered yet`,
      'the wall holds from the moment it is',
    );
  }
  if (wall.kind === 'inclusion' && wall.included.size === 0) {
    report.finding(place, 'nobody-included', 'the inclusion wall lets nobody in', 'list included_people');
  }
  if (wall.kind === 'exclusion' && wall.excluded.size === 0) {
    report.finding(place, 'nobody-excluded', 'the exclusion wall keeps nobody out', 'list excluded_people');
  }
  if (data.directory.size === 0) return;
  const sides = wall.sides.map(({ people }) => people);
  const unlisted = new Set<string>(); // once each, in however many lists
  for (const people of [wall.excluded, wall.included, wall.acknowledged, wall.released, ...sides]) {
    for (const person of people) if (!data.directory.has(person) && !data.people.has(person)) unlisted.add(person);
  }
  for (const person of unlisted)
    report.finding(place, 'unknown-person', `\`${person}\` is not listed in data/people`, 'check the spelling');
}

/** Rules whose review is overdue. @param today YYYY-MM-DD */
export function overdueReviews(rules: readonly Rule[], today: string): readonly Diagnostic[] {
  const report = createReport();
  for (const { entry, place } of rules) {
    if (entry.review_by === undefined || entry.review_by >= today) continue;
    const owner = entry.owner === undefined ? 'its owner' : entry.owner;
    report.finding(
      at(place, 'review_by'),
      'overdue-review',
      `the review was due on ${entry.review_by}`,
      `have ${owner} confirm the rule and set the next date`,
    );
  }
  return report.diagnostics;
}
