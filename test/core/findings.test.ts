// Data that loads, but that somebody should look at.
import t from 'tap';
import { overdueReviews } from '../../src/core/findings.ts';
import { formatDiagnostic } from '../../src/core/schema-check.ts';
import { diagnosticsIn, errorsIn, findingsIn, smallFiles, starterPolicies } from '../helpers/policies.ts';

const findings = (files: object) => findingsIn(smallFiles([], { ...files }));

t.test('clean data has no findings', async (t) => {
  t.strictSame(findings({}), []);
});

t.test('grants that give nothing', async (t) => {
  const grants = `grants:
  - { id: G-5, granted_to: u-1, matter_id: M-1, actions: [read], approved_by: u-2 }
  - { id: G-6, granted_to: u-1, matter_id: M-1, actions: [read], approved_by: u-1, valid_until: '2026-06-01T00:00:00Z' }
  - { id: G-7, granted_to: u-1, matter_id: M-9, actions: [read], approved_by: u-2, valid_until: '2026-06-01T00:00:00Z' }
  - { id: G-8, granted_to: u-1, matter_id: M-1, actions: [read], approved_by: u-2, valid_until: '' }
`;
  t.strictSame(findings({ 'data/grants.yaml': grants }), [
    'data/grants.yaml:2:5 G-5: a grant without valid_until gives nothing — add an end date',
    'data/grants.yaml:3:5 G-6: a grant approved by the person who receives it gives nothing — have somebody else approve it',
    'data/grants.yaml:4:5 G-7: the matter `M-9` is not registered — the grant gives nothing until it is',
    'data/grants.yaml:5:5 G-8: a grant without valid_until gives nothing — add an end date',
  ]);
});

t.test('walls: people on teams, nobody named, matters not known', async (t) => {
  const walls = `walls:
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-ann, u-ben, u-eve] }
  - { id: W-2, kind: exclusion, client_id: C-1, excluded_people: [u-ben] }
  - { id: W-3, kind: inclusion, matter_id: M-2 }
  - { id: W-4, kind: exclusion, matter_id: M-8 }
  - { id: W-5, kind: opposing, sides: [{ people: [u-ann], matters: [M-1] }, { people: [u-ben], matters: [M-9] }] }
`;
  const over = '— the wall wins while it is active; take the person off the team';
  const told = [
    `data/data.yaml:2:82 M-1: \`u-ann\` is on the team but excluded by W-1 (walls/walls.yaml:2) ${over}`,
    `data/data.yaml:2:82 M-1: \`u-ben\` is on the team but excluded by W-1 (walls/walls.yaml:2) ${over}`,
    `data/data.yaml:2:82 M-1: \`u-ben\` is on the team but on the other side of W-5 (walls/walls.yaml:6) ${over}`,
    `data/data.yaml:2:82 M-1: \`u-ben\` is on the team but excluded by W-2 (walls/walls.yaml:3) ${over}`,
    'walls/walls.yaml:4:5 W-3: the inclusion wall lets nobody in — list included_people',
    'walls/walls.yaml:5:5 W-4: the matter `M-8` is not registered yet — the wall holds from the moment it is',
    'walls/walls.yaml:5:5 W-4: the exclusion wall keeps nobody out — list excluded_people',
    'walls/walls.yaml:6:5 W-5: the matter `M-9` is not registered yet — the wall holds from the moment it is',
  ];
  t.strictSame(findings({ 'walls/walls.yaml': walls }), told);
});

