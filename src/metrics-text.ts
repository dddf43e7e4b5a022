// Numbers and their Prometheus text (exposition format 0.0.4). Adding to one costs a few nanoseconds, which is why these are not a
// library's, whose histograms cost a microsecond each. It must never let a label break the format, or be without a bound itself.
import { METRICS, type MetricName, type MetricSpec } from './metrics-table.ts';

export interface Cell {
  value: number;
}

export interface Buckets {
  readonly bounds: readonly number[];
  /** Not cumulative; the last is for everything beyond the bounds. */
  readonly counts: Float64Array;
  sum: number;
}

export type Labels = readonly string[];

export interface Family<C> {
  /** The cell of these values, in the order of the table's labels. Keep it where it is used often. */
  of(...labels: Labels): C;
  readonly cells: ReadonlyMap<string, { readonly labels: Labels; readonly cell: C }>;
}

/** Whatever callers and issuers come and go: more label values than this are counted under `other`. */
const MOST_CELLS = 2_000;

export function createFamily<C>(make: () => C): Family<C> {
  const cells = new Map<string, { readonly labels: Labels; readonly cell: C }>();
  return {
    cells,
    of(...labels) {
      const key = JSON.stringify(labels);
      const known = cells.get(key);
      if (known !== undefined) return known.cell;
      if (cells.size >= MOST_CELLS && labels.some((label) => label !== OTHER))
        return this.of(...labels.map(() => OTHER));
      const cell = make();
      cells.set(key, { labels, cell });
      return cell;
    },
  };
}

const OTHER = 'other';

export function createCells(): Family<Cell> {
  return createFamily<Cell>(() => ({ value: 0 }));
}

export function createBuckets(bounds: readonly number[]): Family<Buckets> {
  return createFamily<Buckets>(() => ({ bounds, counts: new Float64Array(bounds.length + 1), sum: 0 }));
}

export function observe(buckets: Buckets, value: number): void {
  const { bounds, counts } = buckets;
  let index = 0;
  while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
  counts[index] = (counts[index] ?? 0) + 1;
  buckets.sum += value;
}

/** A value read at this moment. */
export type Sample = readonly [name: MetricName, value: number, ...labels: Labels];

/** Every metric of the table, those without a value included: whoever looks for one finds it. */
export function writeText(
  counters: ReadonlyMap<MetricName, Family<Cell>>,
  histograms: ReadonlyMap<MetricName, Family<Buckets>>,
  samples: readonly Sample[],
): string {
  const lines: string[] = [];
  const sampled = Map.groupBy(samples, ([name]) => name);
  for (const [name, spec] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
    lines.push(
      `# HELP ${name} ${spec.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${spec.type}`,
    );
    for (const { labels, cell } of counters.get(name)?.cells.values() ?? []) {
      lines.push(`${name}${labelText(spec.labels, labels)} ${numberText(cell.value)}`);
    }
    for (const { labels, cell } of histograms.get(name)?.cells.values() ?? [])
      writeBuckets(lines, name, spec, labels, cell);
    for (const [, value, ...labels] of sampled.get(name) ?? []) {
      lines.push(`${name}${labelText(spec.labels, labels)} ${numberText(value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function writeBuckets(lines: string[], name: string, spec: MetricSpec, labels: Labels, cell: Buckets): void {
  const names = [...spec.labels, 'le'];
  let count = 0;
  for (const [index, bound] of [...cell.bounds, Number.POSITIVE_INFINITY].entries()) {
    count += cell.counts[index] ?? 0;
    lines.push(`${name}_bucket${labelText(names, [...labels, numberText(bound)])} ${count}`);
  }
  lines.push(`${name}_sum${labelText(spec.labels, labels)} ${numberText(cell.sum)}`);
  lines.push(`${name}_count${labelText(spec.labels, labels)} ${count}`);
}

function labelText(names: Labels, values: Labels): string {
  if (names.length === 0) return '';
  return `{${names.map((name, index) => `${name}="${escapeLabel(values[index] ?? '')}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isFinite(value) ? String(value) : 'NaN';
}
