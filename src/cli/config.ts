// `privity config`: the settings as the service would take them. It must never print a secret.
import { dumpConfig } from '../config.ts';
import { readSettings } from './shell/settings.ts';
import type { Verb } from './shell/verb.ts';

export const verb: Verb = {
  about: [
    'Reads the environment as `privity serve` does and prints every setting with its value, defaults included. ' +
      'Passwords are masked. When a setting is wrong or misspelt it lists every problem instead.',
  ],
  options: { json: { help: 'one JSON object; settings that have no value are null' } },
  examples: [
    { command: 'PORT=9000 privity config', does: 'what would be in force' },
    { command: 'privity config --json', does: 'the same for programs' },
  ],
  run(shell, args) {
    const dump = dumpConfig(readSettings());
    if (args.isOn('json')) shell.out.line(JSON.stringify(asObject(dump), null, 2));
    else shell.out.write(dump);
    return Promise.resolve(0);
  },
};

function asObject(dump: string): Readonly<Record<string, string | null>> {
  const lines = dump.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      const value = line.slice(equals + 1);
      return [line.slice(0, equals), value === '' ? null : value];
    }),
  );
}
