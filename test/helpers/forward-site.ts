// The site of docs/forward-auth.md for tests: its files as they stand there. It must never hold other ones.
import { readFileSync } from 'node:fs';

const DOC = readFileSync(new URL('../../docs/forward-auth.md', import.meta.url), 'utf8');

/** The YAML of the page, by the name of its file. */
export const SITE_FILES: Readonly<Record<string, string>> = Object.fromEntries(
  [...DOC.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', text = '']) => [name, text]),
);

export const MATTER = '/clients/C-100/matters/M-1001';
/** Privileged, on file. */
export const DOCUMENT = `${MATTER}/documents/D-9001`;
