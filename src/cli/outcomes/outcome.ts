// What a tool for policy authors found, in one shape that every report for machines is made of. It must never hold behaviour.

/** `error` fails a run; `warning` fails it where the tool is told so; `note` never does. */
export type Level = 'error' | 'warning' | 'note';

export interface OutcomeItem {
  /** Unique within the run: the id of a test case, a mutant or a statement; of a finding its code and place. */
  readonly name: string;
  /** Stable slug of the kind of check, such as `never-applies`: the rule id of SARIF. */
  readonly code: string;
  /** `unreadable`: it could not even be judged, which is no better than failed. */
  readonly status: 'passed' | 'failed' | 'unreadable' | 'skipped';
  /** Of what failed. */
  readonly level: Level;
  /** Path as the tool was given it, below the working folder where possible; null: of no file. */
  readonly file: string | null;
  /** 1-based; null: the whole file. */
  readonly line: number | null;
  /** 1-based. */
  readonly column: number | null;
  /** One sentence: what. */
  readonly message: string;
  /** More lines: why, the case that shows it. */
  readonly details: readonly string[];
  /** What to do. */
  readonly hint: string | null;
  /** Found, but accepted in the file, with this reason: it counts as passed. */
  readonly accepted: string | null;
}

export interface Outcome {
  /** The verb, such as `policy check`. */
  readonly tool: string;
  /** The policies folder, or the two that were compared. */
  readonly subject: string;
  readonly revision: string | null;
  readonly items: readonly OutcomeItem[];
  /** The least that fails the run; otherwise a warning. */
  readonly failsOn?: Level;
  /** What each code that occurs means, in one sentence. */
  readonly codes: ReadonlyMap<string, string>;
  /** One line, such as `81 rules, 12 walls: 3 warnings`. */
  readonly summary: string;
  /** Lines of Markdown for a summary page, below its heading and above the table of what failed. */
  readonly markdown: readonly string[];
}
