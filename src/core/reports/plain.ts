// Reads members of plain values whose shape nobody promises: records and policy files of any age. It must never throw.
import type { SourceFile } from '../../model/diagnostic.ts';

type Json = Readonly<Record<string, unknown>>;

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

export function objectIn(value: unknown, name: string): Json {
  const found = member(value, name);
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Json) : {};
}

export function textIn(value: unknown, name: string): string | null {
  const found = member(value, name);
  return typeof found === 'string' ? found : null;
}

export function textsIn(value: unknown, name: string): readonly string[] {
  const found = member(value, name);
  return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
}

/** `file:line` */
export function formatSource(file: SourceFile, path: readonly (string | number)[]): string {
  return `${file.path}:${file.locate(path).line}`;
}
