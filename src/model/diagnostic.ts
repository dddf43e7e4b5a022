// What a policy author is told: where, what, why, how to mend. It must never hold behaviour.

export interface Position {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

export interface Diagnostic extends Position {
  /** `error` stops a load; `finding` is only reported. */
  readonly severity: 'error' | 'finding';
  /** Stable slug of the kind of problem, such as unknown-attribute. */
  readonly code: string;
  /** Rule, wall, grant, … the problem is in. */
  readonly item?: string;
  readonly message: string;
  /** What to do, such as: did you mean `confidential`? */
  readonly hint?: string;
}

/** A part of a long list: the same object for as long as this part of the file stays as it is, wherever it stands in the file. */
export interface RowBlock {
  readonly entries: readonly unknown[];
}

/** One file of the policies folder after parsing, before any meaning is given to it. */
export interface SourceFile {
  /** Path below the policies folder, with forward slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string;
  /** Plain JSON value; undefined when the text could not be parsed. */
  readonly value: unknown;
  /** Of a CSV or NDJSON list: all entries of its one root once more, in blocks. */
  readonly blocks?: readonly RowBlock[];
  /** Line and column of the member that a path of keys and indexes leads to (or of its nearest parent). */
  readonly locate: (path: readonly (string | number)[]) => { line: number; column: number };
  /** Syntax errors found while parsing. */
  readonly problems: readonly Diagnostic[];
}
