// The TypeScript client as those who install it get it: compiled, packed and unpacked again. It must never hand a test the sources.
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TearsDown } from './postgres.ts';
import { collect, spawnPlain } from './processes.ts';

type Main = typeof import('../../clients/typescript/src/main.ts');
type FastifyGuard = typeof import('../../clients/typescript/src/fastify.ts');
type ExpressGuard = typeof import('../../clients/typescript/src/express.ts');

export interface ClientPackage {
  /** `node_modules/@privity/client` of a folder of the test's own. */
  readonly folder: string;
  readonly main: Main;
  fastify(): Promise<FastifyGuard>;
  /** Checks the types of a program that uses the package; fails with what the compiler says. */
  compile(program: string): Promise<void>;
  express(): Promise<ExpressGuard>;
}

const SOURCE = fileURLToPath(new URL('../../clients/typescript/', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const TSC = path.join(MODULES, 'typescript', 'bin', 'tsc');

/** Compiled as `npm run build` does, but into a folder of the test's own: two tests may build at the same time. */
export async function packClient(t: TearsDown): Promise<ClientPackage> {
  const home = await mkdtemp(path.join(tmpdir(), 'privity-client-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const [built, folder] = [path.join(home, 'built'), path.join(home, 'node_modules', '@privity', 'client')];
  await mkdir(folder, { recursive: true });
  await run(process.execPath, [TSC, '-p', SOURCE, '--outDir', path.join(built, 'dist')]);
  for (const name of ['package.json', 'README.md']) await copyFile(path.join(SOURCE, name), path.join(built, name));
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home], built);
  await run('sh', ['-c', `tar -xzf ${home}/privity-client-*.tgz --strip-components=1 -C ${folder}`]);
  for (const name of ['fastify', 'express', '@types'])
    await symlink(path.join(MODULES, name), path.join(home, 'node_modules', name));
  await writeFile(path.join(home, 'package.json'), '{ "type": "module" }');
  const load = async (name: string): Promise<unknown> => import(pathToFileURL(path.join(folder, 'dist', name)).href);
  return {
    folder,
    main: (await load('main.js')) as Main,
    async compile(program) {
      await writeFile(path.join(home, 'program.ts'), program);
      const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
      await run(process.execPath, [TSC, ...options, '--types', 'node', 'program.ts'], home);
    },
    fastify: async () => (await load('fastify.js')) as FastifyGuard,
    express: async () => (await load('express.js')) as ExpressGuard,
  };
}

async function run(program: string, args: readonly string[], cwd = SOURCE): Promise<void> {
  const { code, output } = await collect(spawnPlain(program, args, { cwd }));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${output}`);
}
