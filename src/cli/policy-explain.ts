// `privity policy explain`: one request, and what every rule and wall makes of it. It must never decide otherwise than the service would.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Type, type Static } from 'typebox';
import { explain } from '../core/explain.ts';
import type { PolicySet } from '../core/policy-set.ts';
import { requestOfTest } from '../core/run-tests.ts';
import { checkFile } from '../core/schema-check.ts';
import { nearest } from '../core/suggest.ts';
import { formatTimestamp } from '../core/time.ts';
import type { DecisionRequest } from '../model/decision.ts';
import { TestCase } from '../model/rules.ts';
import { showDiagnostics } from './policies/diagnostics.ts';
import { explanationJson, showExplanation } from './policies/explanation.ts';
import { isTestFile, loadSet, POLICIES_OPTION, type PoliciesFolder } from './policies/load.ts';
import { findCases, renamed } from './policies/test-cases.ts';
import type { Shell } from './shell/shell.ts';
import { type Arguments, UsageError, type Verb } from './shell/verb.ts';

/** A test case without what a test expects; `now` may be left out. */
const Question = Type.Object(
  {
    ...TestCase.properties,
    id: Type.Optional(TestCase.properties.id),
    now: Type.Optional(TestCase.properties.now),
    expect: Type.Optional(TestCase.properties.expect),
  },
  { additionalProperties: false },
);
type Question = Static<typeof Question>;

export const verb: Verb = {
  about: [
    'Takes one request and goes through every rule and wall: whether it is about the request at all, and if so the truth ' +
      'of each part of its condition with the values it read. The request is a test case of the folder, or a file of ' +
      'the same shape (YAML or JSON): claims, action, resource, context, and now, which may be left out.',
  ],
  options: {
    policies: POLICIES_OPTION,
    test: { value: 'ID', help: 'explain this test case of the folder' },
    request: { value: 'FILE', help: 'explain the request in this file; - is standard input' },
    format: { value: 'FORMAT', choices: ['pretty', 'json'], help: 'how to print it' },
  },
  examples: [
    { command: 'privity policy explain --test exclusion-wall-D1', does: 'why a test case comes out as it does' },
    {
      command: `echo '{ "claims": { "sub": "u-nash", "roles": ["associate"], "user_type": "internal" }, "action": "read", "resource": { "type": "document", "id": "D-1" }, "context": { "source_system": "dms" } }' | privity policy explain --request -`,
      does: 'a request of your own',
    },
  ],
  async run(shell, args) {
    const { set, folder } = await loadSet(shell, args);
    const question = await readQuestion(shell, args, folder);
    const request = requestOf(set, question, shell.now());
    const explanation = explain(set, request);
    if (args.text('format') === 'json') shell.out.line(explanationJson(set, request, explanation));
    else showExplanation(shell.out, set, request, explanation);
    return 0;
  },
};

function requestOf(set: PolicySet, question: Question, now: number): DecisionRequest {
  const made = requestOfTest(set, { ...question, now: question.now ?? formatTimestamp(now) });
  if ('refused' in made) {
    throw new UsageError(`such a request is refused before anything is decided: ${made.refused}`);
  }
  return made.request;
}

async function readQuestion(shell: Shell, args: Arguments, folder: PoliciesFolder): Promise<Question> {
  const [test, request] = [args.text('test'), args.text('request')];
  if ((test === undefined) === (request === undefined)) {
    throw new UsageError('say which request to explain', 'give either `--test ID` or `--request FILE`');
  }
  return test === undefined ? readRequest(shell, request ?? '-') : findTest(test, folder);
}

function findTest(id: string, folder: PoliciesFolder): Question {
  const { cases } = findCases(folder.files.filter(isTestFile));
  const found = cases.find((one) => one.id === id);
  if (found?.test) return found.test;
  if (found !== undefined) {
    throw new UsageError(
      `the test case \`${id}\` is misshapen`,
      `see ${path.join(folder.folder, found.file)}:${found.line}`,
    );
  }
  const near = nearest(
    id,
    cases.map((one) => one.id),
  );
  throw new UsageError(
    `there is no test case \`${id}\` in ${path.join(folder.folder, 'tests')}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  );
}

async function readRequest(shell: Shell, name: string): Promise<Question> {
  const text =
    name === '-' ? await shell.readInput() : await readFile(path.resolve(shell.folder, name)).catch(unreadable(name));
  const { parseSourceFile } = await import('../io/policies/parse.ts');
  const shown = name === '-' ? 'standard input' : name;
  const file = renamed(parseSourceFile('tests/request.yaml', Buffer.from(text)), shown);
  const mistakes = checkFile(file, Question);
  if (mistakes.length > 0) {
    showDiagnostics(shell.err, mistakes, { files: [file], folder: '' });
    throw new UsageError(
      `${shown} holds no request`,
      'it has the shape of a test case: claims, action, resource, context',
    );
  }
  return file.value as Question;
}

function unreadable(name: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new UsageError(
      `\`${name}\` cannot be read`,
      error.code === 'ENOENT' ? 'there is no such file' : error.message,
    );
  };
}
