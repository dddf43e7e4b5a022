// A report in its three forms: whatever it says, the page stays the page that was laid out and no cell becomes a formula.
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import t from 'tap';
import { renderReport } from '../../../src/core/reports/render.ts';
import type { AuditReport, ReportSection } from '../../../src/model/audit-report.ts';
import { runs } from '../../helpers/runs.ts';

const HOSTILE = [
  '=cmd|x',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</title></svg></table>',
  '&lt;',
  "'+1",
  '\u202etxt.exe',
  '\u0000',
  '\r\n"',
];
const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 12 }));
const cell = fc.oneof(text, fc.nat(), fc.constant(null));
const chart = fc.record({
  kind: fc.constantFrom('bars' as const, 'timeline' as const),
  label: text,
  unit: text,
  series: fc.tuple(text, text).map((pair): string[] => [...pair]),
  points: fc.array(
    fc.record({ label: text, values: fc.tuple(fc.nat(50), fc.nat(50)).map((pair): number[] => [...pair]) }),
    {
      maxLength: 200,
    },
  ),
});
const section: fc.Arbitrary<ReportSection> = fc.record({
  heading: text,
  note: text,
  facts: fc.array(fc.record({ label: text, value: text }), { maxLength: 3 }),
  chart,
  table: fc.record({
    columns: fc.constant([
      { name: 'a', label: '<b>' },
      { name: 'b', label: '=B' },
    ]),
    rows: fc.array(
      fc.tuple(cell, cell).map((pair): (string | number | null)[] => [...pair]),
      { maxLength: 5 },
    ),
  }),
  signature: text,
});
const report: fc.Arbitrary<AuditReport> = fc.record({
  report: fc.constant('x'),
  title: text,
  about: text,
  asked: fc.dictionary(fc.constantFrom('matter', 'wall'), text),
  generated_at: fc.constant('2026-03-10T14:00:00.000Z'),
  generated_for: text,
  period: fc.constant({ from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' }),
  policy: fc.record({ revision: text, commit: fc.option(text) }),
  rows: fc.nat(),
  is_complete: fc.boolean(),
  notes: fc.array(text, { maxLength: 3 }),
  sections: fc.array(section, { maxLength: 3 }),
});

/** Names of tags in the order of the page, where every tag is well formed and closed in order. */
function tagsOf(page: string): string[] {
  const open: string[] = [];
  const all: string[] = [];
  const rest = page
    .replace(/^<!doctype html>/, '')
    .replaceAll(
      /<(\/?)([a-z0-9]+)((?: [a-zA-Z0-9-]+="[^"<>]*")*)(\/?)>/g,
      (_, end: string, name: string, __: string, self: string) => {
        if (end === '/') {
          if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
        } else {
          all.push(name);
          if (self !== '/' && name !== 'meta') open.push(name);
        }
        return '';
      },
    );
  if (/[<>]/.test(rest.replace(/:root[\s\S]*?@media print \{[\s\S]*?\n\}/, '')))
    throw new Error(`a loose bracket: ${rest}`);
  if (open.length > 0) throw new Error(`never closed: ${open.join(' ')}`);
  return all;
}

t.test('a page holds nothing but what was laid out', async () => {
  const known = new Set(
    'html head meta title style body h1 h2 p ul li dl dt dd section figure figcaption svg desc rect text line table thead tbody tr th td div'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(report, (one) => {
      const page = renderReport(one, 'html');
      const odd = tagsOf(page).filter((name) => !known.has(name));
      if (odd.length > 0) throw new Error(odd.join(' '));
      if (page.includes('NaN') || page.includes('undefined')) throw new Error('a number that is none');
      if (/[\u0000\u202e]/.test(page)) throw new Error('an unseen character');
    }),
    runs(300),
  );
});

t.test('a cell is read as it was written, and never as a formula', async () => {
  fc.assert(
    fc.property(report, (one) => {
      const csv = renderReport(one, 'csv');
      const rows = parse(csv, { relaxColumnCount: true, recordDelimiter: '\r\n' }) as string[][];
      for (const found of rows.flat()) if (/^\s*[=+\-@]/.test(found)) throw new Error(JSON.stringify(found));
      const cells = new Set(rows.flat());
      for (const { table } of one.sections) {
        for (const wanted of table?.rows.flat() ?? []) {
          const plain = wanted === null ? '' : String(wanted);
          if (!cells.has(plain) && !cells.has(`'${plain}`)) throw new Error(`lost: ${JSON.stringify(plain)}`);
        }
      }
    }),
    runs(300),
  );
});

t.test('a report that is not complete says so in every form', async (t) => {
  const [one] = fc.sample(report, { numRuns: 1, seed: 7 });
  if (one === undefined) throw new Error('no report');
  const partial = { ...one, is_complete: false };
  t.match(renderReport(partial, 'html'), 'This report is not complete');
  t.match(renderReport(partial, 'csv'), '"complete","NO: see the notes"');
});
