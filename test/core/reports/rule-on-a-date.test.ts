// The rules of a day and their words from the sets that were kept, and who approved them from a clone.
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { addHistory } from '../../../src/cli/audit/rule-history.ts';
import { document, OFFICE, STARTER, startApp } from '../../helpers/app.ts';
import { askReport, otherForms, plain, reportFor, sectionOf, tableOf } from '../../helpers/audit-report.ts';

const HOSTILE = '=1+1 <script>alert(1)</script>';
const walls = `walls:
  - id: W-EX-9
    kind: exclusion
    matter_id: M-5001
    reason: personal_interest
    excluded_people: [u-secord]
    valid_from: '2026-01-01T00:00:00Z'
`;
const rules = (age: string): string => `version: 1
rules:
  - id: no-print-on-sundays
    title: '${HOSTILE}'
    owner: general-counsel
    review_by: 2030-01-01
    effect: deny
    actions: [print]
    resources: [content]
    when: { subject.auth_time: { $age: { $gte: ${age} } } }

  # About one matter alone.
  - id: nobody-prints-one
    title: One matter
    owner: general-counsel
    review_by: 2030-01-01
    effect: deny
    actions: [print]
    resources: [content]
    when: { matter.id: M-5001 }
`;
const clone = await mkdtemp(path.join(tmpdir(), 'privity-clone-'));
t.teardown(() => rm(clone, { recursive: true, force: true }));
await cp(STARTER, path.join(clone, 'policies'), { recursive: true });
const file = path.join(clone, 'policies', 'rules', 'more.yaml');

function git(...words: string[]): string {
  const who = ['-c', 'user.name=Writer One', '-c', 'user.email=one@firm.example', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', clone, ...who, ...words], { encoding: 'utf8' }).trim();
}

async function commit(text: string, message: string): Promise<string> {
  await writeFile(file, text);
  git('add', '-A');
  git('commit', '-q', '-m', message);
  return git('rev-parse', 'HEAD');
}

git('init', '-q', '-b', 'main');
await writeFile(path.join(clone, 'policies', 'walls', 'more.yaml'), walls);
const first = await commit(rules('P1D'), 'No prints on Sundays\n\nReviewed-by: Gray <gray@firm.example>');
const rig = await startApp(t, {
  environment: { POLICIES_DIR: path.join(clone, 'policies') },
});
const today = new Date().toISOString().slice(0, 10);

t.test('the set that was loaded, and every rule of it', async (t) => {
  const { revision, commit } = rig.app.policies.current();
  t.equal(commit, first, 'it came from a commit');
  const report = await reportFor(rig, 'u-audley', 'rule-on-a-date', { date: today });
  t.match(tableOf(report, 'In force'), [{ when: 'on this day', revision, commit: first }]);
  const all = tableOf(report, `Rules of ${revision}`);
  t.equal(all.length, rig.app.policies.current().rules.length);
  t.match(
    all.find(({ id }) => id === 'no-print-on-sundays'),
    { effect: 'deny', title: HOSTILE, source: 'rules/more.yaml:3' },
  );
  const { csv, html } = await otherForms(rig, 'u-audley', 'rule-on-a-date', { date: today });
  t.ok(csv.flat().includes(`'${HOSTILE}`));
  t.match(html, '&lt;script&gt;');
  t.match((await reportFor(rig, 'u-audley', 'rule-on-a-date', { date: '2020-01-01' })).notes, [
    /No policy set is known/,
  ]);
});

t.test('the words of one rule, before and after it was changed', async (t) => {
  const before = rig.app.policies.current().revision;
  git('checkout', '-q', '-b', 'change');
  const change = await commit(rules('P2D'), 'Two days');
  git('checkout', '-q', 'main');
  git('merge', '-q', '--no-ff', '-m', 'Merge the change\n\nApproved-by: Sands <sands@firm.example>', 'change');
  const merge = git('rev-parse', 'HEAD');
  await rig.app.policies.load();
  const after = rig.app.policies.current().revision;
  const report = await reportFor(rig, 'u-audley', 'rule-on-a-date', { date: today, rule: 'no-print-on-sundays' });
  t.strictSame(
    tableOf(report, 'In force').map(({ revision }) => revision),
    [before, after],
  );
  const words = (revision: string) => sectionOf(report, `no-print-on-sundays in ${revision}`);
  t.match(words(before).text, /^ {2}- id: no-print-on-sundays\n[^]*\$gte: P1D } } }$/);
  t.match(words(after).text, 'P2D');
  t.notMatch(words(after).text, 'About one matter', 'what belongs to the next rule is not its own');
  t.match(words(after).facts, [{}, { label: 'File', value: 'rules/more.yaml' }, { label: 'Lines', value: '3 to 10' }]);
  const { html } = await otherForms(rig, 'u-audley', 'rule-on-a-date', { date: today, rule: 'no-print-on-sundays' });
  t.match(html, '<pre>  - id: no-print-on-sundays');

  const told = await addHistory(report, clone, '/');
  t.match(tableOf(told, 'Commits of the policy sets'), [
    {
      revision: before,
      commit: first,
      author: 'Writer One <one@firm.example>',
      trailers: 'Reviewed-by: Gray <gray@firm.example>',
    },
    { revision: after, commit: merge, trailers: 'Approved-by: Sands <sands@firm.example>' },
  ]);
  t.match(tableOf(told, `Who wrote and approved no-print-on-sundays in ${before}`), [
    { commit: first, signature: 'none', trailers: 'Reviewed-by: Gray <gray@firm.example>', merged_by: null },
  ]);
  t.match(tableOf(told, `Who wrote and approved no-print-on-sundays in ${after}`), [
    { commit: change, subject: 'Two days', merged_by: /Writer One .*; Approved-by: Sands/ },
    { commit: first, subject: 'No prints on Sundays', merged_by: null },
  ]);
  t.notMatch(told.notes.join('\n'), '--repository');
  await t.rejects(addHistory(report, path.join(clone, 'nowhere'), '/'), /is no clone/);
});

