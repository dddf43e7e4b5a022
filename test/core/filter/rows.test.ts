// Filters of random rules against the check, row by row: on PostgreSQL with and without a table of matters, as UCAST and as a query of
// Elasticsearch; with walls of every kind, a lockdown, matters and resources on file.
import fc from 'fast-check';
import t from 'tap';
import type { FilterForm, FilterQuestion } from '../../../src/core/filter/filter.ts';
import type { PolicySet } from '../../../src/core/policy-set.ts';
import { condition, smallRequest } from '../../helpers/conditions.ts';
import {
  columnsOf,
  createMatters,
  createRows,
  decideRow,
  derive,
  isPlain,
  passing,
  type Row,
} from '../../helpers/filter-rows.ts';
import { compiled, SMALL_DATA, SMALL_FIRM, sourceFile } from '../../helpers/policies.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { runs } from '../../helpers/runs.ts';

const FILED = `people:
  - { id: u-eve, clearance: mid, roles: [analyst] }
  - { id: u-fay, user_type: external, amr: [mfa] }
resources:
  - { type: document, id: D-1, properties: { owner: u-ben, pages: 7 } }
  - { type: note, id: D-1, properties: { matter_id: M-2, level: high } }
  - { type: matter, id: M-1, properties: { title: ab } }
  - { type: matter, id: M-2, properties: { title: ab, sealed: true } }
  - { type: client, id: C-1, properties: { matter_id: M-1 } }
matters:
  - { id: M-3, client_id: C-2, team: [u-eve], properties: { level: mid, sealed: true, owner: u-eve } }
  - { id: M-4, client_id: C-1, responsible_attorney: u-dan, team: [u-dan, u-fay], properties: { tags: [tax], pages: 2 } }
  - { id: M-5, client_id: C-1, team: [u-ben, u-ann] }
grants:
  - { id: G-3, granted_to: u-ann, matter_id: M-2, actions: [edit], valid_from: '2026-03-10T14:00:00Z', approved_by: u-ann }
assistants: { u-fay: [u-dan], u-ben: [u-dan, u-eve] }
`;
const WALLS = `walls:
  - { id: W-1, kind: exclusion, matter_id: M-1, excluded_people: [u-dan, u-cat], released_assistants: [u-fay] }
  - { id: W-2, kind: exclusion, reason: lateral, matter_id: M-2, excluded_people: [u-eve], valid_from: '2026-03-10T14:00:00Z' }
  - { id: W-3, kind: exclusion, client_id: C-2, excluded_people: [u-dan], valid_until: '2026-06-01T00:00:00Z' }
  - { id: W-4, kind: inclusion, matter_id: M-2, included_people: [u-ann, u-fay], acknowledged_by: [u-ann] }
  - { id: W-5, kind: opposing, sides: [{ people: [u-cat], matters: [M-1] }, { people: [u-fay], matters: [M-9] }] }
`;
const fixed = [
  sourceFile('firm.yaml', SMALL_FIRM),
  sourceFile('data/data.yaml', SMALL_DATA),
  sourceFile('data/filed.yaml', FILED),
];
const walls = sourceFile('walls/walls.yaml', WALLS);
const lockdown = (clients: readonly string[], matters: readonly string[]) =>
  sourceFile('lockdown.yaml', { version: 1, people: ['ai'], clients, matters });
const GUARDS = [[], [walls], [walls, lockdown(['C-9'], ['M-5'])], [lockdown(['C-1'], [])]];

function pack(rules: readonly object[], guards: number): PolicySet {
  return compiled([...fixed, ...(GUARDS[guards] ?? []), sourceFile('rules/rules.yaml', { version: 1, rules })]);
}

