import t from 'tap';
import { fileFormat, fileKind, rowsRoot } from '../../src/core/file-kind.ts';

t.test('the path says what a file is', async (t) => {
  const kinds: Record<string, string | null> = {
    'firm.yaml': 'firm',
    'issuers.yaml': 'issuers',
    'callers.yaml': 'callers',
    'lockdown.yaml': 'lockdown',
    'retention.yaml': 'retention',
    'routes.yaml': 'routes',
    'rules/teams.yaml': 'rules',
    'rules/content/teams.yml': 'rules',
    'walls/walls.yaml': 'walls',
    'walls/lateral.ndjson': 'walls',
    'data/matters.csv': 'data',
    'data/2026/matters.json': 'data',
    'tests/walls.yaml': 'tests',
    'invariants/walls.yaml': 'invariants',
    'keys/firm.json': 'keys',
    'README.md': null,
    'firms.yaml': null,
    'lockdown.yml': null,
    'rules/README.md': null,
    'rules/list.csv': null,
    'rules/.hidden.yaml': null,
    '.git/firm.yaml': null,
    'rules//a.yaml': null,
    'other/firm.yaml': null,
    yaml: null,
    'data/.yaml': null,
  };
  for (const [path, kind] of Object.entries(kinds)) t.equal(fileKind(path), kind, path);
});

t.test('the ending says the format, the name says the list', async (t) => {
  t.equal(fileFormat('data/matters.jsonl'), 'ndjson');
  t.equal(fileFormat('data/matters'), null);
  t.equal(fileFormat('data/matters.toString'), null);
  t.equal(rowsRoot('data/matters-litigation.2026.csv'), 'matters');
  t.equal(rowsRoot('data/ai_assistants.ndjson'), 'ai_assistants');
  t.equal(rowsRoot('walls/lateral-hires.csv'), 'walls');
});
