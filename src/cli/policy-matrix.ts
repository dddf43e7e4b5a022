// `privity policy matrix`: who may do what to which, with the conditions, for auditors. It must never show a right without them.
import { loadSet, POLICIES_OPTION } from './policies/load.ts';
import { matrixCsv, matrixHtml, matrixMarkdown } from './policies/matrix-text.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'The access-control matrix that auditors ask for: roles by actions for each resource type; every cell names the rules that may let ' +
      'somebody in, and the conditions they depend on.',
  ],
  options: {
    policies: POLICIES_OPTION,
    format: { value: 'FORMAT', choices: ['markdown', 'csv', 'html'], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy matrix --format html > matrix.html', does: 'a page to look at or print' },
    { command: 'privity policy matrix --format csv > matrix.csv', does: 'a row for each role, action, type and rule' },
  ],
  async run(shell, args) {
    const { set } = await loadSet(shell, args);
    const format = args.text('format');
    const text = format === 'csv' ? matrixCsv(set) : format === 'html' ? matrixHtml(set) : matrixMarkdown(set);
    shell.out.line(text.trimEnd());
    return 0;
  },
};
