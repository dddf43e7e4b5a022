// The house plan as a test: layers point down, folders of io/ keep to themselves, each foreign library has one home, and files stay
// small, owned and free of back doors. See docs/ARCHITECTURE.md.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

interface SourceFile {
  readonly name: string;
  readonly text: string;
  /** The text without comments and without what strings say. */
  readonly code: string;
  /** Specifiers as written, of values and of types. */
  readonly imports: readonly string[];
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LONGEST = 300;

// Lower may be imported by higher, never the other way; every folder of io/ is on its own.
const LAYERS: readonly (readonly [layer: string, files: RegExp])[] = [
  ['model', /^src\/model\//],
  ['core', /^src\/core\//],
  ['io', /^src\/io\/[^/]+\//],
  ['service', /^src\/(http\/|cli\/|[a-z-]+\.ts$)/],
  ['tools', /^tools\//],
];

const HOMES: Readonly<Record<string, RegExp>> = {
  '@casl/ability': /^src\/core\/ability\.ts$/,
  'age-encryption': /^src\/io\/log\/backup\//,
  jose: /^src\/io\/identity\//,
  pg: /^src\/io\/(db|log|reports)\//,
  kysely: /^src\/io\/(db|log|reports)\//,
  yaml: /^(src\/io\/policies|tools\/policy\/(format|unused))\//,
  fastify: /^src\/(app\.ts|server\.ts|http\/)/,
  'fastify-plugin': /^src\/(app\.ts|server\.ts|http\/)/,
  '@fastify': /^src\/(app\.ts|server\.ts|http\/)/,
  '@prometheus-io/client': /^src\/metrics\.ts$/,
  '@opentelemetry': /^src\/tracing\.ts$/,
  'z3-solver': /^tools\/policy\/smt\/solver\.ts$/,
};

// Deterministic and synchronous, which is all that core needs of Node.
const PURE_BUILTINS = new Set(['node:crypto', 'node:buffer', 'node:util']);
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\bperformance\.|\bprocess\b|\bglobalThis\b|\bfetch\(|\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bawait\b|\basync\b|\bPromise\b|\bTemporal\.Now\b/;
const RANDOM = /\brandom(Bytes|UUID|Int|FillSync)\b|\bMath\.random\b|\bgetRandomValues\b/;
// Ids and nonces have to come from somewhere; nothing else in core may be left to chance.
const RANDOM_BITS = 'src/core/record/uuid.ts';
const BACK_DOORS = /\bas any\b|\bas unknown as\b|@ts-ignore|@ts-expect-error|@ts-nocheck/;

const IMPORT = /^\s*(?:import|export)\b[^'"`;=()]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm;
const STRING_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function readSource(name: string): SourceFile {
  const text = readFileSync(path.join(ROOT, name), 'utf8');
  const code = text.replace(STRING_OR_COMMENT, (match) => (match.startsWith('/') ? '' : `''`));
  const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  return { name, text, code, imports };
}

function layerOf(name: string): number {
  return LAYERS.findIndex(([, files]) => files.test(name));
}

function folderOf(name: string): string {
  return name.split('/').slice(0, 3).join('/');
}

/** What a relative import names, from the root of the repository. */
function targetOf(file: SourceFile, specifier: string): string | undefined {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file.name), specifier) : undefined;
}

function targetsOf(file: SourceFile): string[] {
  return file.imports.flatMap((specifier) => targetOf(file, specifier) ?? []);
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

function findCycle(files: ReadonlyMap<string, SourceFile>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    const file = files.get(name);
    if (file === undefined || done.has(name)) return undefined;
    for (const target of targetsOf(file)) {
      const cycle = visit(target, [...trail, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of files.keys()) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

const names = globSync(['src/**/*.ts', 'tools/**/*.ts'], { cwd: ROOT }).map((name) => name.split(path.sep).join('/'));
const files = names.toSorted().map(readSource);
const sources = files.filter((file) => file.name.startsWith('src/'));

/** One line for each breach, so that a failing test says what to change. */
function breaches(of: readonly SourceFile[], find: (file: SourceFile) => readonly string[]): string[] {
  return of.flatMap((file) => find(file).map((breach) => `${file.name}: ${breach}`));
}

t.test('there is something to check, and it is read rightly', async (t) => {
  t.ok(sources.length > 10);
  const sample = files.find((file) => file.name === 'src/io/db/database.ts');
  t.strictSame(sample?.imports, ['node:net', 'kysely', 'pg', '../../model/tables.ts']);
});

t.test('every file has its place in a layer', async (t) => {
  t.strictSame(
    breaches(files, (file) => (layerOf(file.name) < 0 ? ['is in no layer of the house plan'] : [])),
    [],
  );
});

t.test('imports point down, and folders of io/ never import each other', async (t) => {
  const found = breaches(files, (file) =>
    targetsOf(file).flatMap((target) => {
      const [from, to] = [layerOf(file.name), layerOf(target)];
      if (to < 0) return [`imports ${target}, which is outside`];
      if (to > from) return [`imports ${target}, which is above it`];
      const bothIo = LAYERS[from]?.[0] === 'io' && from === to;
      return bothIo && folderOf(file.name) !== folderOf(target) ? [`imports ${target} across io/`] : [];
    }),
  );
  t.strictSame(found, []);
});

t.test('nothing imports in a circle, types included', async (t) => {
  t.equal(findCycle(new Map(files.map((file) => [file.name, file])))?.join(' -> '), undefined);
});

t.test('imports name files that exist, in full, and nothing is imported under a computed name', async (t) => {
  const found = breaches(files, (file) => [
    ...targetsOf(file)
      .filter((target) => !target.endsWith('.ts') || !existsSync(path.join(ROOT, target)))
      .map((target) => `imports ${target}, which is not there`),
    ...(/\bimport\((?!\s*'')/.test(file.code) ? ['imports a computed name'] : []),
  ]);
  t.strictSame(found, []);
});

t.test('each foreign library has one home and is declared for production', async (t) => {
  const manifest: unknown = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const sections = ['dependencies', 'optionalDependencies'] as const;
  const declared = new Set(
    sections.flatMap((section) => Object.keys((manifest as Partial<Record<typeof section, object>>)[section] ?? {})),
  );
  const found = breaches(files, (file) =>
    file.imports
      .filter((specifier) => !specifier.startsWith('.'))
      .flatMap((specifier) => {
        if (!specifier.startsWith('node:') && builtinModules.includes(specifier))
          return [`imports ${specifier} without \`node:\``];
        if (specifier.startsWith('node:')) return [];
        const library = packageOf(specifier);
        const home = HOMES[library] ?? HOMES[library.split('/')[0] ?? ''];
        if (home !== undefined && !home.test(file.name)) return [`imports ${library} away from its home`];
        return file.name.startsWith('src/') && !declared.has(library) ? [`imports ${library}, undeclared`] : [];
      }),
  );
  t.strictSame(found, []);
});

t.test('core and model are pure and synchronous', async (t) => {
  const inner = sources.filter((file) => /^src\/(core|model)\//.test(file.name));
  const found = breaches(inner, (file) => [
    ...file.imports
      .filter((specifier) => specifier.startsWith('node:') && !PURE_BUILTINS.has(specifier))
      .map((specifier) => `imports ${specifier}`),
    ...(IMPURE.exec(file.code)?.slice(0, 1) ?? []).map((word) => `uses ${word}`),
    ...(file.name === RANDOM_BITS ? [] : (RANDOM.exec(file.code)?.slice(0, 1) ?? [])).map((word) => `uses ${word}`),
  ]);
  t.strictSame(found, []);
});

t.test('only config.ts reads the environment', async (t) => {
  const readers = files.filter((file) => /\bprocess\s*\.\s*env\b|\benv\b[^;]*\}\s*=\s*process\b/.test(file.code));
  t.strictSame(
    readers.map((file) => file.name).filter((name) => name !== 'src/config.ts'),
    [],
  );
});

t.test('files fit in the head and say what they are for', async (t) => {
  const found = breaches(files, (file) => [
    ...(file.text.split('\n').length - 1 > LONGEST ? [`is longer than ${LONGEST} lines`] : []),
    ...(/^(#![^\n]*\n)?(\/\/ \S|\/\*)/.test(file.text) ? [] : ['does not begin with a comment']),
    ...(BACK_DOORS.exec(file.text)?.slice(0, 1) ?? []).map((word) => `contains \`${word}\``),
  ]);
  t.strictSame(found, []);
});

t.test('no barrels, no drawers', async (t) => {
  const found = breaches(files, (file) => [
    ...(/(^|\/)index\.ts$/.test(file.name) ? ['is a barrel'] : []),
    ...(/^\s*export\s*\*/m.test(file.code) ? ['re-exports everything of another file'] : []),
    ...(/(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(file.name) ? ['has a name that says nothing'] : []),
    ...(/\bclass\s+\w+\s+extends\s+(?!Error\b)/.test(file.code) ? ['inherits'] : []),
  ]);
  t.strictSame(found, []);
});
