// The emergency brake: people, matters and clients that get nothing until it is released. It can only deny; it must never look different from a default deny to the asker.
import type { SourceFile } from '../model/diagnostic.ts';
import { LockdownFile } from '../model/data.ts';
import { SLOT } from './dictionary.ts';
import type { Frame } from './frame.ts';
import type { Lockdown } from './policy-set.ts';
import type { Report } from './report.ts';
import { checkFile } from './schema-check.ts';
import { FALSE, known, or, UNKNOWN, UNKNOWN_VALUE, type Truth } from './truth.ts';

export const NO_LOCKDOWN: Lockdown = {
  people: new Set(),
  matters: new Set(),
  clients: new Set(),
  callers: new Set(),
  tokens: new Set(),
};

export function compileLockdown(file: SourceFile | undefined, report: Report): Lockdown {
  if (file === undefined) return NO_LOCKDOWN;
  const problems = checkFile(file, LockdownFile);
  report.add(problems);
  if (problems.length > 0) return NO_LOCKDOWN;
  const entry = file.value as LockdownFile;
  const ids = (list: LockdownFile['people']) => new Set(list?.map((one) => (typeof one === 'string' ? one : one.id)));
  return {
    people: ids(entry.people),
    matters: ids(entry.matters),
    clients: ids(entry.clients),
    callers: ids(entry.callers),
    tokens: ids(entry.tokens),
  };
}

/** A matter is also locked through its client on file; an AI assistant through itself or the person it acts for. */
export function judgeLockdown(lockdown: Lockdown, { slots }: Frame): Truth {
  const listed = (value: unknown, ids: ReadonlySet<string>): Truth => {
    if (ids.size === 0) return FALSE;
    return value === UNKNOWN_VALUE ? UNKNOWN : known(typeof value === 'string' && ids.has(value));
  };
  let truth = listed(slots[SLOT.subjectId], lockdown.people);
  truth = or(truth, listed(slots[SLOT.actorId], lockdown.people));
  truth = or(truth, listed(slots[SLOT.matterId], lockdown.matters));
  truth = or(truth, listed(slots[SLOT.clientId], lockdown.clients));
  return or(truth, listed(slots[SLOT.matterClient], lockdown.clients));
}
