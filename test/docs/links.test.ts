// Every place that README, SECURITY and docs/ point to in this repository is there: files, tests, headings.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { REPOSITORY } from '../cli/privity.ts';

const PAGES = [
  'README.md',
  'SECURITY.md',
  'clients/typescript/README.md',
  'examples/document-service/README.md',
  ...['docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(path.join(REPOSITORY, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];
const read = (page: string): string =>
  readFileSync(path.join(REPOSITORY, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');

/** As GitHub names headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

function linksOf(page: string): readonly string[] {
  return [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

for (const page of PAGES) {
  const links = linksOf(page);
  if (links.length === 0) continue;
  t.test(page, async (t) => {
    for (const link of links) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      t.ok(existsSync(path.join(REPOSITORY, target)), `${link} is there`);
      if (anchor !== undefined && target.endsWith('.md')) t.ok(anchorsOf(target).has(anchor), `${link}: a heading`);
    }
  });
}

t.test('the threat model names a test for each promise and each adversary', async (t) => {
  const rows = read('docs/threat-model.md')
    .split('\n')
    .filter((line) => /^\| (?:P\d|\*\*)/.test(line));
  t.equal(rows.filter((row) => /^\| P\d/.test(row)).length, 7);
  t.ok(rows.length >= 7 + 9);
  for (const row of rows) t.match(row, /\]\(\.\.\/test\/\S+\.test\.ts\)/, row.slice(0, 60));
});
