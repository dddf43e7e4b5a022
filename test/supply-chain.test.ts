// What Privity is made of and how it comes here: the bill of materials, licences, install scripts by name, hashes, pinned actions. It must
// need no network.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { billOfMaterials, productionPlaces, readLock, sbomText } from '../tools/generate-sbom.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}
interface Bom {
  readonly specVersion: string;
  readonly components: readonly {
    readonly group?: string;
    readonly name: string;
    readonly purl: string;
    readonly hashes?: readonly object[];
    readonly licenses?: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const read = (name: string): Promise<string> => readFile(path.join(ROOT, name), 'utf8');
const manifest = JSON.parse(await read('package.json')) as Manifest;
const lock = await readLock();
const bom = JSON.parse(await read('sbom.cdx.json')) as Bom;
const nameOf = (place: string): string => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Permissive; each may be used inside of software under Apache-2.0. Anything else is looked at by a person first. */
const LICENCES = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'PostgreSQL',
]);

t.test('the bill of materials is that of this lock', async (t) => {
  t.equal(await read('sbom.cdx.json'), await sbomText(), 'run `node tools/generate-sbom.ts`');
  t.equal(bom.specVersion, '1.6');
  const names = new Set(bom.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`)));
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    t.ok(names.has(name), `${name} is listed`);
  }
  for (const name of Object.keys(manifest.devDependencies)) {
    t.equal(names.has(name), lock[`node_modules/${name}`]?.dev !== true, `${name} is for development`);
  }
  t.equal(names.size > 100, true);
});

t.test('every reference leads to a component, and every component is reached', async (t) => {
  const listed = new Set(bom.components.map(({ purl }) => purl));
  t.equal(listed.size, bom.components.length, 'once each');
  const edges = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set<string>();
  const visit = (ref: string): void => {
    for (const next of edges.get(ref) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      visit(next);
    }
  };
  visit([...edges.keys()].find((ref) => !listed.has(ref)) ?? '');
  t.strictSame([...reached].toSorted(), [...listed].toSorted());
});

t.test('it is made of the lock alone: a package more in the lock is one more in the bill', async (t) => {
  const more = { ...lock, 'node_modules/zz-new': { version: '1.0.0', license: 'MIT', integrity: 'sha512-AAAA' } };
  const { components } = billOfMaterials(more) as Bom;
  t.equal(components.length, bom.components.length + 1);
  t.match(components.at(-1), { purl: 'pkg:npm/zz-new@1.0.0', hashes: [{ alg: 'SHA-512', content: '000000' }] });
});

t.test('licences of what runs in production', async (t) => {
  for (const { purl, licenses = [] } of bom.components) {
    const ids = licenses.map(({ license, expression }) => license?.id ?? expression ?? '');
    t.ok(ids.length > 0 && ids.every((id) => LICENCES.has(id)), `${purl}: ${ids.join(', ') || 'none'}`);
  }
});

t.test('install scripts run by name only', async (t) => {
  const withScripts = Object.entries(lock).filter(([, entry]) => 'hasInstallScript' in entry);
  t.ok(withScripts.length > 0);
  const names = new Set(withScripts.map(([place]) => nameOf(place)));
  for (const name of names)
    t.type(manifest.allowScripts[name], 'boolean', `${name} is in allowScripts of package.json`);
  for (const name of Object.keys(manifest.allowScripts)) t.ok(names.has(name), `${name} is no longer needed there`);
  t.match(await read('.npmrc'), /^strict-allow-scripts=true$/m, 'a script that is not listed fails the installation');
  t.match(await read('Dockerfile'), /npm ci --omit=dev .*--ignore-scripts/, 'none runs for the image');
});

const npm = await run('npm', ['--version'], { encoding: 'utf8' }).then(
  ({ stdout }) => stdout.trim(),
  () => 'none',
);
const [major = 0, minor = 0] = npm.split('.').map(Number);
const tooOld = major > 11 || (major === 11 && minor >= 16) ? false : `needs npm 11.16 or newer; here is ${npm}`;
t.test('npm refuses a package whose script is not named', { skip: tooOld }, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'privity-npm-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, value: object): Promise<void> =>
    writeFile(path.join(folder, name), JSON.stringify(value));
  await mkdir(path.join(folder, 'stranger'));
  const script = `node -e "require('fs').writeFileSync(process.env.INIT_CWD + '/ran', '')"`;
  await write('stranger/package.json', { name: 'stranger', version: '1.0.0', scripts: { postinstall: script } });
  const quiet = { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, npm_config_offline: 'true' } };
  await run('npm', ['pack', './stranger'], quiet);
  await write('package.json', { name: 'x', version: '1.0.0', dependencies: { stranger: 'file:stranger-1.0.0.tgz' } });
  await run('npm', ['install', '--ignore-scripts'], quiet);
  await cp(path.join(ROOT, '.npmrc'), path.join(folder, '.npmrc'));
  await rm(path.join(folder, 'node_modules'), { recursive: true });
  const refusal = await run('npm', ['ci'], quiet).then(
    () => 'installed',
    (error: unknown) => String(error instanceof Error && 'stderr' in error ? error.stderr : error),
  );
  t.match(refusal, 'ESTRICTALLOWSCRIPTS');
  await t.rejects(stat(path.join(folder, 'ran')), { code: 'ENOENT' }, 'the script did not run');
});

t.test('what is installed is what was looked at', async (t) => {
  const { packages } = JSON.parse(await read('package-lock.json')) as {
    readonly packages: Readonly<
      Record<string, { readonly resolved?: string; readonly dev?: boolean; readonly optional?: boolean }>
    >;
  };
  t.strictSame(
    Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined),
    [],
    'no registry is named',
  );
  const without = Object.keys(lock).filter((place) => place !== '' && lock[place]?.integrity === undefined);
  // Builds of the linter for other platforms, which npm locks without having seen them.
  const builds = /^node_modules\/(?:@oxlint\/binding|@oxlint-tsgolint\/)/;
  t.strictSame(
    without.filter(
      (place) => !(builds.test(place) && packages[place]?.dev === true && packages[place]?.optional === true),
    ),
    [],
  );
  t.strictSame(
    productionPlaces(lock).filter((place) => lock[place]?.integrity === undefined),
    [],
    'nothing that runs in production comes without its hash',
  );
});

t.test('workflows: actions by commit, rights to read only, the same run as everywhere', async (t) => {
  const folder = '.github/workflows';
  const names = await readdir(path.join(ROOT, folder));
  t.ok(names.includes('ci.yaml'));
  for (const name of names) {
    const text = await read(`${folder}/${name}`);
    pinned(t, name, text);
    const { permissions, jobs } = parse(text) as {
      permissions?: object;
      jobs: Record<string, { permissions?: object }>;
    };
    t.strictSame(permissions, { contents: 'read' }, `${name}: rights`);
    for (const job of Object.values(jobs)) t.notOk('permissions' in job, `${name}: no job asks for more`);
    t.notMatch(text, /pull_request_target|\$\{\{\s*secrets\./, `${name}: strangers' code meets no secret`);
    t.match(text, /^ +- run: \.ci\/run$/m, name);
  }
});

t.test('the action that policies repositories use: actions by commit', async (t) => {
  t.ok(pinned(t, 'action.yml', await read('action.yml')) > 0);
});

function pinned(t: Test, name: string, text: string): number {
  const uses = [...text.matchAll(/^\s*-?\s*uses:\s*(\S+).*$/gm)];
  for (const [line, action] of uses) {
    t.match(action, /^[\w-]+\/[\w./-]+@[0-9a-f]{40}$/, `${name}: ${action} is pinned by commit`);
    t.match(line, / # v\d+\.\d+\.\d+$/, `${name}: ${action} says which version that is`);
  }
  return uses.length;
}

t.test('new versions wait before they are proposed', async (t) => {
  const { updates } = parse(await read('.github/dependabot.yml')) as {
    updates: readonly { 'package-ecosystem': string; cooldown?: { 'default-days': number } }[];
  };
  t.strictSame(updates.map((one) => one['package-ecosystem']).toSorted(), ['docker', 'github-actions', 'npm']);
  for (const { cooldown } of updates) t.ok((cooldown?.['default-days'] ?? 0) >= 7);
});