/** What a column may hold, of the right type or, where PostgreSQL lets it, of another. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  id: ['D-1', 'D-2', 'M-1', 'M-2', 'M-3', 'M-5', 'M-9', 'C-1', 'C-2', '', null],
  matter_id: ['M-1', 'M-2', 'M-3', 'M-4', 'M-5', 'M-9', 'M-8', '', null],
  client_id: ['C-1', 'C-2', 'C-9', 'C-7', '', null],
  level: ['low', 'mid', 'high', 'High', 'secret', '', null],
  sealed: [true, false, null],
  owner: ['u-ann', 'u-ben', 'u-dan', 'M-1', 'tax', '', null],
  tags: [[], ['tax'], ['u-ann', 'mfa'], ['x', null], [''], ['M-1', 'C-1'], null],
  filed: [
    ...['2026-03-10T14:00:00Z', '2026-03-10T13:30:00Z', '2026-03-10T13:29:59.999500Z', '2026-03-08T07:00:00Z'],
    ...['2026-06-01T00:00:00Z', '2024-02-29T23:00:00Z', 'infinity', '-infinity', null],
  ],
  term: ['P1D', 'PT30M', 'soon', null],
  pages: [0, 1, 2.5, -3, 7, NaN, Infinity, null],
  title: ['a', 'ab', 'abc', '😀', 'e\u0301', 'M-1', 'x', '', null],
};

const dice = fc.record(
  Object.fromEntries(Object.entries(VALUES).map(([name, values]) => [name, fc.constantFrom(...values)])),
);
const ROWS: readonly Row[] = fc.sample(dice, { numRuns: 300, seed: 11 });
const PLAIN = ROWS.flatMap((row, index) => (isPlain(row) ? [index] : []));

interface Case {
  readonly conditions: readonly Record<string, unknown>[];
  /** Index into GUARDS. */
  readonly guards: number;
  readonly question: FilterQuestion;
  readonly mapped: readonly string[];
}

const NAMES = Object.keys(VALUES).filter((name) => name !== 'id');
const cases: fc.Arbitrary<Case> = fc
  .tuple(
    fc.array(condition, { minLength: 4, maxLength: 4 }),
    fc.nat(GUARDS.length - 1),
    smallRequest,
    fc.oneof({ arbitrary: fc.constant(NAMES), weight: 3 }, { arbitrary: fc.subarray(NAMES), weight: 1 }),
  )
  .map(([conditions, guards, { approvals, resource, ...rest }, names]) => {
    void approvals;
    const properties = Object.entries(resource.properties).filter(([name]) => !names.includes(name));
    const question = { ...rest, resource: { type: resource.type, properties: Object.fromEntries(properties) } };
    return { conditions, guards, question, mapped: ['id', ...names] };
  });

/** Two rules allow and two deny; one alone would be drowned by the others too often. */
function rulesOf(conditions: Case['conditions']): readonly object[] {
  return conditions.map((when, index) => ({
    id: `rule-${index}`,
    effect: index % 2 === 0 ? 'allow' : 'deny',
    actions: 'any',
    resources: 'any',
    ...(index === 3 ? { unless: when } : { when }),
  }));
}

const MATTER_COLUMNS = {
  client_id: 'client_id',
  practice_group: 'practice_group',
  responsible_attorney: 'responsible_attorney',
  proposing_partner: 'proposing_partner',
  team: 'team',
  // On file of some matters.
  level: 'level',
  sealed: 'sealed',
  owner: 'owner',
  tags: 'tags',
  pages: 'pages',
};

/** The first matter has a title of its own on file; that of the others stands in the row. */
const short = { 'matter.team': { $has: '${subject.id}' }, 'resource.title': { $length: { $lte: 2 } } };
const OWN_TITLE: Case = {
  conditions: [short, { 'subject.floor': 1 }, short, { 'subject.amr': { $has: 'mfa' } }],
  guards: 0,
  question: {
    subject: { id: 'u-ben', attributes: { roles: ['clerk'], user_type: 'service', amr: ['mfa'] } },
    actor: null,
    action: 'export',
    resource: { type: 'matter', properties: {} },
    context: { zone: 'office' },
    sourceSystem: 'portal',
    now: 1_773_151_200_000,
  },
  mapped: ['id', ...NAMES],
};

