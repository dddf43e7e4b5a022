// The GitHub Action, as a runner would carry it out: its file is judged by GitHub's own parser, its conditions by GitHub's own evaluator, and its
// scripts run in a real repository.
import { spawnSync } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import t from 'tap';
import { parse } from 'yaml';
import { environment, REPOSITORY } from '../cli/privity.ts';
import { policiesRepository } from '../helpers/policies-repository.ts';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

const text = await readFile(path.join(REPOSITORY, 'action.yml'), 'utf8');
const action = parse(text) as Action;

interface Parsed {
  readonly context: { readonly errors: { getErrors(): readonly { readonly message: string }[] } };
}

const errorsOf = ({ context }: Parsed): string[] => context.errors.getErrors().map(({ message }) => message);

async function parser() {
  // Its schemas are JSON modules imported without saying so, as bundlers take them.
  const hooks = registerHooks({
    load: (url, context, next) =>
      next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
  });
  const { parseAction } = await import('@actions/workflow-parser/actions/action-parser');
  const { NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');
  hooks.deregister();
  return { parseAction, parseWorkflow, trace: new NoOperationTraceWriter() };
}

t.test("GitHub's parser finds nothing wrong with it, nor with the workflows", async (t) => {
  const { parseAction, parseWorkflow, trace } = await parser();
  t.strictSame(errorsOf(parseAction({ name: 'action.yml', content: text }, trace)), []);
  const broken = text.replace('shell: bash', 'shel: bash');
  t.match(errorsOf(parseAction({ name: 'action.yml', content: broken }, trace)), [/shel/]);
  const workflow = await readFile(path.join(REPOSITORY, '.github/workflows/ci.yaml'), 'utf8');
  t.strictSame(errorsOf(parseWorkflow({ name: 'ci.yaml', content: workflow }, trace)), []);
});

t.test('the workflow in the docs is one, and gives the action what it takes', async (t) => {
  const docs = await readFile(path.join(REPOSITORY, 'docs/policy-tools.md'), 'utf8');
  const example = /```yaml workflow\n([\s\S]*?)```/.exec(docs)?.[1] ?? '';
  const { parseWorkflow, trace } = await parser();
  t.strictSame(errorsOf(parseWorkflow({ name: 'policies.yaml', content: example }, trace)), []);
  const { jobs } = parse(example) as { jobs: { policies: { steps: { uses: string; with: object }[] } } };
  const given = jobs.policies.steps.find(({ uses }) => uses.includes('/privity@'))?.with ?? {};
  for (const name of Object.keys(given)) t.hasProp(action.inputs, name);
});

t.test('no input stands in a script: it would be run', async (t) => {
  const scripts = action.runs.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
  t.ok(scripts.length >= 7);
  for (const script of scripts) t.notMatch(script, /\$\{\{/);
});

/** What `${{ }}` stands for in a text of the file. */
function evaluated(value: string, contexts: data.Dictionary): string {
  return value.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression: string) => {
    const names = contexts.pairs().map(({ key }) => key);
    const isCancelled = { name: 'cancelled', minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(false) };
    const tree = new Parser(new Lexer(expression).lex().tokens, names, [isCancelled]).parse();
    return new Evaluator(tree, contexts, new Map([['cancelled', isCancelled]])).evaluate().coerceString();
  });
}

function dictionary(values: Readonly<Record<string, data.ExpressionData>>): data.Dictionary {
  return new data.Dictionary(...Object.entries(values).map(([key, value]) => ({ key, value })));
}

/** Carries the steps out, but for those that install. @param only those with these ids */
function runAction(folder: string, given: Readonly<Record<string, string>>, only?: readonly string[]) {
  const github = dictionary({ action_path: new data.StringData(REPOSITORY.replace(/\/$/, '')) });
  const inputs = Object.entries(action.inputs).map(([name, input]) => {
    const value = given[name] ?? (input.default.includes('${{') ? '' : input.default);
    return [name, new data.StringData(value)] as const;
  });
  const steps = dictionary({ install: dictionary({ outcome: new data.StringData('success') }) });
  const contexts = dictionary({ github, inputs: dictionary(Object.fromEntries(inputs)), steps });
  const summary = path.join(folder, '..', 'summary.md');
  return action.runs.steps.flatMap((step) => {
    if (step.run === undefined || step.id === 'install' || step.id === undefined) return [];
    if (only?.includes(step.id) === false) return [];
    if (step.if !== undefined && evaluated(step.if, contexts) !== 'true') return [];
    const env = Object.entries(step.env ?? {}).map(([name, value]) => [name, evaluated(value, contexts)]);
    // As runners start `shell: bash`.
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
      cwd: folder,
      encoding: 'utf8',
      env: environment({ ...Object.fromEntries(env), GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: 'true' }),
    });
    return [{ id: step.id, status, said: stdout + stderr, summary }];
  });
}

