import fc from 'fast-check';
import t from 'tap';
import { compileCalendar, formatTimestamp, parseDuration, parseTimestamp } from '../../src/core/time.ts';
import { runs } from '../helpers/runs.ts';

t.test('instants of RFC 3339', async (t) => {
  const instants: readonly (readonly [string, number])[] = [
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01t00:00:00z', 0],
    ['2026-03-10T14:00:00Z', Date.UTC(2026, 2, 10, 14)],
    ['2026-03-10T15:00:00+01:00', Date.UTC(2026, 2, 10, 14)],
    ['2026-03-10T06:30:00-07:30', Date.UTC(2026, 2, 10, 14)],
    ['2026-03-10T14:00:00-00:00', Date.UTC(2026, 2, 10, 14)],
    ['2026-03-10T13:59:00+23:59', Date.UTC(2026, 2, 9, 14)],
    ['2026-03-10T14:00:00.5Z', Date.UTC(2026, 2, 10, 14) + 500],
    ['2026-03-10T14:00:00.123Z', Date.UTC(2026, 2, 10, 14) + 123],
    ['2026-03-10T14:00:00.0005Z', Date.UTC(2026, 2, 10, 14) + 0.5],
    ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['1969-12-31T23:59:59Z', -1000],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['0099-12-31T23:59:59Z', -59_011_459_201_000],
    ['9999-12-31T23:59:59Z', 253_402_300_799_000],
  ];
  for (const [text, ms] of instants) t.equal(parseTimestamp(text), ms, text);
});

t.test('what is no instant is never guessed', async (t) => {
  const texts = [
    ...['', ' ', 'now', '2026', '2026-03-10', '2026-03-10T14:00Z', '2026-03-10T14:00:00', '20260310T140000Z'],
    ...['2026-03-10 14:00:00Z', '2026-03-10T14:00:00z ', ' 2026-03-10T14:00:00Z', '2026-03-10T14:00:00ZZ'],
    ...['2026-00-10T14:00:00Z', '2026-13-10T14:00:00Z', '2026-03-00T14:00:00Z', '2026-03-32T14:00:00Z'],
    ...['2026-04-31T14:00:00Z', '2026-02-29T14:00:00Z', '2100-02-29T14:00:00Z', '2024-02-30T00:00:00Z'],
    ...['2026-03-10T24:00:00Z', '2026-03-10T14:60:00Z', '2026-03-10T14:00:60Z', '1990-12-31T23:59:60Z'],
    ...['2026-03-10T14:00:00+24:00', '2026-03-10T14:00:00+01:60', '2026-03-10T14:00:00+0100', '2026-03-10T14:00:00+01'],
    ...['2026-03-10T14:00:00.Z', '2026-03-10T14:00:00,5Z', '2026-03-10T14:00:00.1234567890Z', '+2026-03-10T14:00:00Z'],
    ...['-026-03-10T14:00:00Z', '2026-3-010T14:00:00Z', '2026-03-1٠T14:00:00Z', '２026-03-10T14:00:00Z'],
    // The letter O for a zero, wherever it stands: each of these once was a number, equal to nothing and never past.
    ...['2O26-03-10T14:00:00Z', '202O-03-10T14:00:00Z', '2026-O3-10T14:00:00Z', '2026-03-1OT14:00:00Z'],
    ...['2026-03-10T1O:00:00Z', '2026-03-10T14:O0:00Z', '2026-03-10T14:00:0OZ', 'abcd-02-10T14:00:00Z'],
  ];
  for (const text of texts) t.equal(parseTimestamp(text), undefined, JSON.stringify(text));
});

