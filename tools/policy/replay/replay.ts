// Goes through recorded requests and has each decided again under the candidate. It must never hold more than a block of them.
import { SHADOW_SEARCH } from '../../../src/core/record/shadow-record.ts';
import { uuidv7Floor } from '../../../src/core/record/uuid.ts';
import { textOf } from '../../../src/core/reading/row.ts';
import { isObject, type JsonObject } from '../../../src/core/recorded-request.ts';
import { parseStored } from '../../../src/io/reports/stored.ts';
import { createHotReader } from './hot-record.ts';
import type { Hybrids } from './hybrids.ts';
import type { Change, Judge, Judged } from './judge.ts';
import { REPLAYED_KINDS, type RecordQuery, type RecordSource } from './record-source.ts';
import type { About, Cause, Flip, Tally } from './tally.ts';

export interface ReplayOptions {
  readonly source: RecordSource;
  /** Under the candidate as it stands. */
  readonly judge: Judge;
  readonly hybrids: Hybrids;
  /** Whose data decides: that of the candidate, or that of the time. */
  readonly data: 'candidate' | 'recorded';
  readonly tally: Tally;
  readonly onFlip: (about: About, flip: Flip) => void;
  readonly onBlock: () => void;
}

const KINDS: ReadonlySet<unknown> = new Set(REPLAYED_KINDS);

export async function replayRecords({
  source,
  judge,
  hybrids,
  data,
  tally,
  onFlip,
  onBlock,
}: ReplayOptions): Promise<void> {
  const reader = createHotReader();
  const isWanted = wantedBy(source.filter);

  async function judgeOfTime(record: JsonObject): Promise<Judge | null> {
    const policy = isObject(record['policy']) ? record['policy'] : {};
    const revision = textOf(policy['revision']);
    return revision === null ? null : hybrids.judgeOf(revision, textOf(policy['commit']));
  }

  /** Waits only where the data of a time has to be found: nearly always there is nothing to wait for. */
  function count(record: JsonObject): Promise<void> | undefined {
    tally.records += 1;
    if (data === 'recorded') return countWithData(record);
    const judged = judge.of(record);
    return judged.result === 'flipped' ? tellApart(record, judged.changes) : note(record, judged);
  }

  async function countWithData(record: JsonObject): Promise<void> {
    const then = await judgeOfTime(record);
    if (then === null) return tally.lacking('data_not_kept', 'the data of the time', textOf(record['id']));
    const judged = then.of(record);
    if (judged.result !== 'flipped') return note(record, judged);
    flip(
      record,
      judged.changes.map((change) => ({ ...change, cause: 'rules' })),
    );
  }

  async function tellApart(record: JsonObject, changes: readonly Change[]): Promise<void> {
    const then = (await judgeOfTime(record))?.of(record);
    flip(
      record,
      changes.map((change) => ({ ...change, cause: causeOf(change, then) })),
    );
  }

  function note(record: JsonObject, judged: Exclude<Judged, { readonly result: 'flipped' }>): undefined {
    if (judged.result === 'not_judged') {
      tally.lacking(judged.reason, judged.what, textOf(record['id']));
    } else {
      tally.same += 1;
      if (judged.otherReasons) tally.otherReasons += 1;
    }
    return undefined;
  }

  function flip(record: JsonObject, flips: readonly Flip[]): void {
    const about = aboutOf(record);
    tally.flipped += 1;
    for (const one of flips) {
      tally.flip(about, one);
      onFlip(about, one);
    }
  }

  if (source.purged > 0) {
    tally.records += source.purged;
    tally.lacking('payload_purged', 'the payload was purged since', null, source.purged);
  }
  for await (const rows of source.blocks()) {
    while (rows.next()) {
      const { block, from, to } = rows;
      const record = reader.at(block, from, to) ?? parseStored(block.subarray(from, to));
      if (record['v'] === undefined) {
        tally.records += 1;
        tally.lacking('unreadable', 'not the JSON of a record', null);
      } else if (!isDryRun(record) && isWanted(record)) {
        const waiting = count(record);
        if (waiting !== undefined) await waiting;
      }
    }
    rows.release();
    onBlock();
  }
}

/** Whether a change is there with the data of the time too. */
function causeOf({ direction, field }: Change, judged: Judged | undefined): Cause {
  if (judged === undefined || judged.result === 'not_judged') return 'unknown';
  const isThere =
    judged.result === 'flipped' && judged.changes.some((one) => one.direction === direction && one.field === field);
  return isThere ? 'rules' : 'data';
}

function aboutOf(record: JsonObject): About {
  const subject = isObject(record['subject']) ? textOf(record['subject']['id']) : null;
  return {
    id: textOf(record['id']) ?? '',
    at: textOf(record['at']) ?? '',
    subject,
    matter: textOf(record['matter']),
    action: textOf(record['action']),
  };
}

/** What a dry run would have answered was asked by nobody else: the question has a record of its own. */
function isDryRun({ search }: JsonObject): boolean {
  return isObject(search) && search['kind'] === SHADOW_SEARCH;
}

/** As the database filters. */
function wantedBy(query: RecordQuery | null): (record: JsonObject) => boolean {
  if (query === null) return () => true;
  const { subject, matter } = query;
  const [from, to] = [query.from, query.to].map((time) => (time === undefined ? null : uuidv7Floor(time)));
  return (record) => {
    const { id, kind } = record;
    if (!KINDS.has(kind)) return false;
    const ofSubject = isObject(record['subject']) ? record['subject']['id'] : null;
    return (
      (subject === undefined || ofSubject === subject) &&
      (matter === undefined || record['matter'] === matter) &&
      (typeof id !== 'string' || ((from == null || id >= from) && (to == null || id < to)))
    );
  };
}
