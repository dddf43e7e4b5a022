// Turns the bytes of a policy file into text and finds places in it. It must never guess at bytes that are not UTF-8.
import { isUtf8 } from 'node:buffer';
import type { Diagnostic } from '../../model/diagnostic.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export const START: Place = { line: 1, column: 1 };

/** Diagnostics of one file while it is parsed. A file that is wrong everywhere must not drown the log. */
export interface Problems {
  readonly list: readonly Diagnostic[];
  /** True when nothing more is kept: reading on would be for nothing. */
  readonly full: boolean;
  add(place: Place, code: string, message: string, hint?: string): void;
}

const MOST = 200;

export function createProblems(file: string): Problems {
  const list: Diagnostic[] = [];
  return {
    list,
    get full() {
      return list.length > MOST;
    },
    add(place, code, message, hint) {
      if (list.length === MOST) {
        const rest = 'there are more problems in this file; mend these first';
        list.push({ severity: 'error', code: 'more-problems', file, ...place, message: rest });
      }
      if (list.length > MOST) return;
      list.push({ severity: 'error', code, file, ...place, message, ...(hint === undefined ? {} : { hint }) });
    },
  };
}

/** UTF-8 with or without a byte order mark; undefined, with the place of the first wrong byte, for anything else. */
export function decodeText(bytes: Uint8Array, problems: Problems): string | undefined {
  if (isUtf8(bytes)) return new TextDecoder('utf-8').decode(bytes);
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const message = utf16 ? 'the file is UTF-16, not UTF-8' : 'here is a byte that is not UTF-8';
  problems.add(utf16 ? START : firstWrongByte(bytes), 'not-utf-8', message, 'save the file as UTF-8');
  return undefined;
}

/** Some lines of a file; null when they are not UTF-8. Only at the beginning of the file can there be a byte order mark. */
export function decodePart(bytes: Uint8Array, isFirst: boolean): string | null {
  return isUtf8(bytes) ? new TextDecoder('utf-8', { ignoreBOM: !isFirst }).decode(bytes) : null;
}

function firstWrongByte(bytes: Uint8Array): Place {
  let line = 1;
  for (let start = 0; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const row = bytes.subarray(start, newline < 0 ? bytes.length : newline);
    if (!isUtf8(row) || newline < 0) {
      // Decoding stops at the replacement character that stands for the wrong byte.
      const text = new TextDecoder('utf-8').decode(row);
      return { line, column: Math.max(1, text.indexOf('\ufffd') + 1) };
    }
    start = newline + 1;
  }
}

export function startsOfLines(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

export function placeAt(lineStarts: readonly number[], offset: number): Place {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
