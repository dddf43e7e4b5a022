// Compiles walls/*.yaml into what walls.ts judges. It must never accept a wall that could cover nothing by mistake.
import { WallsFile, type WallEntry } from '../model/data.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import type { Firm } from './firm.ts';
import { at, sourceOf, type Place, type Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { parseTimestamp } from './time.ts';
import type { Wall, WallRule } from './walls.ts';

/** Walls compiled between two pauses. */
const STEP = 200;

export function* compileWallsFile(file: SourceFile, firm: Firm, report: Report): Generator<void, readonly Wall[]> {
  const problems = checkFile(file, WallsFile);
  report.add(problems);
  if (problems.length > 0) return [];
  yield;
  const { walls } = file.value as WallsFile;
  const compiled: Wall[] = [];
  for (const [index, entry] of walls.entries()) {
    compiled.push(compileWall(entry, { file, path: ['walls', index], item: entry.id }, firm, report));
    if (index % STEP === STEP - 1) yield;
  }
  return compiled;
}

/** Members that mean something for each kind; any other would be silently without effect. */
const MEMBERS: Record<WallEntry['kind'], readonly (keyof WallEntry)[]> = {
  exclusion: ['matter_id', 'client_id', 'excluded_people', 'released_assistants'],
  inclusion: ['matter_id', 'included_people', 'acknowledged_by'],
  opposing: ['sides'],
};

function compileWall(entry: WallEntry, place: Place, firm: Firm, report: Report): Wall {
  const covers = {
    exclusion: entry.matter_id !== undefined || entry.client_id !== undefined,
    inclusion: entry.matter_id !== undefined,
    opposing: entry.sides !== undefined,
  };
  if (!covers[entry.kind]) {
    const needs = { exclusion: 'matter_id or client_id', inclusion: 'matter_id', opposing: 'two sides' }[entry.kind];
    report.error(place, 'wall-covers-nothing', `the ${entry.kind} wall names no ${needs}`, `add ${needs}`);
  }
  for (const member of new Set(Object.values(MEMBERS).flat())) {
    if (entry[member] !== undefined && !MEMBERS[entry.kind].includes(member)) {
      report.error(
        at(place, member),
        'wall-member',
        `\`${member}\` means nothing on a wall of kind ${entry.kind}`,
        `such a wall has ${MEMBERS[entry.kind].join(', ')}`,
      );
    }
  }
  const instant = (member: 'valid_from' | 'valid_until', otherwise: number): number => {
    const text = entry[member];
    if (text === undefined) return otherwise;
    const ms = parseTimestamp(text);
    if (ms === undefined) {
      report.error(
        at(place, member),
        'wrong-type',
        `\`${text}\` is no instant`,
        'write RFC 3339, such as 2026-03-01T00:00:00Z',
      );
    }
    return ms ?? otherwise;
  };
  const from = instant('valid_from', -Infinity);
  const until = instant('valid_until', Infinity);
  if (from >= until)
    report.error(
      at(place, 'valid_until'),
      'wall-period',
      'the wall ends before it begins',
      'correct one of the two dates',
    );
  const exclusionRule: WallRule =
    entry.client_id !== undefined
      ? 'client-wide-exclusion'
      : entry.reason !== undefined && firm.walls.lateralReasons.has(entry.reason)
        ? 'lateral-hire-screen'
        : 'exclusion-wall';
  return {
    id: entry.id,
    kind: entry.kind,
    place,
    source: sourceOf(place),
    matter: entry.matter_id ?? null,
    client: entry.client_id ?? null,
    exclusionRule,
    excluded: new Set(entry.excluded_people),
    included: new Set(entry.included_people),
    acknowledged: new Set(entry.acknowledged_by),
    released: new Set(entry.released_assistants),
    sides: (entry.sides ?? []).map(({ people, matters }) => ({ people: new Set(people), matters: new Set(matters) })),
    from,
    until,
  };
}