t.test('teams: whom walls of every kind keep out', async (t) => {
  const data = `matters:
  - { id: M-5, client_id: C-5, team: [u-ann, u-ben, u-cat] }
  - { id: M-6, client_id: C-6, team: [u-dan] }
assistants: { u-ben: [u-cat, u-ann], u-cat: [u-ann] }
`;
  const walls = `walls:
  - { id: W-1, kind: exclusion, client_id: C-5, excluded_people: [u-ann], released_assistants: [u-cat] }
  - { id: W-2, kind: inclusion, matter_id: M-5, included_people: [u-ann, u-ben] }
  - { id: W-3, kind: opposing, sides: [{ people: [u-ann], matters: [M-5] }, { people: [u-dan], matters: [M-6] }] }
`;
  const all = findings({ 'data/more.yaml': data, 'walls/walls.yaml': walls });
  t.strictSame(
    all.map((line) => line.replace(/ — .*/, '')),
    [
      'data/more.yaml:2:32 M-5: `u-cat` is on the team but not let in by W-2 (walls/walls.yaml:3)',
      'data/more.yaml:2:32 M-5: `u-ann` is on the team but excluded by W-1 (walls/walls.yaml:2)',
      'data/more.yaml:2:32 M-5: `u-ben` is on the team but assists `u-ann`, whom W-1 (walls/walls.yaml:2) excludes',
    ],
    'an assistant who was released by name is not screened, and nobody is on the other side of their own',
  );
});

t.test('people whom nobody listed, once each', async (t) => {
  const people = 'people: [{ id: u-ann, directory: { roles: [partner] } }, { id: u-ben }]';
  const more = `matters: [{ id: M-7, client_id: C-1, team: [u-bne, u-ann], responsible_attorney: u-resp, proposing_partner: u-prop }]
assistants: { u-help: [u-ann, u-bne] }
`;
  const walls = 'walls: [{ id: W-1, kind: exclusion, matter_id: M-7, excluded_people: [u-eve, u-resp] }]';
  const unlisted = (files: object) => findings({ 'data/more.yaml': more, 'walls/walls.yaml': walls, ...files });
  t.strictSame(unlisted({}), [], 'where there is no directory, nobody is expected in it');
  t.strictSame(
    unlisted({ 'data/people.yaml': people }).map((line) =>
      line.replace(' is not listed in data/people — check the spelling', ''),
    ),
    [
      'data/data.yaml:3:32 M-2: `u-cat`',
      'data/data.yaml:5:16 G-1: `u-dan`',
      'data/more.yaml:1:38 M-7: `u-bne`',
      'data/more.yaml:1:60 M-7: `u-resp`',
      'data/more.yaml:1:90 M-7: `u-prop`',
      'data/more.yaml:2:15: `u-help`',
      'walls/walls.yaml:1:9 W-1: `u-eve`',
    ],
  );
});

t.test('lists too long for YAML', async (t) => {
  const rows = Array.from({ length: 5_001 }, (_, index) => `{"id":"M-${1000 + index}","client_id":"C-1"}`);
  t.strictSame(findings({ 'data/long.yaml': `{"matters":[${rows.join(',')}]}` }), [
    'data/long.yaml:1:2: matters has 5001 entries — move them to data/matters.csv or data/matters.ndjson',
  ]);
  t.strictSame(findings({ 'data/long.yaml': `{"matters":[${rows.slice(1).join(',')}]}` }), []);
  t.strictSame(findings({ 'data/matters.ndjson': rows.join('\n') }), []);
});

t.test('findings never stop a load, and errors leave no room for them', async (t) => {
  const files = smallFiles([], { 'walls/walls.yaml': 'walls: [{ id: W-3, kind: inclusion, matter_id: M-2 }]' });
  t.strictSame(errorsIn(files), []);
  t.strictSame(
    diagnosticsIn(files).map(({ severity, code }) => [severity, code]),
    [['finding', 'nobody-included']],
  );
  t.strictSame(
    findings({ 'walls/walls.yaml': 'walls: [{ id: W-3, kind: inclusion, matter_id: M-2 }]', 'lockdown.yaml': 'x: 1' }),
    [],
  );
});

t.test('reviews are overdue from the day after', async (t) => {
  const { rules } = starterPolicies();
  t.strictSame(overdueReviews(rules, '2026-12-31'), []);
  const [first, ...others] = overdueReviews(
    rules.filter(({ id }) => id === 'mfa-outside-office'),
    '2027-04-01',
  ).map(formatDiagnostic);
  t.match(first, /^rules\/base-checks\.yaml:\d+:\d+ mfa-outside-office: the review was due on 2027-03-31 — /);
  t.strictSame(others, []);
  t.strictSame(
    overdueReviews(
      rules.filter(({ id }) => id === 'mfa-outside-office'),
      '2027-03-31',
    ),
    [],
    'the day itself is in time',
  );
});
