// Reads the time of a record from its bytes, in the one form that records have. It must never accept another spelling of the same moment.

const LENGTH = 26;
const ZERO = 0x30;
/** `"YYYY-MM-DDTHH:MM:SS.mmmZ"`: what stands between the digits. */
const FORM = Buffer.from('"0000-00-00T00:00:00.000Z"');
const DIGIT_PLACES = [...FORM.keys()].filter((index) => FORM[index] === ZERO);
const OTHER_PLACES = [...FORM.keys()].filter((index) => FORM[index] !== ZERO);

let lastDay = 0;
let lastDayMs = Number.NaN;

/** Milliseconds since 1970 of the text with its quotes at `[from, to)`; NaN for anything else. */
export function readTime(block: Uint8Array, from: number, to: number): number {
  if (from < 0 || to - from !== LENGTH) return Number.NaN;
  for (const place of OTHER_PLACES) if (block[from + place] !== FORM[place]) return Number.NaN;
  for (const place of DIGIT_PLACES) {
    const digit = (block[from + place] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
  }
  const number = (at: number, digits: number): number => {
    let value = 0;
    for (let index = 0; index < digits; index++) value = value * 10 + (block[from + at + index] ?? 0) - ZERO;
    return value;
  };
  const [hours, minutes, seconds] = [number(12, 2), number(15, 2), number(18, 2)];
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN;
  const [year, month, day] = [number(1, 4), number(6, 2), number(9, 2)];
  const date = (year * 100 + month) * 100 + day;
  if (date !== lastDay) [lastDay, lastDayMs] = [date, dayMs(year, month, day)];
  return lastDayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000 + number(21, 3);
}

function dayMs(year: number, month: number, day: number): number {
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? ms : Number.NaN;
}
