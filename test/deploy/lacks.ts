// Tells why a test that needs a foreign program cannot run here. It must never say that a program is there when it does not work.
import { collect, spawnPlain } from '../helpers/processes.ts';

/** False when the program is here and runs; otherwise the words to skip with. */
export async function lacks(program: string, args: readonly string[], words: string): Promise<string | false> {
  const found = await collect(spawnPlain(program, args)).catch(() => null);
  return found?.code === 0 ? false : words;
}
