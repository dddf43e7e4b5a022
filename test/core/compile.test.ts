// A folder becomes a set as a whole, or a list of everything that is wrong with it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { compilePolicies, revisionOf } from '../../src/core/compile.ts';
import type { SourceFile } from '../../src/model/diagnostic.ts';
import {
  compiled,
  diagnosticsIn,
  errorsIn,
  SMALL_FIRM,
  smallFiles,
  sourceFile,
  sourceFiles,
  starterFiles,
} from '../helpers/policies.ts';
import { BAD_PACK } from './bad-pack.ts';

const expected = readFileSync(new URL('bad-pack.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

t.test('every mistake at once, each with its place and its remedy', async (t) => {
  t.strictSame(errorsIn(BAD_PACK), expected);
  t.ok(new Set(diagnosticsIn(BAD_PACK).map(({ code }) => code)).size >= 40, 'of forty kinds and more');
  t.equal(new Set(expected).size, expected.length, 'nothing is told twice');
});

t.test('the list does not depend on the order in which the files were read', async (t) => {
  const files = sourceFiles(BAD_PACK);
  fc.assert(
    fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
      t.strictSame(errorsIn(shuffled), expected);
    }),
    { numRuns: 5, seed: 1 },
  );
});

t.test('any one mistake leaves no set', async (t) => {
  const good = smallFiles([]);
  t.not(compilePolicies(sourceFiles(good), { commit: null }).set, null);
  for (const [name, content] of Object.entries(BAD_PACK)) {
    if (name === 'rules/e.yaml') continue; // wrong only beside another file
    t.ok(compilePolicies(sourceFiles({ ...good, [name]: content }), { commit: null }).set === null, name);
  }
});

t.test('the starter policies have no mistakes, and the findings they are meant to have', async (t) => {
  t.strictSame(errorsIn(starterFiles()), []);
  const findings = diagnosticsIn(starterFiles()).map(({ code, item, message }) => [code, item, message]);
  t.strictSame(findings, [
    ['void-grant', 'G-2', 'a grant approved by the person who receives it gives nothing'],
    ['void-grant', 'G-6', 'a grant without valid_until gives nothing'],
    ...[
      ['u-voss', 'excluded by W-EX-1 (walls/walls.yaml:10)'],
      ['u-yamada', 'assists `u-voss`, whom W-EX-1 (walls/walls.yaml:10) excludes'],
      ['u-nash', 'excluded by W-EX-3 (walls/walls.yaml:24)'],
      ['u-hale', 'excluded by W-EX-4 (walls/walls.yaml:32)'],
    ].map(([who, why]) => ['walled-team-member', 'M-1001', `\`${who}\` is on the team but ${why}`]),
    ['unknown-person', 'M-1001', '`u-dietz` is not listed in data/people'],
    ['walled-team-member', 'M-2002', '`u-mori` is on the team but on the other side of W-OP-1 (walls/walls.yaml:50)'],
    ['unknown-person', 'W-IN-1', '`u-ferris` is not listed in data/people'],
  ]);
});

t.test('without firm.yaml nothing has a meaning', async (t) => {
  t.strictSame(errorsIn({ 'rules/rules.yaml': 'version: 1\nrules: []\n' }), [
    'firm.yaml:1:1: the policies folder has no firm.yaml — every policy needs the vocabulary that firm.yaml declares; see examples/',
  ]);
  t.strictSame(errorsIn({ 'firm.yaml': 'version: [\n', 'lockdown.yaml': 'version: {\n' }), [
    'firm.yaml:2:1: flow sequence in block collection must be sufficiently indented and end with a ]',
    'lockdown.yaml:2:1: flow map in block collection must be sufficiently indented and end with a }',
  ]);
  t.strictSame(errorsIn({ 'firm.yaml': 'version: 2\n' }).slice(0, 1), [
    'firm.yaml:1:1: `version` can only be `1`, found `2`',
  ]);
});

