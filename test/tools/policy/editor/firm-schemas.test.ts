// The schemas of a firm accept whatever its files may say, and underline in the right line every name that the loader would refuse.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import { compileInvariants } from '../../../../src/core/invariants.ts';
import { createReport } from '../../../../src/core/report.ts';
import { fileKind } from '../../../../src/core/file-kind.ts';
import type { PolicySet } from '../../../../src/core/policy-set.ts';
import { readPolicyFolder } from '../../../../src/io/policies/read.ts';
import type { SourceFile } from '../../../../src/model/diagnostic.ts';
import { firmSchemas, type SchemaKind } from '../../../../tools/policy/editor/firm-schemas.ts';
import { BAD_PACK } from '../../../core/bad-pack.ts';
import { condition } from '../../../helpers/conditions.ts';
import { compiled, diagnosticsIn, SMALL_DATA, SMALL_FIRM, sourceFile, sourceFiles } from '../../../helpers/policies.ts';
import { REPOSITORY } from '../../../cli/privity.ts';
import { runs } from '../../../helpers/runs.ts';

type Check = (file: SourceFile) => readonly ErrorObject[];

function checkerFor(set: PolicySet): Check {
  const ajv = new Ajv({ allErrors: true, strict: false });
  const schemas = firmSchemas(set);
  const checks = new Map<string, ValidateFunction>();
  return (file) => {
    const kind = fileKind(file.path) ?? '';
    const schema = schemas.get(kind as SchemaKind);
    if (schema === undefined) return [];
    const check = checks.get(kind) ?? ajv.compile(schema);
    checks.set(kind, check);
    return check(file.value) ? [] : (check.errors ?? []);
  };
}

/** The line that an editor would underline. */
function linesOf(file: SourceFile, errors: readonly ErrorObject[]): readonly number[] {
  return errors.map(({ instancePath, params }) => {
    const steps = instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const path = steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const name: unknown = params['additionalProperty'] ?? params['propertyName'];
    return file.locate(typeof name === 'string' ? [...path, name] : path).line;
  });
}

t.test('every file of the starter pack and of the small firm is accepted', async (t) => {
  for (const folder of ['policies', 'examples/small-firm']) {
    const { files } = await readPolicyFolder(`${REPOSITORY}/${folder}`);
    const check = checkerFor(compiled(files));
    t.ok(files.length > 5);
    for (const file of files) t.same(check(file).slice(0, 5), [], `${folder}/${file.path}`);
  }
});

t.test('what the loader accepts is never refused', (t) => {
  const check = checkerFor(compiled(sourceFiles({ 'firm.yaml': SMALL_FIRM, 'data/data.yaml': SMALL_DATA })));
  let accepted = 0;
  fc.assert(
    fc.property(condition, (when) => {
      const rules = { version: 1, rules: [{ id: 'a', effect: 'deny', actions: any(), resources: any(), when }] };
      const files = sourceFiles({ 'firm.yaml': SMALL_FIRM, 'data/data.yaml': SMALL_DATA, 'rules/a.yaml': rules });
      if (diagnosticsIn(files).some(({ severity }) => severity === 'error')) return true;
      accepted++;
      return check(sourceFile('rules/a.yaml', rules)).length === 0;
    }),
    runs(80, 5_000),
  );
  t.ok(accepted > 50, `${accepted} conditions were accepted by the loader`);
  t.end();
});

function any(): 'any' {
  return 'any';
}

/** The firm of the bad pack, its own mistakes mended. */
const FIRM = (BAD_PACK['firm.yaml'] ?? '')
  .replace('roles: { partner: [clerk], lawyer: [partner, asociate] }', 'roles: { lawyer: [partner] }')
  .replace('papers: [content, document], content: [papers, note]', 'papers: [document, note]')
  .replace('    id: { type: string, required: true }\n', '')
  .replace('rank: { type: enum, ordered: true', 'rank: { type: string')
  .replace('    constructor: { type: string, optional: none }\n', '')
  .replace('[documents]', '[document]')
  .replace("default: 'no'", 'default: false')
  .replace('pages: { type: number }', 'pages: { type: number, default: 1 }')
  .replace("from: '20:00', until: '07:00'", "from: '07:00', until: '20:00'")
  .replace('Mars/Olympus', 'UTC')
  .replace('  round: { $not: { $is: circle } }', '  round: { $is: good }')
  .replace("conflict_checkers: [clrek], memo_advice: ['advice:memo']", 'conflict_checkers: [clerk]');

const NAMED = /^unknown-(?!matter|person)|^literal-outside-type$/;