t.test('a row passes a filter of random rules exactly when the check allows it', async (t) => {
  const database = await createDatabase(t);
  const client = await connect(t, database.superuserUrl);
  const any = pack([], 0);
  await createRows(client, any, 'list', ROWS);
  await createMatters(client, any, 'matters');
  t.strictSame(
    columnsOf(any).map(({ name }) => name),
    NAMES,
  );

  const seen: Record<string, Record<string, number>> = {};
  const kinds: Record<string, number> = {};
  const one = async ({ conditions, guards, question, mapped }: Case): Promise<void> => {
    for (const rules of [rulesOf(conditions), rulesOf(conditions).slice(0, 1)]) {
      const set = pack(rules, guards);
      const columns = Object.fromEntries(mapped.map((name) => [name, name]));
      const inSql = Object.fromEntries(mapped.map((name) => [name, `d.${name}`]));
      const mapping = { columns, matters: null };
      const forms: Readonly<Record<string, FilterForm>> = {
        sql: {
          target: 'postgresql',
          mapping: { columns: inSql, matters: null },
          matters: null,
          firstParameter: 1,
        },
        'sql with matters': {
          target: 'postgresql',
          mapping: {
            columns: inSql,
            matters: guards % 2 === 0 ? MATTER_COLUMNS : { client_id: 'client_id', team: 'team' },
          },
          matters: { table: 'matters', id: 'id' },
          firstParameter: 1,
        },
        ucast: { target: 'ucast', mapping, matters: null, firstParameter: 1 },
        elasticsearch: { target: 'elasticsearch', mapping, matters: null, firstParameter: 1 },
      };
      const decisions = ROWS.map((row) => decideRow(set, question, mapped, row));
      for (const [name, form] of Object.entries(forms)) {
        const filter = derive(set, question, form);
        const kind = `${name}: ${filter.kind}`;
        kinds[kind] = (kinds[kind] ?? 0) + 1;
        if (filter.kind === 'refused') continue;
        const found = await passing(client, 'list', ROWS, filter);
        const compared = form.target === 'postgresql' ? ROWS.keys() : PLAIN;
        for (const n of compared) {
          const decision = decisions[n];
          if (decision === undefined || found.has(n) === (decision.outcome === 'allow')) continue;
          throw new Error(
            `${name} ${found.has(n) ? 'gives' : 'lacks'} ${JSON.stringify(ROWS[n])}, which is ${decision.outcome} by ` +
              `${decision.decidedBy.join()}\n${JSON.stringify({ question, conditions, mapped })}\n${JSON.stringify(filter)}`,
          );
        }
        if (name !== 'sql' || rules.length === 1) continue;
        for (const { results } of decisions) {
          const truths = new Map(results.map(({ rule, truth }) => [rule, truth]));
          for (const [index, when] of conditions.entries()) {
            const truth = truths.get(`rule-${index}`) ?? 'false';
            for (const operator of new Set(JSON.stringify(when).match(/\$[a-z_]+/g) ?? ['$eq'])) {
              const counts = (seen[operator] ??= {});
              counts[truth] = (counts[truth] ?? 0) + 1;
            }
          }
        }
      }
    }
  };
  await fc.assert(fc.asyncProperty(cases, one), {
    ...runs(120, 10_000),
    examples: [[OWN_TITLE]],
    endOnFailure: process.env['SHRINK'] !== '1',
  });
  t.comment(JSON.stringify(kinds));
  t.comment(JSON.stringify(seen));
  for (const name of ['sql', 'sql with matters', 'ucast', 'elasticsearch'])
    for (const kind of ['conditional', 'always_denied'])
      t.ok((kinds[`${name}: ${kind}`] ?? 0) >= 20, `${name} was often ${kind}`);
  for (const [operator, counts] of Object.entries(seen))
    for (const truth of ['true', 'false', 'unknown'])
      t.ok((counts[truth] ?? 0) >= 100, `rules with ${operator} were ${truth} of at least 100 rows`);
});
