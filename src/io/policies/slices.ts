// Runs long work in short slices, so that requests are answered in between. It must never change what the work yields in the end.
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two chances for others. */
const SLICE = 5;

/** A generator does a bounded piece of work between two yields; what it returns is the result. */
export async function runInSlices<T>(work: Generator<void, T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() - since < SLICE) continue;
    await setImmediate();
    since = performance.now();
  }
}

/** The same work at one go, for tools that have nothing else to do. */
export function runAtOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
