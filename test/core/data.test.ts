// Policy data: what stands in one file, in several, and what stops the load.
import t from 'tap';
import { createCompileCache } from '../../src/core/compile-cache.ts';
import { compileInSteps, compilePolicies } from '../../src/core/compile.ts';
import { decide } from '../../src/core/decide.ts';
import { asks, errorsIn, smallFiles, smallFirm, sourceFile, sourceFiles } from '../helpers/policies.ts';

const errors = (data: string, more = {}) => errorsIn(smallFiles([], { 'data/more.yaml': data, ...more }));

t.test('entries of all files come together, whatever their format', async (t) => {
  const rules = [{ id: 'team', effect: 'allow', actions: 'any', resources: 'any', when: { $is: 'on_the_team' } }];
  const set = smallFirm(rules, {
    'data/matters-tax.csv': 'id,client_id,team,properties.level\nM-10,C-1,u-eve;u-fay,mid\nM-11,C-1,,\n',
    'data/matters.more.ndjson': '{"id":"M-12","client_id":"C-2","team":["u-eve"]}\n',
    'data/people.csv': 'id,clearance,amr[]\nu-eve,high,mfa;pwd\n',
    'data/others.json': JSON.stringify({ assistants: { 'u-sue': ['u-eve'] }, consents: { sharing: ['C-9'] } }),
    'data/yet-more.yaml': 'assistants: { u-sue: [u-fay] }\nconsents: { sharing: [C-8] }\nai_assistants: [{ sub: ai }]',
  });
  t.strictSame([...set.data.matters.keys()].sort(), ['M-1', 'M-10', 'M-11', 'M-12', 'M-2']);
  t.strictSame(set.data.assistants.get('u-sue'), ['u-eve', 'u-fay'], 'the lists of one assistant are joined');
  t.strictSame([...(set.data.consents.get('sharing') ?? [])].sort(), ['C-1', 'C-8', 'C-9']);
  t.strictSame([...set.aiAssistants], ['ai']);
  const on = (matter_id: string) => decide(set, asks({ subject: { id: 'u-eve' }, properties: { matter_id } }));
  t.strictSame(on('M-10').decidedBy, ['team']);
  t.strictSame(on('M-10').onFile, ['resource.level', 'subject.amr', 'subject.clearance']);
  t.strictSame(on('M-11').decidedBy, ['default-deny']);
  t.strictSame(on('M-12').decidedBy, ['team']);
});

t.test('no entry silently replaces another', async (t) => {
  const twice = (root: string, entry: string) =>
    errors(`${root}:\n  - ${entry}\n`, { 'data/other.yaml': `${root}: [${entry}]` });
  const told = (root: string, name: string) => [
    `data/other.yaml:1:${root.length + 4} ${name}: \`${name}\` is listed twice in ${root} — remove one of the two entries`,
  ];
  t.strictSame(twice('matters', '{ id: M-9, client_id: C-1 }'), told('matters', 'M-9'));
  t.strictSame(twice('people', '{ id: u-1 }'), told('people', 'u-1'));
  t.strictSame(twice('resources', '{ type: note, id: N-1 }'), told('resources', 'note N-1'));
  t.strictSame(
    twice('grants', '{ id: G-9, granted_to: u-1, matter_id: M-1, actions: [read], approved_by: u-2 }'),
    told('grants', 'G-9'),
  );
  t.strictSame(twice('services', '{ sub: svc-1, source_systems: [dms], allowed: [] }'), told('services', 'svc-1'));
  t.strictSame(errors('matters: [{ id: M-9, client_id: C-1 }, { id: M-9, client_id: C-2 }]'), [
    'data/more.yaml:1:40 M-9: `M-9` is listed twice in matters — remove one of the two entries',
  ]);
  t.strictSame(errors('resources: [{ type: note, id: X }, { type: document, id: X }]'), [], 'an id of each type');
});

