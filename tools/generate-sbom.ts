// Writes sbom.cdx.json, the bill of materials (CycloneDX 1.6) of what runs in production, from package-lock.json alone: same lock, same
// bytes, no network. It must never leave out a package that can be installed, nor list one that is for development only.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

interface LockedPackage {
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** By place, such as `node_modules/pg`; the project itself under ''. */
type Lock = Readonly<Record<string, LockedPackage>>;

const ROOT = new URL('../', import.meta.url);
const FILE = new URL('sbom.cdx.json', ROOT);
const MODULES = 'node_modules/';

export async function readLock(): Promise<Lock> {
  const lock = JSON.parse(await readFile(new URL('package-lock.json', ROOT), 'utf8')) as { readonly packages: Lock };
  return lock.packages;
}

/** Places of everything that an installation without development tools may hold. */
export function productionPlaces(lock: Lock): readonly string[] {
  return Object.keys(lock)
    .filter((place) => place !== '' && lock[place]?.dev !== true)
    .toSorted();
}

export function billOfMaterials(lock: Lock): object {
  const root = lock[''];
  if (root === undefined) throw new Error('package-lock.json does not say what it locks');
  const places = productionPlaces(lock);
  const components = new Map(places.map((place) => [reference(lock, place), componentOf(lock, place)]));
  const edges = new Map<string, Set<string>>();
  for (const place of ['', ...places]) {
    const from = edges.get(reference(lock, place)) ?? new Set<string>();
    for (const target of targetsOf(lock, place)) from.add(reference(lock, target));
    edges.set(reference(lock, place), from);
  }
  const byReference = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'pre-build' }],
      component: {
        type: 'application',
        'bom-ref': reference(lock, ''),
        name: 'privity',
        version: root.version,
        ...licensesOf(root),
      },
    },
    components: [...components].toSorted(byReference).map(([, component]) => component),
    dependencies: [...edges].toSorted(byReference).map(([ref, on]) => ({ ref, dependsOn: [...on].toSorted() })),
  };
}

function componentOf(lock: Lock, place: string): object {
  const entry = entryAt(lock, place);
  const [, group, name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(nameOf(lock, place)) ?? [];
  return {
    type: 'library',
    'bom-ref': reference(lock, place),
    ...(group === undefined ? {} : { group }),
    name,
    version: entry.version,
    scope: entry.optional === true || entry.devOptional === true ? 'optional' : 'required',
    ...(entry.integrity === undefined ? {} : { hashes: hashesOf(entry.integrity) }),
    ...licensesOf(entry),
    purl: reference(lock, place),
  };
}

function licensesOf({ license }: LockedPackage): object {
  if (license === undefined) return {};
  return { licenses: [/\s/.test(license) ? { expression: license } : { license: { id: license } }] };
}

/** Subresource integrity is Base64, CycloneDX wants hex. */
function hashesOf(integrity: string): readonly object[] {
  return integrity.split(' ').map((one) => {
    const [algorithm = '', digest = ''] = one.split(/-(.*)/s);
    return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
  });
}

/** Package URL (purl-spec, type npm): the @ of a scope is percent-encoded. */
function reference(lock: Lock, place: string): string {
  return `pkg:npm/${nameOf(lock, place).replace('@', '%40')}@${entryAt(lock, place).version}`;
}

function nameOf(lock: Lock, place: string): string {
  if (place === '') return 'privity';
  return entryAt(lock, place).name ?? place.slice(place.lastIndexOf(MODULES) + MODULES.length);
}

function entryAt(lock: Lock, place: string): LockedPackage {
  const entry = lock[place];
  if (entry === undefined) throw new Error(`package-lock.json has nothing at ${place}`);
  return entry;
}

function targetsOf(lock: Lock, place: string): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies } = entryAt(lock, place);
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).flatMap(
    (name) => resolve(lock, place, name) ?? [],
  );
}

/** As Node looks for a package: beside the one that asks, then in every folder above. Undefined: an optional one that is not locked. */
function resolve(lock: Lock, place: string, name: string): string | undefined {
  for (let from = place; ; from = from.slice(0, Math.max(0, from.lastIndexOf(`/${MODULES}`)))) {
    const candidate = `${from === '' ? '' : `${from}/`}${MODULES}${name}`;
    if (lock[candidate] !== undefined) return lock[candidate].dev === true ? undefined : candidate;
    if (from === '') return undefined;
  }
}

export async function sbomText(): Promise<string> {
  const config = await resolveConfig(FILE);
  return format(JSON.stringify(billOfMaterials(await readLock())), { ...config, parser: 'json' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await sbomText();
  if ((await readFile(FILE, 'utf8').catch(() => null)) !== text) {
    const check = process.argv.includes('--check');
    if (!check) await writeFile(FILE, text);
    console.log(check ? 'sbom.cdx.json is not up to date: run node tools/generate-sbom.ts' : 'wrote sbom.cdx.json');
    if (check) process.exitCode = 1;
  }
}
