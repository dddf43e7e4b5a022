// Sums up whether the service can answer (DESIGN 5.2). It must never call itself ready without a policy set, an issuer whose keys
// are usable, and a recorder that can write.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Health } from './http/health.ts';
import type { IdentityState } from './io/identity/identify.ts';
import type { RecorderState } from './io/log/state.ts';

export interface HealthDeps {
  readonly policies: { state(): { readonly revision: string | null; readonly failure: unknown } };
  readonly identity: { state(): Pick<IdentityState, 'issuers'> };
  readonly recorder: { state(): Pick<RecorderState, 'problems' | 'degraded'> };
  readonly duties: { degraded(): readonly string[] };
  /** Null: the service does not speak TLS. */
  readonly tls: { degraded(): readonly string[] } | null;
  /** Null: records are sealed elsewhere. */
  readonly sealing: { state(): { readonly problems: readonly string[] } } | null;
  readonly log: { degraded(): readonly string[] };
  /** Codes that hold for the whole run. */
  readonly notes: readonly string[];
}

export interface ServiceHealth extends Health {
  /** From now on not ready; resolves when those who asked had time to notice. */
  leave(delayMs: number): Promise<void>;
}

export function createHealth({
  policies,
  identity,
  recorder,
  duties,
  tls,
  sealing,
  log,
  notes,
}: HealthDeps): ServiceHealth {
  let leaving = false;
  return {
    problems: () => [
      ...(leaving ? ['shutting_down'] : []),
      ...(policies.state().revision === null ? ['no_policies'] : []),
      ...(identity.state().issuers.some(({ usable }) => usable) ? [] : ['no_usable_issuer']),
      ...recorder.state().problems,
    ],
    degraded: () => {
      const { issuers } = identity.state();
      return [
        ...notes,
        ...(policies.state().failure === null ? [] : ['policies_not_reloaded']),
        ...(issuers.some(({ usable }) => !usable) ? ['issuer_without_keys'] : []),
        ...(issuers.some(({ usable, problem }) => usable && problem !== null) ? ['issuer_keys_not_refreshed'] : []),
        ...recorder.state().degraded,
        ...duties.degraded(),
        ...(tls?.degraded() ?? []),
        ...(sealing?.state().problems ?? []),
        ...log.degraded(),
      ];
    },
    async leave(delayMs) {
      leaving = true;
      await sleep(delayMs);
    },
  };
}
