// An export becomes data files whole or not at all; every line that cannot be taken is named, and what changes is said before it is written.
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { readPolicyFolder } from '../../../src/io/policies/read.ts';
import { verb } from '../../../tools/policy/import-data.ts';
import { REPOSITORY } from '../../cli/privity.ts';
import { makeFolder, type Contents } from '../../io/policies/folder.ts';
import { compiled } from '../../helpers/policies.ts';
import type { Ended } from '../../cli/privity.ts';
import { runVerb } from '../../helpers/run-verb.ts';

const PEOPLE =
  'id,roles,user_type,Phone\nl-moss,Lawyer,internal,1\nl-reed,lawyer,internal,2\na-finch,Assistant,internal,3\n';
const MATTERS = 'id,client_id,practice_group\nM-1,C-1,tax\nM-2,C-2,"tax, law"\n';
const TEAMS = 'matter_id,person_id\nM-1,l-reed\nM-1,l-moss\nM-2,a-finch\n';
const ALL = ['--people', 'people.csv', '--matters', 'matters.csv', '--teams', 'teams.csv'];

/** The small firm beside exports. */
async function office(t: Test, exports: Contents): Promise<string> {
  const folder = await makeFolder(t, exports);
  await cp(path.join(REPOSITORY, 'examples/small-firm'), path.join(folder, 'policies'), { recursive: true });
  return folder;
}

function imported(folder: string, words: readonly string[]): Promise<Ended> {
  return runVerb(verb, ['--policies', 'policies', ...words], { folder });
}

async function contents(folder: string): Promise<string> {
  const names = (await readdir(path.join(folder, 'policies'), { recursive: true })).toSorted();
  const files = names.filter((name) => /\.\w+$/.test(name));
  return (
    await Promise.all(
      files.map(async (name) => `${name}\n${await readFile(path.join(folder, 'policies', name), 'utf8')}`),
    )
  ).join('\n');
}

t.test('the first import takes the lists over; what it writes is what the engine reads', async (t) => {
  const folder = await office(t, { 'people.csv': PEOPLE, 'matters.csv': MATTERS, 'teams.csv': TEAMS });
  const before = await contents(folder);
  const kept = await imported(folder, ALL);
  t.equal(kept.code, 1);
  t.match(kept.err, /rejected matters\.csv:2 M-1: it stands in data\/firm\.yaml:3 already — .*--take-over/);
  t.match(kept.err, /nothing was written: 8 lines rejected/);
  t.equal(await contents(folder), before);
  const words = [...ALL, '--take-over', '--accept-removed', '7'];
  const dry = await imported(folder, [...words, '--dry-run']);
  t.match(dry.out, /not read of people\.csv: Phone/);
  t.match(dry.out, /people +10 → 3 +0 added +0 changed +7 removed/);
  t.match(dry.out, /matters +3 → 2 +0 added +2 changed +1 removed/);
  t.match(dry.out, /team members: 0 joined, 10 left/);
  t.match(dry.out, /no longer there: l-hart \(was on 2 teams\)/);
  t.match(dry.out, /would write policies\/data\/people\.csv/);
  t.equal(await contents(folder), before, 'a dry run writes nothing');
  const { code, out, err } = await imported(folder, words);
  t.equal(code, 0, err);
  t.match(out, /wrote policies\/data\/matters\.csv/);
  t.equal(
    await readFile(path.join(folder, 'policies/data/matters.csv'), 'utf8'),
    'id,client_id,practice_group,team\nM-1,C-1,tax,l-moss;l-reed\nM-2,C-2,"tax, law",a-finch\n',
  );
  t.equal(
    await readFile(path.join(folder, 'policies/data/people.csv'), 'utf8'),
    'id,directory.roles[],directory.user_type\na-finch,assistant,internal\nl-moss,lawyer,internal\nl-reed,lawyer,internal\n',
  );
  t.equal(
    await readFile(path.join(folder, 'policies/data/firm.yaml'), 'utf8'),
    '# yaml-language-server: $schema=../../../schemas/data.schema.json\nassistants: { a-lark: [l-moss] }\n',
  );
  const { files } = await readPolicyFolder(path.join(folder, 'policies'));
  const { data } = compiled(files);
  t.same(data.matters.get('M-2'), {
    ...data.matters.get('M-2'),
    clientId: 'C-2',
    practiceGroup: 'tax, law',
    team: ['a-finch'],
  });
  t.same(data.directory.get('l-reed'), { user_type: 'internal', roles: ['lawyer'] });
});

