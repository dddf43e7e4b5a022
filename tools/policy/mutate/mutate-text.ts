// What became of every change, for people, as JSON and for other machines. It must never leave out a survivor.
import path from 'node:path';
import type { Outcome, OutcomeItem } from '../../../src/cli/outcomes/outcome.ts';
import type { Output } from '../../../src/cli/shell/shell.ts';
import { count, printable, table, wrap } from '../../../src/cli/shell/text.ts';
import { percentText, type Threshold } from '../cover/threshold.ts';
import type { Mutant } from './mutants.ts';
import { scoreOf, type Score, type Tried } from './mutate.ts';

export interface Mutation {
  readonly tried: readonly Tried[];
  /** As the user named it. */
  readonly folder: string;
  readonly thresholds: readonly Threshold[];
  readonly sources: ReadonlyMap<string, string>;
}

export function showMutation(out: Output, mutation: Mutation): void {
  const { tried, folder } = mutation;
  const rows = [...Map.groupBy(tried, ({ mutant }) => mutant.place.file.path)].map(([file, own]) => {
    const { killed, survived, equivalent, percent } = scoreOf(own);
    return [path.join(folder, file), ...[killed, survived, equivalent].map(String), percentText(percent)];
  });
  const { killed, survived, equivalent, percent } = scoreOf(tried);
  const last = ['in all', ...[killed, survived, equivalent].map(String), percentText(percent)];
  out.line();
  for (const line of table([['changed', 'noticed', 'survived', 'equivalent', 'score'], ...rows, last])) out.line(line);
  const survivors = tried.filter(({ fate }) => fate === 'survived');
  if (survivors.length > 0) {
    out.line();
    out.line(out.paint('bold', 'no test case notices'));
    for (const one of survivors) {
      out.line(`  ${placeOf(mutation, one.mutant)}  ${printable(wordsOf(one.mutant))}`);
      for (const line of wrap(printable(hintOf(mutation, one)), out.columns - 4))
        out.line(out.paint('dim', `    ${line}`));
    }
  }
  const same = tried.filter(({ fate }) => fate === 'equivalent');
  if (same.length > 0) {
    out.line();
    out.line(`${count(same.length, 'change')} that change no decision, as the solver proved; not counted:`);
    for (const { mutant, proof } of same)
      out.line(
        out.paint('dim', `  ${placeOf(mutation, mutant)}  ${printable(wordsOf(mutant))} (${proofWords(proof)})`),
      );
  }
  for (const { percent: asked } of missedBy(mutation))
    out.line(out.paint('red', `mutants: ${percentText(percent)} of the ${asked} % that \`--threshold\` asks for`));
}

function proofWords(proof: Tried['proof']): string {
  return proof === 'always'
    ? 'for every request, whatever data there is'
    : 'for every request with the people, matters and grants of this folder';
}

export function missedBy({ tried, thresholds }: Mutation): readonly Threshold[] {
  const { percent } = scoreOf(tried);
  return thresholds.filter((one) => percent !== null && percent < one.percent);
}

/** `copies.yaml:12  bulk-ticket without its unless` */
function wordsOf({ kind, of, what }: Mutant): string {
  return `${kind === 'term' ? `term ${of}` : of}: ${what}`;
}

function placeOf({ folder }: Mutation, { place }: Mutant): string {
  return `${path.join(folder, place.file.path)}:${place.file.locate(place.path).line}`;
}

function hintOf({ sources }: Mutation, { near, mutant }: Tried): string {
  if (near === null)
    return mutant.kind === 'rule' || mutant.kind === 'term'
      ? 'no case near those there are would notice; the solver found that some request does'
      : 'write a case that this part of the wall alone decides';
  const { test, change, expect } = near;
  const comes = `${expect.outcome} by ${expect.decidedBy.join(', ')}`;
  const at = sources.get(test.id);
  const named = `\`${test.id}\`${at === undefined ? '' : ` (${at})`}`;
  return change === ''
    ? `let ${named} state what comes out: ${comes}`
    : `write a case like ${named} with ${change}, and what comes out: ${comes}`;
}

export function mutationAsJson(mutation: Mutation): Record<string, unknown> {
  const { tried, folder, thresholds } = mutation;
  return {
    totals: scoreOf(tried),
    thresholds: Object.fromEntries(thresholds.map(({ name, percent }) => [name, percent])),
    missed: missedBy(mutation).map(({ name }) => name),
    changes: tried.map((one) => {
      const { mutant, fate, by, proof, near } = one;
      const { line, column } = mutant.place.file.locate(mutant.place.path);
      const file = path.join(folder, mutant.place.file.path);
      const hint = fate === 'survived' ? hintOf(mutation, one) : null;
      const expect = near === null ? null : { expect: near.expect.outcome, decided_by: near.expect.decidedBy };
      return {
        kind: mutant.kind,
        of: mutant.of,
        what: mutant.what,
        ...{ file, line, column, fate },
        noticed_by: by,
        proof: proof === null ? null : proofWords(proof),
        hint,
        near_case: near === null ? null : { id: near.test.id, change: near.change, ...expect },
      };
    }),
  };
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['mutation-threshold', 'Test cases notice fewer changes of the policies than `--threshold` asks for.'],
  ['change-not-noticed', 'The policies could be changed like this, and no test case would notice.'],
]);

/** @param tested the outcome of the cases themselves */
export function mutationOutcome(tested: Outcome, mutation: Mutation): Outcome {
  const { tried, thresholds } = mutation;
  const score = scoreOf(tried);
  const missed = missedBy(mutation);
  const asked = thresholds.map((one): OutcomeItem => {
    const isMissed = missed.includes(one);
    return {
      ...PLAIN,
      name: 'threshold mutants',
      code: 'mutation-threshold',
      status: isMissed ? 'failed' : 'passed',
      level: 'error',
      message: `mutants: ${percentText(score.percent)} of the ${one.percent} % that are asked for`,
      hint: isMissed ? 'add cases to tests/ for the changes that none notices' : null,
    };
  });
  const each = tried.map((one): OutcomeItem => {
    const { mutant, fate, proof } = one;
    const { line, column } = mutant.place.file.locate(mutant.place.path);
    const words = wordsOf(mutant);
    return {
      ...PLAIN,
      name: `${words} (${mutant.place.file.path}:${line}:${column})`,
      code: 'change-not-noticed',
      status: fate === 'killed' ? 'passed' : fate === 'equivalent' ? 'skipped' : 'failed',
      level: 'note',
      file: path.join(mutation.folder, mutant.place.file.path),
      line,
      column,
      message:
        fate === 'equivalent' ? `${words}: changes no decision, ${proofWords(proof)}` : `No test case notices ${words}`,
      hint: fate === 'survived' ? hintOf(mutation, one) : null,
    };
  });
  return {
    ...tested,
    items: [...tested.items, ...asked, ...each],
    codes: new Map([...tested.codes, ...CODES]),
    summary: `${tested.summary}; ${scoreText(score)}`,
    markdown: [...tested.markdown, scoreText(score)],
  };
}

function scoreText({ killed, survived, equivalent, percent }: Score): string {
  return `${count(killed + survived, 'change')}, ${killed} noticed (${percentText(percent)}), ${equivalent} equivalent`;
}

const PLAIN = { level: 'note', file: null, line: null, column: null, details: [], hint: null, accepted: null } as const;
