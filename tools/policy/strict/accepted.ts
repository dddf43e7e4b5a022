// Matches what was found with what the files accept. It must never let an acceptance without a reason count, nor one that has expired.
import { at, createReport, type Path, type Place } from '../../../src/core/report.ts';
import type { AcceptEntry } from '../../../src/model/acceptances.ts';
import type { Diagnostic, SourceFile } from '../../../src/model/diagnostic.ts';
import { FINDINGS, isFindingCode } from '../../../src/model/findings.ts';
import { nearest } from '../../../src/core/suggest.ts';

export interface Acceptance {
  readonly entry: AcceptEntry;
  readonly place: Place;
  /** The file whose findings it accepts. */
  readonly file: string;
  /** What they must be about; null: anything in the file. */
  readonly item: string | null;
}

export interface Judged {
  readonly diagnostic: Diagnostic;
  /** Null: it is not accepted. */
  readonly accepted: Acceptance | null;
}

/** Also what is wrong with the acceptances themselves. @param today YYYY-MM-DD */
export function judgeAccepted(
  found: readonly Diagnostic[],
  files: readonly SourceFile[],
  today: string,
): readonly Judged[] {
  const report = createReport();
  const usable: Acceptance[] = [];
  for (const acceptance of files.flatMap(acceptancesIn)) {
    const { entry, place } = acceptance;
    if (!isFindingCode(entry.code) || FINDINGS[entry.code].found === 'acceptance') {
      const codes = Object.entries(FINDINGS).flatMap(([code, { found: by }]) => (by === 'acceptance' ? [] : [code]));
      const near = nearest(entry.code, codes);
      const hint = near === undefined ? 'docs/policy-findings.md lists all codes' : `did you mean \`${near}\`?`;
      report.finding(at(place, 'code'), 'unknown-code', `\`${entry.code}\` is no finding that can be accepted`, hint);
    } else if (entry.reason.trim() === '') {
      report.finding(at(place, 'reason'), 'no-reason', `\`${entry.code}\` is accepted without a reason`, 'say why');
    } else if (entry.until !== undefined && entry.until < today) {
      const what = `\`${entry.code}\` was accepted until ${entry.until}`;
      report.finding(at(place, 'until'), 'expired-acceptance', what, 'mend it, or set a later day after another look');
    } else {
      usable.push(acceptance);
    }
  }
  const byCode = Map.groupBy(usable, ({ entry }) => entry.code);
  const used = new Set<Acceptance>();
  const judged = found.map((diagnostic): Judged => {
    const fitting = diagnostic.severity === 'error' ? [] : (byCode.get(diagnostic.code) ?? []);
    const all = fitting.filter(
      ({ file, item }) => file === diagnostic.file && (item ?? diagnostic.item) === diagnostic.item,
    );
    for (const one of all) used.add(one);
    return { diagnostic, accepted: all[0] ?? null };
  });
  for (const acceptance of usable) {
    if (used.has(acceptance)) continue;
    const { entry, place, file, item } = acceptance;
    const where = entry.file === undefined ? 'in this file' : `in \`${file}\``;
    const what = item === null ? where : `about \`${item}\``;
    report.finding(place, 'stale-acceptance', `nothing is found any more ${what} as \`${entry.code}\``, 'remove it');
  }
  return [...judged, ...report.diagnostics.map((diagnostic) => ({ diagnostic, accepted: null }))];
}

function acceptancesIn(file: SourceFile): readonly Acceptance[] {
  const { value } = file;
  const ofFile = entriesOf(value, 'accept').map(({ entry, index }): Acceptance => {
    const about = entry.file ?? file.path;
    return { entry, place: placed(file, ['accept', index], entry), file: about, item: entry.item ?? null };
  });
  if (!file.path.startsWith('rules/') || !isRecord(value) || !Array.isArray(value['rules'])) return ofFile;
  const ofRules = value['rules'].flatMap((rule: unknown, at: number) => {
    const id = isRecord(rule) && typeof rule['id'] === 'string' ? rule['id'] : null;
    return entriesOf(rule, 'accept').map(({ entry, index }): Acceptance => {
      const path = ['rules', at, 'accept', index];
      return { entry, place: { file, path, item: id ?? undefined }, file: file.path, item: id };
    });
  });
  return [...ofFile, ...ofRules];
}

function placed(file: SourceFile, path: Path, { item }: AcceptEntry): Place {
  return { file, path, item };
}

function entriesOf(value: unknown, member: string): readonly { readonly entry: AcceptEntry; readonly index: number }[] {
  const list = isRecord(value) ? value[member] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) => (isAcceptEntry(entry) ? [{ entry, index }] : []));
}

/** The shape was checked when the file was loaded; files that did not load are passed over. */
function isAcceptEntry(entry: unknown): entry is AcceptEntry {
  if (!isRecord(entry)) return false;
  const { code, reason, item, file, until } = entry;
  return isText(code) && isText(reason) && [item, file, until].every((one) => one === undefined || isText(one));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
