// Stretches of a line on which something holds, found by trying every stretch between marks. It must never guess what holds at a mark.
import type { Range } from './formula.ts';

/** @param holds the same for all values between two neighbouring marks */
export function rangesWhere(marks: readonly number[], holds: (value: number) => boolean): readonly Range[] {
  const sorted = [...new Set(marks)].sort((a, b) => a - b);
  const list: { from: number | null; fromIncluded: boolean; to: number | null; toIncluded: boolean }[] = [];
  let open = false;
  const close = (to: number | null, toIncluded: boolean): void => {
    const last = list.at(-1);
    if (open && last !== undefined) Object.assign(last, { to, toIncluded });
    open = false;
  };
  let before: number | null = null;
  for (const mark of [...sorted, null]) {
    const between = sampleBetween(before, mark);
    const isTrue = between === null ? open : holds(between);
    if (isTrue && !open) {
      list.push({ from: before, fromIncluded: false, to: null, toIncluded: false });
      open = true;
    } else if (!isTrue) close(before, true);
    if (mark === null) break;
    if (!holds(mark)) close(mark, false);
    else if (!open) {
      list.push({ from: mark, fromIncluded: true, to: null, toIncluded: false });
      open = true;
    }
    before = mark;
  }
  return list;
}

/** Null: no number lies between them. */
function sampleBetween(from: number | null, to: number | null): number | null {
  if (from === null) return to === null ? 0 : to - Math.max(1, Math.abs(to));
  if (to === null) return from + Math.max(1, Math.abs(from));
  const middle = from / 2 + to / 2;
  return middle > from && middle < to ? middle : null;
}

/** The same for whole numbers from 1 on, such as lengths. */
export function wholeRangesWhere(marks: readonly number[], holds: (value: number) => boolean): readonly Range[] {
  const near = new Set([1, ...marks.flatMap((mark) => [mark, mark + 1])].filter((mark) => mark >= 1));
  const sorted = [...near].sort((a, b) => a - b);
  const list: { from: number; fromIncluded: true; to: number | null; toIncluded: boolean }[] = [];
  let open = false;
  for (const mark of sorted) {
    const isTrue = holds(mark);
    const last = list.at(-1);
    if (isTrue && !open) list.push({ from: mark, fromIncluded: true, to: null, toIncluded: false });
    else if (!isTrue && open && last !== undefined) last.to = mark;
    open = isTrue;
  }
  return list;
}
