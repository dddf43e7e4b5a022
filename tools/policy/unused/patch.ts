// Writes changes of files as a patch that `git apply` takes (unified format, GNU diffutils manual, 2.2.2). It must never leave out a change.
import { afterLine, applyEdits, lineStart, type Edit } from './cut.ts';

export interface FileChange {
  /** As the patch names it, with forward slashes. */
  readonly path: string;
  readonly before: string;
  readonly edits: readonly Edit[];
}

const CONTEXT = 3;

interface Hunk {
  /** Whole lines of the old text. */
  from: number;
  to: number;
  readonly edits: Edit[];
}

export function patchOf(changes: readonly FileChange[]): string {
  return changes.flatMap(fileLines).join('');
}

function fileLines({ path, before, edits }: FileChange): readonly string[] {
  if (edits.length === 0) return [];
  const [a, b] = [nameOf(`a/${path}`), nameOf(`b/${path}`)];
  // A name with spaces ends with a tab, as git itself writes it.
  const end = path.includes(' ') && !a.startsWith('"') ? '\t' : '';
  const head = [`diff --git ${a} ${b}\n`, `--- ${a}${end}\n`, `+++ ${b}${end}\n`];
  let shift = 0;
  let [line, counted] = [1, 0];
  const body = blocksOf(before, edits, CONTEXT).flatMap((hunk) => {
    line += before.slice(counted, hunk.from).split('\n').length - 1;
    counted = hunk.from;
    const lines = linesIn(before, hunk);
    const [old, fresh] = ['+', '-'].map((other) => lines.filter((one) => !one.startsWith(other)).length);
    const place = (start: number, count = 0): string => `${count === 0 ? start - 1 : start},${count}`;
    const header = `@@ -${place(line, old)} +${place(line + shift, fresh)} @@\n`;
    shift += (fresh ?? 0) - (old ?? 0);
    return [header, ...lines];
  });
  return [...head, ...body];
}

/** Lines that no change touches stand as they are; of those that one touches, what is the same before and after stands once. */
function linesIn(text: string, { from, to, edits }: Hunk): readonly string[] {
  const lines: string[] = [];
  let at = from;
  for (const block of blocksOf(text, edits)) {
    lines.push(...linesOf(text.slice(at, block.from)).map((line) => marked(' ', line)));
    const moved = block.edits.map((edit) => ({ ...edit, from: edit.from - block.from, to: edit.to - block.from }));
    const old = linesOf(text.slice(block.from, block.to));
    const fresh = linesOf(applyEdits(text.slice(block.from, block.to), moved));
    const [first, last] = [sameLines(old, fresh), sameLines(old.toReversed(), fresh.toReversed())];
    const head = Math.min(first, old.length, fresh.length);
    const tail = Math.min(last, old.length - head, fresh.length - head);
    lines.push(...old.slice(0, head).map((line) => marked(' ', line)));
    lines.push(...old.slice(head, old.length - tail).map((line) => marked('-', line)));
    lines.push(...fresh.slice(head, fresh.length - tail).map((line) => marked('+', line)));
    lines.push(...old.slice(old.length - tail).map((line) => marked(' ', line)));
    at = block.to;
  }
  return [...lines, ...linesOf(text.slice(at, to)).map((line) => marked(' ', line))];
}

function sameLines(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((line, index) => line !== b[index]);
  return differs < 0 ? a.length : differs;
}

function marked(mark: string, line: string): string {
  return line.endsWith('\n') ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`;
}

/** Whole lines that change, those that touch each other together; with lines around them where there are hunks to be made. */
function blocksOf(text: string, edits: readonly Edit[], around = 0): readonly Hunk[] {
  const blocks: Hunk[] = [];
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    let from = lineStart(text, edit.from);
    let to = edit.to > edit.from && text[edit.to - 1] === '\n' ? edit.to : afterLine(text, edit.to);
    for (let step = 0; step < around; step++) {
      from = from === 0 ? 0 : lineStart(text, from - 1);
      to = afterLine(text, to);
    }
    const last = blocks.at(-1);
    if (last === undefined || from > last.to || (around === 0 && from === last.to))
      blocks.push({ from, to, edits: [edit] });
    else {
      last.to = Math.max(last.to, to);
      last.edits.push(edit);
    }
  }
  return blocks;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** As git quotes names that hold what would end them (`core.quotePath`). */
function nameOf(path: string): string {
  if (!/["\\\u0000-\u001f\u007f]/.test(path)) return path;
  const quoted = path.replaceAll(/["\\]/g, '\\$&').replaceAll(/[\u0000-\u001f\u007f]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `"${quoted}"`;
}
