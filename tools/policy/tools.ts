// The verbs of those who write policies. It must never load one.
import type { Verbs } from '../../src/cli/program.ts';

export const POLICY_TOOLS: Verbs = new Map([
  ['policy check', { summary: 'Find every mistake in a policies folder', load: () => import('./policy-check.ts') }],
  ['policy test', { summary: 'Run the test cases of a policies folder', load: () => import('./policy-test.ts') }],
  [
    'policy prove',
    { summary: 'Prove statements about the policies for every request', load: () => import('./policy-prove.ts') },
  ],
  [
    'policy diff',
    {
      summary: 'Compare policies: in words, and whom a change lets in or shuts out',
      load: () => import('./policy-diff.ts'),
    },
  ],
  [
    'policy unused',
    { summary: 'Find rights that the log shows nobody used', load: () => import('./policy-unused.ts') },
  ],
  ['policy fmt', { summary: 'Write policy files in one style, comments kept', load: () => import('./policy-fmt.ts') }],
  [
    'policy replay',
    {
      summary: 'Decide recorded requests again under a candidate: who would be let in or shut out',
      load: () => import('./policy-replay.ts'),
    },
  ],
  [
    'review start',
    { summary: 'List rights for somebody to decide on', load: () => import('../review/review-start.ts') },
  ],
  [
    'review record',
    { summary: 'Write down what was decided about rights', load: () => import('../review/review-record.ts') },
  ],
  [
    'review report',
    { summary: 'Show how far a review is, and what became of it', load: () => import('../review/review-report.ts') },
  ],
  [
    'import',
    { summary: 'Turn exports of people, matters and teams into data files', load: () => import('./import-data.ts') },
  ],
  ['policy new', { summary: 'Add a wall, grant or rule with its tests', load: () => import('./policy-new.ts') }],
  [
    'policy editor',
    { summary: 'Write schemas with the words of this firm, for editors', load: () => import('./policy-editor.ts') },
  ],
]);
