// Turns a cell of an export into a value of the firm's words, or says why it cannot. It must never take a word for another because it is near.
import type { AttributeType } from '../../../src/core/attribute-types.ts';
import { nearest } from '../../../src/core/suggest.ts';
import { parseDuration, parseTimestamp } from '../../../src/core/time.ts';

export type CellValue = { readonly value: unknown } | { readonly why: string; readonly hint: string | null };

/** Ways to say yes and no that exports have. */
const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'n', '0'].map((word) => [word, false] as const),
]);
const LONGEST_ID = 256;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;

/** `titles`: what people call each value of an enum, such as `Managing partner` for managing_partner. */
export function readCell(cell: string, type: AttributeType, titles: ReadonlyMap<string, string>): CellValue {
  switch (type.kind) {
    case 'list': {
      const words = cell.split(/[;|\n]/).map((word) => word.trim());
      const read = words.filter((word) => word !== '').map((word) => readCell(word, type.items, titles));
      const wrong = read.find((one) => 'why' in one);
      return wrong ?? { value: [...new Set(read.map((one) => ('value' in one ? one.value : null)))] };
    }
    case 'enum': {
      const found = type.values.find((value) => value === cell) ?? wordFor(cell, type.values, titles);
      if (found !== undefined) return { value: found };
      const near = nearest(cell, type.values);
      const hint = near === undefined ? `known: ${type.values.slice(0, 12).join(', ')}` : `did you mean \`${near}\`?`;
      return refused(`\`${cell}\` is not one of its values`, hint);
    }
    case 'boolean': {
      const value = TRUTHS.get(cell.toLowerCase());
      return value === undefined ? refused(`\`${cell}\` is neither yes nor no`, 'write true or false') : { value };
    }
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(cell)
        ? { value: Number(cell) }
        : refused(`\`${cell}\` is no number`, 'write digits, and a point for decimals');
    case 'timestamp': {
      const instant = /^\d{4}-\d{2}-\d{2}$/.test(cell) ? `${cell}T00:00:00Z` : cell;
      return parseTimestamp(instant) === undefined
        ? refused(`\`${cell}\` is no day`, 'write 2027-03-31 or 2027-03-31T00:00:00Z')
        : { value: instant };
    }
    case 'duration':
      return parseDuration(cell) === undefined
        ? refused(`\`${cell}\` is no duration`, 'write P30D or PT8H')
        : { value: cell };
    case 'string':
    case 'person':
      if (CONTROL.test(cell)) return refused('it holds a control character', 'remove it');
      return cell.length > LONGEST_ID && type.kind === 'person'
        ? refused(`it is longer than ${LONGEST_ID} characters`, null)
        : { value: cell };
    case 'object':
      return refused('such a value cannot stand in a cell', null);
  }
}

/** The one value that is written so but for capitals and spaces, or that people call so. */
function wordFor(cell: string, values: readonly string[], titles: ReadonlyMap<string, string>): string | undefined {
  const fold = (word: string): string => word.toLowerCase().replaceAll(/[\s_-]+/g, ' ');
  const found = values.filter((value) => fold(value) === fold(cell) || fold(titles.get(value) ?? value) === fold(cell));
  return found.length === 1 ? found[0] : undefined;
}

function refused(why: string, hint: string | null): CellValue {
  return { why, hint };
}
