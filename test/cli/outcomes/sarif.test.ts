// SARIF 2.1.0: valid against the schema of the standard, with stable fingerprints and what was accepted with its reason.
import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import type { Outcome } from '../../../src/cli/outcomes/outcome.ts';
import { sarifText } from '../../../src/cli/outcomes/sarif.ts';
import { HOSTILE, item, outcome, saying } from '../../helpers/outcomes.ts';
import { runs } from '../../helpers/runs.ts';

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly message: { readonly text: string };
      readonly locations?: readonly { readonly physicalLocation: object }[];
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly suppressions?: readonly object[];
    }[];
  }[];
}

// The schema is of draft 4, of which it uses nothing that later drafts read otherwise but the name of its own id.
const {
  $schema: _draft,
  id: _id,
  ...schema
} = JSON.parse(await readFile(new URL('sarif-2.1.0.schema.json', import.meta.url), 'utf8')) as Record<string, unknown>;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addFormat('uri-reference', (text) => /^[\w.~:/?#[\]@!$&'()*+,;=%-]*$/.test(text) && URL.canParse(text, 'file:///'));
ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)));
const isValid = ajv.compile(schema);

const AROUND = { folder: '/repo', root: '/repo', version: '1.2.3' };

function sarif(of: Outcome, around = AROUND): Sarif {
  const log: unknown = JSON.parse(sarifText(of, around));
  t.ok(isValid(log), JSON.stringify(isValid.errors));
  return log as Sarif;
}

function only(of: Outcome, around = AROUND): Sarif['runs'][number]['results'][number] | undefined {
  return sarif(of, around).runs[0]?.results[0];
}

t.test('the schema is one that refuses', async (t) => {
  t.notOk(isValid({ version: '2.1.0', runs: [{ tool: { driver: {} } }] }));
  t.notOk(
    isValid({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [{ message: { text: 1 } }] }] }),
  );
});

t.test('a finding, one that was accepted, one of no file; what passed is not told', async (t) => {
  const log = sarif(
    outcome([
      item(),
      item({ code: 'unused-term', accepted: 'It is meant.', level: 'note', column: null, hint: null, details: [] }),
      item({ status: 'unreadable', level: 'error', file: null }),
      item({ status: 'passed' }),
      item({ status: 'skipped' }),
    ]),
  );
  t.match(log, {
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Privity policy check',
            semanticVersion: '1.2.3',
            rules: [
              {
                id: 'no-owner',
                shortDescription: { text: 'A rule has no owner.' },
                defaultConfiguration: { level: 'error' },
              },
              { id: 'unused-term', shortDescription: { text: 'unused-term' }, defaultConfiguration: { level: 'note' } },
            ],
          },
        },
        automationDetails: { id: 'privity/policy-check/' },
        columnKind: 'utf16CodeUnits',
      },
    ],
  });
  const results = log.runs[0]?.results ?? [];
  t.equal(results.length, 3);
  t.match(results[0], {
    ruleId: 'no-owner',
    ruleIndex: 0,
    level: 'warning',
    message: { text: 'copies: the rule has no owner\nNobody can say whether it is still right.\nwrite `owner:`' },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'policies/rules/copies.yaml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 12, startColumn: 5 },
        },
      },
    ],
  });
  t.notOk(results[0]?.suppressions);
  t.strictSame(results[1]?.suppressions, [{ kind: 'inSource', status: 'accepted', justification: 'It is meant.' }]);
  t.notOk(results[2]?.locations);
});

t.test('paths are told from the root of the repository, and percent-encoded', async (t) => {
  const place = (file: string, around = AROUND) =>
    only(outcome([item({ file })]), around)?.locations?.[0]?.physicalLocation;
  const inside = { folder: '/repo/firm', root: '/repo', version: '1' };
  t.match(place('policies/a b#c.yaml', inside), {
    artifactLocation: { uri: 'firm/policies/a%20b%23c.yaml', uriBaseId: '%SRCROOT%' },
  });
  t.match(place('../other/x.yaml', inside), { artifactLocation: { uri: 'other/x.yaml', uriBaseId: '%SRCROOT%' } });
  t.strictSame(Reflect.get(place('/tmp/x y.yaml') ?? {}, 'artifactLocation'), { uri: 'file:///tmp/x%20y.yaml' });
});

t.test('a fingerprint stays while a finding moves, and no two are the same', async (t) => {
  const prints = (of: Outcome) =>
    sarif(of).runs[0]?.results.map(({ partialFingerprints: one }) => one['privityFinding/v1']);
  const here = item();
  const moved = item({
    name: 'no-owner copies (policies/rules/copies.yaml:40:9)',
    line: 40,
    column: 9,
    message: 'other words',
  });
  t.strictSame(prints(outcome([here])), prints(outcome([moved])));
  const others = [
    here,
    here,
    item({ code: 'unused-term' }),
    item({ file: 'b.yaml' }),
    item({ name: 'no-owner prints' }),
  ];
  t.equal(new Set(prints(outcome(others))).size, others.length);
});

t.test('no text of a file is a placeholder or a link, and everything stays valid', async (t) => {
  t.equal(only(outcome([saying('{0} [x](1)')]))?.message.text.split('\n')[0], '{{0}} [x] (1)');
  const holds = (text: string): void => {
    const result = only(outcome([saying(text)]));
    t.equal(result?.ruleId, 'no-owner');
    t.notMatch(result?.message.text.replaceAll(/\{\{|\}\}/g, ''), /[{}]|\]\(/);
  };
  for (const text of HOSTILE) holds(text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), runs(30));
});
