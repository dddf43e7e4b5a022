// `privity policy new wall|grant|rule`: asks, shows, checks, writes the entry with its tests. It must never write one without the other, nor
// anything that was not confirmed.
import path from 'node:path';
import { compileFolder, POLICIES_OPTION, readFolder, requireSet } from '../../src/cli/policies/load.ts';
import type { Shell } from '../../src/cli/shell/shell.ts';
import { count, printable } from '../../src/cli/shell/text.ts';
import { type OptionSpec, UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { nearest } from '../../src/core/suggest.ts';
import type { PolicySet } from '../../src/core/policy-set.ts';
import { replaceFiles } from './format/replace-files.ts';
import type { Draft } from './new/draft.ts';
import { askGrant } from './new/grant.ts';
import { createInterview, type Interview } from './new/interview.ts';
import { propose } from './new/proposal.ts';
import { askRule } from './new/rule.ts';
import { askWall } from './new/wall.ts';

const answers = (
  names: readonly (readonly [name: string, value: string, help: string])[],
): Record<string, OptionSpec> => Object.fromEntries(names.map(([name, value, help]) => [name, { value, help }]));

type Ask = (interview: Interview, set: PolicySet, now: number, allowsUnknown: boolean) => Promise<Draft>;

const KINDS: ReadonlyMap<string, { readonly ask: Ask; readonly options: readonly string[] }> = new Map([
  [
    'wall',
    {
      ask: askWall,
      options:
        'kind matter client excluded included acknowledged people matters other-people other-matters reason from until memo id'.split(
          ' ',
        ),
    },
  ],
  ['grant', { ask: askGrant, options: 'to matter actions from until approved-by reason id'.split(' ') }],
  [
    'rule',
    {
      ask: (interview, set, now) => askRule(interview, set, now),
      options:
        'id title owner review-by effect subjects roles actions resources when unless advice obligations file'.split(
          ' ',
        ),
    },
  ],
]);

const OWN = new Set(['policies', 'defaults', 'yes', 'dry-run', 'not-yet-known', 'although-tests-fail']);

export const verb: Verb = {
  about: [
    'Asks what is needed for a new wall, grant or rule, with what this firm has to choose from; writes it into the right ' +
      'file and its test cases beside it. The whole folder is checked and the new cases are run before anything is ' +
      'written; if one thing is wrong, nothing is.',
    'Every question can be answered by an option, and then is not asked. Answers may also come through a pipe, one on ' +
      'each line. Lists are written with commas.',
  ],
  operands: { usage: 'wall|grant|rule', min: 1, max: 1, help: 'what to add' },
  options: {
    policies: POLICIES_OPTION,
    ...answers([
      ['kind', 'KIND', 'wall: exclusion, inclusion or opposing'],
      ['matter', 'ID', 'wall, grant: the matter'],
      ['client', 'ID', 'wall: the client, for all its matters'],
      ['excluded', 'LIST', 'wall: people it keeps out'],
      ['included', 'LIST', 'inclusion wall: people who may get in'],
      ['acknowledged', 'LIST', 'inclusion wall: who has acknowledged the memo'],
      ['people', 'LIST', 'opposing wall: people of the one side'],
      ['matters', 'LIST', 'opposing wall: matters of the one side'],
      ['other-people', 'LIST', 'opposing wall: people of the other side'],
      ['other-matters', 'LIST', 'opposing wall: matters of the other side'],
      ['to', 'ID', 'grant: who receives it'],
      ['approved-by', 'ID', 'grant: who approved it'],
      ['from', 'TIME', 'wall, grant: a day or instant; otherwise today'],
      ['until', 'TIME', 'wall, grant: the end, which is not part of it'],
      ['reason', 'TEXT', 'wall, grant: why'],
      ['memo', 'TEXT', 'wall: for readers'],
      ['title', 'TEXT', 'rule: what it says, in one line'],
      ['owner', 'NAME', 'rule: who decides whether it stays'],
      ['review-by', 'DAY', 'rule: otherwise in a year'],
      ['effect', 'EFFECT', 'rule: allow or deny'],
      ['subjects', 'LIST', 'rule: terms that must hold'],
      ['roles', 'LIST', 'rule: any of these roles'],
      ['actions', 'LIST', 'rule, grant: actions'],
      ['resources', 'LIST', 'rule: types'],
      ['when', 'CONDITION', 'rule: such as "$is: on_the_team"'],
      ['unless', 'CONDITION', 'rule: an exception'],
      ['advice', 'LIST', 'deny rule: what would help'],
      ['obligations', 'LIST', 'allow rule: what must be done'],
      ['file', 'FILE', 'rule: such as rules/sharing.yaml'],
      ['id', 'ID', 'its id; otherwise the next one of walls and grants'],
    ]),
    defaults: { help: 'ask nothing that has an answer of its own' },
    yes: { help: 'write without asking once more' },
    'dry-run': { help: 'write nothing, only show' },
    'not-yet-known': { help: 'people and matters that data/ does not have yet may be named' },
    'although-tests-fail': { help: 'write although cases that held before would fail' },
  },
  examples: [
    { command: 'privity policy new wall', does: 'asks for everything' },
    {
      command: 'privity policy new wall --matter M-5001 --excluded u-park --reason former_client --defaults --dry-run',
      does: 'show a wall and its tests',
    },
    {
      command:
        'privity policy new grant --to u-nash --matter M-5001 --actions read,list --until 2030-01-31 --approved-by u-okafor --reason cover --defaults --dry-run',
      does: 'show a grant and its tests',
    },
  ],
  async run(shell, args) {
    const [what = ''] = args.operands;
    const kind = KINDS.get(what);
    if (kind === undefined) {
      const near = nearest(what, KINDS.keys());
      throw new UsageError(
        `\`${what}\` is nothing that can be added`,
        near === undefined ? 'there are wall, grant and rule' : `did you mean \`${near}\`?`,
      );
    }
    const strange = Object.keys(verb.options).find(
      (name) => args.text(name) !== undefined && !kind.options.includes(name) && !OWN.has(name),
    );
    if (strange !== undefined)
      throw new UsageError(
        `\`--${strange}\` means nothing for a ${what}`,
        `a ${what} has ${kind.options.map((one) => `--${one}`).join(' ')}`,
      );
    const folder = await readFolder(shell, args);
    const loads = compileFolder(shell, folder).set;
    const set = loads ?? requireSet(shell, folder);
    const interview = createInterview(shell, args);
    try {
      const draft = await kind.ask(interview, set, shell.now(), args.isOn('not-yet-known'));
      shell.progress.show('checking the folder and the new tests …');
      const proposal = await propose(folder.files, set, draft);
      shell.progress.clear();
      if ('problems' in proposal) {
        for (const problem of proposal.problems)
          shell.err.line(`${shell.err.paint('red', 'cannot be added')} ${printable(problem)}`);
        shell.err.line('nothing was written');
        return 1;
      }
      for (const file of proposal.files) {
        shell.out.line(shell.out.paint('bold', path.join(folder.folder, file.path)));
        for (const line of file.added) shell.out.line(shell.out.paint('green', printable(line)));
      }
      for (const note of proposal.notes) shell.out.line(`${shell.out.paint('yellow', 'note')} ${printable(note)}`);
      if (proposal.broken.length > 0 && !args.isOn('although-tests-fail')) {
        for (const one of proposal.broken) shell.err.line(`${shell.err.paint('red', 'would fail')} ${printable(one)}`);
        shell.err.line(
          `nothing was written: ${count(proposal.broken.length, 'case that holds', 'cases that hold')} now would fail; mend them first, or add \`--although-tests-fail\``,
        );
        return 1;
      }
      if (args.isOn('dry-run')) shell.out.line('nothing was written: this is a dry run');
      else if (await isConfirmed(shell, interview, args.isOn('yes'))) {
        const root = path.resolve(shell.folder, folder.folder);
        await replaceFiles(
          proposal.files.map((file) => ({ file: path.join(root, file.path), before: file.before, after: file.after })),
        );
        for (const file of proposal.files)
          shell.out.line(`${shell.out.paint('green', 'wrote')} ${path.join(folder.folder, file.path)}`);
      } else shell.out.line('nothing was written');
      return 0;
    } finally {
      interview.close();
    }
  },
};

const YES_OR_NO = new Map([
  ['yes', ''],
  ['no', ''],
]);

async function isConfirmed(shell: Shell, interview: Interview, isAgreed: boolean): Promise<boolean> {
  if (isAgreed) return true;
  const why = 'Both files are written, or none';
  const answer = await interview.text({
    option: 'yes',
    ask: 'Write this?',
    why,
    choices: YES_OR_NO,
    ...(shell.input.isTTY === true ? { otherwise: 'yes' } : {}),
  });
  return answer === 'yes';
}
