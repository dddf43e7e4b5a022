// Decides a large firm's questions once each, with the real engine, and keeps the records of them as texts with holes, for a log of
// millions. It must never write a record that the service would write differently.
import { decide } from '../src/core/decide.ts';
import { decisionEntry } from '../src/core/record/decision-record.ts';
import { bodyMembers, recordText } from '../src/core/record/envelope.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { textArray } from '../src/io/log/binary-arrays.ts';
import { NO_COLUMNS, type RecordColumns, type RecordEntry, type RecordKind } from '../src/model/record.ts';
import type { LargeFirm, Person } from './data.ts';
import { createEveryday } from './everyday.ts';
import type { MixedRequest, Sender } from './mix.ts';
import type { Dice } from './random.ts';

/** What differs between two records of one prototype. */
export const HOLE = {
  at: 0,
  duration: 1,
  id: 2,
  nonce: 3,
  prev: 4,
  request: 5,
  resource: 6,
  seq: 7,
  claims: 8,
  token: 9,
  trace: 10,
  writer: 11,
} as const;

/** In one piece of memory, which threads share. */
export interface Prototypes {
  readonly bytes: Uint8Array;
  /** For each: where its parts begin in `parts`. One more than there are. */
  readonly firstPart: Int32Array;
  /** `[from, to)` of bytes, and the hole after them; -1 for the last. */
  readonly parts: Int32Array;
  /** `[from, to)` of the columns that never differ, as COPY has them. */
  readonly columns: Int32Array;
  /** `[from, to)` of the resource's id where it never differs, or `from = -1` and the number of its first document. */
  readonly resources: Int32Array;
  /** Who is let in how often. */
  readonly weights: Float64Array;
  /** Of the same person have the same token. */
  readonly people: Int32Array;
}

/** The columns that never differ within a prototype, in the order of `Prototypes.columns`. */
export const FIXED_COLUMNS = [
  'outcome',
  'subject_id',
  'actor_id',
  'caller',
  'source_system',
  'action',
  'resource_type',
  'matter_id',
  'client_id',
  'decided_by',
  'walls',
  'grants',
  'obligations',
  'revision',
] as const satisfies readonly (keyof RecordColumns)[];

const TIME = '1970-01-01T00:00:00.000Z';
const ID = '00000000-0000-7000-8000-000000000000';
const REQUEST = '00000000-0000-7000-8000-000000000001';
const WRITER = '00000000-0000-7000-8000-000000000002';
const NONCE = '0'.repeat(32);
const TRACE = '1'.repeat(32);
const PREV = '0'.repeat(64);
const RESOURCE = 'a resource in every one';
const SEQ = 888_888_888_888;
const DURATION = 777_777_777_777;
/** Documents of a matter that are asked for again and again. */
export const DOCUMENTS = 400;
/** Questions that one person asks again and again: the first far more often than the last. */
const HABITS = 40;
const READINGS = 40;
/** Of all records. */
const READ = 0.005;
/** How much more there is to do about the largest matter than about the smallest. */
const LARGEST = 60;

export interface PrototypeDeps {
  readonly set: PolicySet;
  readonly firm: LargeFirm;
  readonly send: Sender;
  readonly dice: Dice;
  readonly now: number;
}

export async function makePrototypes({ set, firm, send, dice, now }: PrototypeDeps): Promise<Prototypes> {
  const everyday = createEveryday(firm, dice);
  const packed = createPack();
  const numberOf = new Map(firm.matters.map(({ id }, index) => [id, index]));
  // A few matters are most of the work.
  const sizeOf = new Map(dice.shuffle(firm.matters).map(({ id }, rank) => [id, 1 + LARGEST / (rank + 1) ** 0.6]));
  let total = 0;
  for (const [rank, person] of dice.shuffle(firm.people).entries()) {
    const share = 1 / (rank + 8) ** 0.7;
    for (let habit = 0; habit < HABITS; habit++) {
      const asked = await send.must(everyday.ask(person));
      const { entry, marks, matter } = prototypeOf(set, asked, now);
      const isItself = asked.request.resource.type === 'matter' || asked.request.resource.type === 'client';
      const first = isItself ? null : (numberOf.get(matter ?? '') ?? 0) * DOCUMENTS;
      const weight = (share * (sizeOf.get(matter ?? '') ?? 1)) / (habit + 1);
      total += weight;
      packed.add(entry, isItself ? marks.filter(([hole]) => hole !== HOLE.resource) : marks, {
        resource: first ?? asked.request.resource.id,
        weight,
        person: rank,
      });
    }
  }
  for (let reading = 0; reading < READINGS; reading++) {
    const { entry, marks } = prototypeOf(set, await readingOf(send, dice), now);
    const asked = {
      filter: { subject: dice.pick(firm.people).id },
      limit: 50,
      order: 'newest',
      view: 'log',
      what: 'search',
    };
    const body = { ...entry.body, read: { ...asked, is_continued: false, rows: dice.below(51) } };
    packed.add(
      { ...entry, kind: 'read', body },
      marks.filter(([hole]) => hole !== HOLE.resource),
      {
        resource: 'search',
        weight: (total * READ) / READINGS,
        person: firm.people.length + reading,
      },
    );
  }
  return packed.close();
}

