// Draws charts as SVG: bars that lie, columns along time. It must never need a script, a font or a colour to be understood: every value
// stands beside its bar, and the whole as text for those who do not see it.
import type { ReportChart } from '../../model/audit-report.ts';
import { escapeHtml } from './escape.ts';

/** Dark to light, so that they differ without colour too. */
const FILLS = ['#1f4e79', '#c2410c', '#94a3b8', '#0f766e', '#a16207'];
const INK = '#1b1f24';
const PALE = '#5b6670';
const WIDTH = 720;
const MOST_BARS = 40;
const MOST_COLUMNS = 120;

export function chartSvg(chart: ReportChart): string {
  return chart.kind === 'bars' ? bars(chart) : timeline(chart);
}

const ROW = 24;
const LABEL = 200;
const VALUE = 70;

function bars(chart: ReportChart): string {
  const points = chart.points.slice(0, MOST_BARS);
  const legend = legendOf(chart);
  const top = legend === '' ? 4 : 26;
  const left = chart.points.length - points.length;
  const height = top + points.length * ROW + (left > 0 ? ROW : 4);
  const most = Math.max(1, ...points.map(total));
  const scale = (WIDTH - LABEL - VALUE) / most;
  const rows = points.map((point, index) => {
    const y = top + index * ROW;
    return [
      text(LABEL - 8, y + 15, shorten(point.label, 30), 'end', INK),
      ...stack(point.values, (value, before, fill) =>
        rect(LABEL + before * scale, y + 3, value * scale, ROW - 7, fill),
      ),
      text(LABEL + total(point) * scale + 6, y + 15, total(point).toLocaleString('en-US'), 'start', PALE),
    ].join('');
  });
  const more = left > 0 ? text(LABEL, height - 7, `and ${left.toLocaleString('en-US')} more`, 'start', PALE) : '';
  return svg(chart, height, legend + rows.join('') + more);
}

const PLOT = 150;

function timeline(chart: ReportChart): string {
  const points = gathered(chart.points);
  const legend = legendOf(chart);
  const top = legend === '' ? 18 : 40;
  const height = top + PLOT + 26;
  const most = Math.max(1, ...points.map(total));
  const step = WIDTH / Math.max(1, points.length);
  const width = Math.max(1, Math.min(48, step * 0.8));
  const base = top + PLOT;
  const columns = points.map((point, index) => {
    const x = index * step + (step - width) / 2;
    return stack(point.values, (value, before, fill) => {
      const tall = (value / most) * PLOT;
      return rect(x, base - (before / most) * PLOT - tall, width, tall, fill);
    }).join('');
  });
  const [first, last] = [points[0], points.at(-1)];
  const axis =
    `<line x1="0" y1="${base}" x2="${WIDTH}" y2="${base}" stroke="${INK}"/>` +
    text(0, base + 18, first?.label ?? '', 'start', PALE) +
    (points.length > 1 ? text(WIDTH, base + 18, last?.label ?? '', 'end', PALE) : '') +
    text(0, top - 6, `at most ${most.toLocaleString('en-US')} ${chart.unit}`, 'start', PALE);
  return svg(chart, height, legend + columns.join('') + axis);
}

type Point = ReportChart['points'][number];

/** Neighbours share a column where there are more points than fit. */
function gathered(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / MOST_COLUMNS);
  if (size <= 1) return points;
  const groups: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size);
    const values = (group[0]?.values ?? []).map((_, series) =>
      group.reduce((sum, { values: each }) => sum + (each[series] ?? 0), 0),
    );
    groups.push({ label: group[0]?.label ?? '', values });
  }
  return groups;
}

function stack(values: readonly number[], draw: (value: number, before: number, fill: string) => string): string[] {
  let before = 0;
  return values.map((value, index) => {
    const drawn = value > 0 ? draw(value, before, FILLS[index % FILLS.length] ?? INK) : '';
    before += value;
    return drawn;
  });
}

function total({ values }: Point): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function legendOf({ series }: ReportChart): string {
  if (series.length < 2) return '';
  let x = 0;
  return series
    .map((name, index) => {
      const drawn = rect(x, 4, 12, 12, FILLS[index % FILLS.length] ?? INK) + text(x + 18, 14, name, 'start', INK);
      x += 40 + name.length * 7;
      return drawn;
    })
    .join('');
}

function svg({ label, unit, series, points }: ReportChart, height: number, inside: string): string {
  const said = points
    .slice(0, MOST_COLUMNS)
    .map((point) => `${point.label}: ${point.values.map((value, i) => `${value} ${series[i] ?? unit}`).join(', ')}`)
    .join('; ');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">` +
    `<title>${escapeHtml(label)}</title><desc>${escapeHtml(said)}</desc>${inside}</svg>`
  );
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

function text(x: number, y: number, words: string, anchor: 'start' | 'end', fill: string): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${fill}">${escapeHtml(words)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shorten(label: string, most: number): string {
  return label.length > most ? `${label.slice(0, most - 1).toWellFormed()}…` : label;
}
