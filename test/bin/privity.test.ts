// The launcher hands over to a Node that can run the program, and passes on arguments, exit codes and signals.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { collect, spawnPlain } from '../helpers/processes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = await mkdtemp(path.join(tmpdir(), 'privity-launcher-'));
t.teardown(() => rm(copy, { recursive: true, force: true }));

// The launcher beside a program of which everything is known.
await cp(path.join(root, 'bin'), path.join(copy, 'bin'), { recursive: true });
await mkdir(path.join(copy, 'src', 'cli'), { recursive: true });
await writeFile(path.join(copy, 'package.json'), '{"type":"module"}');
await writeFile(
  path.join(copy, 'src', 'cli', 'main.ts'),
  `const [task, ...rest]: string[] = process.argv.slice(2);
   if (task === 'wait') { process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); }
   console.log(JSON.stringify({ major: Number.parseInt(process.versions.node, 10), rest }));
   if (task === 'die') process.kill(process.pid, 'SIGKILL');
   process.exitCode = 5;`,
);

async function launch(
  node: string,
  args: readonly string[],
  meanwhile?: (child: ChildProcess) => void,
): ReturnType<typeof collect> {
  const child = spawnPlain(node, [path.join(copy, 'bin', 'privity.mjs'), ...args]);
  child.stdout?.once('data', () => meanwhile?.(child));
  return collect(child);
}

/** A Node on this machine that is too old to run the program itself. */
function findOldNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'node'));
  return candidates.find((node) => {
    if (!existsSync(node)) return false;
    return Number.parseInt(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1), 10) < 24;
  });
}

const oldNode = findOldNode();

t.test('a Node that is new enough runs the program itself', async (t) => {
  const ending = await launch(process.execPath, ['go', 'a b', '--c']);
  t.match(ending, { code: 5, output: /"rest":\["a b","--c"\]/ });
});

t.test('an old Node says what it needs where no other is at hand', { skip: oldNode === undefined }, async (t) => {
  t.match(await launch(oldNode ?? '', ['go']), { code: 2, output: /^privity needs Node 24 or newer; this is v/ });
});

t.test('an old Node hands over to the one that npm installed', { skip: oldNode === undefined }, async (t) => {
  await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  const ending = await launch(oldNode ?? '', ['go', 'a b']);
  t.match(ending, { code: 5, output: /"major":(2[4-9]|[3-9]\d),"rest":\["a b"\]/ });
  t.match(await launch(oldNode ?? '', ['wait'], (child) => child.kill('SIGTERM')), { code: 7 });
  t.match(await launch(oldNode ?? '', ['die']), { code: null, signal: 'SIGKILL' });
});
