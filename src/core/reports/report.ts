// What an audit report is to the rest of the service: who may ask what, what it has to be given, what comes out. It must never wait for
// anything itself: a report is a generator that says what it wants, and is handed rows, policy sets and pauses by whoever runs it.
import type { AuditReport, ReportParam, ReportWords } from '../../model/audit-report.ts';
import type { SourceFile } from '../../model/diagnostic.ts';
import type { FoundRecord, View } from '../../model/search.ts';
import type { PolicySet } from '../policy-set.ts';
import type { Search } from '../reading/search.ts';

export interface ReportDefinition {
  /** As in the path. */
  readonly name: string;
  readonly title: string;
  /** One sentence: which question it answers. */
  readonly about: string;
  /** The parameters it takes; every other one is refused. */
  readonly params: Readonly<Partial<Record<ReportParam, 'required' | 'optional'>>>;
  /** `access_report` only for reports about one matter, which have the parameter `matter`. */
  readonly views: readonly View[];
  /** @throws PrivityError `malformed_request` that points to the parameter (`wrong` of core/reading/search.ts) */
  ask(words: ReportWords, now: number): ReportPlan;
}

export interface ReportPlan {
  /** As the report shows it and the record of the reading keeps it. */
  readonly asked: Readonly<Record<string, string>>;
  readonly period: Period | null;
  /** The matter and client by which the reading as a whole is judged and recorded; rows are judged one by one all the same. */
  readonly matter?: string;
  readonly client?: string;
  /**
   * @returns null where there is nothing that the reader may see: they are told that nothing is here, and cannot tell what is hidden from
   * what nobody has heard of
   */
  build(context: ReportContext): Generator<Want, ReportDraft | null, void>;
}

/** Milliseconds since 1970: from inclusive, to exclusive. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export interface ReportContext {
  /** In force as the report is asked for. Nothing of it may be told but what `shows` permits, or what is about no matter and no client. */
  readonly set: PolicySet;
  readonly now: number;
  readonly view: View;
  /** Whether the reader may be told of this place. That it was told is noted with the reading, so ask only about what is told. */
  shows(matter: string | null, client: string | null): boolean;
}

export type ReportDraft = Pick<AuditReport, 'sections' | 'notes' | 'is_complete'>;

/** What a report asks of whoever runs it. Each is done when the generator goes on. */
export type Want =
  /** A bounded piece of work was done; others may have a turn. */
  | { readonly want: 'pause' }
  /** Rows that match and that the reader may see, one after the other. */
  | {
      readonly want: 'rows';
      readonly search: ReportSearch;
      /** `passed`: nothing is told of this row; `enough`: no more rows are needed. */
      readonly each: (row: ReportRow) => void | 'passed' | 'enough';
    }
  /** A policy set of the past, compiled; null where it was not kept or cannot be loaded, with the reason in words. */
  | {
      readonly want: 'policies';
      readonly revision: string;
      readonly give: (set: PolicySet | null, problem: string) => void;
    }
  /** The files of a policy set of the past below a folder (`walls/`, `rules/`), parsed and not compiled; null where it was not kept. */
  | {
      readonly want: 'sources';
      readonly revision: string;
      readonly folder: string;
      readonly give: (files: readonly SourceFile[] | null) => void;
    }
  /** Of the places that a purge record names: how many hashes are kept, and how many of these are under a checkpoint. */
  | {
      readonly want: 'proofs';
      readonly purge: string;
      readonly give: (kept: { readonly committed: number; readonly sealed: number }) => void;
    }
  /** What was sealed in a period, which says nothing of any record. */
  | { readonly want: 'checkpoints'; readonly period: Period; readonly give: (sealed: SealedPeriod) => void };

export interface SealedPeriod {
  /** Checkpoints of the period that the database holds. */
  readonly checkpoints: number;
  /** The last one of the period, or before it. */
  readonly last: { readonly size: number; readonly at: number; readonly root: string } | null;
  /** Records that came under a checkpoint in the period. */
  readonly records: number;
}

export type ReportSearch = Pick<Search, 'filter'> & Partial<Pick<Search, 'order' | 'from' | 'to'>>;

export interface ReportRow {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its members as the view shows them. */
  readonly found: FoundRecord;
  /** As recorded, free text masked; empty in an access report, which shows no reasons. */
  readonly record: Readonly<Record<string, unknown>>;
}

/** Rows that a table lists; more are counted and said to be left out. */
export const LISTED_MOST = 10_000;
/** Rows that one report looks at; beyond it the report is not complete, and says up to when it goes. */
export const ROWS_MOST = 1_000_000;

export const PAUSE: Want = { want: 'pause' };