t.test('what the dictionary does not know, or knows otherwise, stops the load', async (t) => {
  t.strictSame(
    errors(`people:
  - { id: u-1, clearence: high }
  - { id: u-2, clearance: top, roles: [boss], directory: { clearance: 5, id: u-3 } }
  - { id: u-4, auth_time: yesterday, clearance: null }
`),
    [
      'data/more.yaml:2:16 u-1: `clearence` is no subject attribute that firm.yaml knows — did you mean `clearance`?',
      'data/more.yaml:3:16 u-2: `subject.clearance` must be one of low, mid, high',
      'data/more.yaml:3:32 u-2: `subject.roles` must be list (one of partner, associate, clerk, analyst)',
      'data/more.yaml:3:60 u-2: `subject.clearance` must be one of low, mid, high',
      'data/more.yaml:3:74 u-2: `id` is no subject attribute that firm.yaml knows — known: roles, user_type, clearance, amr, auth_time, floor',
      'data/more.yaml:4:16 u-4: `subject.auth_time` must be timestamp',
    ],
  );
  t.strictSame(
    errors(`matters:
  - { id: M-8, client_id: C-1, properties: { level: top, client_id: C-2, matter_id: M-8 } }
resources:
  - { type: scroll, id: S-1 }
  - { type: content, id: S-2 }
  - { type: note, id: S-3, properties: { constructor: x, sealed: 'yes', title: '' } }
`),
    [
      'data/more.yaml:2:46 M-8: `resource.level` must be one of low, mid, high',
      'data/more.yaml:2:58 M-8: `client_id` of a matter cannot stand in its properties — the entry itself says it',
      'data/more.yaml:2:74 M-8: `matter_id` of a matter cannot stand in its properties — the entry itself says it',
      'data/more.yaml:4:7 scroll S-1: `scroll` is no resource type that firm.yaml knows — known: document, note, matter, client, wall, report, content',
      'data/more.yaml:5:7 content S-2: `content` is a group — name its members: document, note',
      'data/more.yaml:6:42 note S-3: `constructor` is no resource attribute that firm.yaml knows — known: matter_id, client_id, level, sealed, owner, tags, filed, term, pages, title',
      'data/more.yaml:6:58 note S-3: `resource.sealed` must be boolean',
    ],
  );
});

t.test('nothing on file makes a resource or person another one than it is found by', async (t) => {
  const known = 'known: matter_id, client_id, level, sealed, owner, tags, filed, term, pages, title';
  t.strictSame(errors('resources: [{ type: document, id: D-1, properties: { type: wall, id: D-2 } }]'), [
    `data/more.yaml:1:54 document D-1: \`type\` is no resource attribute that firm.yaml knows — ${known}`,
    `data/more.yaml:1:66 document D-1: \`id\` is no resource attribute that firm.yaml knows — ${known}`,
  ]);
  t.strictSame(errors('matters: [{ id: M-9, client_id: C-1, properties: { type: wall } }]'), [
    `data/more.yaml:1:52 M-9: \`type\` is no resource attribute that firm.yaml knows — ${known}`,
  ]);
});

