// Every verb of the program that runs the service. It must never load one.
import type { Verbs } from './program.ts';

export const VERBS: Verbs = new Map([
  [
    'start',
    { summary: 'Try Privity on this machine: own database, own issuer of tokens', load: () => import('./start.ts') },
  ],
  ['serve', { summary: 'Run the service on a database of yours', load: () => import('./serve.ts') }],
  ['seal', { summary: 'Seal the log and publish its signed checkpoints', load: () => import('./seal.ts') }],
  ['audit search', { summary: 'Find records of the log', load: () => import('./audit-search.ts') }],
  ['audit show', { summary: 'Show one record of the log in full', load: () => import('./audit-show.ts') }],
  [
    'audit export',
    { summary: 'Export records as NDJSON, CSV or OCSF events', load: () => import('./audit-export.ts') },
  ],
  [
    'audit report',
    { summary: 'Make an audit report: as text, a page to print, CSV or JSON', load: () => import('./audit-report.ts') },
  ],
  [
    'audit replay',
    { summary: 'Decide again what the log says was decided, and compare', load: () => import('./audit-replay.ts') },
  ],
  [
    'audit review',
    { summary: 'Accesses somebody has to look at, and what was found', load: () => import('./audit-review.ts') },
  ],
  ['audit purge', { summary: 'Remove payloads whose retention has ended', load: () => import('./audit-purge.ts') }],
  [
    'audit erase',
    { summary: 'Remove the payload of one person where the law demands it', load: () => import('./audit-erase.ts') },
  ],
  ['audit backup', { summary: 'Write the whole log into one encrypted file', load: () => import('./audit-backup.ts') }],
  [
    'audit restore',
    { summary: 'Restore a backup into an empty database and prove it', load: () => import('./audit-restore.ts') },
  ],
  ['migrate', { summary: 'Bring the database to the schema of this version', load: () => import('./migrate.ts') }],
  ['health', { summary: 'Ask the service that runs here whether it lives', load: () => import('./health.ts') }],
  [
    'doctor',
    { summary: 'Find what is wrong with settings, database, keys and policies', load: () => import('./doctor.ts') },
  ],
  ['config', { summary: 'Show the settings in force, secrets masked', load: () => import('./config.ts') }],
  ['token', { summary: 'Make a token of the development issuer', load: () => import('./token.ts') }],
  ['audit verify', { summary: 'Tell whether the log is as it was written', load: () => import('./audit-verify.ts') }],
  [
    'audit verification-export',
    {
      summary: 'Write what auditors need to verify the log offline',
      load: () => import('./audit-verification-export.ts'),
    },
  ],
  ['policy check', { summary: 'Find every mistake in a policies folder', load: () => import('./policy-check.ts') }],
  ['policy test', { summary: 'Run the test cases of a policies folder', load: () => import('./policy-test.ts') }],
  [
    'policy explain',
    { summary: 'Show for one request what every rule and wall makes of it', load: () => import('./policy-explain.ts') },
  ],
  [
    'policy requires',
    { summary: 'List what a caller must send for an action on a type', load: () => import('./policy-requires.ts') },
  ],
  [
    'policy matrix',
    { summary: 'Print who may do what to which, for auditors', load: () => import('./policy-matrix.ts') },
  ],
  ['policy describe', { summary: 'Say every rule in plain English', load: () => import('./policy-describe.ts') }],
]);

const CHECKOUT = 'it is a tool for those who write policies: run it from a checkout of the repository';

/** Tools of tools/policy, which the service does not need. */
export const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['policy prove', CHECKOUT],
  ['policy diff', CHECKOUT],
  ['policy replay', CHECKOUT],
  ['policy unused', CHECKOUT],
  ['policy fmt', CHECKOUT],
  ['policy new', CHECKOUT],
  ['policy editor', CHECKOUT],
  ['import', CHECKOUT],
  ['review start', CHECKOUT],
  ['review record', CHECKOUT],
  ['review report', CHECKOUT],
]);
