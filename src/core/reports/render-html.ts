// Writes a report as one page that prints well: no script, nothing from elsewhere. It must never put a text on the page unescaped.
import type { AuditReport, ReportSection } from '../../model/audit-report.ts';
import { chartSvg } from './charts.ts';
import { escapeHtml } from './escape.ts';
import { headOf } from './render-head.ts';

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #1b1f24; background: #fff; margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: 1rem; border-top: 1px solid #d5dae0; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.about { color: #4a5560; font-size: 1.05rem; }
.warning { border-left: 4px solid #b42318; background: #fdf3f2; padding: .6rem .9rem; max-width: none; font-weight: 600; }
ul.notes { padding-left: 1.2rem; color: #3b444d; max-width: 46rem; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .15rem 1.2rem; margin: .8rem 0; }
dt { color: #5b6670; }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; margin: .8rem 0; }
th { text-align: left; font-weight: 600; color: #4a5560; border-bottom: 2px solid #1b1f24; padding: .35rem .7rem .35rem 0; vertical-align: bottom; }
td { border-bottom: 1px solid #e3e7eb; padding: .35rem .7rem .35rem 0; vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figcaption { color: #4a5560; font-size: .86rem; margin-bottom: .4rem; }
svg { display: block; max-width: 100%; height: auto; font: 12px system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
.sign { margin-top: 2rem; display: grid; grid-template-columns: 2fr 2fr 1fr; gap: 2rem; }
.sign div { border-top: 1px solid #1b1f24; margin-top: 3rem; padding-top: .3rem; color: #5b6670; font-size: .86rem; }
pre { font: .86rem/1.45 ui-monospace, "Liberation Mono", monospace; background: #f4f6f8; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.none { color: #5b6670; }
@page { margin: 16mm 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, figure, .sign { break-inside: avoid; }
}`;

const NUMBER = new Intl.NumberFormat('en-US');

export function reportHtml(report: AuditReport): string {
  const { title, about, notes, sections, is_complete: isComplete } = report;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="about">${escapeHtml(about)}</p>`,
    ...(isComplete ? [] : ['<p class="warning">This report is not complete. The notes say what is left out.</p>']),
    facts(headOf(report).map(([label, value]) => ({ label, value }))),
    ...(notes.length === 0
      ? []
      : ['<ul class="notes">', ...notes.map((note) => `<li>${escapeHtml(note)}</li>`), '</ul>']),
    ...sections.map(sectionHtml),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionHtml(section: ReportSection): string {
  const { heading, note, text, chart, table, signature } = section;
  return [
    '<section>',
    `<h2>${escapeHtml(heading)}</h2>`,
    ...(note === undefined ? [] : [`<p>${escapeHtml(note)}</p>`]),
    ...(section.facts === undefined ? [] : [facts(section.facts)]),
    ...(text === undefined ? [] : [`<pre>${escapeHtml(text)}</pre>`]),
    ...(chart === undefined || chart.points.length === 0
      ? []
      : [`<figure><figcaption>${escapeHtml(chart.label)}</figcaption>${chartSvg(chart)}</figure>`]),
    ...(table === undefined ? [] : [tableHtml(table)]),
    ...(signature === undefined
      ? []
      : [
          `<p>${escapeHtml(signature)}</p>`,
          '<div class="sign"><div>Name and office</div><div>Signature</div><div>Date</div></div>',
        ]),
    '</section>',
  ].join('\n');
}

function facts(list: readonly { readonly label: string; readonly value: string }[]): string {
  return [
    '<dl>',
    ...list.map(({ label, value }) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`),
    '</dl>',
  ].join('\n');
}

function tableHtml({ columns, rows }: NonNullable<ReportSection['table']>): string {
  if (rows.length === 0) return '<p class="none">Nothing.</p>';
  const isNumber = columns.map((_, index) => rows.every((cells) => typeof (cells[index] ?? 0) === 'number'));
  const style = (index: number): string => (isNumber[index] === true ? ' class="number"' : '');
  const head = columns.map(({ label }, index) => `<th scope="col"${style(index)}>${escapeHtml(label)}</th>`);
  const body = rows.map((cells) => {
    const shown = cells.map((cell, index) => {
      const text = typeof cell === 'number' ? NUMBER.format(cell) : (cell ?? '');
      return `<td${style(index)}>${escapeHtml(text)}</td>`;
    });
    return `<tr>${shown.join('')}</tr>`;
  });
  return ['<table>', `<thead><tr>${head.join('')}</tr></thead>`, '<tbody>', ...body, '</tbody>', '</table>'].join('\n');
}
