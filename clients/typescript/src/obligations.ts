// Sees to it that a permission whose duties are not met is none. It must never let a duty pass that nobody here knows.
import type { AuthorizeAnswer } from './api.ts';

export type Obligation = AuthorizeAnswer['context']['obligations'][number];

/** Meets one duty, before the permission counts; what it throws turns the permission into a deny. */
export type Fulfil = (obligation: Obligation) => unknown;

/** By id of the obligation, such as `log:disposal_certificate`. */
export type Duties = Readonly<Record<string, Fulfil>>;

/** True when every duty of the caller is known and was met. Those that Privity fulfils itself are not ours. */
export async function fulfilled(obligations: readonly Obligation[], duties: Duties): Promise<boolean> {
  const ours = obligations.filter((one) => one.fulfilled_by !== 'privity');
  if (!ours.every(({ id }) => Object.hasOwn(duties, id))) return false;
  for (const one of ours) await duties[one.id]?.(one);
  return true;
}
