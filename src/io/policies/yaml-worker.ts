// The thread behind yaml-thread.ts: reads one YAML text after the other and posts what it found. It must never do anything else.
import { parentPort } from 'node:worker_threads';
import { createProblems } from './text.ts';
import { readYaml } from './yaml-file.ts';
import type { YamlAnswer, YamlQuestion } from './yaml-thread.ts';

parentPort?.on('message', ({ path, text }: YamlQuestion) => {
  const problems = createProblems(path);
  const tree = readYaml(text, problems);
  const answer: YamlAnswer = { tree, problems: problems.list };
  parentPort?.postMessage(answer);
});
