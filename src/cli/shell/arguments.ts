// Turns words of a command line into a verb's arguments. It must never guess: what it does not know is a usage error with the nearest right spelling.
import { parseArgs } from 'node:util';
import { nearest } from '../../core/suggest.ts';
import { type Arguments, type OptionSpec, UsageError, type Verb } from './verb.ts';

export const HELP: OptionSpec = { help: 'show this help' };

/** @returns null when help is asked for */
export function readArguments(verb: Verb, words: readonly string[]): Arguments | null {
  const specs: Readonly<Record<string, OptionSpec>> = { ...verb.options, help: HELP };
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { value }]) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(name === 'help' ? { short: 'h' } : {}),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const operands: string[] = [];
  let wantsHelp = false;
  const mistakes: UsageError[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') wantsHelp = true;
    const mistake = checkOption(specs, token);
    if (mistake !== null) mistakes.push(mistake);
    else if (given.has(token.name)) mistakes.push(new UsageError(`\`--${token.name}\` is given twice`));
    else given.set(token.name, token.value ?? '');
  }
  if (wantsHelp) return null;
  const [mistake] = [...mistakes, ...checkOperands(verb, operands)];
  if (mistake !== undefined) throw mistake;
  return { operands, text: (option) => given.get(option), isOn: (option) => given.has(option) };
}

type OptionToken = {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};

function checkOption(specs: Readonly<Record<string, OptionSpec>>, token: OptionToken): UsageError | null {
  const { name, rawName, value, inlineValue } = token;
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec === undefined) {
    const near = nearest(name, Object.keys(specs));
    return new UsageError(
      `unknown option \`${rawName}\``,
      near === undefined ? undefined : `did you mean \`--${near}\`?`,
    );
  }
  if (spec.value === undefined) {
    return value === undefined ? null : new UsageError(`\`--${name}\` takes no value`);
  }
  // `--policies --json` is a value forgotten, `--request -` is standard input.
  if (value === undefined || value === '' || (inlineValue !== true && /^-./.test(value))) {
    return new UsageError(`\`--${name}\` needs a value`, `write \`--${name} ${spec.value}\``);
  }
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    const near = nearest(value, spec.choices);
    const known = `\`--${name}\` is one of ${spec.choices.join(', ')}`;
    return new UsageError(
      `\`--${name} ${value}\` is unknown`,
      near === undefined ? known : `did you mean \`${near}\`? (${known})`,
    );
  }
  return null;
}

function checkOperands({ operands: spec }: Verb, operands: readonly string[]): UsageError[] {
  const min = spec?.min ?? 0;
  const max = spec?.max ?? 0;
  if (operands.length < min)
    return [new UsageError(`an argument is missing`, spec === undefined ? undefined : `give ${spec.usage}`)];
  const extra = operands[max];
  if (extra !== undefined)
    return [
      new UsageError(
        `\`${extra}\` is one argument too many`,
        spec === undefined ? undefined : `it takes ${spec.usage}`,
      ),
    ];
  return [];
}
