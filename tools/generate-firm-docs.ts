// Writes docs/firm/: the starter pack's access-control matrix and its rules in plain English; with --check it only says whether they are up to date.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { policyDescription } from '../src/cli/policies/description-text.ts';
import { matrixCsv, matrixHtml, matrixMarkdown } from '../src/cli/policies/matrix-text.ts';
import { compilePolicies } from '../src/core/compile.ts';
import { formatDiagnostic } from '../src/core/schema-check.ts';
import { readPolicyFolder } from '../src/io/policies/read.ts';

const FOLDER = new URL('../docs/firm/', import.meta.url);
const POLICIES = fileURLToPath(new URL('../policies', import.meta.url));

const { files } = await readPolicyFolder(POLICIES);
const { set, diagnostics } = compilePolicies(files, { commit: null });
if (set === null) throw new Error(`policies/ does not load:\n${diagnostics.map(formatDiagnostic).join('\n')}`);

const check = process.argv.includes('--check');
await mkdir(FOLDER, { recursive: true });
for (const [name, text] of [
  ['matrix.md', matrixMarkdown(set)],
  ['matrix.csv', matrixCsv(set)],
  ['matrix.html', matrixHtml(set)],
  ['rules.md', policyDescription(set)],
] as const) {
  const file = new URL(name, FOLDER);
  if ((await readFile(file, 'utf8').catch(() => null)) === text) continue;
  if (check) process.exitCode = 1;
  else await writeFile(file, text);
  console.log(
    check ? `docs/firm/${name} is not up to date: run node tools/generate-firm-docs.ts` : `wrote docs/firm/${name}`,
  );
}
