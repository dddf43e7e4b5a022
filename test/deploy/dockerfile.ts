// Reads a Dockerfile and does in temporary folders what it would do in an image: copies and commands, stage by stage. It must never copy
// what .dockerignore keeps out, nor know more instructions than are used here.
import { cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TearsDown } from '../helpers/postgres.ts';
import { collect, spawnPlain } from '../helpers/processes.ts';

export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

export interface Image {
  /** Its root folder. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly labels: string;
  readonly stopSignal: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function instructionsOf(text: string): readonly Instruction[] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { word, rest };
    });
}

/** Builds the last stage. */
export async function buildImage(t: TearsDown): Promise<Image> {
  const home = await mkdtemp(path.join(tmpdir(), 'privity-image-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const stages = new Map<string, string>();
  let [root, cwd] = ['', '/'];
  let found: Omit<Image, 'root'> = NOTHING;
  for (const { word, rest } of instructionsOf(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'))) {
    const list = (): readonly string[] => JSON.parse(rest.slice(rest.indexOf('['))) as string[];
    if (word === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last';
      root = path.join(home, name);
      cwd = '/';
      found = NOTHING;
      stages.set(name, root);
      await mkdir(root, { mode: 0o755 });
    } else if (word === 'WORKDIR') {
      cwd = rest;
      await mkdir(path.join(root, cwd), { recursive: true });
    } else if (word === 'COPY') await copy(rest, path.join(root, cwd), stages);
    else if (word === 'RUN' && rest.startsWith('install -d ')) await makeFolders(root, rest);
    else if (word === 'RUN') await runIn(path.join(root, cwd), rest);
    else if (word === 'ENV') {
      const pairs = [...rest.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const);
      found = { ...found, environment: { ...found.environment, ...Object.fromEntries(pairs) } };
    } else if (word === 'USER') found = { ...found, user: rest };
    else if (word === 'LABEL') found = { ...found, labels: rest };
    else if (word === 'STOPSIGNAL') found = { ...found, stopSignal: rest };
    else if (word === 'ENTRYPOINT') found = { ...found, entrypoint: list() };
    else if (word === 'CMD') found = { ...found, command: list() };
    else if (word === 'HEALTHCHECK') found = { ...found, healthcheck: list() };
    else if (!['ARG', 'EXPOSE'].includes(word)) throw new Error(`this test does not know ${word} ${rest}`);
  }
  return { ...found, root };
}

const NOTHING: Omit<Image, 'root'> = {
  environment: {},
  user: '',
  labels: '',
  stopSignal: '',
  entrypoint: [],
  command: [],
  healthcheck: [],
};

async function copy(rest: string, cwd: string, stages: ReadonlyMap<string, string>): Promise<void> {
  const words = rest.split(/\s+/);
  const stage = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1];
  const names = stage === undefined ? words : words.slice(1);
  const to = path.resolve(cwd, names.at(-1) ?? '');
  const from = stage === undefined ? ROOT : (stages.get(stage) ?? '');
  for (const name of names.slice(0, -1)) {
    if (stage === undefined && !isLetThrough(name)) throw new Error(`.dockerignore keeps ${name} out`);
    const source = path.join(from, name);
    const isFile = (await stat(source)).isFile();
    // As Docker does: of a folder its contents, of a file the file, into the folder that the last word names.
    await cp(source, isFile ? path.join(to, path.basename(name)) : to, { recursive: true });
  }
}

function isLetThrough(name: string): boolean {
  const lines = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8').split('\n');
  return lines.includes('*') && lines.includes(`!${name}`);
}

/** Below the image's root, not this machine's; its accounts are nobody's here. */
async function makeFolders(root: string, rest: string): Promise<void> {
  for (const word of rest.split(' ').filter((one) => one.startsWith('/'))) {
    await mkdir(path.join(root, word), { recursive: true, mode: 0o700 });
  }
}

async function runIn(cwd: string, command: string): Promise<void> {
  const env = { ...process.env, npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' };
  const { code, output } = await collect(spawnPlain('sh', ['-c', command], { cwd, env }));
  if (code !== 0) throw new Error(`RUN ${command}: ${output}`);
}
