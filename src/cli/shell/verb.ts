// What a verb of the command line is to the rest of it: its arguments, its help, its exit codes. It must never hold behaviour of a verb.
import type { Shell } from './shell.ts';

/** 0 = done; 1 = what was checked has errors, or tests failed; 2 = wrong usage or configuration, nothing was checked. */
export type ExitCode = 0 | 1 | 2;

export interface OptionSpec {
  /** Placeholder of the value, such as DIR; without one the option is a switch. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  readonly help: string;
}

export interface OperandSpec {
  /** As usage lines show them, such as `[DIR]`. */
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

export interface Example {
  readonly command: string;
  readonly does: string;
}

export interface Arguments {
  readonly operands: readonly string[];
  text(option: string): string | undefined;
  isOn(option: string): boolean;
}

export interface Verb {
  /** Paragraphs of help below the usage line. */
  readonly about: readonly string[];
  /** What there is to choose from, below the paragraphs: a name and what it is. */
  readonly choices?: { readonly heading: string; readonly rows: readonly (readonly [name: string, what: string])[] };
  readonly operands?: OperandSpec;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly Example[];
  run(shell: Shell, args: Arguments): Promise<ExitCode>;
}

/** The user can mend this by changing the command, the environment or a file: exit code 2, no stack. */
export class UsageError extends Error {
  /** What to do next. */
  readonly hint: string | undefined;
  /** Every single problem, where there are several. */
  readonly details: readonly string[];

  constructor(message: string, hint?: string, details: readonly string[] = []) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
    this.details = details;
  }
}
