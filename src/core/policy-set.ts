// What a loaded policies folder is to the rest of the service: one immutable value, identified by its revision. It must never change after it was compiled.
import type { CallerEntry, IssuerEntry } from '../model/data.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { TestCase } from '../model/rules.ts';
import type { RuleIndex } from './ability.ts';
import type { Attribute } from './dictionary.ts';
import type { FactsPlan } from './facts-plan.ts';
import type { Firm } from './firm.ts';
import type { PolicyData } from './merge-data.ts';
import type { Retention } from './retention.ts';
import type { RoleGates } from './role-gates.ts';
import type { Routes } from './routes.ts';
import type { Rule } from './rules.ts';
import type { WallIndex } from './walls.ts';

export interface Lockdown {
  readonly people: ReadonlySet<string>;
  readonly matters: ReadonlySet<string>;
  readonly clients: ReadonlySet<string>;
  readonly callers: ReadonlySet<string>;
  readonly tokens: ReadonlySet<string>;
}

export interface PolicyFile {
  readonly path: string;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface LoadedTest {
  readonly test: TestCase;
  /** `file:line` */
  readonly source: string;
}

export interface PolicySet {
  /** `sha256:` and hex over sorted path and content hashes; tests, invariants and reviews left out. */
  readonly revision: string;
  readonly commit: string | null;
  readonly firm: Firm;
  readonly rules: readonly Rule[];
  readonly ruleIndex: RuleIndex;
  readonly gates: RoleGates;
  readonly walls: WallIndex;
  readonly data: PolicyData;
  readonly lockdown: Lockdown;
  /** How long payloads of the log are kept; null: for ever. */
  readonly retention: Retention | null;
  readonly issuers: readonly IssuerEntry[];
  readonly callers: readonly CallerEntry[];
  /** What requests to applications behind a proxy mean, by the caller that the proxy is. */
  readonly routes: ReadonlyMap<string, Routes>;
  readonly aiAssistants: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** Changes whenever a cached token might have to be judged anew: key of token caches. */
  readonly trustDigest: string;
  /** Attributes of token, caller and request that some rule or wall reads: what records keep. */
  readonly recorded: readonly Attribute[];
  readonly plan: FactsPlan;
  /** Frame.terms of a new frame. */
  readonly noTerms: readonly number[];
  readonly files: readonly PolicyFile[];
  readonly findings: readonly Diagnostic[];
  readonly tests: readonly LoadedTest[];
}
