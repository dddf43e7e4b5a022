// Reads what deployments are made of as plain values: YAML files, units of systemd, the settings that each names. It must never judge.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { isSecret } from '../../src/config.ts';
import { Environment } from '../../src/environment.ts';

export type Json = Readonly<Record<string, unknown>>;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CHART = path.join(ROOT, 'deploy', 'helm', 'privity');

export const readText = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
export const readYaml = (name: string): Json => parse(readText(name), { merge: true }) as Json;

/** Every name that the environment may hold. */
export const SETTINGS: ReadonlySet<string> = new Set(
  Object.entries(Environment.properties).flatMap(([name, schema]) =>
    isSecret(schema) ? [name, `${name}_FILE`] : [name],
  ),
);

/** The member that a dotted path leads to; undefined where there is none. */
export function at(value: unknown, dotted: string): unknown {
  return dotted.split('.').reduce<unknown>((here, name) => {
    return typeof here === 'object' && here !== null ? Reflect.get(here, name) : undefined;
  }, value);
}

export function templates(): readonly (readonly [name: string, text: string])[] {
  const folder = path.join(CHART, 'templates');
  return readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'utf8')] as const);
}

/** Settings of a unit, by name; a name may stand often. */
export function readUnit(name: string): ReadonlyMap<string, readonly string[]> {
  const lines = readText(name)
    .split('\n')
    .flatMap((line) => {
      const [, setting, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return setting === undefined ? [] : [{ setting, value: value ?? '' }];
    });
  return new Map(
    Map.groupBy(lines, ({ setting }) => setting)
      .entries()
      .map(([setting, found]) => [setting, found.map(({ value }) => value)]),
  );
}
