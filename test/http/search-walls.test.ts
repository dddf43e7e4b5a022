// Random walls, random readers, random questions: what lists and exports give is what a naive filter leaves, and nothing counts, sorts or
// pages by what it leaves out.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { startApp } from '../helpers/app.ts';
import { madeDecision, putRecords } from '../helpers/log-rows.ts';
import { connect } from '../helpers/postgres.ts';
import { runs } from '../helpers/runs.ts';

type Json = Readonly<Record<string, unknown>>;

interface RandomWall {
  readonly kind: 'exclusion' | 'inclusion' | 'opposing';
  readonly matter: string | null;
  readonly client: string | null;
  readonly people: readonly string[];
  readonly acknowledged: readonly string[];
  readonly others: readonly string[];
  readonly otherMatter: string;
}

const rig = await startApp(t, { files: { 'walls/walls.yaml': null, 'tests/walls.yaml': null } });
const writer = await connect(t, rig.urls.writer);
const onFile = new Map([...rig.app.policies.current().data.matters].map(([id, { clientId }]) => [id, clientId]));
const MATTERS = [...[...onFile.keys()].slice(0, 5), 'M-unheard-of'];
const CLIENTS = [...new Set(MATTERS.map((id) => onFile.get(id) ?? 'C-unheard-of'))];
const READERS = ['u-audley', 'u-reader1', 'u-reader2'];
const START = Date.now() - 3_600_000;
/** What is asked while this runs comes later. */
const END = new Date(START + 60_000).toISOString();

// Half of the rows are of one matter and its client; the others name none, another or a contradicting one.
const rows = Array.from({ length: 400 }, (_, index) => {
  const pick = <T>(list: readonly T[], by: number): T | null => list[(index * by + (index >> 3)) % list.length] ?? null;
  const matter = index % 7 === 0 ? null : pick(MATTERS, 5);
  const client =
    index % 5 === 0 ? null : index % 11 === 0 ? pick(CLIENTS, 3) : (onFile.get(matter ?? '') ?? pick(CLIENTS, 2));
  const outcome = index % 3 === 0 ? 'deny' : 'allow';
  const more = {
    matter,
    client,
    outcome,
    subject: { id: `u-${index % 4}`, actor: null },
    action: pick(['read', 'list', 'edit'], 1),
  };
  return { ...madeDecision(START + index * 10, more), matter, client, outcome, subject: `u-${index % 4}` };
});
await putRecords(writer, rows);
const sorted = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

function wallsFile(walls: readonly RandomWall[]): string {
  const list = walls.map((wall, index) => {
    const place = {
      ...(wall.matter === null ? {} : { matter_id: wall.matter }),
      ...(wall.client === null ? {} : { client_id: wall.client }),
    };
    const common = { id: `W-${index}`, kind: wall.kind, valid_from: '2026-01-01T00:00:00Z' };
    if (wall.kind === 'exclusion') return { ...common, ...place, excluded_people: wall.people, reason: 'conflict' };
    if (wall.kind === 'inclusion') {
      const included = wall.people;
      return { ...common, matter_id: wall.matter, included_people: included, acknowledged_by: wall.acknowledged };
    }
    return {
      ...common,
      sides: [
        { people: wall.people, matters: [wall.matter] },
        { people: wall.others, matters: [wall.otherMatter] },
      ],
    };
  });
  return JSON.stringify({ version: 1, walls: list });
}

/** Whether a wall keeps the reader from a place, said as simply as possible. */
function keepsOut(
  wall: RandomWall,
  reader: string,
  action: 'list' | 'export',
  matter: string | null,
  client: string | null,
): boolean {
  if (wall.kind === 'inclusion') {
    if (matter === null || wall.matter !== matter) return false;
    return !wall.people.includes(reader) || (action !== 'list' && !wall.acknowledged.includes(reader));
  }
  if (wall.kind === 'opposing') {
    if (matter === null) return false;
    return (
      (wall.people.includes(reader) && wall.otherMatter === matter) ||
      (wall.others.includes(reader) && wall.matter === matter)
    );
  }
  if (!wall.people.includes(reader)) return false;
  const clients = [client, matter === null ? null : (onFile.get(matter) ?? null)];
  return (wall.matter !== null && wall.matter === matter) || (wall.client !== null && clients.includes(wall.client));
}

const person = fc.constantFrom(...READERS);
const people = fc.uniqueArray(person, { maxLength: 2 });
const matter = fc.constantFrom(...MATTERS);
const wall: fc.Arbitrary<RandomWall> = fc
  .record({
    kind: fc.constantFrom('exclusion', 'inclusion', 'opposing'),
    matter: fc.option(matter),
    client: fc.option(fc.constantFrom(...CLIENTS)),
    people,
    acknowledged: people,
    others: people,
    otherMatter: matter,
  })
  .map((one) => ({
    ...one,
    matter: one.kind === 'exclusion' && one.client !== null ? one.matter : (one.matter ?? MATTERS[0] ?? ''),
    client: one.kind === 'exclusion' ? one.client : null,
    people: one.people.length === 0 ? ['u-reader1'] : one.people,
    acknowledged: one.acknowledged.filter((id) => one.people.includes(id)),
    others: one.others.filter((id) => !one.people.includes(id)),
    otherMatter: one.otherMatter === one.matter ? 'M-other' : one.otherMatter,
  }))
  .map((one) => (one.kind === 'opposing' && one.others.length === 0 ? { ...one, others: ['u-nobody'] } : one));

