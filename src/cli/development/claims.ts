// What a development token says about a person: what the directory says, and a sign-in of this moment. It must never add to what the directory says a person is.
import type { PolicySet } from '../../core/policy-set.ts';
import { formatTimestamp } from '../../core/time.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Null when the directory does not know the person. */
export function developmentClaims(set: PolicySet, person: string, now: number): Claims | null {
  const directory = set.data.directory.get(person);
  if (directory === undefined) return null;
  if (directory['user_type'] === 'service') return { ...directory, sub: person }; // signs in without a person
  const { byPath } = set.firm.dictionary;
  const isDeclared = (name: string, kind: string) => byPath.get(`subject.${name}`)?.type.kind === kind;
  return {
    ...(isDeclared('amr', 'list') ? { amr: ['pwd', 'mfa'] } : {}),
    ...(isDeclared('auth_time', 'timestamp') ? { auth_time: formatTimestamp(now) } : {}),
    ...directory,
    sub: person,
  };
}
