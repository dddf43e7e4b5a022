// Says which version of Privity this is. It must never fail for a package.json that says nothing.
import { readFile } from 'node:fs/promises';

export async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null ? String(Reflect.get(manifest, 'version')) : '';
}
