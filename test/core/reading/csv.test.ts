import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import t from 'tap';
import { csvCell } from '../../../src/core/reading/csv.ts';
import { runs } from '../../helpers/runs.ts';

t.test('cells that a spreadsheet would run begin with an apostrophe', async (t) => {
  for (const text of [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '  =1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '\u00a0=1',
  ]) {
    t.equal(csvCell(text), `"'${text}"`);
  }
  for (const text of ['', 'u-lind', 'M-1001', '1-2', 'a=b', "'=1", ' x']) t.equal(csvCell(text), `"${text}"`);
  t.equal(csvCell('say "x"'), '"say ""x"""');
});

t.test('whatever stands in a cell comes out of a reader of RFC 4180, and never like a formula', async () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (texts) => {
      const [row = []] = parse(`${texts.map(csvCell).join(',')}\r\n`, { record_delimiter: '\r\n' });
      return (
        row.length === texts.length &&
        row.every(
          (cell, index) => (cell === texts[index] || cell === `'${texts[index]}`) && !/^\s*[=+\-@\t\r]/.test(cell),
        )
      );
    }),
    runs(500),
  );
});