t.test('names that are none of this firm are underlined where they stand', (t) => {
  const issuers = (BAD_PACK['issuers.yaml'] ?? '').replace(/\n {2}- issuer: https:\/\/b\.example[\s\S]*/, '\n');
  const good = (BAD_PACK['issuers.yaml'] ?? '')
    .replace(/\n {2}- issuer: https:\/\/b\.example[\s\S]*/, '\n')
    .replace('standng', 'client')
    .replace('[boss]', '[partner]')
    .replace('30s', 'PT30S');
  const check = checkerFor(compiled({ 'firm.yaml': FIRM, 'issuers.yaml': good }));
  const more = {
    'data/names.yaml': `consents: { shareing: [C-1] }
people: [{ id: u-1, standng: good, directory: { roles: [boss] } }]
resources: [{ type: dokument, id: D-1 }]
grants: [{ id: G-1, granted_to: u-1, matter_id: M-1, actions: [raed], approved_by: u-2 }]
services: [{ sub: s-1, source_systems: [dsm], allowed: [{ resource_type: dokument, actions: [lits] }] }]
`,
    'retention.yaml': 'version: 1\nkeep: P7Y\napprovers: [boss]\n',
    'invariants/names.yaml':
      'version: 1\ninvariants:\n  - id: a\n    title: a\n    never: { roles: [boss], actions: [raed],\n      resources: any }\n',
  };
  const files = sourceFiles({ ...BAD_PACK, ...more, 'firm.yaml': FIRM, 'issuers.yaml': issuers });
  const report = createReport();
  compileInvariants(
    files.filter(({ path }) => path === 'invariants/names.yaml'),
    compiled({ 'firm.yaml': FIRM }).firm,
    report,
  );
  const mistakes = [...diagnosticsIn(files), ...report.diagnostics].filter(
    ({ code, message }) => NAMED.test(code) && !/not a (number|timestamp|boolean|duration)$/.test(message),
  );
  t.ok(mistakes.length >= 35, `${mistakes.length} mistakes`);
  const underlined = new Map(
    files.map((file) => [file.path, new Set(file.value === undefined ? [] : linesOf(file, check(file)))]),
  );
  t.same(
    mistakes
      .filter(({ file, line }) => underlined.get(file)?.has(line) !== true)
      .map(({ file, line, message }) => `${file}:${line} ${message}`),
    [],
  );
  t.same([...(underlined.get('walls/walls.yaml') ?? [])], [], 'ids of other systems are not underlined');
  t.end();
});

t.test('operators and values that a type does not have are underlined', (t) => {
  const check = checkerFor(compiled({ 'firm.yaml': FIRM }));
  const rule = (when: string) =>
    sourceFile(
      'rules/a.yaml',
      `version: 1\nrules:\n  - id: a\n    effect: deny\n    actions: any\n    resources: any\n    when: ${when}\n`,
    );
  for (const when of [
    '{ resource.tags: urgent }',
    '{ resource.state: { $gte: draft } }',
    '{ resource.kept: "yes" }',
    '{ resource.pages: { $in: [] } }',
    '{ subject.seen: { $age: { $within: P1D } } }',
    '{ resource.matter_id: { $same: M-1 } }',
    '{ subject.id: "${resource.pages}" }',
    '{ resource.state: { $in: [] } }',
    '{ context.stops: { $some: { place: 1 } } }',
    '{ $nor: [] }',
  ])
    t.ok(linesOf(rule(when), check(rule(when))).includes(7), when);
  for (const when of [
    '{ resource.level: { $gte: low } }',
    '{ subject.id: "${ resource.matter_id }" }',
    '{ context.stops: { $some: { place: x, now: { $during: night } } } }',
  ])
    t.same(check(rule(when)), [], when);
  t.end();
});

t.test('firm.yaml may bring new words, which schemas of yesterday do not know', (t) => {
  const check = checkerFor(compiled({ 'firm.yaml': FIRM }));
  const fresh = FIRM.replace('clerk: Clerk }', 'clerk: Clerk, judge: Judge }')
    .replace('lawyer: [partner]', 'lawyer: [partner, judge]')
    .replace('values: [good, bad]', 'values: [good, bad, new]')
    .replace(
      '  good: { subject.standing: good }',
      '  good: { subject.standing: good }\n  fresh: { subject.standing: new, context.later: 1, $is: round }',
    );
  t.same(check(sourceFile('firm.yaml', fresh)), []);
  const wrong = sourceFile('firm.yaml', FIRM.replace('good: { subject.standing: good }', 'good: { $iss: round }'));
  t.ok(linesOf(wrong, check(wrong)).includes(wrong.locate(['terms', 'good', '$iss']).line));
  t.end();
});
