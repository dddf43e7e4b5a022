// Data that is legitimate but deserves a look: void grants, walled people on teams, overlong lists, unknown people. It must never stop a load.
import type { Diagnostic } from '../model/diagnostic.ts';
import type { DataPart } from './data.ts';
import type { MatterFacts } from './data-entries.ts';
import type { Entry } from './attribute-types.ts';
import { isSame, type PolicyData } from './merge-data.ts';
import { at, createReport, type Path, type Place, type Report } from './report.ts';
import type { Rule } from './rules.ts';
import { NONE } from './truth.ts';
import type { Wall } from './walls.ts';

/** YAML lists above this belong into CSV or NDJSON, which load much faster. */
const LONG_LIST = 5_000;

/** Entries looked at between two pauses. */
const STEP = 500;

/** What was noted about entries the last time, as long as everything that it depends on is the same. */
export interface ReviewMemory {
  last: {
    readonly of: readonly object[];
    readonly barriers: Barriers;
    readonly notes: WeakMap<object, readonly Note[]>;
  } | null;
}

/** About one entry of a piece of a list. */
interface Note {
  readonly index: number;
  readonly member: string;
  /** Null: the person is unknown, and that is said once, in however many lists. */
  readonly why: string | null;
  readonly person: string;
}

export function* reviewData(
  walls: readonly Wall[],
  data: PolicyData,
  parts: readonly DataPart[],
  report: Report,
  memory: ReviewMemory = { last: null },
): Generator<void> {
  const of = [data.assistants, data.people, data.directory, ...walls];
  if (memory.last === null || !isSame(memory.last.of, of))
    memory.last = { of, barriers: indexBarriers(walls, data), notes: new WeakMap() };
  const { barriers, notes } = memory.last;
  yield;
  const isUnknown = (person: unknown): person is string =>
    typeof person === 'string' && data.directory.size > 0 && !data.people.has(person);
  const told = new Set<string>();
  const unknown = (person: unknown, place: Place, ...member: Path) => {
    if (!isUnknown(person) || told.has(person)) return;
    told.add(person);
    const message = `\`${person}\` is not listed in data/people`;
    report.finding(at(place, ...member), 'unknown-person', message, 'check the spelling');
  };
  for (const part of parts) {
    const { file } = part;
    reviewLists(part, report);
    let index = 0;
    for (const piece of part.grants) {
      for (const grant of piece) {
        const place = { file, path: ['grants', index], item: String(grant['id']) };
        reviewGrant(grant, place, data, report);
        unknown(grant['granted_to'], place, 'granted_to');
        unknown(grant['approved_by'], place, 'approved_by');
        index++;
        if (index % STEP === 0) yield;
      }
    }
    let from = 0;
    for (const piece of part.matters) {
      let noted = notes.get(piece);
      if (noted === undefined) {
        notes.set(piece, (noted = piece.flatMap(([id, matter], at) => notesOn(id, matter, at, barriers, isUnknown))));
        yield;
      }
      for (const { index: within, member, why, person } of noted) {
        const place = { file, path: ['matters', from + within], item: piece[within]?.[0] };
        if (why === null) unknown(person, place, member);
        else reportBarrier(person, why, at(place, member), report);
      }
      from += piece.length;
      yield;
    }
    for (const [id, assisted] of Object.entries(part.assistants))
      for (const person of [id, ...assisted]) unknown(person, { file, path: ['assistants', id] });
    yield;
  }
  for (const [index, wall] of walls.entries()) {
    reviewWall(wall, data, report);
    for (const people of [wall.excluded, wall.included, wall.acknowledged, wall.released])
      for (const person of people) unknown(person, wall.place);
    for (const { people } of wall.sides) for (const person of people) unknown(person, wall.place);
    if (index % STEP === STEP - 1) yield;
  }
}

/** Whom a wall keeps from a matter, and why: in words that follow "is on the team but"; null: not this person. */
type Barrier = (person: string) => string | null;

interface Barriers {
  readonly byMatter: ReadonlyMap<string, readonly Barrier[]>;
  readonly byClient: ReadonlyMap<string, readonly Barrier[]>;
}

