// Instants, durations and calendars as policies write them (RFC 3339, ISO 8601). It must never read a clock.
import type { CalendarEntry } from '../model/firm.ts';

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** Milliseconds since 1970 (fractions of a millisecond kept), or undefined when the text is no RFC 3339 instant. */
export function parseTimestamp(text: string): number | undefined {
  if (text.length === 20 && text.endsWith('Z')) return parseUtcSeconds(text);
  // As ECMAScript writes instants: identity does, for those that tokens state in seconds.
  if (text.length === 24 && text.endsWith('.000Z')) return parseUtcSeconds(text);
  return parseAny(text);
}

const ZERO = 48;

/** The usual form, YYYY-MM-DDTHH:MM:SS before whatever ends it, without a regular expression: every decision reads some of these. */
function parseUtcSeconds(text: string): number | undefined {
  const two = (index: number): number => {
    const [tens, ones] = [text.charCodeAt(index) - ZERO, text.charCodeAt(index + 1) - ZERO];
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
  };
  const separated =
    text[4] === '-' &&
    text[7] === '-' &&
    (text[10] === 'T' || text[10] === 't') &&
    text[13] === ':' &&
    text[16] === ':';
  if (!separated) return undefined;
  const year = two(0) * 100 + two(2);
  const [month, day, hour, minute, second] = [two(5), two(8), two(11), two(14), two(17)];
  const date = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month); // false for NaN
  if (!date || !(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  return (daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000;
}

/** Proleptic Gregorian calendar; years are counted from March so that the leap day comes last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function parseAny(text: string): number | undefined {
  const m = RFC3339.exec(text);
  if (m === null) return undefined;
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6])];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = m[7] === undefined ? 0 : Number(m[7]) * 1000;
  let offset = 0;
  if (m[8] !== undefined) {
    const [hours, minutes] = [Number(m[9]), Number(m[10])];
    if (hours > 23 || minutes > 59) return undefined;
    offset = (m[8] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  }
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day); // Date.UTC would read the years 0 to 99 as 1900 to 1999
  return utc.setUTCHours(hour, minute, second) + fraction - offset;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** RFC 3339 in UTC with milliseconds. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}

const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/** Milliseconds; days are 24 hours. Months and years have no fixed length and are refused, as is what no number holds exactly. */
export function parseDuration(text: string): number | undefined {
  const m = DURATION.exec(text);
  if (m === null || text === 'P') return undefined;
  const part = (index: number) => Number(m[index] ?? 0);
  const ms = ((part(1) * 7 + part(2)) * 86_400 + part(3) * 3_600 + part(4) * 60 + part(5)) * 1_000;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** Tells whether an instant lies in the calendar: a listed day, from inclusive, until exclusive. Throws a RangeError for an unknown timezone. */
export function compileCalendar(entry: CalendarEntry): (ms: number) => boolean {
  const days = new Set<string>(entry.days);
  const [from, until] = [secondsOf(entry.from), secondsOf(entry.until)];
  const local = entry.timezone === 'UTC' ? utcClock : zonedClock(entry.timezone);
  return (ms) => {
    const { day, seconds } = local(ms);
    return days.has(day) && seconds >= from && seconds < until;
  };
}

function secondsOf(timeOfDay: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = timeOfDay.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

interface LocalTime {
  readonly day: string;
  readonly seconds: number;
}

function utcClock(ms: number): LocalTime {
  const date = new Date(ms);
  const seconds = date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds();
  return { day: DAYS[date.getUTCDay()] ?? '', seconds };
}

function zonedClock(timeZone: string): (ms: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const seconds = Number(parts['hour']) * 3600 + Number(parts['minute']) * 60 + Number(parts['second']);
    return { day: (parts['weekday'] ?? '').toLowerCase(), seconds };
  };
}
