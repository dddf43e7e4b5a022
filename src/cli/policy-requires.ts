// `privity policy requires`: what a caller must send for an action on a type, for whom, and because of which rules. It must never invent a requirement.
import type { PolicySet } from '../core/policy-set.ts';
import { requires, type Requirement } from '../core/requires.ts';
import { nearest } from '../core/suggest.ts';
import { USER_TYPES } from '../model/firm.ts';
import { loadSet, POLICIES_OPTION } from './policies/load.ts';
import type { Output } from './shell/shell.ts';
import { definitions, table, wrap } from './shell/text.ts';
import { UsageError, type Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'For whoever connects a system: the attributes of `resource.properties` and `context` that some rule reads for this ' +
      'action on this type. A required one that is missing makes the answer a deny, listed in `missing`.',
  ],
  operands: { usage: '<resource-type> <action>', min: 2, max: 2, help: 'as firm.yaml names them' },
  options: {
    policies: POLICIES_OPTION,
    format: { value: 'FORMAT', choices: ['pretty', 'json'], help: 'how to print it' },
  },
  examples: [{ command: 'privity policy requires document download', does: 'what a download needs' }],
  async run(shell, args) {
    const [type = '', action = ''] = args.operands;
    const { set } = await loadSet(shell, args);
    checkNames(set, type, action);
    const found = requires(set, type, action);
    if (args.text('format') === 'json') {
      const report = { resource: type, action, revision: set.revision, requires: found.map(asJson) };
      shell.out.line(JSON.stringify(report, null, 2));
    } else show(shell.out, set, type, action, found);
    return 0;
  },
};

function checkNames({ firm: { names } }: PolicySet, type: string, action: string): void {
  if (names.resourceTypes.has(action) && names.actions.has(type)) {
    throw new UsageError('the resource type comes first', `write \`privity policy requires ${action} ${type}\``);
  }
  checkName('resource type', type, names.resourceTypes.keys());
  checkName('action', action, names.actions.keys());
}

function checkName(kind: string, name: string, known: Iterable<string>): void {
  const names = [...known];
  if (names.includes(name)) return;
  const near = nearest(name, names);
  throw new UsageError(
    `\`${name}\` is no ${kind} that firm.yaml knows`,
    near === undefined ? `known: ${names.join(', ')}` : `did you mean \`${near}\`?`,
  );
}

function asJson({ attribute, type, requiredFor, absence, rules }: Requirement): object {
  return { attribute, type, required_for: requiredFor, absence, rules };
}

function show(out: Output, set: PolicySet, type: string, action: string, found: readonly Requirement[]): void {
  const required = found.filter(({ requiredFor }) => requiredFor.length > 0);
  const optional = found.filter(({ requiredFor }) => requiredFor.length === 0);
  const actionTitle = set.firm.names.actions.get(action) ?? action;
  out.line(`${out.paint('bold', `${action} on ${type}`)}  ${out.paint('dim', String(actionTitle))}`);
  out.line();
  if (required.length === 0) out.line('Nothing is required beyond type and id.');
  else {
    out.line(out.paint('bold', 'Required'));
    const rows = required.map((one) => [one.attribute, forWhom(one), typeWords(set, one)]);
    for (const line of table(rows, '  ')) out.line(line);
  }
  if (optional.length > 0) {
    out.line();
    out.line(out.paint('bold', 'Optional: what leaving it out means'));
    const rows = optional.map((one): [string, string] => [
      one.attribute,
      `${one.absence ?? 'not stated'}  (${typeWords(set, one)})`,
    ]);
    for (const line of definitions(rows, out.columns)) out.line(line);
  }
  out.line();
  out.line(out.paint('bold', 'Read by'));
  for (const { attribute, rules } of found) {
    const [first = '', ...rest] = wrap(
      rules.length === 0 ? 'no rule for this action and type' : rules.join(', '),
      out.columns - 4,
    );
    out.line(`  ${attribute}`);
    for (const line of [first, ...rest]) out.line(`    ${out.paint('dim', line)}`);
  }
}

function forWhom({ requiredFor }: Requirement): string {
  return requiredFor.length === USER_TYPES.length ? 'for everybody' : `for ${requiredFor.join(', ')}`;
}

function typeWords(set: PolicySet, { attribute, type }: Requirement): string {
  const values = set.firm.dictionary.byPath.get(attribute)?.type;
  return values?.kind === 'enum' ? values.values.join(' | ') : type;
}
