// Runs an audit report: hands it the rows that the reader may see, policy sets of the past, and lets others have their turn. It must
// never hand over a row that policy does not permit, nor work on for somebody who has gone.
import { setImmediate as otherWork } from 'node:timers/promises';
import { noteReading, placesNoted } from '../core/reading/reading-places.ts';
import { timeOfId } from '../core/reading/resume.ts';
import { foundRecord } from '../core/reading/row.ts';
import { recordOfText, textOfEscaped } from '../core/reading/stored-text.ts';
import { ROWS_MOST, type ReportDraft, type ReportPlan, type ReportRow, type Want } from '../core/reports/report.ts';
import { formatTimestamp } from '../core/time.ts';
import type { LogQuery, LogSearch } from '../io/reports/search.ts';
import type { SealedReader } from '../io/reports/read-sealed.ts';
import type { View } from '../model/search.ts';
import { PrivityError } from '../model/errors.ts';
import type { PastPolicies } from '../past-policies.ts';
import type { LogReading } from './log-reading.ts';
import { maskFreeText } from './mask.ts';

export interface ReportRunDeps {
  readonly log: LogSearch;
  readonly past: PastPolicies;
  readonly sealed: SealedReader;
  readonly reading: LogReading;
  readonly view: View;
  readonly now: number;
  readonly isGone: () => boolean;
}

export interface ReportRun {
  /** Null: nothing is here for this reader. */
  readonly draft: ReportDraft | null;
  /** Records that it was made of. */
  readonly rows: number;
  /** For the record of the reading. */
  readonly noted: Readonly<Record<string, unknown>>;
}

type RowsWanted = Extract<Want, { want: 'rows' }>;

const ROWS_AT_ONCE = 1_000;
/** Longer than this decisions do not wait. */
const SLICE_MS = 5;

export async function runReport(plan: ReportPlan, deps: ReportRunDeps): Promise<ReportRun> {
  const { reading, log, past, sealed, view, now, isGone } = deps;
  const { set, permits, query } = reading;
  const note = noteReading(set);
  const cutAt: number[] = [];
  let looked = 0;
  let rows = 0;
  let sliceBegan = performance.now();

  function shows(matter: string | null, client: string | null): boolean {
    if (query.isVoid || !permits.at('', matter, client)) return false;
    note.add(matter, client);
    return true;
  }

  async function pause(): Promise<void> {
    if (performance.now() - sliceBegan <= SLICE_MS) return;
    await otherWork();
    if (isGone()) throw new PrivityError('request_timeout', { internal: 'who asked for the report has gone' });
    sliceBegan = performance.now();
  }

  async function eachRow({ search, each }: RowsWanted): Promise<void> {
    const { order = 'oldest', filter, from = null, to = null } = search;
    const wanted: LogQuery = {
      ...query,
      order,
      filter: view === 'access_report' ? { ...filter, kind: 'decision' } : filter,
      from,
      // What comes after the beginning, the record of this very reading first, is no part of the report.
      to: Math.min(to ?? now, now),
    };
    for (let after: string | null = null; ;) {
      const found = await log.rows(wanted, after, ROWS_AT_ONCE);
      for (const { id, kind, bytes } of found) {
        if (bytes !== null) {
          const record = recordOfText(textOfEscaped(bytes));
          if (permits.record(id, record)) {
            if (looked === ROWS_MOST) {
              cutAt.push(timeOfId(id));
              return;
            }
            looked += 1;
            const row = reportRow(view, id, kind, record);
            const said = each(row);
            if (said !== 'passed') {
              rows += 1;
              note.add(row.found.matter, row.found.client);
              for (const { matter, client } of placesNoted(set, record)) note.add(matter, client);
            }
            if (said === 'enough') return;
          }
        }
        await pause();
      }
      if (found.length < ROWS_AT_ONCE) return;
      after = found.at(-1)?.id ?? null;
    }
  }

  const work = plan.build({ set, now, view, shows });
  for (;;) {
    const { done, value } = work.next();
    if (done === true) {
      return { draft: value === null ? null : withCuts(value, cutAt), rows, noted: note.members() };
    }
    if (value.want === 'rows') {
      await eachRow(value);
    } else if (value.want === 'policies') {
      const found = value.revision === set.revision ? { set } : await past.at(value.revision);
      value.give(found.set, found.set === null ? found.problem : '');
    } else if (value.want === 'sources') {
      value.give(await past.sources(value.revision, value.folder));
    } else if (value.want === 'proofs') {
      value.give(await sealed.ofPurge(value.purge));
    } else if (value.want === 'checkpoints') {
      value.give(await sealed.during(value.period));
    }
    await pause();
  }
}

function reportRow(view: View, id: string, kind: string, record: Readonly<Record<string, unknown>>): ReportRow {
  const found = foundRecord(view, { id, kind, record });
  const at = Date.parse(found.at);
  return {
    id,
    at: Number.isNaN(at) ? timeOfId(id) : at,
    found,
    record: view === 'access_report' ? {} : maskFreeText(record),
  };
}

/** Only rows that the reader may see are counted, so that where it stops tells nothing of others. */
function withCuts(draft: ReportDraft, cutAt: readonly number[]): ReportDraft {
  const [first] = cutAt.toSorted((a, b) => a - b);
  if (first === undefined) return draft;
  const note =
    `There are more than ${ROWS_MOST.toLocaleString('en-US')} records to count: this report stops at ` +
    `${formatTimestamp(first)}. Ask for a shorter period.`;
  return { ...draft, is_complete: false, notes: [note, ...draft.notes] };
}
