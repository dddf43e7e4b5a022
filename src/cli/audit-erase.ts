// `privity audit erase`: removes the payload of one person's records where the law demands it. It must never remove what a legal hold
// keeps, nor without two people's approvals.
import { type Verb, UsageError } from './shell/verb.ts';
import { NEEDS, PROCEDURE, runPurge, STEPS } from './audit/purge-verb.ts';

export const verb: Verb = {
  about: [
    'Removes the payload of every record whose subject is this person, however young: for a right to erasure. The reason states ' +
      'the legal basis. What is on legal hold stays. The purge record names the request by a salted hash and not the person: keep ' +
      'the file of the request as long as you must be able to show what it was about.',
    'Records of others that mention the person (who approved, who was walled off) stay, and so do policy sets of the past.',
    PROCEDURE,
    NEEDS,
  ],
  options: { subject: { value: 'ID', help: 'the person, as records name the subject' }, ...STEPS },
  examples: [
    { command: 'privity audit erase --subject u-hale --plan', does: 'what would go' },
    {
      command:
        'privity audit erase --subject u-hale --request erase.json --requester u-rowe --reason "Erasure under Art. 17 GDPR, case 12"',
      does: 'a request for two people to approve',
    },
    {
      command: 'privity audit erase --subject u-hale --execute erase.json --approvals 0195…,0195…',
      does: 'carry it out',
    },
  ],
  async run(shell, args) {
    const subject = args.text('subject');
    if (subject === undefined) throw new UsageError('whose records?', 'give --subject ID');
    return await runPurge(shell, args, subject);
  },
};
