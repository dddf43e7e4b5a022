import fc from 'fast-check';
import t from 'tap';
import { FILE_SCHEMAS } from '../../../src/core/file-kind.ts';
import { checkFile, formatDiagnostic } from '../../../src/core/schema-check.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';

const parse = (path: string, text: string) => parseSourceFile(path, new TextEncoder().encode(text));
const said = (path: string, text: string) =>
  parse(path, text).problems.map((one) => formatDiagnostic(one).slice(path.length + 1));
const rows = (path: string, text: string) => Object.values(parse(path, text).value as Record<string, unknown[]>)[0];

t.test('header, lists, members of members, empty cells', async (t) => {
  const text = `id,client_id,practice_group,team,properties.matter_status,properties.legal_hold,properties.practice_groups[]
M-1,C-1,litigation,u-1; u-2 ;u-3,open,true,litigation;ip
M-2,C-2,,,,,
"M-3" , C-3 ,"a ""quoted"", group",u-1,"two
lines",7,corporate
`;
  t.strictSame(rows('data/matters.csv', text), [
    {
      id: 'M-1',
      client_id: 'C-1',
      practice_group: 'litigation',
      team: ['u-1', 'u-2', 'u-3'],
      properties: { matter_status: 'open', legal_hold: true, practice_groups: ['litigation', 'ip'] },
    },
    { id: 'M-2', client_id: 'C-2' },
    {
      id: 'M-3',
      client_id: 'C-3',
      practice_group: 'a "quoted", group',
      team: ['u-1'],
      properties: { matter_status: 'two\nlines', legal_hold: '7', practice_groups: ['corporate'] },
    },
  ]);
  t.strictSame(checkFile(parse('data/matters.csv', text), FILE_SCHEMAS.data), []);
});

t.test('people, grants and walls', async (t) => {
  t.strictSame(
    rows(
      'data/people.csv',
      'id,employee_status,nda_signed,directory.roles[],directory.user_type\nu-1,left,false,partner;mentor,internal\n',
    ),
    [
      {
        id: 'u-1',
        employee_status: 'left',
        nda_signed: false,
        directory: { roles: ['partner', 'mentor'], user_type: 'internal' },
      },
    ],
  );
  const grants = parse('data/grants.csv', 'id,granted_to,matter_id,actions,approved_by\nG-1,u-1,M-1,read;list,u-2\n');
  t.strictSame(checkFile(grants, FILE_SCHEMAS.data), []);
  const walls = parse('walls/lateral.csv', 'id,kind,matter_id,excluded_people\nW-1,exclusion,M-1,u-1;u-2\n');
  t.strictSame(checkFile(walls, FILE_SCHEMAS.walls), []);
});

t.test('rows know their line, also behind quoted line breaks, blank lines and CRLF', async (t) => {
  const file = parse(
    'data/matters.csv',
    '\n\nid,client_id,name\r\n\r\nM-1,C-1,"a\r\nb\nc"\r\n\r\n,,\r\nM-2,C-2,x\nM-3,C-3,"y\nz"\nM-4,C-4,',
  );
  const line = (index: number) => file.locate(['matters', index, 'name']);
  t.strictSame(file.problems, []);
  t.strictSame(
    [0, 1, 2, 3].map(line),
    [5, 10, 11, 13].map((n) => ({ line: n, column: 1 })),
  );
});

t.test('columns that mean nothing are said once, at the header', async (t) => {
  t.strictSame(said('data/matters.csv', 'id,cleint_id,team.x,properties,,id,properties.a,practice_group[]\n'), [
    '1:1: unknown column `cleint_id` — did you mean `client_id`?',
    '1:1: unknown column `team.x` — known: ',
    '1:1: the column `properties` cannot be written as one cell — write one column for each member, such as `properties.…`',
    '1:1: column 5 has no name',
    '1:1: unknown column `` — known: id, client_id, name, practice_group, responsible_attorney, proposing_partner, team, properties',
    '1:1: two columns have the name `id`',
    '1:1: the column `practice_group` cannot be a list',
    '1:1: the columns `properties` and `properties.a` cannot stand beside each other',
    '1:1: the column `client_id` is missing',
  ]);
  t.match(said('data/services.csv', 'sub,source_systems,allowed\n'), [
    /`allowed` cannot be written as one cell — use NDJSON or YAML/,
  ]);
  t.match(said('data/matters.csv', 'id;client_id\nM-1;C-1\n'), [/not separated by commas/]);
  t.match(said('data/matters.csv', 'id,client_id,properties.__proto__\n'), [
    /`properties.__proto__` cannot be the name of a column/,
  ]);
  t.strictSame(said('data/matters.csv', '\n'), ['1:1: the file is empty — the first row must name the columns']);
  t.equal(Object.hasOwn(Object.prototype, '__proto__.x'), false);
});

