// Prints an explanation: the decision first, then what it came from, then everything else that was considered. It must never leave out a rule.
import type { ExplainedPart, ExplainedRule, Explanation, TruthWord } from '../../core/explain.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import { formatTimestamp } from '../../core/time.ts';
import type { DecisionRequest } from '../../model/decision.ts';
import type { Output, Style } from '../shell/shell.ts';
import { count, printable, wrap } from '../shell/text.ts';

export function explanationJson(set: PolicySet, request: DecisionRequest, explanation: Explanation): string {
  const { decision, rules, walls } = explanation;
  const report = {
    policy: { revision: set.revision, commit: set.commit },
    request: { ...request, now: formatTimestamp(request.now) },
    decision: decision.outcome,
    decided_by: decision.decidedBy,
    missing: decision.missing,
    advice: decision.advice,
    step_up: decision.stepUp,
    obligations: decision.obligations,
    on_file: decision.onFile,
    walls: walls.map(asJson),
    rules: rules.map(asJson),
  };
  return JSON.stringify(report, null, 2);
}

function asJson({ rule, effect, source, truth, outOfScope, conditions }: ExplainedRule): object {
  return { rule, effect, source, truth, out_of_scope: outOfScope, conditions };
}

export function showExplanation(out: Output, set: PolicySet, request: DecisionRequest, explanation: Explanation): void {
  const { decision, rules, walls } = explanation;
  showRequest(out, request, explanation);
  const isAllow = decision.outcome === 'allow';
  const outcome = out.paint(isAllow ? 'green' : 'red', isAllow ? 'ALLOW' : 'DENY');
  out.line(`${out.paint('bold', outcome)} by ${decision.decidedBy.join(', ')}`);
  showDetails(out, explanation);

  section(out, 'Walls');
  for (const wall of walls) if (wall.outOfScope === null) showRule(out, wall);
  showOthers(out, walls);
  const about = rules.filter(({ outOfScope }) => outOfScope === null);
  const groups = {
    'Denies that apply': about.filter(({ effect, truth }) => effect === 'deny' && truth !== 'false'),
    'Allows that apply': about.filter(({ effect, truth }) => effect === 'allow' && truth !== 'false'),
    'Denies that do not apply': about.filter(({ effect, truth }) => effect === 'deny' && truth === 'false'),
    'Allows that do not apply': about.filter(({ effect, truth }) => effect === 'allow' && truth === 'false'),
  };
  for (const [title, members] of Object.entries(groups)) {
    section(out, `${title} (${members.length})`);
    for (const rule of members) showRule(out, rule);
  }
  section(out, `Rules about something else (${rules.length - about.length})`);
  showOthers(out, rules);
  out.line();
  out.line(
    out.paint('dim', `${count(set.rules.length, 'rule')}, ${count(set.walls.all.length, 'wall')}, ${set.revision}`),
  );
}

function showRequest(out: Output, request: DecisionRequest, { decision }: Explanation): void {
  const { subject, actor, action, resource, sourceSystem, now } = request;
  const of = [subject.attributes['user_type'], subject.attributes['roles']]
    .flat()
    .filter((one) => typeof one === 'string');
  const who = `${subject.id}${of.length === 0 ? '' : ` (${of.join(', ')})`}${actor === null ? '' : ` through ${actor}`}`;
  const where = [
    ...(decision.matter === null ? [] : [`matter ${decision.matter}`]),
    ...(decision.client === null ? [] : [`client ${decision.client}`]),
  ];
  const what = `${action} ${resource.type} ${resource.id}${where.length === 0 ? '' : ` of ${where.join(', ')}`}`;
  out.line(printable(`${who}: ${what}`));
  out.line(out.paint('dim', printable(`at ${formatTimestamp(now)}, asked by ${sourceSystem ?? 'no known system'}`)));
  out.line();
}

function showDetails(out: Output, { decision }: Explanation): void {
  const { missing, advice, stepUp, obligations, onFile } = decision;
  const rows: [string, string][] = [
    ['missing or of the wrong type', missing.join(', ')],
    ['advice', advice.join(', ')],
    [
      'stepping up would help',
      stepUp === null ? '' : `acr_values ${stepUp.acr_values}, max_age ${stepUp.max_age ?? 'any'}`,
    ],
    ['obligations', obligations.map(({ id, fulfilled_by: by }) => `${id} (${by})`).join(', ')],
    ['on file, whatever was sent', onFile.join(', ')],
  ];
  for (const [name, value] of rows) if (value !== '') out.line(`  ${name}: ${value}`);
}

function section(out: Output, title: string): void {
  out.line();
  out.line(out.paint('bold', title));
}

const COLOURS: Readonly<Record<TruthWord, Style>> = { true: 'green', false: 'dim', unknown: 'yellow' };

/** What is not about the request at all, by the reason why. */
function showOthers(out: Output, rules: readonly ExplainedRule[]): void {
  const others = rules.filter(({ outOfScope }) => outOfScope !== null);
  for (const [reason, members] of Map.groupBy(others, ({ outOfScope }) => outOfScope ?? '')) {
    out.line(`  ${printable(reason)}:`);
    for (const line of wrap(members.map(({ rule }) => rule).join(', '), out.columns - 4)) {
      out.line(`    ${out.paint('dim', line)}`);
    }
  }
}

function showRule(out: Output, { rule, source, truth, conditions }: ExplainedRule): void {
  out.line(`  ${word(out, truth)} ${out.paint('bold', rule)}  ${out.paint('dim', source)}`);
  for (const [index, condition] of conditions.entries()) {
    const isAll = joint(condition) === 'all of';
    if (conditions.length > 1) {
      out.line(`  ${word(out, condition.truth)}   case ${index + 1} of ${conditions.length}${isAll ? ', all of' : ''}`);
    }
    const depth = conditions.length > 1 ? 2 : 1;
    for (const part of isAll ? condition.parts : [condition]) showPart(out, part, depth);
  }
}

function showPart(out: Output, part: ExplainedPart, depth: number): void {
  const indent = '  '.repeat(depth);
  const values = part.values.map(({ path, value }) => `${path} = ${value}`).join(', ');
  const text = `${joint(part) ?? part.text}${values === '' ? '' : `  [${values}]`}`;
  const [first = '', ...rest] = wrap(printable(text), Math.max(40, out.columns - 12 - indent.length));
  out.line(`  ${word(out, part.truth)} ${indent}${first}`);
  for (const line of rest) out.line(`          ${indent}  ${line}`);
  for (const inner of part.parts) showPart(out, inner, depth + 1);
}

/** How the parts hang together, where the text of the whole would only repeat them; null for a part that has a text of its own. */
function joint({ text, parts }: ExplainedPart): 'all of' | 'any of' | 'not' | null {
  const [first, second] = parts;
  if (first === undefined) return null;
  if (second === undefined) return text.startsWith('not (') ? 'not' : null;
  const after = text.slice(text.startsWith(first.text) ? first.text.length : first.text.length + 2);
  return after.startsWith(' or ') ? 'any of' : 'all of';
}

function word(out: Output, truth: TruthWord): string {
  return out.paint(COLOURS[truth], truth.padEnd(7));
}
