import t from 'tap';
import { Matter } from '../../src/model/data.ts';
import { FILE_SCHEMAS } from '../../src/core/file-kind.ts';
import { checkEntries, checkFile, formatDiagnostic } from '../../src/core/schema-check.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';

const file = (path: string, text: string) => parseSourceFile(path, new TextEncoder().encode(text));

t.test('each problem has its place, its entry and its hint', async (t) => {
  const rules = file(
    'rules/teams.yaml',
    `version: 1
rules:
  - id: team-lawyers
    effect: allow
    actoins: [read]
    resources: any
  - id: partners
    effect: allow
    cases:
      - roles: partner
  - effect: deny
`,
  );
  t.strictSame(checkFile(rules, FILE_SCHEMAS.rules).map(formatDiagnostic), [
    'rules/teams.yaml:5:5 team-lawyers: unknown member `actoins` in entry 1 of `rules` — did you mean `actions`?',
    'rules/teams.yaml:10:9 partners: `roles` must be a list, found the text `partner` — write it in brackets: [partner]',
    'rules/teams.yaml:11:5: entry 3 of `rules` lacks `id` — add `id`: text',
  ]);
  t.match(checkFile(rules, FILE_SCHEMAS.rules)[0], { severity: 'error', code: 'unknown-member', item: 'team-lawyers' });
});

t.test('a file that fits says nothing', async (t) => {
  t.strictSame(
    checkFile(file('lockdown.yaml', 'version: 1\npeople: [u-1, { id: u-2, reason: left }]\n'), FILE_SCHEMAS.lockdown),
    [],
  );
});

t.test('what parsing found is reported too, and stands for everything when there is no value', async (t) => {
  const broken = file('lockdown.yaml', 'version: 1\npeople: [u-1\nmatters: []\n');
  t.strictSame(checkFile(broken, FILE_SCHEMAS.lockdown), broken.problems);
  t.ok(broken.problems.length > 0);
  const double = file('lockdown.yaml', 'version: 1\npeople: [u-1]\npeople: [7]\n');
  t.strictSame(
    checkFile(double, FILE_SCHEMAS.lockdown).map(({ code }) => code),
    ['duplicate-key', 'wrong-type'],
  );
});

t.test('long lists are checked in slices, with the place of the whole', async (t) => {
  const matters = file(
    'data/matters.ndjson',
    '{"id":"M-1","client_id":"C-1"}\n\n{"id":"M-2"}\n{"id":"M-3","client_id":1}\n',
  );
  const { matters: entries } = matters.value as { matters: unknown[] };
  t.strictSame(checkEntries(matters, ['matters'], entries.slice(0, 1), Matter, 0), []);
  t.strictSame(checkEntries(matters, ['matters'], entries.slice(1), Matter, 1).map(formatDiagnostic), [
    'data/matters.ndjson:3:1 M-2: entry 2 of `matters` lacks `client_id` — add `client_id`: text',
    'data/matters.ndjson:4:1 M-3: `client_id` must be text, found `1` — put it in quotes',
  ]);
});

t.test('entries without id are named by `sub`; a diagnostic without hint ends with its message', async (t) => {
  const services = file(
    'data/services.yaml',
    'services:\n  - sub: svc-a\n    source_systems: []\n    allowed: [{ resource_type: a, actions: [""] }]\n',
  );
  const [problem] = checkFile(services, FILE_SCHEMAS.data);
  t.ok(problem);
  if (problem !== undefined) {
    t.equal(formatDiagnostic(problem), 'data/services.yaml:4:45 svc-a: entry 1 of `actions` must not be empty');
  }
});