t.test('the revision is the hash of sorted paths and contents; tests and invariants are no part of it', async (t) => {
  const files = sourceFiles({
    ...smallFiles([]),
    'tests/tests.yaml': 'tests: []\n',
    'invariants/i.yaml': 'version: 1\n',
  });
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
  const lines = files
    .filter(({ path }) => !/^(tests|invariants)\//.test(path))
    .map(({ path, bytes }) => `${path}\u0000${sha256(bytes)}\n`)
    .sort();
  t.equal(revisionOf(files), `sha256:${sha256(lines.join(''))}`);
  const set = compiled(files);
  t.equal(set.revision, revisionOf(files));
  t.equal(revisionOf([...files].reverse()), set.revision);
  const changed = (name: string, content: string) =>
    revisionOf([...files.filter(({ path }) => path !== name), sourceFile(name, content)]) !== set.revision;
  t.equal(changed('tests/tests.yaml', 'tests: [{}]\n'), false);
  t.equal(changed('tests/more.yaml', 'tests: []\n'), false);
  t.equal(changed('invariants/i.yaml', 'version: 2\n'), false);
  t.equal(changed('data/data.yaml', 'matters: []\n'), true);
  t.equal(changed('rules/more.yaml', 'version: 1\nrules: []\n'), true);
  t.equal(changed('keys/firm.json', '{}'), true);
  t.strictSame(
    set.files.map(({ path }) => path),
    ['data/data.yaml', 'firm.yaml', 'rules/rules.yaml'],
  );
});

t.test('a set names its commit, keeps its tests, and cannot be changed', async (t) => {
  const test = {
    id: 't-1',
    now: '2026-03-10T14:00:00Z',
    claims: {},
    action: 'read',
    resource: { type: 'note', id: 'N' },
    expect: 'deny',
  };
  const files = sourceFiles(smallFiles([], { 'tests/tests.yaml': `tests:\n  - ${JSON.stringify(test)}\n` }));
  const { set } = compilePolicies(files, { commit: 'abc123' });
  t.equal(set?.commit, 'abc123');
  t.strictSame(set?.tests, [{ test, source: 'tests/tests.yaml:2' }]);
  t.throws(() => Object.assign(set ?? {}, { revision: 'other' }), TypeError);
});

t.test('tokens are judged anew when what they mean has changed', async (t) => {
  const issuer = {
    ...{ issuer: 'https://a.example/', keys: { file: 'k.json' }, algorithms: ['ES256'], audience: 'p', typ: 'JWT' },
    ...{ claims: { id: '/sub', client: '/azp' }, may_assert: { user_types: [], roles: [], ids: ['u-*'] } },
  };
  const caller = { id: 'dms', issuer: issuer.issuer, client_id: 'c', source_system: 'dms', may: [] };
  const trusted = {
    'issuers.yaml': { version: 1, issuers: [issuer] },
    'callers.yaml': { version: 1, callers: [caller] },
  };
  const digest = (more: object) => compiled(smallFiles([], { ...trusted, ...more })).trustDigest;
  const before = digest({});
  t.not(digest({ 'issuers.yaml': { version: 1, issuers: [{ ...issuer, audience: 'q' }] } }), before);
  t.not(digest({ 'callers.yaml': { version: 1, callers: [{ ...caller, may: ['batch'] }] } }), before);
  t.not(digest({ 'firm.yaml': SMALL_FIRM.replace('clerk: Clerk, ', 'clerk: Clerk, porter: Porter, ') }), before);
  t.not(digest({ 'data/ai.yaml': 'ai_assistants: [{ sub: ai }]' }), before);
  t.equal(digest({ 'rules/more.yaml': 'version: 1\nrules: []' }), before);
  t.equal(digest({ 'lockdown.yaml': 'version: 1\npeople: [u-1]' }), before);
  t.equal(digest({ 'data/more.yaml': 'matters: [{ id: M-9, client_id: C-1 }]' }), before);
});

t.test('records keep what the rules read, and what walls and derived attributes always read', async (t) => {
  const recorded = (rules: readonly object[]) =>
    compiled(smallFiles(rules))
      .recorded.map(({ path }) => path)
      .sort();
  const always = ['resource.client_id', 'resource.matter_id', 'subject.roles', 'subject.user_type'];
  t.strictSame(recorded([]), always);
  const when = {
    $is: 'mfa',
    $or: [{ 'resource.owner': '${subject.id}' }, { 'context.visits': { $some: { by: '${context.parcel.to}' } } }],
    'resource.type': 'note',
    'action.name': { $ne: 'list' },
    'actor.id': { $exists: false },
  };
  const read = ['context.parcel', 'context.visits', 'resource.owner', 'subject.amr'];
  t.strictSame(
    recorded([{ id: 'r', effect: 'allow', actions: 'any', resources: 'any', when }]),
    [...always, ...read].sort(),
  );
});

t.test('conditions that nobody could read or judge are refused', async (t) => {
  const nested = (depth: number): object => (depth === 0 ? { 'resource.sealed': true } : { $not: nested(depth - 1) });
  const rule = (when: object) => smallFiles([{ id: 'r', effect: 'deny', actions: 'any', resources: 'any', when }]);
  t.strictSame(errorsIn(rule(nested(20))), []);
  t.match(errorsIn(rule(nested(40))), [/: conditions may be nested 32 deep at most — name parts of it as terms/]);
  // Each term names the one before it twice: thirty lines that stand for a billion parts.
  const bomb = Array.from(
    { length: 30 },
    (_, index) => `  t${index + 1}: { $or: [{ $is: t${index} }, { $is: t${index} }] }`,
  );
  const firm = SMALL_FIRM.replace('terms:\n', `terms:\n  t0: { resource.sealed: true }\n${bomb.join('\n')}\n`);
  t.match(errorsIn({ 'firm.yaml': firm }), [
    /^firm.yaml:\d+:3: the term `t\d+` has more than 2000 parts, those of other terms counted$/,
  ]);
});

t.test('names that every object has are unknown like any other', async (t) => {
  const told = errorsIn(
    smallFiles(`
  - id: r
    effect: deny
    subjects: [constructor]
    roles: [constructor]
    actions: [constructor]
    resources: [constructor]
    when: { subject.constructor: x, $is: toString, now: { $during: valueOf }, context.parcel.hasOwnProperty: x }
    advice: [constructor]
`),
  );
  t.strictSame(
    told.map((line) => line.split(' — ')[0]),
    [
      'rules/rules.yaml:6:16 r: `constructor` is no term that firm.yaml knows',
      'rules/rules.yaml:7:13 r: `constructor` is no role that firm.yaml knows',
      'rules/rules.yaml:8:15 r: `constructor` is no action that firm.yaml knows',
      'rules/rules.yaml:9:17 r: `constructor` is no resource type that firm.yaml knows',
      'rules/rules.yaml:10:13 r: `subject.constructor` is no attribute that firm.yaml knows',
      'rules/rules.yaml:10:37 r: `toString` is no term that firm.yaml knows',
      'rules/rules.yaml:10:59 r: `valueOf` is no calendar that firm.yaml knows',
      'rules/rules.yaml:10:79 r: `context.parcel.hasOwnProperty` is no attribute that firm.yaml knows',
      'rules/rules.yaml:11:14 r: `constructor` is no advice that firm.yaml knows',
    ],
  );
});

t.test('findings and errors come in order of file, line and column', async (t) => {
  const key = ({ file, line, column }: { file: string; line: number; column: number }) =>
    `${file} ${String(line).padStart(6, '0')} ${String(column).padStart(6, '0')}`;
  const places = diagnosticsIn(BAD_PACK).map(key);
  t.strictSame(places, [...places].sort());
});

t.test('the order of the files has no effect on the set', async (t) => {
  const shape = (files: readonly SourceFile[]) => {
    const set = compiled(files);
    return {
      revision: set.revision,
      rules: set.rules.map(({ id, source }) => [id, source]),
      walls: set.walls.all.map(({ id }) => id),
      matters: [...set.data.matters.keys()],
      tests: set.tests.map(({ source }) => source),
      findings: set.findings,
      trustDigest: set.trustDigest,
    };
  };
  t.strictSame(shape([...starterFiles()].reverse()), shape(starterFiles()));
});
