// Collects what is wrong or noteworthy while policies are compiled, each with its place. It must never stop at the first problem.
import type { Diagnostic, SourceFile } from '../model/diagnostic.ts';
import type { FindingCode } from '../model/findings.ts';
import { flat } from './flat.ts';
import { nearest } from './suggest.ts';

export type Path = readonly (string | number)[];

/** A place in a file: where a diagnostic points, and what a rule's `source` says. */
export interface Place {
  readonly file: SourceFile;
  readonly path: Path;
  readonly item?: string | undefined;
}

export interface Report {
  readonly diagnostics: readonly Diagnostic[];
  error(place: Place, code: string, message: string, hint?: string): void;
  finding(place: Place, code: FindingCode, message: string, hint?: string): void;
  /** An unknown name, with the nearest right spelling. */
  unknown(place: Place, kind: string, name: string, candidates: Iterable<string>): void;
  add(diagnostics: readonly Diagnostic[]): void;
}

/** Where names are declared that are none of firm.yaml. */
const DECLARED_IN: ReadonlyMap<string, string> = new Map([
  ['issuer', 'issuers.yaml'],
  ['caller', 'callers.yaml'],
  ['AI assistant', 'data/'],
]);

export function createReport(): Report {
  const diagnostics: Diagnostic[] = [];
  const push = (severity: Diagnostic['severity'], place: Place, code: string, message: string, hint?: string) => {
    const { line, column } = place.file.locate(place.path);
    diagnostics.push({
      severity,
      code,
      message,
      file: place.file.path,
      line,
      column,
      ...(place.item === undefined ? {} : { item: place.item }),
      ...(hint === undefined ? {} : { hint }),
    });
  };
  const report: Report = {
    diagnostics,
    error: (place, code, message, hint) => push('error', place, code, message, hint),
    finding: (place, code, message, hint) => push('finding', place, code, message, hint),
    unknown: (place, kind, name, candidates) => {
      const names = [...candidates];
      const near = nearest(name, names);
      const known = names.length === 0 ? 'none is declared' : `known: ${names.slice(0, 12).join(', ')}`;
      const hint = near === undefined ? known : `did you mean \`${near}\`?`;
      report.error(
        place,
        `unknown-${kind.replaceAll(' ', '-')}`,
        `\`${name}\` is no ${kind} that ${DECLARED_IN.get(kind) ?? 'firm.yaml'} knows`,
        hint,
      );
    },
    add: (more) => diagnostics.push(...more),
  };
  return report;
}

export function at(place: Place, ...more: Path): Place {
  return { ...place, path: [...place.path, ...more] };
}

/** `file:line`, as records and explanations name a rule's source. */
export function sourceOf(place: Place): string {
  return flat(`${place.file.path}:${place.file.locate(place.path).line}`);
}