function indexBarriers(walls: readonly Wall[], { assistants }: PolicyData): Barriers {
  const byMatter = new Map<string, Barrier[]>();
  const byClient = new Map<string, Barrier[]>();
  const put = (index: Map<string, Barrier[]>, key: string | null, barrier: Barrier) => {
    if (key === null) return;
    const list = index.get(key);
    if (list === undefined) index.set(key, [barrier]);
    else list.push(barrier);
  };
  for (const wall of walls) {
    const name = `${wall.id} (${wall.source})`;
    if (wall.kind === 'exclusion') {
      const barrier: Barrier = (person) => {
        if (wall.excluded.has(person)) return `excluded by ${name}`;
        const screened = wall.released.has(person) ? undefined : assistants.get(person);
        const assisted = screened?.find((one) => wall.excluded.has(one));
        return assisted === undefined ? null : `assists \`${assisted}\`, whom ${name} excludes`;
      };
      put(byMatter, wall.matter, barrier);
      put(byClient, wall.client, barrier);
    } else if (wall.kind === 'inclusion') {
      put(byMatter, wall.matter, (person) => (wall.included.has(person) ? null : `not let in by ${name}`));
    } else {
      for (const side of wall.sides) {
        const opposed = wall.sides.filter((other) => other !== side);
        const barrier: Barrier = (person) =>
          opposed.some(({ people }) => people.has(person)) ? `on the other side of ${name}` : null;
        for (const matter of side.matters) put(byMatter, matter, barrier);
      }
    }
  }
  return { byMatter, byClient };
}

const NO_BARRIERS: readonly Barrier[] = [];

function reviewLists(part: DataPart, report: Report): void {
  if (!/\.ya?ml$/.test(part.file.path)) return;
  for (const root of ['matters', 'grants', 'people', 'resources'] as const) {
    const length = part[root].reduce((sum: number, piece) => sum + piece.length, 0);
    if (length <= LONG_LIST) continue;
    report.finding(
      { file: part.file, path: [root] },
      'long-yaml-list',
      `${root} has ${length} entries`,
      `move them to data/${root}.csv or data/${root}.ndjson`,
    );
  }
}

function reviewGrant(grant: Entry, place: Place, data: PolicyData, report: Report): void {
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

function notesOn(
  id: string,
  { clientId, team, responsible, proposing }: MatterFacts,
  index: number,
  { byMatter, byClient }: Barriers,
  isUnknown: (person: unknown) => person is string,
): readonly Note[] {
  const notes: Note[] = [];
  for (const barriers of [byMatter.get(id), byClient.get(clientId)]) {
    for (const barrier of barriers ?? NO_BARRIERS) {
      for (const person of team) {
        const why = barrier(person);
        if (why !== null) notes.push({ index, member: 'team', why, person });
      }
    }
  }
  if (isUnknown(responsible)) notes.push({ index, member: 'responsible_attorney', why: null, person: responsible });
  if (isUnknown(proposing)) notes.push({ index, member: 'proposing_partner', why: null, person: proposing });
  for (const person of team) if (isUnknown(person)) notes.push({ index, member: 'team', why: null, person });
  return notes;
}

function reportBarrier(person: string, why: string, place: Place, report: Report): void {
  const message = `\`${person}\` is on the team but ${why}`;
  const hint = 'the wall wins while it is active; take the person off the team';
  report.finding(place, 'walled-team-member', message, hint);
}

function reviewWall(wall: Wall, data: PolicyData, report: Report): void {
  const { place } = wall;
  const known = (id: string): void => {
    if (data.matters.has(id)) return;
    const message = `the matter \`${id}\` is not registered yet`;
    report.finding(place, 'unknown-matter', message, 'the wall holds from the moment it is');
  };
  if (wall.matter !== null) known(wall.matter);
  for (const { matters } of wall.sides) for (const id of matters) known(id);
  if (wall.kind === 'inclusion' && wall.included.size === 0) {
    report.finding(place, 'nobody-included', 'the inclusion wall lets nobody in', 'list included_people');
  }
  if (wall.kind === 'exclusion' && wall.excluded.size === 0) {
    report.finding(place, 'nobody-excluded', 'the exclusion wall keeps nobody out', 'list excluded_people');
  }
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
