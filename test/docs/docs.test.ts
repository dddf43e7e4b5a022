// Every command and example of README and docs/ is carried out: YAML loads beside the starter pack, commands end well, live requests are answered.
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { compilePolicies } from '../../src/core/compile.ts';
import { runTestCase } from '../../src/core/run-tests.ts';
import { formatDiagnostic } from '../../src/core/schema-check.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';
import { readPolicyFolder } from '../../src/io/policies/read.ts';
import { BINARY, environment, privity, REPOSITORY } from '../cli/privity.ts';
import { startPrivity } from '../cli/started.ts';

interface Block {
  readonly doc: string;
  readonly language: string;
  readonly info: string;
  readonly text: string;
}

async function blocks(): Promise<readonly Block[]> {
  const docs = (await readdir(path.join(REPOSITORY, 'docs'))).filter((name) => name.endsWith('.md'));
  const found: Block[] = [];
  for (const doc of ['README.md', ...docs.map((name) => `docs/${name}`)]) {
    const markdown = await readFile(path.join(REPOSITORY, doc), 'utf8');
    for (const [, indent = '', language = '', info = '', text = ''] of markdown.matchAll(
      /^( *)```(\w+)(?: (\S+))?\n([\s\S]*?)^ *```$/gm,
    )) {
      const lines = text.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
      found.push({ doc, language, info, text: lines.join('\n') });
    }
  }
  return found;
}

const all = await blocks();

t.test('YAML of the docs loads beside the starter pack, and its tests pass', async (t) => {
  const { files } = await readPolicyFolder(path.join(REPOSITORY, 'policies'));
  const examples = all.filter(({ language, info }) => language === 'yaml' && info !== '');
  t.ok(examples.length >= 8, `${examples.length} examples`);
  const more = examples.map(({ info, text }) => parseSourceFile(info, Buffer.from(text)));
  const { set, diagnostics } = compilePolicies([...files, ...more], { commit: null });
  t.same(diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic), []);
  const results = set?.tests.map(({ test }) => runTestCase(set, test)) ?? [];
  t.ok(results.some(({ id }) => id === 'example-park-is-screened'));
  t.same(
    results.filter(({ id, passed }) => id.startsWith('example-') && !passed),
    [],
  );
});

t.test('the docs quote what is found in their examples of mistakes, and nothing is found in the others', async (t) => {
  const { files } = await readPolicyFolder(path.join(REPOSITORY, 'policies'));
  // Those of README are rules of the starter pack in other words, which is found as well.
  const examples = all.filter(
    ({ doc, language, info }) => doc !== 'README.md' && language === 'yaml' && info.startsWith('rules/'),
  );
  const more = examples.map(({ info, text }) => parseSourceFile(info, Buffer.from(text)));
  const names = new Set(examples.map(({ info }) => info));
  const { diagnostics } = compilePolicies([...files, ...more], { commit: null });
  const said = diagnostics.filter(({ file }) => names.has(file)).map(formatDiagnostic);
  const quoted = all.filter(({ info }) => info === 'findings').flatMap(({ text }) => text.trim().split('\n'));
  t.ok(quoted.length >= 5, `${quoted.length} findings`);
  t.strictSame(said.toSorted(), quoted.toSorted());
});

t.test('commands of the docs end well', { timeout: 300_000 }, async (t) => {
  const commands = all
    .filter(({ language, info }) => language === 'console' && info !== 'operator')
    .flatMap(({ doc, text }) => text.split('\n').flatMap((line) => (line.startsWith('$ ') ? [{ doc, line }] : [])));
  t.ok(commands.length >= 5, `${commands.length} commands`);
  for (const { doc, line } of commands) {
    const words = line.slice(2).split(' ');
    const args = words.slice(words.indexOf('privity') + 1);
    const { code, out, err } = await privity(args);
    t.equal(code, 0, `${doc}: ${line}\n${err}`);
    t.not(out.trim(), '', `${doc}: ${line} prints something`);
  }
});

t.test('what the README asks a running service is answered', { timeout: 300_000 }, async (t) => {
  const { url, state } = await startPrivity(t);
  const live = all.filter(({ language, info }) => language === 'sh' && info === 'live');
  t.equal(live.length, 2);
  let evaluationId = '';
  for (const { text } of live) {
    const script = text
      .replaceAll('http://127.0.0.1:8080', url)
      .replaceAll('npx privity token', `"${process.execPath}" "${BINARY}" token --state "${state}"`);
    const { stdout, stderr, status } = spawnSync('bash', ['-ec', script], {
      encoding: 'utf8',
      cwd: REPOSITORY,
      env: environment({ EVALUATION_ID: evaluationId }),
    });
    t.equal(status, 0, stderr);
    const answer = JSON.parse(stdout) as { decision?: boolean; context?: { evaluation_id: string }; record?: object };
    if (evaluationId === '') {
      t.equal(answer.decision, true, stdout);
      evaluationId = answer.context?.evaluation_id ?? '';
    } else {
      t.match(answer, { id: evaluationId, record: { outcome: 'allow', subject: { id: 'u-lind' } } }, stdout);
    }
  }
});