t.test('every broken row is said, and the others are read', async (t) => {
  const text = `id,client_id,name
M-1,C-1,a
M-2,C-2
M-3,C-3,a,b
M-4,C-4,"never closed
M-5,C-5,b
M-6,C-6,in the "middle"
M-7,C-7,"closed" too early
M-8,C-8,c
`;
  const file = parse('data/matters.csv', text);
  t.strictSame(
    file.problems.map(({ line, message }) => `${line} ${message}`),
    [
      '3 this row has 2 cells, the header has 3',
      '4 this row has 4 cells, the header has 3',
      '5 a quote in this row stands where none may stand',
      '7 a quote in this row stands where none may stand',
      '8 a quote in this row stands where none may stand',
    ],
  );
  t.match(file.value, { matters: [{ id: 'M-1' }, { id: 'M-5' }, { id: 'M-8' }] });
  t.strictSame(file.locate(['matters', 2]), { line: 9, column: 1 });
  t.match(said('data/matters.csv', 'id,client_id\n\n\nM-1,"C-1\n'), [/^4:1: a quote in this row is never closed/]);
});

t.test('any table comes back as it was written', async (t) => {
  const cell = fc.string({
    unit: fc.constantFrom('a', 'Z', '1', '"', ',', '\n', ';', ' ', 'é', '✓', "'"),
    maxLength: 12,
  });
  const table = fc.array(fc.tuple(cell, cell), { maxLength: 60 });
  const quote = (text: string) => (/[",\n ]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const property = fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (written, newline, ended) => {
    const lines = written.map(([name, group], index) => `M-${index},C,${quote(name)},${quote(group)}`);
    const text = ['id,client_id,name,practice_group', ...lines].join(newline) + (ended ? newline : '');
    const expected = written.map(([name, group], index) => ({
      id: `M-${index}`,
      client_id: 'C',
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { practice_group: group }),
    }));
    const file = parse('data/matters.csv', text);
    t.strictSame(file.problems, []);
    return JSON.stringify(file.value) === JSON.stringify({ matters: expected });
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});

t.test('50,000 rows with quotes across slices', async (t) => {
  const row = (n: number) =>
    `M-${n},C-${n % 999},"Matter ${n}, the ""big""${n % 10 === 0 ? '\n' : ' '}one",u-1;u-${n % 77},open\n`;
  const text = `id,client_id,name,team,properties.matter_status\n${Array.from({ length: 50_000 }, (_, n) => row(n)).join('')}`;
  const file = parse('data/matters.csv', text);
  t.strictSame(checkFile(file, FILE_SCHEMAS.data), []);
  t.match(file.value, {
    matters: { length: 50_000, 49999: { id: 'M-49999', team: ['u-1', 'u-26'], properties: { matter_status: 'open' } } },
  });
  t.strictSame(file.locate(['matters', 49_999]), { line: 55_001, column: 1 });
});

t.test('a quote somewhere in a list changes nothing about the other rows', async () => {
  const letters = fc.constantFrom('a', 'M', ',', ',', '\n', ' ', '\t', '\f', '\v', ';', '\u00a0', '\u2028', '\ufeff');
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 60 }), (body) => {
      const bare = `id,client_id,practice_group\n${body}\nM-9,C-9,\n`;
      const file = (text: string) => {
        const { value, problems } = parse('data/matters.csv', text);
        return { rows: (value as { readonly matters?: readonly unknown[] } | undefined)?.matters, problems };
      };
      const [without, quoted] = [file(bare), file(`${bare}"M-10",C-9,\n`)];
      t.strictSame(quoted.problems, without.problems);
      t.strictSame(quoted.rows?.slice(0, -1), without.rows);
    }),
    { numRuns: 300 },
  );
});
