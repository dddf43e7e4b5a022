// In charge of starting other programs from a test as a user would. tap adds its own loader to every Node child through
// NODE_OPTIONS, which slows it down and changes how modules load; nothing started here has it.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';

/** The child's number is the program's own: `env` turns into it. */
export function spawnPlain(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn('env', ['-u', 'NODE_OPTIONS', program, ...args], options);
}

/** Node keeps there what it made of modules, and starts faster; nothing else of a program changes. Empty unless `npm test` says where. */
export function compileCache(): Record<string, string> {
  const folder = process.env['NODE_COMPILE_CACHE'] ?? '';
  return folder === '' ? {} : { NODE_COMPILE_CACHE: folder };
}

export function spawnNode(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawnPlain(process.execPath, args, options);
}

/** Everything a child wrote, and how it ended. */
export async function collect(
  child: ChildProcess,
): Promise<{ output: string; code: number | null; signal: string | null }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ output, code, signal }));
  });
}

/** The first line a child prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`the process ended and had printed only \`${text}\``)));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
}
