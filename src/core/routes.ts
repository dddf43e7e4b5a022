// Checks routes.yaml: which action on which resource a request to a web application stands for. It must never let two paths fit the same
// request, so that their order means nothing.
import type { CallerEntry } from '../model/data.ts';
import type { SourceFile } from '../model/diagnostic.ts';
import { RoutesFile, type FactEntry, type RequestIn, type RoutePathEntry } from '../model/routes.ts';
import { describeType, type AttributeType } from './attribute-types.ts';
import type { Firm } from './firm.ts';
import { at, type Place, type Report } from './report.ts';
import { overlap, parseTemplate, type Segment } from './route-template.ts';
import { checkFile } from './schema-check.ts';
import { UNKNOWN_VALUE } from './truth.ts';

export interface Routes {
  readonly requestIn: RequestIn;
  readonly context: readonly Fact[];
  readonly paths: readonly Route[];
  /** Every header that some fact comes from. */
  readonly headers: ReadonlySet<string>;
}

export interface Route {
  readonly segments: readonly Segment[];
  readonly resource: string;
  /** Null: the parameter `id` of the path. */
  readonly id: string | null;
  /** HTTP method: action. */
  readonly actions: ReadonlyMap<string, string>;
  /** Names that a query may have; null: any. */
  readonly query: ReadonlySet<string> | null;
  readonly properties: readonly Fact[];
}

/** An attribute of the question, and where its value comes from. */
export type Fact = { readonly name: string } & (
  | { readonly from: 'value'; readonly value: unknown }
  | { readonly from: 'header' | 'path'; readonly source: string; readonly kind: AttributeType['kind'] }
);

/** The parameter of a path that names the resource itself. */
const ID = 'id';

/** By id of the caller. */
export function compileRoutes(
  file: SourceFile | undefined,
  callers: readonly CallerEntry[],
  firm: Firm,
  report: Report,
): ReadonlyMap<string, Routes> {
  const compiled = new Map<string, Routes>();
  if (file === undefined) return compiled;
  const problems = checkFile(file, RoutesFile);
  report.add(problems);
  if (problems.length > 0) return compiled;
  const { routes } = file.value as RoutesFile;
  for (const [index, { caller, request_in: requestIn, context, paths }] of routes.entries()) {
    const place: Place = { file, path: ['routes', index], item: caller };
    if (compiled.has(caller))
      report.error(at(place, 'caller'), 'duplicate-id', `\`${caller}\` is listed twice`, 'make one list of its paths');
    const entry = callers.find(({ id }) => id === caller);
    if (entry === undefined) {
      report.unknown(
        at(place, 'caller'),
        'caller',
        caller,
        callers.map(({ id }) => id),
      );
    } else if (!entry.may.includes('authorize')) {
      const hint = 'give it the right in callers.yaml';
      report.error(at(place, 'caller'), 'caller-may-not-ask', `\`${caller}\` lacks the right \`authorize\``, hint);
    }
    const circumstances = factsOf('context', context ?? {}, new Set(), firm, at(place, 'context'), report);
    const compiledPaths = paths.map((one, i) => compilePath(one, firm, at(place, 'paths', i), report));
    checkOverlaps(paths, compiledPaths, place, report);
    const facts = [...circumstances, ...compiledPaths.flatMap(({ properties }) => properties)];
    const headers = new Set(facts.flatMap((fact) => (fact.from === 'header' ? [fact.source] : [])));
    compiled.set(caller, { requestIn, context: circumstances, paths: compiledPaths, headers });
  }
  return compiled;
}

