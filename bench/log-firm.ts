// The firm that a long log is about: its policies on disk, compiled, and a sender whose tokens they trust. It must never be another firm
// for the same seed and time.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { compilePolicies } from '../src/core/compile.ts';
import type { PolicySet } from '../src/core/policy-set.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { createIdentity } from '../src/io/identity/identify.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';
import { type LargeFirm, writeFirm } from './data.ts';
import { createIssuer, type Issuer } from './issuer.ts';
import { createSender, type Sender } from './mix.ts';

export interface LogFirm {
  readonly firm: LargeFirm;
  readonly issuer: Issuer;
  readonly set: PolicySet;
  /** The folder of its policies. */
  readonly policies: string;
  /** Asks as its people and systems do. */
  sender(): Promise<Sender>;
}

export interface LogFirmOptions {
  /** The policies are written there. */
  readonly policies: string;
  readonly matters: number;
  readonly people: number;
  readonly seed: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export async function openLogFirm({ policies, matters, people, seed, now }: LogFirmOptions): Promise<LogFirm> {
  const issuer = await createIssuer();
  const firm = await writeFirm({ dir: policies, seed, now, keySet: issuer.keySet, matters, people });
  const { files } = await readPolicyFolder(policies, { commit: null });
  const { set, diagnostics } = compilePolicies(files, { commit: null });
  if (set === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  return {
    firm,
    issuer,
    set,
    policies,
    async sender() {
      const identity = createIdentity({
        now: Date.now,
        readKeyFile: (file) => readFile(path.join(policies, file)),
        report: () => undefined,
        background: false,
      });
      await identity.use(set);
      return createSender({ set, identity, issuer });
    },
  };
}
