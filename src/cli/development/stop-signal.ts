// Hears when the user wants to stop. It must never take one Ctrl-C, which npm passes on a second time, for two.
export interface StopSignal {
  /** Resolves with the name of the first signal. */
  readonly given: Promise<string>;
  isGiven(): boolean;
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A second one within this time is the same one, come by another way. */
const SAME_MS = 2_000;

export function createStopSignal(): StopSignal {
  let since: number | null = null;
  let resolve: (name: string) => void = () => undefined;
  const given = new Promise<string>((settle) => (resolve = settle));
  const hear = (name: string): void => {
    if (since === null) {
      since = performance.now();
      resolve(name);
    } else if (performance.now() - since > SAME_MS) {
      process.exit(1); // the database is told to stop on exit
    }
  };
  for (const name of SIGNALS) process.on(name, hear);
  return {
    given,
    isGiven: () => since !== null,
    close: () => {
      for (const name of SIGNALS) process.off(name, hear);
    },
  };
}