function compilePath(entry: RoutePathEntry, firm: Firm, place: Place, report: Report): Route {
  const template = parseTemplate(entry.path);
  if ('problem' in template) report.error(at(place, 'path'), 'wrong-path', template.problem, template.hint);
  const segments = 'problem' in template ? [] : template.segments;
  const parameters = new Set(segments.flatMap((one) => (one.kind === 'parameter' ? [one.name] : [])));
  if (!firm.names.resourceTypes.has(entry.resource))
    report.unknown(at(place, 'resource'), 'resource type', entry.resource, firm.names.resourceTypes.keys());
  for (const [method, action] of Object.entries(entry.actions)) {
    if (!firm.names.actions.has(action))
      report.unknown(at(place, 'actions', method), 'action', action, firm.names.actions.keys());
  }
  if (segments.length > 0 && parameters.has(ID) === (entry.id !== undefined)) {
    report.error(
      place,
      'resource-id',
      `which ${entry.resource} it is must stand in one place`,
      'write `{id}` in the path, or give `id` where the path is that of one thing',
    );
  }
  const given = entry.properties ?? {};
  const taken = new Set(Object.values(given).map((one) => one.path));
  const fromPath = [...parameters].filter((name) => name !== ID && !taken.has(name) && !Object.hasOwn(given, name));
  const implied = Object.fromEntries(fromPath.map((name) => [name, { path: name }]));
  return {
    segments,
    resource: entry.resource,
    id: entry.id ?? null,
    actions: new Map(Object.entries(entry.actions)),
    query: entry.query === 'any' ? null : new Set(entry.query),
    properties: [
      ...factsOf('resource', implied, parameters, firm, at(place, 'path'), report),
      ...factsOf('resource', given, parameters, firm, at(place, 'properties'), report),
    ],
  };
}

function factsOf(
  namespace: 'resource' | 'context',
  entries: Readonly<Record<string, FactEntry>>,
  parameters: ReadonlySet<string>,
  firm: Firm,
  place: Place,
  report: Report,
): readonly Fact[] {
  const known = firm.dictionary.declared.filter((one) => one.namespace === namespace && one.source === 'request');
  return Object.entries(entries).flatMap(([name, entry]): readonly Fact[] => {
    const here = place.path.at(-1) === 'path' ? place : at(place, name);
    const attribute = known.find((one) => one.name === name);
    if (attribute === undefined) {
      report.unknown(
        here,
        `${namespace} attribute`,
        name,
        known.map((one) => one.name),
      );
      return [];
    }
    const { header, path: parameter } = entry;
    const stated = [header !== undefined, parameter !== undefined, Object.hasOwn(entry, 'value')];
    if (stated.filter(Boolean).length !== 1) {
      report.error(here, 'fact-source', `\`${name}\` must come from one place`, 'give one of header, path and value');
      return [];
    }
    const type = describeType(attribute.type);
    const source = header ?? parameter;
    if (source === undefined) {
      const { value } = entry;
      if (attribute.read(value) === UNKNOWN_VALUE) report.error(here, 'wrong-type', `\`${name}\` must be ${type}`);
      return [{ name, from: 'value', value }];
    }
    const { kind } = attribute.type;
    if (kind === 'list' || kind === 'object') {
      report.error(here, 'fact-type', `\`${name}\` is ${type}, which no header and no path can hold`);
    }
    if (parameter !== undefined && !parameters.has(parameter)) {
      report.error(here, 'no-parameter', `the path has no \`{${parameter}}\``, 'name one of those in braces');
    }
    return [{ name, from: header === undefined ? 'path' : 'header', source, kind }];
  });
}

/** Whoever reads one path must know from it alone what it opens. */
function checkOverlaps(
  entries: readonly RoutePathEntry[],
  compiled: readonly Route[],
  place: Place,
  report: Report,
): void {
  for (const [index, { segments }] of compiled.entries()) {
    if (segments.length === 0) continue;
    const earlier = compiled.slice(0, index).findIndex((other) => overlap(other.segments, segments));
    if (earlier < 0) continue;
    report.error(
      at(place, 'paths', index, 'path'),
      'overlapping-paths',
      `a request could fit this path and \`${entries[earlier]?.path}\``,
      'say what the ids look like, such as {id:D-*} (D- and anything) or {id:D-#} (D- and digits)',
    );
  }
}
