// What identity needs to know of a policy set: whose tokens count, who may ask, what is locked. It must never hold behaviour.
import type { CallerEntry, IssuerEntry } from './data.ts';

/** The part of a policy set that decides whom to believe; immutable, so that one request sees one set from start to end (P6). */
export interface TrustSet {
  /** Hash over issuers, callers, the firm's roles and AI assistants: what a verified token's meaning depends on. */
  readonly trustDigest: string;
  readonly issuers: readonly IssuerEntry[];
  readonly callers: readonly CallerEntry[];
  /** Roles of firm.yaml. */
  readonly roles: ReadonlySet<string>;
  readonly aiAssistants: ReadonlySet<string>;
  /** Not part of the digest: looked at on every request, after every cache. */
  readonly lockdown: { readonly callers: ReadonlySet<string>; readonly tokens: ReadonlySet<string> };
}
