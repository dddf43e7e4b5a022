// Shows authors what is wrong with policy files: where, what, why, how to mend, and the line itself. It must never leave one out.
import path from 'node:path';
import { formatDiagnostic } from '../../core/schema-check.ts';
import type { Diagnostic, SourceFile } from '../../model/diagnostic.ts';
import type { Output } from '../shell/shell.ts';
import { printable } from '../shell/text.ts';

export interface Shown {
  readonly files: readonly SourceFile[];
  /** Of the policies folder, as the user named it: put before each path, so that terminals and editors can open it. */
  readonly folder: string;
}

export function showDiagnostics(out: Output, diagnostics: readonly Diagnostic[], shown: Shown): void {
  for (const diagnostic of diagnostics) {
    const isError = diagnostic.severity === 'error';
    const label = isError ? out.paint('red', 'error') : out.paint('yellow', 'finding');
    const place = { ...diagnostic, file: path.join(shown.folder, diagnostic.file) };
    out.line(`${label} ${printable(formatDiagnostic(place))}`);
    if (!isError) continue;
    for (const line of excerpt(diagnostic, shown.files)) out.line(out.paint('dim', line));
  }
}

const WIDEST = 120;

function excerpt({ file: name, line, column }: Diagnostic, files: readonly SourceFile[]): string[] {
  const file = files.find(({ path: one }) => one === name);
  if (file === undefined) return [];
  const text = Buffer.from(file.bytes).toString('utf8').split(/\r?\n/, line)[line - 1];
  if (text === undefined || text.trim() === '' || column > WIDEST) return [];
  const before = printable(text.slice(0, column - 1).replaceAll('\t', ' '));
  const rest = printable(text.slice(column - 1).replaceAll('\t', ' '));
  const gutter = String(line);
  return [
    `  ${gutter} | ${`${before}${rest}`.slice(0, WIDEST)}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(before.length)}^`,
  ];
}
