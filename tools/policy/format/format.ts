// Writes a policy file in the one style of a policies folder. It must never hand out a text that says something else, or lacks a comment.
import { isDeepStrictEqual } from 'node:util';
import { fileFormat, type FileKind } from '../../../src/core/file-kind.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { parseSourceFile } from '../../../src/io/policies/parse.ts';
import { attachedComments } from './comments.ts';
import { rearranged } from './rearrange.ts';

export type Formatted =
  | { readonly text: string }
  /** It has to be mended first. */
  | { readonly problems: readonly Diagnostic[] }
  /** It could not be done without damage. */
  | { readonly refused: string };

/** That of the repository, wherever the folder is. */
const STYLE = { printWidth: 120, singleQuote: true, trailingComma: 'all', endOfLine: 'lf' } as const;
const ROUNDS = 4;

/** `path` is that within the policies folder; `kind` says which members stand in which order. */
export async function formatFile(path: string, kind: FileKind, bytes: Uint8Array): Promise<Formatted> {
  const { value, problems } = parseSourceFile(path, bytes);
  if (problems.length > 0 || value === undefined) return { problems };
  const written = Buffer.from(bytes).toString('utf8');
  const format = fileFormat(path) ?? 'yaml';
  const plain = withLineEnds(written);
  const text = format === 'yaml' || format === 'json' ? await settled(plain, kind, format) : plain;
  if (text === null) return { refused: 'its layout changes each time it is formatted' };
  if (text === plain) return { text };
  const after = parseSourceFile(path, Buffer.from(text));
  if (after.problems.length > 0 || !isDeepStrictEqual(after.value, value))
    return { refused: 'formatted it would say something else' };
  if (format === 'yaml' && !isDeepStrictEqual(attachedComments(text), attachedComments(plain)))
    return { refused: 'a comment would move to another place' };
  return { text };
}

/** Null when it does not come to rest. */
async function settled(text: string, kind: FileKind, format: 'yaml' | 'json'): Promise<string | null> {
  // Loaded here: only those who format wait for it.
  const prettier = await import('prettier');
  let before = text.replace(/^\ufeff/, '');
  for (let round = 0; round < ROUNDS; round++) {
    const arranged = format === 'yaml' ? rearranged(before, kind) : before;
    const after = await prettier.format(arranged, { ...STYLE, parser: format });
    if (after === before) return after;
    before = after;
  }
  return null;
}

/** Unix line ends, and one at the end of the file. */
function withLineEnds(text: string): string {
  const lines = text.replaceAll(/\r\n?/g, '\n').trimEnd();
  return `${lines}\n`;
}