t.test('a second import changes what changed, and what it brings no column for stays', async (t) => {
  const folder = await office(t, { 'people.csv': PEOPLE, 'matters.csv': MATTERS, 'teams.csv': TEAMS });
  const data = path.join(folder, 'policies/data');
  await writeFile(path.join(data, 'firm.yaml'), 'assistants: {}\n');
  await writeFile(
    path.join(data, 'people.csv'),
    'id,directory.user_type\nl-moss,internal\nl-reed,internal\na-finch,internal\nl-gone,internal\n',
  );
  await writeFile(
    path.join(data, 'matters.csv'),
    'id,client_id,team,properties.final\nM-1,C-1,l-gone;l-moss,true\nM-2,C-9,,\n',
  );
  const refused = await imported(folder, [...ALL, '--format', 'json']);
  t.equal(refused.code, 1);
  const report = JSON.parse(refused.out) as Record<string, unknown>;
  t.match(report, {
    written: false,
    rejected: [],
    team_members: { joined: 2, left: 1 },
    changed_clients: [{ id: 'M-2', from: 'C-9', to: 'C-2' }],
    vanished_people: [{ id: 'l-gone', teams: 1 }],
    matters: { added: [], removed: [], changed: ['M-1', 'M-2'] },
  });
  t.match(report['objections'], ['1 matter changes the client, and walls round a client cover its matters']);
  const done = await imported(folder, [...ALL, '--accept-changed-clients', '1']);
  t.equal(done.code, 0, done.err);
  t.equal(
    await readFile(path.join(data, 'matters.csv'), 'utf8'),
    'id,client_id,practice_group,team,properties.final\nM-1,C-1,tax,l-moss;l-reed,true\nM-2,C-2,"tax, law",a-finch,\n',
  );
  const nothing = await imported(folder, ALL);
  t.match(nothing.out, /matters +2 → 2 +0 added +0 changed +0 removed/);
  t.notMatch(nothing.out, /wrote/);
});

t.test('every line that cannot be taken is named, and so many may be accepted', async (t) => {
  const folder = await office(t, {
    'people.csv':
      'id;roles;user_type\nl-new;lawyer;internal\nl-odd;lawier;internal\n;lawyer;internal\nl-new;lawyer;internal\nl-two;lawyer;internal\nl-two;lawyer;external\nl-x;lawyer\nl-q;"lawyer\n',
    'matters.csv':
      'id\tclient_id\tresponsible_attorney\tfinal\nM-7\tC-7\tl-new\tyes\nM-8\t\tl-new\tno\nM-9\tC-9\tl-nobody\tno\nM-5\tC-5\tl-new\tperhaps\n',
    'teams.csv': 'matter_id|person_id\nM-7|l-new\nM-7|l-new\nM-7|l-nobody\nM-6|l-new\n',
  });
  const words = [...ALL, '--report', 'rejected.csv'];
  const { code, err } = await imported(folder, words);
  t.equal(code, 1);
  const said = [
    'matters.csv:3 M-8: the matter has no client',
    'matters.csv:4 M-9: nobody is known as `l-nobody`',
    'matters.csv:5 M-5: final: `perhaps` is neither yes nor no',
    'people.csv:3 l-odd: roles: `lawier` is not one of its values — did you mean `lawyer`?',
    'people.csv:4: `id` is empty',
    'people.csv:5 l-new: it repeats line 2',
    'people.csv:6 l-two: line 7 says something else about it',
    'people.csv:7 l-two: line 6 says something else about it',
    'people.csv:8: it has 2 cells, the header has 3',
    'people.csv:9: a quote in this row is never closed',
    'teams.csv:3 M-7: `l-new` is on this team already, by line 2',
    'teams.csv:4 M-7: nobody is known as `l-nobody`',
    'teams.csv:5 M-6: there is no matter `M-6`',
  ];
  for (const one of said) t.ok(err.includes(`rejected ${one}`), one);
  t.equal(err.match(/^rejected/gm)?.length, said.length);
  t.equal((await imported(folder, [...words, '--accept-rejected', '12'])).code, 1);
  const done = await imported(folder, [...words, '--accept-rejected', '13']);
  t.equal(done.code, 0, done.err);
  t.equal(
    await readFile(path.join(folder, 'policies/data/matters.csv'), 'utf8'),
    'id,client_id,responsible_attorney,team,properties.final\nM-7,C-7,l-new,l-new,true\n',
  );
  const sarif = await imported(folder, [...ALL, '--dry-run', '--format', 'sarif']);
  t.match(sarif.out, /"ruleId": ?"no-client"/);
});

t.test('a report opens in a spreadsheet without running anything', async (t) => {
  const folder = await office(t, { 'teams.csv': 'matter_id,person_id\n"=HYPERLINK(""x"")",l-moss\n@sum,l-moss\n' });
  const { err } = await imported(folder, ['--teams', 'teams.csv', '--report', 'out.csv']);
  t.match(err, /2 lines rejected/);
  const rows = (await readFile(path.join(folder, 'out.csv'), 'utf8')).split('\r\n');
  t.match(rows[1], /"'=HYPERLINK\(""x""\)"/);
  t.match(rows[2], /"'@sum"/);
});