t.test('the short way for the usual form says what the long way says', async () => {
  const digits = fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0'));
  const two = fc.integer({ min: 0, max: 61 }).map((n) => String(n).padStart(2, '0'));
  const month = fc.integer({ min: 0, max: 13 }).map((n) => String(n).padStart(2, '0'));
  const usual = fc
    .tuple(digits, month, two, two, two, two, fc.constantFrom('', '.000', '.001', '.00', '.0000'))
    .map(([y, mo, d, h, mi, s, fraction]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${fraction}Z`);
  // One character of it replaced by something that is often nearly right.
  const nearly = fc
    .tuple(usual, fc.nat(23), fc.constantFrom('O', 'x', ' ', ':', '-', 't', '/', '٣', '😀', '9', '0'))
    .map(([text, index, char]) => text.slice(0, index) + char + text.slice(index + 1));
  fc.assert(
    fc.property(fc.oneof(usual, nearly), (text) => {
      // `+00:00` is read the long way.
      const slow = text.endsWith('Z') ? parseTimestamp(`${text.slice(0, -1)}+00:00`) : parseTimestamp(`${text} `);
      return Object.is(parseTimestamp(text), slow);
    }),
    runs(5_000),
  );
});

t.test('agrees with Date where Date keeps to RFC 3339', async () => {
  const offset = fc.constantFrom('Z', '+00:00', '-00:00', '+05:45', '-11:30', '+23:59');
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0100-01-02T00:00:00Z'), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true }),
      offset,
      (date, zone) => {
        const text = `${date.toISOString().slice(0, -1)}${zone}`;
        return parseTimestamp(text) === Date.parse(text) && formatTimestamp(date.getTime()) === date.toISOString();
      },
    ),
    runs(2_000),
  );
});

t.test('durations have a fixed length', async (t) => {
  const durations: readonly (readonly [string, number | undefined])[] = [
    ['PT0S', 0],
    ['P0D', 0],
    ['PT30M', 1_800_000],
    ['PT1H30M', 5_400_000],
    ['P90D', 90 * 86_400_000],
    ['P2W', 14 * 86_400_000],
    ['P1W1DT1H1M1S', 694_861_000],
    ...['', 'P', 'PT', 'P1DT', 'T1H', '1D', 'P1Y', 'P1M', 'P-1D', '-P1D', 'PT1.5S', 'P1D ', 'p1d', 'PT1M1H'].map(
      (text) => [text, undefined] as const,
    ),
    // Longer than any number holds exactly: neither infinite nor rounded.
    [`P${'9'.repeat(400)}D`, undefined],
    ['P200000000W', undefined],
  ];
  for (const [text, ms] of durations) t.equal(parseDuration(text), ms, text);
});

t.test('a calendar has its days, begins at `from` and is over at `until`', async (t) => {
  const days = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
  const inHours = compileCalendar({ days: [...days], from: '07:00', until: '20:00', timezone: 'UTC' });
  const at = (text: string) => inHours(parseTimestamp(text) ?? NaN);
  t.equal(at('2026-03-10T06:59:59.999Z'), false);
  t.equal(at('2026-03-10T07:00:00Z'), true);
  t.equal(at('2026-03-10T19:59:59.999Z'), true);
  t.equal(at('2026-03-10T20:00:00Z'), false);
  t.equal(at('2026-03-13T12:00:00Z'), true, 'a Friday');
  t.equal(at('2026-03-14T12:00:00Z'), false, 'a Saturday');
  t.equal(at('2026-03-15T12:00:00Z'), false, 'a Sunday');
  t.equal(at('2026-03-10T21:00:00+02:00'), true, 'the same instant in another zone');

  const berlin = compileCalendar({ days: ['sun'], from: '02:30', until: '03:30:30', timezone: 'Europe/Berlin' });
  const inBerlin = (text: string) => berlin(parseTimestamp(text) ?? NaN);
  t.equal(inBerlin('2026-03-29T00:59:59Z'), false, '01:59:59, before the clocks go forward');
  t.equal(inBerlin('2026-03-29T01:00:00Z'), true, '03:00:00, after it');
  t.equal(inBerlin('2026-03-29T01:30:29Z'), true);
  t.equal(inBerlin('2026-03-29T01:30:30Z'), false);
  t.equal(inBerlin('2026-10-25T00:30:00Z'), true, '02:30 in summer time');
  t.equal(inBerlin('2026-10-25T01:30:00Z'), true, '02:30 again in winter time');
  t.equal(inBerlin('2026-10-24T23:00:00Z'), false, '01:00 on Sunday there, still Saturday here');
  t.throws(() => compileCalendar({ days: ['mon'], from: '07:00', until: '20:00', timezone: 'Europe/Nowhere' }));
});
