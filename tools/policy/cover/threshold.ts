// What `--threshold` asks for, such as `rules=100,walls=100`. It must never take a misspelt name for one that is met.
import { UsageError } from '../../../src/cli/shell/verb.ts';

export interface Threshold {
  readonly name: string;
  readonly percent: number;
}

export function readThresholds(text: string | undefined, names: readonly string[]): readonly Threshold[] {
  if (text === undefined) return [];
  const hint = `write such as \`--threshold ${names.map((name) => `${name}=100`).join(',')}\``;
  return text.split(',').map((part) => {
    const [, name = '', number = ''] = /^\s*([a-z]+)\s*=\s*([0-9.]+)\s*$/.exec(part) ?? [];
    const percent = Number(number);
    if (name === '' || !(percent >= 0 && percent <= 100))
      throw new UsageError(`\`${part.trim()}\` is no threshold in per cent`, hint);
    if (!names.includes(name)) throw new UsageError(`there is no threshold for \`${name}\``, hint);
    return { name, percent };
  });
}

/** Never rounded up: 99.96 of 100 is 99.9. */
export function percentText(percent: number | null): string {
  if (percent === null) return 'nothing to show';
  return `${(Math.floor(percent * 10) / 10).toFixed(1).replace(/\.0$/, '')} %`;
}