/** An auditor who looks something up. */
async function readingOf(send: Sender, dice: Dice): Promise<MixedRequest> {
  const person: Person = { id: `u-auditor-${1 + dice.below(3)}`, claims: AUDITOR };
  const question = {
    action: { name: 'list' },
    resource: { type: 'decision_log', id: 'search', properties: {} },
    context: {},
  };
  return send.must({ person, caller: 'log-review', question });
}

/** Claims of somebody who may read the whole log. */
export const AUDITOR = { user_type: 'internal', roles: ['auditor'], employee_status: 'active', amr: ['pwd', 'mfa'] };

type Mark = readonly [hole: number, before: string, value: string];

function prototypeOf(set: PolicySet, { request, caller, subject }: MixedRequest, now: number) {
  const question = { ...request, now };
  const decision = decide(set, question);
  const isItself = ['matter', 'client', 'decision_log'].includes(request.resource.type);
  const entry = decisionEntry(set, {
    id: ID,
    request: { ...question, resource: { ...request.resource, id: isItself ? request.resource.id : RESOURCE } },
    decision,
    subject,
    caller,
    requestId: REQUEST,
    traceId: TRACE,
    approvalIds: [],
    durationUs: DURATION,
  });
  const { claimsHash, tokenId } = subject.evidence;
  const marks: Mark[] = [
    ...ENVELOPE,
    [HOLE.duration, '"duration_us":', String(DURATION)],
    [HOLE.request, '"request_id":"', REQUEST],
    [HOLE.resource, '"resource":{"id":"', RESOURCE],
    [HOLE.trace, '"trace_id":"', TRACE],
  ];
  if (claimsHash !== null) marks.push([HOLE.claims, '"claims_hash":"', claimsHash]);
  if (tokenId !== null) marks.push([HOLE.token, '"token_id":"', tokenId]);
  return { entry, marks, matter: decision.matter };
}

const ENVELOPE: readonly Mark[] = [
  [HOLE.at, '"at":"', TIME],
  [HOLE.id, '"id":"', ID],
  [HOLE.nonce, '"nonce":"', NONCE],
  [HOLE.prev, '"prev":"', PREV],
  [HOLE.seq, '"seq":', String(SEQ)],
  [HOLE.writer, '"writer":"', WRITER],
];

interface Place {
  readonly resource: number | string;
  readonly weight: number;
  readonly person: number;
}

function createPack() {
  const texts: Buffer[] = [];
  let used = 0;
  const [firstPart, parts, columns, resources, weights, people]: number[][] = [[], [], [], [], [], []];
  const keep = (text: Buffer): [number, number] => {
    texts.push(text);
    used += text.length;
    return [used - text.length, used];
  };
  return {
    add({ kind, body, columns: row }: RecordEntry, marks: readonly Mark[], { resource, weight, person }: Place): void {
      const envelope = { kind, id: ID, writer: WRITER, seq: SEQ, prev: PREV, nonce: NONCE, at: 0 };
      const text = recordText(envelope, bodyMembers(body));
      firstPart?.push((parts?.length ?? 0) / 3);
      let from = 0;
      for (const [at, length, hole] of holesOf(text, marks)) {
        parts?.push(...keep(Buffer.from(text.slice(from, at))), hole);
        from = at + length;
      }
      parts?.push(...keep(Buffer.from(text.slice(from))), -1);
      columns?.push(...keep(fixedFields(kind, row)));
      resources?.push(...(typeof resource === 'number' ? [-1, resource] : keep(Buffer.from(resource))));
      weights?.push(weight);
      people?.push(person);
    },
    close(): Prototypes {
      const bytes = new Uint8Array(new SharedArrayBuffer(used));
      let at = 0;
      for (const text of texts) {
        bytes.set(text, at);
        at += text.length;
      }
      firstPart?.push((parts?.length ?? 0) / 3);
      const shared = (values: number[] = []): Int32Array => {
        const array = new Int32Array(new SharedArrayBuffer(values.length * 4));
        array.set(values);
        return array;
      };
      return {
        bytes,
        firstPart: shared(firstPart),
        parts: shared(parts),
        columns: shared(columns),
        resources: shared(resources),
        weights: Float64Array.from(weights ?? []),
        people: shared(people),
      };
    },
  };
}

/** In the order of the text: each place exactly once. */
function holesOf(text: string, marks: readonly Mark[]): (readonly [at: number, length: number, hole: number])[] {
  return marks
    .map(([hole, before, value]) => {
      const at = text.indexOf(before + value);
      if (at < 0 || text.includes(before + value, at + 1)) throw new Error(`not once in ${text}: ${before}${value}`);
      return [at + before.length, value.length, hole] as const;
    })
    .toSorted(([a], [b]) => a - b);
}

/** `kind`, then `FIXED_COLUMNS`, each with its length before it. */
export function fixedFields(kind: RecordKind, row: RecordColumns = NO_COLUMNS): Buffer {
  return Buffer.concat([kind, ...FIXED_COLUMNS.map((name) => row[name])].map(field));
}

export function field(value: string | null | readonly string[]): Buffer {
  const length = Buffer.alloc(4);
  if (value === null) {
    length.writeInt32BE(-1);
    return length;
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : textArray(value);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