t.test('a set from a plain folder: the newest commit with exactly these words, or none', async (t) => {
  const report = await reportFor(rig, 'u-audley', 'rule-on-a-date', { date: today, rule: 'no-print-on-sundays' });
  const loose = {
    ...report,
    sections: report.sections.map((section) =>
      section.table === undefined
        ? section
        : { ...section, table: { ...section.table, rows: section.table.rows.map((row) => row.with(3, null)) } },
    ),
  };
  const told = await addHistory(loose, clone, '/');
  t.equal(
    told.sections.filter(({ heading, table }) => heading.startsWith('Who wrote') && table !== undefined).length,
    2,
  );
  const changed = {
    ...loose,
    sections: loose.sections.map((one) => (one.text === undefined ? one : { ...one, text: `${one.text}\n#` })),
  };
  const none = await addHistory(changed, clone, '/');
  t.match(
    none.sections.filter(({ heading }) => heading.startsWith('Who wrote')).map(({ note }) => note),
    [/^Not known/, /^Not known/],
  );
});

t.test('words that name a matter behind a wall of the reader are not shown', async (t) => {
  const query = { date: today, rule: 'nobody-prints-one' };
  t.match(sectionOf(await reportFor(rig, 'u-audley', 'rule-on-a-date', query), /nobody/).text, 'M-5001');
  const hidden = await reportFor(rig, 'u-secord', 'rule-on-a-date', query);
  t.notMatch(JSON.stringify(hidden), 'M-5001');
  t.equal(sectionOf(hidden, /nobody/).text, undefined);
  const before = plain(hidden);
  await rig.ask('u-okafor', {
    action: { name: 'read' },
    resource: document('D-1', { matter_id: 'M-5001', client_id: 'C-600' }),
    context: OFFICE,
  });
  t.strictSame(plain(await reportFor(rig, 'u-secord', 'rule-on-a-date', query)), before);
});

t.test('days that are none, and others who ask', async (t) => {
  for (const date of ['2026-02-30', '2026-13-01', '1999-12-31', 'today']) {
    t.equal((await askReport(rig, 'u-audley', 'rule-on-a-date', { date })).status, 400, date);
  }
  t.equal((await askReport(rig, 'u-audley', 'rule-on-a-date')).status, 400, 'the day is needed');
  t.equal((await askReport(rig, 'u-okafor', 'rule-on-a-date', { date: today })).status, 404);
});
