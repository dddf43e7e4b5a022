// The verbs of those who write policies. It must never load one.
import type { Verbs } from '../../src/cli/program.ts';

export const POLICY_TOOLS: Verbs = new Map([
  [
    'policy prove',
    { summary: 'Prove statements about the policies for every request', load: () => import('./policy-prove.ts') },
  ],
]);
