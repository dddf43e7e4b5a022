// Lets a loop sleep until there is something to do. It must never lose a call that comes while the loop is busy.

export interface Waker {
  wake(): void;
  /** Resolves when woken, at once if that has happened since the last wait, or after `ms`; tells whether it was woken. */
  wait(ms: number): Promise<boolean>;
}

export function createWaker(): Waker {
  let woken = false;
  let resume: (() => void) | null = null;

  return {
    wake: () => {
      woken = true;
      if (resume === null) return;
      // Once the requests at hand have been handled, so that they all come into the next batch.
      setImmediate(resume);
      resume = null;
    },
    wait: async (ms) => {
      if (!woken) {
        const { promise, resolve } = Promise.withResolvers<void>();
        resume = resolve;
        const timer = setTimeout(resolve, ms);
        await promise;
        clearTimeout(timer);
        resume = null;
      }
      const wasWoken = woken;
      woken = false;
      return wasWoken;
    },
  };
}
