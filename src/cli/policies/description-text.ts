// Every rule of a policy set in plain English, as Markdown: what people read who do not read YAML. It must never say less than a rule does.
import { describeRule, describeTerms, type DescribedCase, type DescribedRule } from '../../core/describe-policy.ts';
import type { PolicySet } from '../../core/policy-set.ts';
import type { Rule } from '../../core/rules.ts';

export function policyDescription(set: PolicySet): string {
  const out = [`# What the rules say: ${set.firm.name ?? 'policies'}`, ''];
  out.push(
    'A request is refused unless a rule permits it. A rule that refuses, and an ethical wall, beats every permission. ' +
      'What cannot be judged, because something was not stated, is refused. The terms that conditions use are explained at the end.',
    '',
  );
  const byFile = Map.groupBy(set.rules, ({ place }) => place.file.path);
  for (const [path, rules] of byFile) {
    out.push(`## ${path}`, '');
    const [first] = rules;
    const about = first === undefined ? null : aboutOf(first);
    if (about !== null) out.push(about, '');
    for (const rule of rules) out.push(...describe(set, rule), '');
  }
  out.push('## Words', '');
  for (const { name, meaning } of describeTerms(set)) out.push(`- *${name}*: ${meaning}`);
  return `${out.map(escapeUnderscores).join('\n').trimEnd()}\n`;
}

function aboutOf({ place }: Rule): string | null {
  const { value } = place.file;
  if (typeof value !== 'object' || value === null || !('about' in value)) return null;
  return typeof value.about === 'string' ? value.about.trim() : null;
}

function describe(set: PolicySet, rule: Rule): readonly string[] {
  const described = describeRule(set, rule);
  const lines = [`### ${described.title} (\`${described.id}\`)`, ''];
  const [only] = described.cases;
  if (described.cases.length === 1 && only !== undefined) lines.push(`${sentence(described, only)}.`);
  else lines.push('Any of:', '', ...described.cases.map((one) => `- ${sentence(described, one)}.`));
  if (described.note !== null) lines.push('', described.note);
  if (described.afterwards.length > 0) lines.push('', ...described.afterwards.map((one) => `- With it: ${one}`));
  return lines;
}

function sentence({ effect }: DescribedRule, { who, actions, resources, when }: DescribedCase): string {
  const verb = effect === 'allow' ? 'May' : 'Must not';
  const people = who === 'anyone' ? who : `role ${who}`;
  const conditions = when.length === 0 ? '' : `, when ${when.join(', and ')}`;
  return `${verb}: ${people}; ${actions}; ${resources}${conditions}`;
}

/** Names keep their underscores in Markdown, except in code. */
function escapeUnderscores(line: string): string {
  return line.startsWith('#') ? line : line.replaceAll(/_(?=[a-z])/g, '\\_');
}
