// `privity policy describe`: every rule in plain English. It must never say less than a rule does.
import { policyDescription } from './policies/description-text.ts';
import { loadSet, POLICIES_OPTION } from './policies/load.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: ['Every rule of the policies folder in plain English, file by file, and the terms they use; as Markdown.'],
  options: { policies: POLICIES_OPTION },
  examples: [{ command: 'privity policy describe > rules.md', does: 'for people who do not read YAML' }],
  async run(shell, args) {
    const { set } = await loadSet(shell, args);
    shell.out.line(policyDescription(set).trimEnd());
    return 0;
  },
};
