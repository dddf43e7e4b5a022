// Changes of a text: pieces that go, and what comes in their place. It must never change anything between them.

export interface Edit {
  /** Offsets in characters; `to` itself stays. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** @throws RangeError where two of them overlap: then one of them was reckoned wrongly */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, text: piece } of edits.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from < at) throw new RangeError('two changes of a text overlap');
    result += text.slice(at, from) + piece;
    at = to;
  }
  return result + text.slice(at);
}

/** Whole lines from the one that holds `from` to the one before `to`, and one of two blank lines that would then follow each other. */
export function lineCut(text: string, from: number, to: number): Edit {
  let start = lineStart(text, from);
  const end = text[to - 1] === '\n' ? to : afterLine(text, to);
  const before = start === 0 ? null : text.slice(lineStart(text, start - 1), start);
  const after = text.slice(end, afterLine(text, end));
  if (before?.trim() === '' && after.trim() === '') start -= before.length;
  return { from: start, to: end, text: '' };
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the line after this offset begins, or the text ends. */
export function afterLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}