t.test('encodings: marked ones are read, others must be told', async (t) => {
  const text = 'id,roles,user_type\nl-müller,lawyer,internal\n';
  const folder = await office(t, {});
  const write = (bytes: Uint8Array) => writeFile(path.join(folder, 'people.csv'), bytes);
  const written = async (words: readonly string[] = []) => {
    const { code, err } = await imported(folder, ['--people', 'people.csv', ...words]);
    return code === 0 ? await readFile(path.join(folder, 'policies/data/people.csv'), 'utf8') : err;
  };
  const expected = /^l-müller,lawyer,internal$/m;
  await write(Buffer.from(`\ufeff${text}`));
  t.match(await written(), expected);
  await write(Buffer.from(`\ufeff${text}`, 'utf16le'));
  t.match(await written(), expected);
  await write(Buffer.from(text, 'latin1'));
  t.match(await written(), /people\.csv:2 is not UTF-8\n.*`l-müller,lawyer,internal`.*--encoding windows-1252/s);
  t.match(await written(['--encoding', 'windows-1252']), expected);
  await write(Buffer.from('id,roles\nl-\u0081,lawyer\n', 'latin1'));
  t.match(await written(['--encoding', 'windows-1252']), /not Windows-1252 either/);
  await write(Buffer.from('id\nl-\u0000\n'));
  t.match(await written(), /people\.csv:2 holds a null character/);
  await write(Buffer.from(''));
  t.match(await written(), /is empty/);
});

t.test('columns are found by name, mapped, or asked about', async (t) => {
  const folder = await office(t, {
    'm.csv': 'Matter No,Client Id,practice_grup,Title\nM-7,C-7,tax,Secret\n',
    't.csv': 'matter_id,team,x\nM-7,a,b\n',
  });
  const unclear = await imported(folder, ['--matters', 'm.csv']);
  t.equal(unclear.code, 2);
  t.match(
    unclear.err,
    /m\.csv:1 `practice_grup` is not read; if you mean `practice_group`, add `--map "practice_grup=practice_group"`/,
  );
  t.match(unclear.err, /m\.csv:1 no column is `id`; name one with `--map "COLUMN=id"`/);
  const map = ['--matters', 'm.csv', '--map'];
  t.match(
    (await imported(folder, [...map, 'Matter No=idd'])).err,
    /`idd` is nothing that matters have; did you mean `id`\?/,
  );
  t.match((await imported(folder, [...map, 'Matter No'])).err, /`Matter No` is no mapping/);
  const both = 'Matter No=id,practice_grup=practice_group';
  t.match((await imported(folder, [...map, `${both},Nowhere=name`])).err, /no column is named `Nowhere`/);
  t.match((await imported(folder, [...map, `${both},Title=id`])).err, /`Matter No` and `Title` are both `id`/);
  const done = await imported(folder, [...map, both]);
  t.equal(done.code, 0, done.err);
  t.match(done.out, /not read of m\.csv: Title/);
  t.equal(
    await readFile(path.join(folder, 'policies/data/matters.csv'), 'utf8'),
    'id,client_id,practice_group\nM-7,C-7,tax\n',
  );
  t.match((await imported(folder, [])).err, /nothing to import/);
  t.match((await imported(folder, ['--people', 'gone.csv'])).err, /`gone\.csv` cannot be read/);
});

t.test('an export that was cut off does not empty the firm', async (t) => {
  const folder = await office(t, { 'people.csv': 'id\nl-1\n' });
  const rows = Array.from({ length: 20 }, (_, index) => `l-${index}\n`).join('');
  await writeFile(path.join(folder, 'policies/data/people.csv'), `id\n${rows}`);
  const { code, err } = await imported(folder, ['--people', 'people.csv']);
  t.equal(code, 1);
  t.match(err, /19 of 20 people would go, as if the export were cut off/);
});

t.test('what would not load is not written, and findings that are new are shown', async (t) => {
  const folder = await office(t, { 'matters.csv': 'id,client_id\nM-1,C-1\n' });
  const before = await contents(folder);
  const dry = await imported(folder, ['--matters', 'matters.csv', '--take-over', '--dry-run']);
  t.match(dry.out, /finding .*walls\/walls\.yaml.*the matter `M-2` is not registered/);
  await writeFile(path.join(folder, 'policies/rules/rules.yaml'), 'rules: [');
  const broken = await imported(folder, ['--matters', 'matters.csv', '--take-over']);
  t.equal(broken.code, 2);
  t.match(broken.err, /does not load/);
  t.equal((await contents(folder)).length < before.length, true);
});

t.test('values that no cell holds make it NDJSON', async (t) => {
  const folder = await office(t, { 'matters.csv': 'id,client_id,team\nM-7,C-7,l-moss\n' });
  await writeFile(
    path.join(folder, 'policies/data/matters.ndjson'),
    '{"id":"M-7","client_id":"C-7","properties":{"final":null}}\n',
  );
  const { code, out, err } = await imported(folder, ['--matters', 'matters.csv']);
  t.equal(code, 0, err);
  t.match(out, /wrote policies\/data\/matters\.ndjson/);
  t.equal(
    await readFile(path.join(folder, 'policies/data/matters.ndjson'), 'utf8'),
    '{"properties":{"final":null},"id":"M-7","client_id":"C-7","team":["l-moss"]}\n',
  );
});
