// Writes help: of the program, of a group of verbs, of one verb. It must never load a verb's tools to do so.
import { HELP } from './arguments.ts';
import type { Output } from './shell.ts';
import { definitions, wrap } from './text.ts';
import type { Verb } from './verb.ts';

export const EXIT_CODES = 'Exit codes: 0 done, 1 errors found or tests failed, 2 wrong usage or configuration.';

const WIDEST = 100;

/** `names` maps every verb to its summary. */
export function showProgramHelp(
  out: Output,
  verbs: Iterable<readonly [string, { readonly summary: string }]>,
  group: string | null,
): void {
  const width = Math.min(out.columns, WIDEST);
  const prefix = group === null ? '' : `${group} `;
  const rows = [...verbs]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, { summary }]): [string, string] => [name, summary]);
  if (group === null) {
    out.line('Privity: policy-as-code access control for law firms. It decides, explains and records every request');
    out.line('before it answers.');
    out.line();
  }
  out.line(`${out.paint('bold', 'Usage:')} privity ${prefix}<command> [options]`);
  out.line();
  out.line(out.paint('bold', 'Commands:'));
  for (const line of definitions(rows, width)) out.line(line);
  out.line();
  out.line('`privity <command> --help` tells more about one, with examples.');
  if (group === null) out.line('`privity --version` says which version this is.');
  out.line(EXIT_CODES);
}

export function showVerbHelp(out: Output, name: string, summary: string, verb: Verb): void {
  const width = Math.min(out.columns, WIDEST);
  const { operands } = verb;
  const usage = operands === undefined ? '' : ` ${operands.usage}`;
  out.line(`${out.paint('bold', 'Usage:')} privity ${name}${usage} [options]`);
  out.line();
  out.line(`${summary}.`);
  for (const paragraph of verb.about) {
    out.line();
    for (const line of wrap(paragraph, width)) out.line(line);
  }
  if (verb.choices !== undefined) {
    out.line();
    out.line(out.paint('bold', verb.choices.heading));
    for (const line of definitions(verb.choices.rows, width)) out.line(line);
  }
  const options = Object.entries({ ...verb.options, help: HELP }).map(([option, spec]): [string, string] => {
    const choices = spec.choices === undefined ? '' : ` (${spec.choices.join(', ')})`;
    return [`--${option}${spec.value === undefined ? '' : ` ${spec.value}`}`, `${spec.help}${choices}`];
  });
  out.line();
  out.line(out.paint('bold', operands === undefined ? 'Options:' : 'Arguments and options:'));
  const rows = operands === undefined ? options : [[operands.usage, operands.help] as const, ...options];
  for (const line of definitions(rows, width)) out.line(line);
  out.line();
  out.line(out.paint('bold', verb.examples.length === 1 ? 'Example:' : 'Examples:'));
  for (const { command, does } of verb.examples) {
    out.line(`  ${out.paint('dim', `# ${does}`)}`);
    out.line(`  ${command}`);
  }
  out.line();
  out.line(EXIT_CODES);
}
