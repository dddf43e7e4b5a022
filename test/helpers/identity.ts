// The door of identity with one issuer, one caller and a clock of the test's own, so that tests speak in tokens and refusals.
import type { CallerEntry, IssuerEntry } from '../../src/model/data.ts';
import type { TrustSet } from '../../src/model/identity.ts';
import { createIdentity, type Bearer, type Identity } from '../../src/io/identity/identify.ts';
import type { TearsDown } from './key-endpoint.ts';
import { callerEntry, refusalOf, startIssuer, trustSet, type LocalIssuer } from './tokens.ts';

export interface IdentityRig {
  /** `now` is the time of day, `elapsed` the age of everything; both in milliseconds, moved by the test. */
  readonly clock: { now: number; elapsed: number };
  readonly issuer: LocalIssuer;
  readonly set: TrustSet;
  readonly identity: Identity;
  /** As bearer, under the rig's set unless told otherwise. */
  accept(token: string, set?: TrustSet): Promise<Bearer>;
  /** `reason: internal text` of the refusal. */
  refuse(token: string, set?: TrustSet): Promise<string>;
}

export const START = 1_773_151_200_000;

export async function startIdentity(
  t: TearsDown,
  options: {
    readonly entry?: Partial<IssuerEntry>;
    readonly alg?: string;
    readonly callers?: readonly Partial<CallerEntry>[];
  } = {},
): Promise<IdentityRig> {
  const clock = { now: START, elapsed: 0 };
  const issuer = await startIssuer(t, { now: () => clock.now, alg: options.alg ?? 'ES256' });
  const set = trustSet({
    issuers: [issuer.entry(options.entry)],
    callers: (options.callers ?? [{}]).map((caller) => callerEntry(issuer.issuer, caller)),
  });
  const identity = createIdentity({
    now: () => clock.now,
    elapsed: () => clock.elapsed,
    readKeyFile: () => Promise.reject(new Error('no key files here')),
    background: false,
  });
  t.teardown(async () => identity.close());
  await identity.use(set);
  const accept = (token: string, trust = set): Promise<Bearer> => identity.authenticate(trust, `Bearer ${token}`);
  return {
    clock,
    issuer,
    set,
    identity,
    accept,
    async refuse(token, trust = set) {
      return describeRefusal(await refusalOf(accept(token, trust)));
    },
  };
}

export function describeRefusal(refusal: Awaited<ReturnType<typeof refusalOf>>): string {
  return `${refusal.code === 'token_refused' ? (refusal.reason ?? 'without reason') : refusal.code}: ${refusal.internal}`;
}
