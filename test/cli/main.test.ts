// The command line as a whole: help, versions, mistakes in typing, exit codes.
import t from 'tap';
import { privity } from './privity.ts';

const VERBS = [
  'start',
  'serve',
  'migrate',
  'doctor',
  'config',
  'token',
  'policy check',
  'policy test',
  'policy explain',
  'policy requires',
  'policy matrix',
  'policy describe',
];

t.test('help of the program names every verb', async (t) => {
  const { code, out, err } = await privity(['--help']);
  t.equal(code, 0);
  t.equal(err, '');
  for (const verb of VERBS) t.match(out, new RegExp(`^ {2}${verb} {2,}\\S`, 'm'));
  t.match(out, 'Exit codes: 0 done, 1 errors found or tests failed, 2 wrong usage or configuration.');
});

t.test('every verb has help with an example', async (t) => {
  for (const verb of VERBS) {
    const { code, out } = await privity([...verb.split(' '), '--help']);
    t.equal(code, 0, verb);
    t.match(out, `Usage: privity ${verb}`, verb);
    t.match(out, /^Examples?:$/m, verb);
    t.match(out, new RegExp(`^ {2}.*privity ${verb}`, 'm'), verb);
    t.equal((await privity(['help', ...verb.split(' ')])).out, out, `help ${verb}`);
  }
});

t.test('without a verb the help goes to stderr, exit code 2', async (t) => {
  const { code, out, err } = await privity([]);
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, 'Usage: privity <command>');
});

t.test('a group of verbs', async (t) => {
  const asked = await privity(['policy', '--help']);
  t.equal(asked.code, 0);
  t.match(asked.out, 'policy explain');
  t.notMatch(asked.out, 'migrate');
  const bare = await privity(['policy']);
  t.equal(bare.code, 2);
  t.equal(bare.err, asked.out);
});

t.test('version', async (t) => {
  const { code, out } = await privity(['--version']);
  t.equal(code, 0);
  t.match(out, /^\d+\.\d+\.\d+\n$/);
});

t.test('mistakes in typing get the nearest right spelling', async (t) => {
  const cases: [string[], RegExp][] = [
    [['strat'], /unknown command `strat`\n {2}did you mean `start`\?/],
    [['policy', 'chekc'], /unknown command `policy chekc`\n {2}did you mean `policy check`\?/],
    [['polcy', 'test'], /did you mean `policy test`\?/],
    [['polic'], /did you mean `policy`\?/],
    [['check'], /did you mean `policy check`\?/],
    [['policy', 'check', '--polices', 'x'], /unknown option `--polices`\n {2}did you mean `--policies`\?/],
    [['policy', 'test', '--format', 'jsn'], /`--format jsn` is unknown\n {2}did you mean `json`\?/],
    [['policy', 'test', '--format', 'yaml'], /one of pretty, json, junit, tap/],
    [['policy', 'check', '--policies', '--format', 'json'], /`--policies` needs a value/],
    [['config', '--json=yes'], /`--json` takes no value/],
    [['config', '--json', '--json'], /`--json` is given twice/],
    [['config', 'all'], /`all` is one argument too many/],
    [['policy', 'requires', 'document'], /an argument is missing\n {2}give <resource-type> <action>/],
    [['--policies', 'x', 'policy', 'check'], /the command comes first/],
    [['qqqqqq'], /unknown command `qqqqqq`/],
  ];
  for (const [words, expected] of cases) {
    const { code, out, err } = await privity(words);
    t.equal(code, 2, words.join(' '));
    t.equal(out, '', words.join(' '));
    t.match(err, expected, words.join(' '));
    t.notMatch(err, /\n {4}at /, 'no stack');
  }
});

t.test('no colours without a terminal', async (t) => {
  const { out } = await privity(['policy', 'check', '--help']);
  t.notOk(out.includes('\u001b'));
});
