// GitHub: annotations and the summary page, within the limits of a step, whatever the files say.
import fc from 'fast-check';
import t from 'tap';
import { githubText } from '../../../src/cli/outcomes/github.ts';
import { summaryPage } from '../../../src/cli/outcomes/summary-page.ts';
import { HOSTILE, item, outcome, saying } from '../../helpers/outcomes.ts';
import { runs } from '../../helpers/runs.ts';

const AROUND = { folder: '/repo', root: '/repo' };

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Lines that the runner of GitHub Actions takes as orders, read as it reads them. */
function commandsIn(text: string): readonly Command[] {
  return text.split(/\r\n|\r|\n/).flatMap((line) => {
    const found = /^\s*::([\w-]+)(?: ([^\n]*?))?::(.*)$/.exec(line);
    if (found === null) return line.includes('##[') ? [{ name: 'old form', properties: {}, message: line }] : [];
    const [, name = '', properties = '', message = ''] = found;
    const pairs = properties
      .split(',')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    const decoded = pairs.map(([key, value = '']) => [
      key,
      value
        .replaceAll('%3A', ':')
        .replaceAll('%2C', ',')
        .replaceAll('%0D', '\r')
        .replaceAll('%0A', '\n')
        .replaceAll('%25', '%'),
    ]);
    return [
      {
        name,
        properties: Object.fromEntries(decoded) as Record<string, string>,
        message: message.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%'),
      },
    ];
  });
}

t.test('annotations: the heaviest first, what was accepted or passed is none', async (t) => {
  const text = githubText(
    outcome([
      item({ level: 'note', name: 'a: note, 100%', line: null, column: null }),
      item(),
      item({ accepted: 'It is meant.' }),
      item({ status: 'passed' }),
      item({ status: 'unreadable', level: 'error', file: null, details: [], hint: null }),
    ]),
    { folder: '/repo/firm', root: '/repo' },
  );
  t.equal(
    text,
    `::error title=no-owner copies (policies/rules/copies.yaml%3A12%3A5)::copies: the rule has no owner
::warning file=firm/policies/rules/copies.yaml,line=12,col=5,title=no-owner copies (policies/rules/copies.yaml%3A12%3A5)::copies: the rule has no owner%0ANobody can say whether it is still right.%0Awrite \`owner:\`
::notice file=firm/policies/rules/copies.yaml,title=a%3A note%2C 100%25::copies: the rule has no owner%0ANobody can say whether it is still right.%0Awrite \`owner:\`
privity policy check: failed: 5 items`,
  );
});

t.test('ten of a kind are annotated; the last line says how many are not, and they are in the log', async (t) => {
  const of = (level: 'error' | 'warning' | 'note', number: number) =>
    Array.from({ length: number }, (_, index) =>
      item({ level, name: `${level} ${index}`, message: `${level} ${index}` }),
    );
  const text = githubText(outcome([...of('note', 12), ...of('warning', 10), ...of('error', 25)]), AROUND);
  const names = commandsIn(text).map(({ name }) => name);
  t.strictSame(
    ['error', 'warning', 'notice'].map((name) => names.filter((one) => one === name).length),
    [10, 10, 10],
  );
  const lines = text.split('\n');
  t.equal(
    lines.at(-1),
    'Not annotated: 15 errors, 2 notes; GitHub shows 10 of a kind for each step. They are listed above.',
  );
  t.equal(lines.filter((line) => /^(error|note) policies/.test(line)).length, 17);
});

t.test('no text of a file is an order, in annotations and in the log', async (t) => {
  const holds = (text: string): void => {
    const many = Array.from({ length: 12 }, () => saying(text));
    const commands = commandsIn(githubText(outcome(many, { summary: text, tool: 'policy check' }), AROUND));
    t.equal(commands.length, 10);
    for (const { name, properties } of commands) {
      t.equal(name, 'warning');
      t.strictSame(Object.keys(properties), ['file', 'line', 'col', 'title']);
      t.equal(properties['line'], '12');
    }
  };
  for (const text of HOSTILE) holds(text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), runs(30));
});

const MIB = 1024 * 1024;

t.test('the summary page: a heading, what the tool says, what was found and what was accepted', async (t) => {
  const page = summaryPage(
    outcome([item(), item({ accepted: 'It is | meant.' }), item({ status: 'passed' })], {
      markdown: ['- **one** thing'],
    }),
    MIB,
  );
  t.equal(
    page,
    `## ❌ privity policy check policies

3 items

- **one** thing

|  | Where | What | What to do |
| --- | --- | --- | --- |
| warning | policies/rules/copies.yaml&#58;12&#58;5 | copies&#58; the rule has no owner<br>Nobody can say whether it is still right. | write <code>owner&#58;</code> |

| Accepted | Where | Reason |
| --- | --- | --- |
| copies&#58; the rule has no owner | policies/rules/copies.yaml&#58;12&#58;5 | It is &#124; meant. |

`,
  );
  t.match(summaryPage(outcome([]), MIB), /^## ✅ privity policy check policies\n\n0 items\n/);
});

t.test('the page is never larger than it may be, and says that it is cut', async (t) => {
  const many = Array.from({ length: 20_000 }, (_, index) =>
    item({ name: `${index}`, message: `${'<'.repeat(40)}${index}` }),
  );
  const page = summaryPage(outcome(many), MIB);
  t.ok(Buffer.byteLength(page) <= MIB && Buffer.byteLength(page) > MIB - 2_000);
  const [, left] = /\n\n\*\*This page is cut: (\d+) more lines do not fit\./.exec(page) ?? [];
  t.equal(Number(left) + page.split('\n').length - 3, 20_000 + 4 + 2 + 1, 'every line is shown or counted');
  t.equal(summaryPage(outcome(many), 100), '', 'no room at all');
  const huge = summaryPage(outcome([item({ message: 'é'.repeat(3 * MIB), details: ['x'.repeat(MIB), 'y'] })]), MIB);
  t.ok(Buffer.byteLength(huge) < 10_000);
  t.match(huge, / …<br>… \|/);
});

t.test('no text of a file is markup on the page', async (t) => {
  const holds = (text: string): void => {
    const rows = summaryPage(
      outcome([saying(text), item({ ...saying(text), accepted: text })], { subject: text, summary: text }),
      MIB,
    );
    const lines = rows.split('\n');
    t.equal(lines.length, 13);
    t.strictSame(
      lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').length - 2),
      [4, 4, 4, 3, 3, 3],
    );
    t.notMatch(rows.replaceAll(/<(br|\/?code)>/g, ''), /[<>[\]*_`~@$]/);
  };
  for (const text of HOSTILE) holds(text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), runs(30));
});
