// Data that is legitimate but deserves a look: void grants, walled people on teams, overlong lists, unknown people. It must never stop a load.
import type { DataPart } from './data.ts';
import type { Entry } from './attribute-types.ts';
import type { PolicyData } from './merge-data.ts';
import type { Report } from './report.ts';
import { NONE } from './truth.ts';
import type { Wall } from './walls.ts';

/** YAML lists above this belong into CSV or NDJSON, which load much faster. */
const LONG_LIST = 5_000;

export function reviewData(walls: readonly Wall[], data: PolicyData, parts: readonly DataPart[], report: Report): void {
  for (const part of parts) {
    reviewLists(part, report);
    for (const [index, grant] of part.grants.entries()) reviewGrant(grant, index, part, data, report);
    reviewTeams(part, walls, report);
  }
  reviewWalls(walls, data, report);
}

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

function reviewTeams(part: DataPart, walls: readonly Wall[], report: Report): void {
  const exclusions = walls.filter(({ kind }) => kind === 'exclusion');
  const byMatter = new Map<string, Wall[]>();
  const byClient = new Map<string, Wall[]>();
  for (const wall of exclusions) {
    if (wall.matter !== null) byMatter.set(wall.matter, [...(byMatter.get(wall.matter) ?? []), wall]);
    if (wall.client !== null) byClient.set(wall.client, [...(byClient.get(wall.client) ?? []), wall]);
  }
  for (const [index, [id, matter]] of part.matters.entries()) {
    for (const wall of [...(byMatter.get(id) ?? []), ...(byClient.get(matter.clientId) ?? [])]) {
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
}

function reviewWalls(walls: readonly Wall[], data: PolicyData, report: Report): void {
  for (const wall of walls) {
    const unregistered = [wall.matter, ...wall.sides.flatMap(({ matters }) => [...matters])].filter(
      (id): id is string => id !== null && !data.matters.has(id),
    );
    for (const id of unregistered) {
      report.finding(
        wall.place,
        'unknown-matter',
        `the matter \`${id}\` is not registered yet`,
        'the wall holds from the moment it is',
      );
    }
    if (wall.kind === 'inclusion' && wall.included.size === 0) {
      report.finding(wall.place, 'nobody-included', 'the inclusion wall lets nobody in', 'list included_people');
    }
    if (data.directory.size === 0) continue;
    const people = [
      wall.excluded,
      wall.included,
      wall.acknowledged,
      wall.released,
      ...wall.sides.map((side) => side.people),
    ];
    for (const person of new Set(people.flatMap((set) => [...set]))) {
      if (!data.directory.has(person) && !data.people.has(person)) {
        report.finding(
          wall.place,
          'unknown-person',
          `\`${person}\` is not listed in data/people`,
          'check the spelling',
        );
      }
    }
  }
}