/** Mostly not asked for. */
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ arbitrary: value, weight: 1 }, { arbitrary: fc.constant(null), weight: 3 });

const question = fc.record({
  reader: person,
  order: fc.constantFrom('newest', 'oldest'),
  limit: fc.integer({ min: 15, max: 200 }),
  subject: rarely(fc.constantFrom('u-0', 'u-1', 'u-9')),
  outcome: rarely(fc.constantFrom('allow', 'deny')),
  matter: rarely(matter),
  client: rarely(fc.constantFrom(...CLIENTS)),
});
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

const tokens = new Map(READERS.map((id) => [id, rig.personToken(id, auditor(id))]));
function auditor(id: string): Json {
  return {
    sub: id,
    azp: 'privity-log-review',
    user_type: 'internal',
    roles: ['auditor'],
    employee_status: 'active',
    contract_type: 'permanent',
  };
}

async function get(route: string, reader: string, query: Readonly<Record<string, string>>): Promise<string> {
  const response = await rig.inject({
    method: 'GET',
    url: `${route}?${new URLSearchParams(query).toString()}`,
    headers: { authorization: `Bearer ${tokens.get(reader)}` },
  });
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${response.body}`);
  return response.body;
}

function wordsOf({ order, subject, outcome, matter: m, client }: Question): Record<string, string> {
  const all = { order, subject, outcome, matter: m, client, to: END };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null));
}

function expected(walls: readonly RandomWall[], asked: Question, action: 'list' | 'export'): string[] {
  const isHidden = (m: string | null, c: string | null): boolean =>
    walls.some((one) => keepsOut(one, asked.reader, action, m, c));
  const found = sorted.filter(
    (row) =>
      (asked.subject === null || row.subject === asked.subject) &&
      (asked.outcome === null || row.outcome === asked.outcome) &&
      (asked.matter === null || row.matter === asked.matter) &&
      (asked.client === null || row.client === asked.client) &&
      !isHidden(row.matter, row.client),
  );
  const ids = found.map(({ id }) => id);
  return asked.order === 'newest' ? ids.toReversed() : ids;
}

async function lastRows(): Promise<Json> {
  const { rows: found } = await rig.reader.query<{ bytes: Buffer }>(
    `select bytes from decisions where kind = 'read' order by at desc, seq desc limit 1`,
  );
  return (JSON.parse(found[0]?.bytes.toString('utf8') ?? '{}') as { read: Json }).read;
}

t.test('lists, pages, exports and counts are those of a naive filter', { timeout: 600_000 }, async (t) => {
  const seen = { hidden: 0, given: 0, sets: 0 };
  const sets = { ...runs(12, 300), endOnFailure: true };
  await fc.assert(
    fc.asyncProperty(
      fc.array(wall, { minLength: 1, maxLength: 5 }),
      fc.array(question, { minLength: 4, maxLength: 4 }),
      async (walls, questions) => {
        await writeFile(path.join(rig.policiesDir, 'walls', 'random.yaml'), wallsFile(walls));
        const { diagnostics } = await rig.app.policies.load();
        const errors = diagnostics.filter(({ severity }) => severity === 'error');
        if (errors.length > 0) throw new Error(JSON.stringify(errors));
        seen.sets += 1;
        for (const asked of questions) {
          const words = wordsOf(asked);
          const wanted = expected(walls, asked, 'list');
          const given: string[] = [];
          for (let cursor: string | null = ''; cursor !== null;) {
            const body = await get('/v1/decisions', asked.reader, {
              ...words,
              limit: String(asked.limit),
              ...(cursor === '' ? {} : { cursor }),
            });
            const page = JSON.parse(body) as { decisions: { id: string }[]; next: string | null };
            if ((await lastRows())['rows'] !== page.decisions.length) throw new Error('the record counts otherwise');
            given.push(...page.decisions.map(({ id }) => id));
            if (page.next !== null && page.decisions.length !== asked.limit) throw new Error('a page that is not full');
            cursor = page.next;
          }
          if (JSON.stringify(given) !== JSON.stringify(wanted))
            throw new Error(`list: ${given.length} for ${wanted.length}`);
          seen.given += given.length;
          seen.hidden += expected([], asked, 'list').length - given.length;
          const text = await get('/v1/decisions/export', asked.reader, { ...words, format: 'ndjson' });
          const lines = text
            .split('\n')
            .slice(0, -1)
            .map((line) => (JSON.parse(line) as { id: string }).id);
          if (JSON.stringify(lines) !== JSON.stringify(expected(walls, asked, 'export'))) throw new Error('export');
          if ((await lastRows())['rows'] !== lines.length) throw new Error('the record of the export counts otherwise');
        }
      },
    ),
    sets,
  );
  t.ok(seen.hidden > 500 && seen.given > 500, JSON.stringify(seen));
});