t.test('grants and services name plain actions, types and systems', async (t) => {
  const grant = 'granted_to: u-1, matter_id: M-1, approved_by: u-2';
  t.strictSame(
    errors(`grants:
  - { id: G-7, ${grant}, actions: [read, raed, look], valid_until: tomorrow }
services:
  - sub: svc-1
    source_systems: [dsm]
    allowed: [{ resource_type: content, actions: [look, shred] }, { resource_type: scroll, actions: [] }]
`),
    [
      'data/more.yaml:2:83 G-7: `raed` is no action that firm.yaml knows — did you mean `read`?',
      'data/more.yaml:2:89 G-7: `look` is a group — name its members: read, list',
      'data/more.yaml:2:96 G-7: `valid_until` has the wrong form — instants are RFC 3339, such as 2026-03-01T00:00:00Z',
      'data/more.yaml:5:22 svc-1: `dsm` is no source system that firm.yaml knows — did you mean `dms`?',
      'data/more.yaml:6:17 svc-1: `content` is a group — name its members: document, note',
      'data/more.yaml:6:51 svc-1: `look` is a group — name its members: read, list',
      'data/more.yaml:6:57 svc-1: `shred` is no action that firm.yaml knows — known: read, list, edit, export, look',
      'data/more.yaml:6:69 svc-1: `scroll` is no resource type that firm.yaml knows — known: document, note, matter, client, wall, report, content',
    ],
  );
  // A letter for a digit once made a grant that was never over.
  t.strictSame(
    errors(`grants: [{ id: G-7, ${grant}, actions: [read], valid_from: '2O26-01-01T00:00:00Z' }]`).length,
    1,
  );
});

t.test('roots are those of the format, and no others', async (t) => {
  const roots = 'version, accept, matters, grants, people, assistants, consents, services, ai_assistants, resources';
  t.strictSame(errors('constructor: [{ id: x }]\ntoString: []\nmatter: []\n'), [
    `data/more.yaml:1:1: unknown member \`constructor\` in the file — known here: ${roots}`,
    `data/more.yaml:2:1: unknown member \`toString\` in the file — known here: ${roots}`,
    'data/more.yaml:3:1: unknown member `matter` in the file — did you mean `matters`?',
  ]);
  t.strictSame(errors('consents: { shareing: [C-1] }'), [
    'data/more.yaml:1:13: `shareing` is no consent list that firm.yaml knows — did you mean `sharing`?',
  ]);
  t.strictSame(errors('- matters'), ['data/more.yaml:1:1: the file must be a map, found a list']);
});

t.test('long lists are checked in slices that cover all of them', async (t) => {
  const rows = Array.from({ length: 1_250 }, (_, index) => ({ id: `M-${1000 + index}`, client_id: 'C-1' }));
  const wrong = [0, 499, 500, 999, 1000, 1249];
  const text = rows.map((row, index) => JSON.stringify(wrong.includes(index) ? { id: row.id } : row)).join('\n');
  t.strictSame(
    errors('people: []', { 'data/matters.ndjson': text }).map((line) => line.split(' ')[0]),
    wrong.map((index) => `data/matters.ndjson:${index + 1}:1`),
  );
  const good = smallFiles([], { 'data/matters.ndjson': rows.map((row) => JSON.stringify(row)).join('\n') });
  const steps = compileInSteps(sourceFiles(good), { commit: null });
  let pauses = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      t.equal(step.value.set?.data.matters.size, 1_252);
      break;
    }
    pauses += 1;
  }
  t.ok(pauses > 10, `${pauses} pauses`);
});

t.test('a file that has not changed is not compiled again, unless the firm did', async (t) => {
  const cache = createCompileCache();
  const files = sourceFiles(smallFiles([], { 'data/more.yaml': 'grants: []\nmatters: [{ id: M-9, client_id: C-1 }]' }));
  const first = compilePolicies(files, { commit: null, cache }).set;
  const again = compilePolicies([...files], { commit: null, cache }).set;
  t.equal(again?.data.matters.get('M-9'), first?.data.matters.get('M-9'));
  const firm = files.map((file) =>
    file.path === 'firm.yaml' ? sourceFile('firm.yaml', new TextDecoder().decode(file.bytes).concat('\n')) : file,
  );
  const other = compilePolicies(firm, { commit: null, cache }).set;
  t.not(other?.data.matters.get('M-9'), first?.data.matters.get('M-9'));
  const broken = [...files.slice(0, -1), sourceFile('data/more.yaml', 'grants: [{ id: 5 }]')];
  for (let i = 0; i < 2; i++)
    t.equal(compilePolicies(broken, { commit: null, cache }).set, null, 'errors are told again');
});
