// In charge of the environment: one reader, every problem at once, in words. It must never print a secret, nor let a
// misspelt name pass for one that was left out.
import { accessSync, constants, readFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { nearest } from './core/suggest.ts';
import { maskSecret, SYNTAX, type SettingKind } from './config-values.ts';
import { Environment, type Config } from './environment.ts';

export type ConfigResult =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly string[] };

/** The one place that knows the process's environment. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

export function readConfig(environment: Readonly<Record<string, string | undefined>>): ConfigResult {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Environment.properties)) {
    const value = readSetting(name, schema, environment, problems);
    if (value !== undefined) values[name] = value;
  }
  problems.push(...strangers(environment));
  if ((values['TLS_CERT_FILE'] === undefined) !== (values['TLS_KEY_FILE'] === undefined)) {
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE belong together: set both, or neither');
  }
  if (values['TLS_CLIENT_CA_FILE'] !== undefined && values['TLS_CERT_FILE'] === undefined) {
    problems.push('TLS_CLIENT_CA_FILE asks for certificates of clients, which needs TLS_CERT_FILE and TLS_KEY_FILE');
  }
  if (values['WEBHOOK_SECRET'] !== undefined && values['WEBHOOK_URL'] === undefined) {
    problems.push('WEBHOOK_SECRET signs what is posted to WEBHOOK_URL, which is not set');
  }
  const published = ['CHECKPOINT_DIR', 'CHECKPOINT_FILE', 'CHECKPOINT_URL'].filter(
    (name) => values[name] !== undefined,
  );
  if (published.length > 0 && values['CHECKPOINT_KEY_FILE'] === undefined) {
    problems.push(`${published.join(', ')}: checkpoints are signed with CHECKPOINT_KEY_FILE, which is not set`);
  }
  if (values['CHECKPOINT_OLD_KEY_FILE'] !== undefined && values['CHECKPOINT_KEY_FILE'] === undefined) {
    problems.push('CHECKPOINT_OLD_KEY_FILE goes with CHECKPOINT_KEY_FILE, which is not set');
  }
  if ((values['AUDIT_ON_FAILURE'] === 'spool') !== (values['SPOOL_DIR'] !== undefined)) {
    problems.push(
      'AUDIT_ON_FAILURE=spool and SPOOL_DIR belong together: set both, or, once the journal is empty, neither',
    );
  }
  if (values['METADATA_KEY_FILE'] !== undefined && values['PUBLIC_URL'] === undefined) {
    problems.push('METADATA_KEY_FILE signs what PUBLIC_URL says, which is not set');
  }
  if (values['METRICS_HOST'] !== undefined && values['METRICS_PORT'] === undefined) {
    problems.push('METRICS_HOST goes with METRICS_PORT, which is not set');
  }
  if (problems.length > 0) return { config: null, problems };
  return { config: Object.freeze(Value.Parse(Environment, values)), problems: [] };
}

/** One line for each setting, secrets masked. */
export function dumpConfig(config: Config): string {
  const values = new Map<string, string | number>(Object.entries(config));
  const lines = Object.entries(Environment.properties).map(([name, schema]) => {
    const value = values.get(name);
    if (value === undefined) return `${name}=\n`;
    const { write } = SYNTAX[kindOf(schema)];
    return `${name}=${isSecret(schema) ? maskSecret(write(value)) : write(value)}\n`;
  });
  return lines.join('');
}

export function isSecret(schema: TSchema): boolean {
  return Reflect.get(schema, 'secret') === true;
}

export function kindOf(schema: TSchema): SettingKind {
  return Reflect.get(schema, 'kind') as SettingKind;
}

function readSetting(
  name: string,
  schema: TSchema,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): unknown {
  const given = givenText(name, isSecret(schema), environment, problems);
  if (given === undefined) return Reflect.get(schema, 'default');
  const { read, words } = SYNTAX[kindOf(schema)];
  const value = read(given);
  const shown = isSecret(schema) ? name : `${name}=${given}`;
  if (value === undefined || !Value.Check(schema, value)) {
    problems.push(`${shown}: must be ${words(schema)}`);
    return undefined;
  }
  if (kindOf(schema) === 'file') {
    const trouble = unreadable(given);
    if (trouble !== undefined) problems.push(`${shown}: the file cannot be read (${trouble})`);
  }
  return value;
}

/** An empty value counts as not set, which is what compose files and shells make of an unset one. */
function givenText(
  name: string,
  secret: boolean,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const direct = environment[name] === '' ? undefined : environment[name];
  const file = secret && environment[`${name}_FILE`] !== '' ? environment[`${name}_FILE`] : undefined;
  if (file === undefined) return direct;
  if (direct !== undefined) problems.push(`${name} and ${name}_FILE are both set: keep one of them`);
  const trouble = unreadable(file);
  if (trouble === undefined) return readFileSync(file, 'utf8').trim();
  problems.push(`${name}_FILE=${file}: the file cannot be read (${trouble})`);
  return undefined;
}

function unreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure';
  }
}

/** What Kubernetes puts into the environment of every pod beside a service named `privity`, with the value of one of them. */
const KUBERNETES =
  /^PRIVITY_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)=|^PRIVITY_([A-Z0-9_]+_)?PORT=(tcp|udp|sctp):/;
/** The test suite's own, those of verbs that ask a service, and names that are one slip away from ours but meant for others. */
const OTHERS = new Set([
  'PRIVITY_LONG',
  'PRIVITY_URL',
  'PRIVITY_TOKEN',
  'PRIVITY_TOKEN_FILE',
  'SSL_CERT_FILE',
  'SSL_KEY_FILE',
]);

/** Names that look like ours and are not: nobody should believe that such a setting works. */
function strangers(environment: Readonly<Record<string, string | undefined>>): string[] {
  const names = Object.entries(Environment.properties).flatMap(([name, schema]) =>
    isSecret(schema) ? [name, `${name}_FILE`] : [name],
  );
  const ours = new Set(names);
  return Object.entries(environment)
    .filter(([name, value]) => !ours.has(name) && !OTHERS.has(name) && !KUBERNETES.test(`${name}=${value}`))
    .flatMap(([name]) => {
      const meant =
        nearest(name.replace(/^PRIVITY_/, ''), names) ??
        (ours.has(name.slice('PRIVITY_'.length)) ? name.slice('PRIVITY_'.length) : undefined);
      if (meant !== undefined) return [`${name}: there is no such setting; did you mean ${meant}?`];
      return name.startsWith('PRIVITY_')
        ? [`${name}: there is no such setting; docs/configuration.md lists them all`]
        : [];
    })
    .sort();
}
