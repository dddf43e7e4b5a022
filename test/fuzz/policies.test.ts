// Random policy folders: the loader gives a set or says what is wrong and where, never both, never neither, and never fails or hangs.
import assert from 'node:assert/strict';
import t from 'tap';
import { parse } from 'yaml';
import { createCompileCache } from '../../src/core/compile-cache.ts';
import { compilePolicies } from '../../src/core/compile.ts';
import { decide } from '../../src/core/decide.ts';
import { fileKind } from '../../src/core/file-kind.ts';
import { parseSourceFile } from '../../src/io/policies/parse.ts';
import type { SourceFile } from '../../src/model/diagnostic.ts';
import { asks, SMALL_DATA, SMALL_FIRM, sourceFile } from '../helpers/policies.ts';
import { fuzz } from './guided.ts';

t.setTimeout(3_600_000);

const BASE: readonly SourceFile[] = [
  sourceFile('firm.yaml', SMALL_FIRM),
  sourceFile('data/data.yaml', SMALL_DATA),
  sourceFile('issuers.yaml', {
    version: 1,
    issuers: [
      {
        issuer: 'https://login.firm.example/',
        keys: { url: 'https://login.firm.example/jwks' },
        algorithms: ['ES256'],
        audience: 'https://privity.firm.example/',
        typ: 'at+jwt',
        claims: { id: '/sub', client: '/azp' },
        may_assert: { user_types: ['internal'], roles: ['partner'], ids: ['u-*'] },
      },
    ],
  }),
  sourceFile('rules/rules.yaml', {
    version: 1,
    rules: [{ id: 'read', effect: 'allow', actions: ['read'], resources: ['document'] }],
  }),
];
const QUESTIONS = [
  asks(),
  asks({ subject: { roles: 7 }, properties: { level: null } }),
  asks({ action: 'x', type: '__proto__' }),
];

// As a service loads: files that have not changed are not compiled again.
const cache = createCompileCache();

/** First line: the path; below: what the file holds. */
function run(input: Buffer): void {
  const end = input.indexOf('\n');
  const path = input.subarray(0, Math.max(0, end)).toString('latin1');
  const name = fileKind(path) === null ? 'rules/rules.yaml' : path;
  const bytes = input.subarray(end + 1);
  const file = parseSourceFile(name, bytes);
  const files = [...BASE.filter((one) => one.path !== name), file];
  const { set, diagnostics } = compilePolicies(files, { commit: null, cache });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  assert.equal(set === null, errors.length > 0, 'a set, or errors');
  for (const { file: at, line, column, message, code } of diagnostics) {
    assert.ok(at === 'firm.yaml' || files.some((one) => one.path === at), `${at} is no file`);
    assert.ok(Number.isInteger(line) && line >= 1 && line <= linesOf(at, name, bytes), `${code} at line ${line}`);
    assert.ok(Number.isInteger(column) && column >= 1, `${code} at column ${column}`);
    assert.ok(message.length > 0 && code.length > 0);
  }
  if (set === null) return;
  for (const question of QUESTIONS) {
    const { outcome, decidedBy } = decide(set, question);
    assert.ok(outcome === 'allow' || outcome === 'deny');
    assert.ok(decidedBy.length > 0);
  }
}

function linesOf(at: string, fuzzed: string, bytes: Buffer): number {
  const text = at === fuzzed ? bytes : (BASE.find(({ path }) => path === at)?.bytes ?? new Uint8Array());
  return Buffer.from(text)
    .toString('utf8')
    .split(/\r\n|\r|\n/).length;
}

t.test('a set or diagnostics', (t) =>
  fuzz(t, { name: 'policies', watched: /\/src\/(core|io\/policies)\//, parse, run }, { executions: 800, minutes: 5 }),
);
