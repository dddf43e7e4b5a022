// Formatting keeps what files say and every comment, comes to rest at once, and what it cannot do without damage it refuses.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { compilePolicies } from '../../../../src/core/compile.ts';
import { describeRule, describeTerms } from '../../../../src/core/describe-policy.ts';
import { fileKind, type FileKind } from '../../../../src/core/file-kind.ts';
import { runTestCase } from '../../../../src/core/run-tests.ts';
import { parseSourceFile } from '../../../../src/io/policies/parse.ts';
import { attachedComments } from '../../../../tools/policy/format/comments.ts';
import { formatFile } from '../../../../tools/policy/format/format.ts';
import { starterFiles, starterPolicies } from '../../../helpers/policies.ts';
import { runs } from '../../../helpers/runs.ts';
import { untidyText, type Drawn } from './untidy.ts';

async function formatted(text: string, path = 'rules/a.yaml', kind: FileKind = 'rules'): Promise<string> {
  const result = await formatFile(path, kind, Buffer.from(text));
  return 'text' in result ? result.text : JSON.stringify(result);
}

t.test('members, brackets, quotes, spaces and the line between rules', async (t) => {
  const text = `# the head
rules:   # all of them
    - effect: allow
      id:   one      # its name
      # who asks
      roles:
      - "partner"
      - associate


      title: 'It''s one'
      actions: any
      resources: any
      when: {   $is: on_the_team, resource.final:   false}
    - {resources: any, effect: deny, actions: [read], id: two}
    # about three
    - id: three
      effect: deny
      resources:
      - document # only these
      actions: [read,
         list]
version: 1`;
  t.equal(
    await formatted(text),
    `# the head
version: 1
rules: # all of them
  - id: one # its name
    title: "It's one"
    effect: allow
    # who asks
    roles: ['partner', associate]
    actions: any
    resources: any
    when: { $is: on_the_team, resource.final: false }

  - { id: two, effect: deny, actions: [read], resources: any }

  # about three
  - id: three
    effect: deny
    actions: [read, list]
    resources:
      - document # only these
`,
  );
});

t.test('what is not in order cannot be told apart from what authors order themselves', async (t) => {
  const when = 'rules:\n  - id: a\n    when: { subject.id: x, $is: y, action.name: z }\n';
  t.equal(await formatted(when), when);
  const data = 'people:\n  - { id: p }\nmatters: []\n';
  t.equal(await formatted(data, 'data/all.yaml', 'data'), data);
});

t.test('a map with a comment whose place is not certain stays as it is', async (t) => {
  const text = 'rules:\n  - effect: allow\n    when:\n      a: 1\n      # about the part above\n    id: one\n';
  t.equal(await formatted(text), text);
});

t.test('where a comment could not keep its place, the file is left as it is', async (t) => {
  const text = 'rules:\n  - id: a\n    when:\n      $or:\n        -\n          # one\n          - x\n';
  t.equal(await formatted(text), '{"refused":"a comment would move to another place"}');
});

t.test('aliases, broken files and foreign bytes are left to their author', async (t) => {
  const codes = async (bytes: string | Uint8Array) => {
    const result = await formatFile('rules/a.yaml', 'rules', Buffer.from(bytes));
    return 'problems' in result ? result.problems.map(({ code }) => code) : result;
  };
  t.same(await codes('rules: [&a { id: b }, *a]\n'), ['yaml-alias']);
  t.same(await codes('rules: [\n'), ['yaml-syntax']);
  t.same(await codes('rules: [{ id: a, id: b }]\n'), ['duplicate-key']);
  t.same(await codes(Uint8Array.of(0x61, 0xff)), ['not-utf-8']);
});

t.test('of tables only line ends change; JSON is laid out', async (t) => {
  const csv = 'id,client_id\r\nM-1 , C-1\r\nM-2,"a, b"\r\n\r\n';
  t.equal(await formatted(csv, 'data/matters.csv', 'data'), 'id,client_id\nM-1 , C-1\nM-2,"a, b"\n');
  const lines = '{"id":"M-1",  "client_id":"C-1"}';
  t.equal(await formatted(lines, 'data/matters.ndjson', 'data'), `${lines}\n`);
  t.equal(await formatted('{"consents":{"a":["C-1"]}}', 'data/c.json', 'data'), '{ "consents": { "a": ["C-1"] } }\n');
});

t.test('untidy documents keep their meaning and their comments, and a second time changes nothing', async (t) => {
  let refused = 0;
  let moved = 0;
  const holds = async ({ text, value, kind }: Drawn): Promise<boolean> => {
    const path = `${kind}/a.yaml`;
    const read = (of: string): unknown => parseSourceFile(path, Buffer.from(of)).value;
    if (!isDeepStrictEqual(read(text), value)) throw new Error(`drawn wrongly:\n${text}`);
    const result = await formatFile(path, kind, Buffer.from(text));
    if (!('text' in result)) {
      refused++;
      return 'refused' in result;
    }
    if (result.text !== text) moved++;
    const again = await formatFile(path, kind, Buffer.from(result.text));
    return (
      isDeepStrictEqual(read(result.text), value) &&
      isDeepStrictEqual(attachedComments(result.text), attachedComments(text)) &&
      'text' in again &&
      again.text === result.text
    );
  };
  const options = runs(60, 5_000);
  await fc.assert(fc.asyncProperty(untidyText(), holds), options);
  const { numRuns } = options;
  t.ok(moved > numRuns / 2, `${moved} of ${numRuns} were untidy`);
  t.ok(refused < numRuns / 10, `${refused} of ${numRuns} were refused`);
});

t.test('the starter policies, written untidily, compile to the same policies', { timeout: 300_000 }, async (t) => {
  const before = starterPolicies();
  const files = await Promise.all(
    starterFiles()
      .filter(({ path }) => /^(rules|walls)\//.test(path) || path === 'firm.yaml')
      .map(async (file) => {
        const untidy = Buffer.from(file.bytes)
          .toString('utf8')
          .replaceAll(/: \[([\w, ]+)\]$/gm, (_, items: string) => `:   [ ${items} ]`)
          .replaceAll(/'([\w${}:.-]+)'/g, '"$1"');
        const result = await formatFile(file.path, fileKind(file.path) ?? 'rules', Buffer.from(untidy));
        return parseSourceFile(file.path, Buffer.from('text' in result ? result.text : ''));
      }),
  );
  const written = new Set(files.map(({ path }) => path));
  const others = starterFiles().filter(({ path }) => !written.has(path));
  const { set } = compilePolicies([...files, ...others], { commit: null });
  if (set === null) throw new Error('does not compile');
  const said = (of: typeof set) =>
    JSON.stringify([of.rules.map((rule) => ({ ...describeRule(of, rule), source: null })), describeTerms(of)]);
  t.equal(said(set), said(before));
  t.same(
    before.tests.filter(({ test }) => !isDeepStrictEqual(runTestCase(set, test), runTestCase(before, test))),
    [],
  );
});