const outcomes = (steps: ReturnType<typeof runAction>) => steps.map(({ id, status }) => `${id} ${status}`);

t.test('a good change passes, and the summary tells what it does', { timeout: 300_000 }, async (t) => {
  const { folder, git } = await policiesRepository(t);
  const base = git('rev-parse', 'HEAD').trim();
  const file = path.join(folder, 'policies/rules/oversight.yaml');
  await writeFile(file, `${await readFile(file, 'utf8')}\n# A remark changes nothing.\n`);
  git('commit', '-qam', 'policies: a remark');
  const steps = runAction(folder, { base, 'diff-fail-on': 'any', 'sarif-file': 'found.sarif' });
  t.strictSame(
    outcomes(steps),
    ['check 0', 'test 0', 'prove 0', 'diff 0', 'replay 0'],
    steps.map(({ said }) => said).join('\n'),
  );
  const summary = await readFile(steps[0]?.summary ?? '', 'utf8');
  for (const tool of ['check', 'test', 'prove', 'diff']) t.match(summary, new RegExp(`^#+ .*policy ${tool}`, 'm'));
  t.match(JSON.parse(await readFile(path.join(folder, 'found.sarif'), 'utf8')), { version: '2.1.0' });
});

t.test('a change that lets people in fails', async (t) => {
  const { folder, git } = await policiesRepository(t);
  const base = git('rev-parse', 'HEAD').trim();
  const file = path.join(folder, 'policies/rules/new.yaml');
  const rule = { id: 'anybody-reads', effect: 'allow', actions: ['read'], resources: ['content'] };
  await writeFile(file, JSON.stringify({ version: 1, rules: [rule] }));
  git('add', '.');
  git('commit', '-qm', 'policies: everybody reads');
  const steps = runAction(folder, { base, 'diff-fail-on': 'wider' }, ['check', 'diff']);
  t.strictSame(outcomes(steps), ['check 1', 'diff 1'], 'and the first that does stops no other');
  t.match(
    steps[0]?.said,
    /^::warning file=policies\/rules\/[\w-]+\.yaml,line=\d+,.*`anybody-reads`/m,
    'a place in the pull request',
  );
});

t.test('a hostile input is data', async (t) => {
  const { folder } = await policiesRepository(t);
  await cp(path.join(folder, 'policies'), path.join(folder, '$(touch taken)'), { recursive: true });
  const steps = runAction(folder, { policies: '$(touch taken)', coverage: '"; touch taken; "', base: '--help' }, [
    'check',
    'test',
    'diff',
  ]);
  t.equal(steps[0]?.status, 0, 'the folder of that name is checked');
  t.not(steps.find(({ id }) => id === 'test')?.status, 0);
  t.not(steps.find(({ id }) => id === 'diff')?.status, 0);
  await t.rejects(readFile(path.join(folder, 'taken')), { code: 'ENOENT' });
});
