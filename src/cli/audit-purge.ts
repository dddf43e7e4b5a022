// `privity audit purge`: removes payloads whose retention has ended. It must never remove what a legal hold keeps, nor without two
// people's approvals.
import type { Verb } from './shell/verb.ts';
import { NEEDS, PROCEDURE, runPurge, STEPS } from './audit/purge-verb.ts';

export const verb: Verb = {
  about: [
    'Removes what records say of requests, once the time that retention.yaml gives their class is over. Nothing about matters and ' +
      'clients on legal hold goes, whether the hold is listed there or policy data gives the matter `legal_hold: true`; that ' +
      'is looked at again when the request is carried out. Matters that are not on file are kept longest.',
    PROCEDURE,
    NEEDS,
  ],
  options: { ...STEPS, before: { value: 'TIME', help: 'only what was recorded before; otherwise all that is due' } },
  examples: [
    { command: 'privity audit purge --plan', does: 'what is due' },
    {
      command:
        'privity audit purge --request purge-2026.json --requester u-rowe --reason "Yearly disposal under the retention policy"',
      does: 'a request for two people to approve',
    },
    {
      command: 'privity audit purge --execute purge-2026.json --approvals 0195…,0195…',
      does: 'carry it out',
    },
  ],
  run: (shell, args) => runPurge(shell, args, null),
};
