// What names mean at one place of a condition: attributes, entry fields, terms, calendars. It must never guess a misspelt name.
import type { AttributeType } from './attribute-types.ts';
import type { Expr, Ref } from './condition.ts';
import type { Dictionary } from './dictionary.ts';
import type { Place, Report } from './report.ts';

export interface Scope {
  readonly dictionary: Dictionary;
  /** Undefined: no such term (already reported when the term is in a cycle). */
  readonly term: (name: string, place: Place) => Expr | undefined;
  /** In the order of firm.yaml: a term's place is its index in Frame.terms. */
  readonly termNames: readonly string[];
  readonly calendars: ReadonlyMap<string, (ms: number) => boolean>;
  /** Fields of the entry that the surrounding `$some` looks at. */
  readonly entry: ReadonlyMap<string, AttributeType> | null;
  readonly report: Report;
  /** Where each part of a condition was written. */
  readonly places: WeakMap<Expr, Place>;
}

/** An attribute path, a field of an object attribute, or, within `$some`, a bare field of the entry. */
export function resolve(path: string, scope: Scope, place: Place): Ref | undefined {
  if (scope.entry !== null && !path.includes('.')) {
    const type = scope.entry.get(path);
    if (type !== undefined) return { path, attribute: null, field: path, type };
    if (path !== 'now') {
      scope.report.unknown(place, 'field', path, scope.entry.keys());
      return undefined;
    }
  }
  const { byPath } = scope.dictionary;
  const attribute = byPath.get(path);
  if (attribute !== undefined) return { path, attribute, field: null, type: attribute.type };
  const dot = path.lastIndexOf('.');
  const parent = byPath.get(path.slice(0, dot));
  const field = path.slice(dot + 1);
  if (parent?.type.kind === 'object') {
    const type = parent.type.fields.get(field);
    if (type !== undefined) return { path, attribute: parent, field, type };
  }
  scope.report.unknown(place, 'attribute', path, allPaths(scope.dictionary));
  return undefined;
}

function allPaths({ attributes }: Dictionary): string[] {
  return attributes.flatMap(({ path, type }) =>
    type.kind === 'object' ? [path, ...[...type.fields.keys()].map((field) => `${path}.${field}`)] : [path],
  );
}
