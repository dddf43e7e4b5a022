// In charge of telling whether another process lives and whether it is still the same one. It must never signal by name.
import { readFileSync } from 'node:fs';

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended but whose parent has not noticed is no longer alive.
  return processState(pid)?.state !== 'Z';
}

/** Tells a process from a later one under the same number. */
export function processIdentity(pid: number): string | undefined {
  return isAlive(pid) ? `${pid} ${processState(pid)?.startedAt ?? ''}`.trim() : undefined;
}

function processState(pid: number): { state: string; startedAt: string } | undefined {
  try {
    // proc_pid_stat(5): the name in parentheses may hold anything, the third field follows the last one.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
