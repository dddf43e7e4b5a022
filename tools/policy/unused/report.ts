// What nobody used, for machines: one JSON document, or an outcome of which every report is made. It must never say less than the pages for people.
import path from 'node:path';
import type { Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import { sourceOf } from '../../../src/core/report.ts';
import { formatTimestamp } from '../../../src/core/time.ts';
import type { Finding, State } from './judge.ts';
import { KIND_WORDS, summaryOf, type Look } from './report-text.ts';

export function lookAsJson(look: Look): string {
  const { folder, set, looked, findings, proposal, proposed, isWhole } = look;
  const { from, now, judgedFrom, limits, records, tally, rights } = looked;
  const report = {
    policies: folder,
    revision: set.revision,
    since: formatTimestamp(from),
    until: formatTimestamp(now),
    judged_from: formatTimestamp(judgedFrom),
    complete: isWhole,
    limits: limits.map(({ until, why }) => ({ until: formatTimestamp(until), why })),
    log: { records, decisions: tally.decisions, allowed: tally.allowed, lists: tally.lists },
    counts: { rules: rights.allows.size, grants: rights.grants.size, memberships: rights.memberships.size },
    rights: findings.map((one) => ({
      kind: one.kind,
      state: one.state,
      right: one.right,
      names: one.names,
      file: path.join(folder, one.place.file.path),
      line: one.place.file.locate(one.place.path).line,
      uses: one.count,
      last_used: timeOf(one.last),
      in_force_since: timeOf(one.since),
      why: one.why,
      emergency: one.isEmergency,
      proposed: proposed.has(one),
    })),
    patch: proposal?.patch ?? null,
    by_hand: proposal?.byHand.map(({ right, place }) => ({ right, source: sourceOf(place) })) ?? [],
    failing_tests: proposal?.failing ?? [],
  };
  return JSON.stringify(report, null, 2);
}

function timeOf(at: number | null): string | null {
  return at === null ? null : formatTimestamp(at);
}

const CODES: Readonly<Record<State, string>> = {
  unused: 'The log shows nobody who used this right.',
  never_alone: 'Whenever this rule allowed, other rules allowed as well.',
  never_decided: 'This deny decided no request.',
  too_new: 'This right is younger than the window, so that nothing can be said of it.',
  not_judged: 'Records do not show whether this right was used.',
};

export function lookAsOutcome(look: Look, failsOnUnused: boolean): Outcome {
  const { findings, folder, set, proposed } = look;
  const states = new Set(findings.map(({ state }) => state));
  return {
    tool: 'policy unused',
    subject: folder,
    revision: set.revision,
    items: findings.map((one) => itemOf(one, folder, proposed.has(one))),
    failsOn: failsOnUnused ? 'warning' : 'error',
    codes: new Map([...states].map((state) => [codeOf(state), CODES[state]])),
    summary: summaryOf(look),
    markdown: [],
  };
}

function codeOf(state: State): string {
  return state.replaceAll('_', '-');
}

function itemOf({ kind, state, right, names, place, why }: Finding, folder: string, isProposed: boolean): OutcomeItem {
  const { line, column } = place.file.locate(place.path);
  const part = names.length === 0 || kind === 'membership' ? '' : ` (${names.join(', ')})`;
  return {
    name: `${codeOf(state)} ${kind} ${right} ${place.path.join('.')}`,
    code: codeOf(state),
    status: 'failed',
    level: isProposed ? 'warning' : 'note',
    file: path.join(folder, place.file.path),
    line,
    column,
    message: `${KIND_WORDS[kind]} \`${right}\`${part}: ${CODES[state].toLowerCase().replace(/\.$/, '')}`,
    details: why === null ? [] : [why],
    hint: isProposed ? '`privity policy unused` prints a patch that takes it away' : null,
    accepted: null,
  };
}
