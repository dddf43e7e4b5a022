// A new rule: its questions. It must never write a condition that does not mean anything in this firm.
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { parseCondition } from '../../../src/core/parse-condition.ts';
import { createReport } from '../../../src/core/report.ts';
import { nearest } from '../../../src/core/suggest.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import { checkNew, firmChoices } from './choices.ts';
import type { Draft } from './draft.ts';
import type { Interview } from './interview.ts';
import { ruleCases } from './rule-cases.ts';

const EFFECTS = new Map([
  ['allow', 'permits, where nothing refuses'],
  ['deny', 'refuses, whatever permits'],
]);
const YEAR = 365 * 86_400_000;

export async function askRule(interview: Interview, set: PolicySet, now: number): Promise<Draft> {
  const choices = firmChoices(set, false);
  const one = async (question: Parameters<Interview['text']>[0]): Promise<string> =>
    (await interview.text(question)) ?? '';
  const some = (option: string, ask: string, why: string, known: ReadonlyMap<string, string>) =>
    interview.ask({ option, ask, why, choices: known, many: true, otherwise: null });
  const id = await one({
    ...{
      option: 'id',
      ask: 'A short name for the rule?',
      why: 'It stands in every record that the rule decides, so it never changes',
    },
    check: checkNew(
      set.rules.map((rule) => rule.id),
      /^[a-z0-9][a-z0-9_.-]{0,63}$/,
    ),
  });
  const title = await one({
    option: 'title',
    ask: 'What does it say, in one line?',
    why: 'For everybody who reads the policies',
  });
  const owners = ownersOf(set);
  const owner = await one({
    ...{ option: 'owner', ask: 'Who owns it?' },
    why: `Whoever decides whether it stays${owners.length === 0 ? '' : `, such as ${owners.slice(0, 6).join(', ')}`}`,
    check: (name) => {
      const near = owners.includes(name) ? undefined : nearest(name, owners);
      return near === undefined ? null : `\`${name}\` owns no other rule; did you mean \`${near}\`?`;
    },
  });
  const reviewBy = await one({
    ...{
      option: 'review-by',
      ask: 'When is it to be reviewed?',
      otherwise: new Date(now + YEAR).toISOString().slice(0, 10),
    },
    why: 'On that day `privity policy check` reminds of it',
    check: (day) =>
      !/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))
        ? 'write a day such as 2027-03-31'
        : Date.parse(day) <= now
          ? `${day} is past`
          : null,
  });
  const effect = await one({
    option: 'effect',
    ask: 'Does it allow or deny?',
    why: 'A deny beats every allow',
    choices: EFFECTS,
  });
  const subjects = await some('subjects', 'About whom, in terms of firm.yaml?', 'All of them must hold', choices.terms);
  const roles = await some('roles', 'In which roles?', 'Any one of them is enough', choices.roles);
  const header = async (option: string, ask: string, known: ReadonlyMap<string, string>): Promise<unknown> => {
    const names = await interview.ask({
      option,
      ask,
      why: 'Names or groups; any means all there are',
      choices: known,
      many: true,
    });
    return names.includes('any') ? 'any' : names;
  };
  const actions = await header('actions', 'Which actions?', choices.actionsOrGroups);
  const resources = await header('resources', 'On which types of things?', choices.resourcesOrGroups);
  const condition = async (option: string, ask: string, why: string): Promise<unknown> => {
    const text = await interview.text({
      option,
      ask,
      why,
      otherwise: null,
      check: (answer) => conditionProblem(set, answer),
    });
    return text === null ? null : readCondition(text);
  };
  const when = await condition(
    'when',
    'Under which condition?',
    'As in a rule: `$is: on_the_team, resource.matter_status: open`; left empty it always holds',
  );
  const unless = await condition('unless', 'With which exception?', 'A condition under which the rule does not hold');
  const codes =
    effect === 'deny'
      ? await some('advice', 'Which advice does it give?', 'Shown to the person who was refused', choices.advice)
      : await some(
          'obligations',
          'What must be done when it allows?',
          'A caller that cannot do it must refuse',
          choices.obligations,
        );
  const files = set.files.flatMap(({ path }) => (/^rules\/.*\.ya?ml$/.test(path) ? [path] : []));
  const file = await one({
    ...{ option: 'file', ask: 'In which file?', otherwise: files.at(-1) ?? 'rules/rules.yaml' },
    why: `One of ${files.slice(0, 20).join(', ')}, or a new one`,
    check: (path) =>
      /^rules\/[\w.-]+\.ya?ml$/.test(path) ? null : `write \`rules/${path.replaceAll(/\W+/g, '-')}.yaml\``,
  });
  const entry = {
    ...{ id, title, owner, review_by: reviewBy, effect },
    ...(subjects.length === 0 ? {} : { subjects }),
    ...(roles.length === 0 ? {} : { roles }),
    ...{ actions, resources },
    ...(when === null ? {} : { when }),
    ...(unless === null ? {} : { unless }),
    ...(codes.length === 0 ? {} : { [effect === 'deny' ? 'advice' : 'obligations']: codes }),
  };
  const testFile = `tests/${file.slice('rules/'.length)}`;
  return {
    kind: 'rule',
    id,
    root: 'rules',
    entry,
    file,
    testFile,
    casesFor: (before, after) => ruleCases(before, after, id),
  };
}

function ownersOf({ rules }: PolicySet): readonly string[] {
  return [...new Set(rules.flatMap(({ entry }) => entry.owner ?? []))];
}

function sourceOf(text: string) {
  const braced = /^\s*\{/.test(text) ? text : `{ ${text} }`;
  return parseSourceFile('rules/condition.yaml', Buffer.from(`when: ${braced}\n`));
}

function readCondition(text: string): unknown {
  const { value } = sourceOf(text);
  return typeof value === 'object' && value !== null && 'when' in value ? value.when : null;
}

function conditionProblem({ firm }: PolicySet, text: string): string | null {
  const file = sourceOf(text);
  const [broken] = file.problems;
  if (broken !== undefined) return `this is no YAML: ${broken.message}`;
  const report = createReport();
  parseCondition(readCondition(text), firm.scope(report), { file, path: ['when'] });
  const [wrong] = report.diagnostics;
  return wrong === undefined ? null : `${wrong.message}${wrong.hint === undefined ? '' : `; ${wrong.hint}`}`;
}
