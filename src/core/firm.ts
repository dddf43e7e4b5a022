// Compiles firm.yaml: names, dictionary, terms, calendars, advice, obligations, settings of walls. It must never leave a term half defined.
import type { SourceFile } from '../model/diagnostic.ts';
import { FirmFile, type AdviceEntry, type ObligationEntry } from '../model/firm.ts';
import { ALWAYS, sizeOf, type Expr } from './condition.ts';
import { compileDictionary, type Dictionary } from './dictionary.ts';
import { compileExpr, type Test } from './evaluate.ts';
import { parseCondition, parseTerms } from './parse-condition.ts';
import { at, type Place, type Report } from './report.ts';
import { isReview, reviewPeriod } from './review.ts';
import { checkFile } from './schema-check.ts';
import type { Scope } from './scope.ts';
import { compileCalendar, parseDuration } from './time.ts';
import { compileVocabulary, type Vocabulary } from './vocabulary.ts';

export interface Firm {
  readonly file: SourceFile;
  readonly name: string | null;
  readonly names: Vocabulary;
  readonly dictionary: Dictionary;
  readonly terms: ReadonlyMap<string, Expr>;
  readonly calendars: ReadonlyMap<string, (ms: number) => boolean>;
  readonly advice: ReadonlyMap<string, AdviceEntry>;
  readonly obligations: ReadonlyMap<string, ObligationEntry>;
  readonly walls: {
    readonly lateralReasons: ReadonlySet<string>;
    readonly conflictCheckers: readonly string[];
    readonly memoAdvice: readonly string[];
  };
  /** Null: nobody can approve anything for somebody else. */
  readonly approvals: { readonly approver: Test; readonly expr: Expr; readonly validForMs: number } | null;
  /** Where the parts of conditions were written, those of rules included. */
  readonly places: WeakMap<Expr, Place>;
  /** What names mean in a rule of this firm. */
  scope(report: Report): Scope;
}

/** Terms name terms that name terms: a few lines could stand for more than any machine can judge. */
const MAX_TERM_SIZE = 2_000;

/** Null when firm.yaml is so broken that nothing else can be judged. */
export function compileFirm(file: SourceFile, report: Report): Firm | null {
  const problems = checkFile(file, FirmFile);
  report.add(problems);
  if (problems.length > 0) return null;
  const entry = file.value as FirmFile;
  const place: Place = { file, path: [] };
  const names = compileVocabulary(entry, place, report);
  const dictionary = compileDictionary(entry, names, place, report);
  const calendars = compileCalendars(entry, place, report);
  const advice = new Map(Object.entries(entry.advice ?? {}));
  const terms = new Map<string, Expr>();
  const termEntries = entry.terms ?? {};
  const termNames = Object.keys(termEntries);
  const places = new WeakMap<Expr, Place>();

  const scope = (to: Report, trail: readonly string[] = []): Scope => ({
    dictionary,
    termNames,
    calendars,
    entry: null,
    report: to,
    places,
    term(name, where) {
      const done = terms.get(name);
      if (done !== undefined) return done;
      const condition = Object.hasOwn(termEntries, name) ? termEntries[name] : undefined;
      if (condition === undefined) {
        to.unknown(where, 'term', name, termNames);
        return undefined;
      }
      if (trail.includes(name)) {
        to.error(where, 'term-cycle', `the term \`${name}\` is defined by itself: ${[...trail, name].join(' > ')}`);
        return undefined;
      }
      const here = at(place, 'terms', name);
      const expr = parseCondition(condition, scope(report, [...trail, name]), here);
      const fits = sizeOf(expr) <= MAX_TERM_SIZE;
      if (!fits)
        report.error(
          here,
          'term-size',
          `the term \`${name}\` has more than ${MAX_TERM_SIZE} parts, those of other terms counted`,
        );
      terms.set(name, fits ? expr : ALWAYS);
      return expr;
    },
  });
  for (const name of termNames) scope(report).term(name, at(place, 'terms', name));

  const memoAdvice = entry.walls?.memo_advice ?? [];
  for (const [index, code] of memoAdvice.entries()) {
    if (!advice.has(code)) report.unknown(at(place, 'walls', 'memo_advice', index), 'advice', code, advice.keys());
  }
  const obligations = new Map(Object.entries(entry.obligations ?? {}));
  for (const code of obligations.keys()) {
    if (!isReview(code) || reviewPeriod(code) !== undefined) continue;
    const here = at(place, 'obligations', code);
    report.error(
      here,
      'review-period',
      `\`${code}\` does not say when the review is due`,
      'write review:24h or review:7d',
    );
  }
  const checkers = names.expand(
    'role',
    entry.walls?.conflict_checkers ?? [],
    at(place, 'walls', 'conflict_checkers'),
    report,
  );
  return {
    file,
    name: entry.name ?? null,
    names,
    dictionary,
    terms,
    calendars,
    advice,
    obligations,
    approvals: compileApprovals(entry, scope(report), at(place, 'approvals'), report),
    walls: { lateralReasons: new Set(entry.walls?.lateral_reasons), conflictCheckers: [...checkers], memoAdvice },
    places,
    scope: (to) => scope(to),
  };
}

function compileApprovals(entry: FirmFile, scope: Scope, place: Place, report: Report): Firm['approvals'] {
  if (entry.approvals === undefined) return null;
  const { approver, valid_for: validFor } = entry.approvals;
  const validForMs = parseDuration(validFor);
  if (validForMs === undefined) {
    report.error(at(place, 'valid_for'), 'wrong-type', `\`${validFor}\` is no ISO 8601 duration`, 'write PT24H or P7D');
  }
  const expr = parseTerms(approver, scope, at(place, 'approver'));
  return { approver: compileExpr(expr), expr, validForMs: validForMs ?? 0 };
}

function compileCalendars(entry: FirmFile, place: Place, report: Report): Map<string, (ms: number) => boolean> {
  const calendars = new Map<string, (ms: number) => boolean>();
  for (const [name, calendar] of Object.entries(entry.calendars ?? {})) {
    const here = at(place, 'calendars', name);
    if (calendar.from >= calendar.until) {
      report.error(
        at(here, 'until'),
        'empty-calendar',
        'the calendar ends before it begins',
        '`until` must be later on the same day than `from`',
      );
    }
    try {
      calendars.set(name, compileCalendar(calendar));
    } catch {
      report.error(
        at(here, 'timezone'),
        'unknown-timezone',
        `\`${calendar.timezone}\` is no timezone`,
        'use UTC or an IANA name such as Europe/Berlin',
      );
      calendars.set(name, () => false);
    }
  }
  return calendars;
}
