// Why the service does not start: everything that is wrong, at once. It must never hold a secret.

export class StartupError extends Error {
  /** One line each, for an operator or a policy author. */
  readonly problems: readonly string[];

  constructor(message: string, problems: readonly string[], cause?: unknown) {
    super(message, { cause });
    this.name = 'StartupError';
    this.problems = problems;
  }
}
