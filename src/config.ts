// In charge of the environment: one schema, one reader, every problem at once, in words. It must never print a secret, nor let a
// misspelt name pass for one that was left out.
import { accessSync, constants, readFileSync } from 'node:fs';
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { nearest } from './core/suggest.ts';
import { maskSecret, SYNTAX, type SettingKind } from './config-values.ts';

interface SettingOptions {
  readonly default?: unknown;
  /** Never printed; may also be given as a file, under the name with `_FILE`. */
  readonly secret?: true;
  readonly [keyword: string]: unknown;
}

function text(kind: SettingKind, description: string, options: SettingOptions = {}) {
  return Type.String({ minLength: 1, ...options, kind, description });
}
function number(kind: SettingKind, description: string, options: SettingOptions) {
  return Type.Number({ ...options, kind, description });
}
function oneOf<const T extends readonly string[]>(values: T, description: string, options: SettingOptions) {
  return Type.Union(
    values.map((value) => Type.Literal(value as T[number])),
    { ...options, kind: 'text', description },
  );
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const SECOND = 1_000;
const DATABASE = 'where the database is, for the role that';

/** Everything an operator can set. Names, meanings, defaults: docs/configuration.md is generated from here. */
export const Environment = Type.Object({
  HOST: text('text', 'address to listen on', { default: '127.0.0.1' }),
  PORT: number('integer', 'port to listen on; 0 picks a free one', { minimum: 0, maximum: 65_535, default: 8080 }),
  POLICIES_DIR: text('text', 'folder of the policies; with `POLICIES_REF` a folder of a git repository', {
    default: 'policies',
  }),
  POLICIES_REF: Type.Optional(text('text', 'branch or tag: its commits are loaded instead of the files in the folder')),
  POLICIES_COMMIT: Type.Optional(text('commit', 'git commit to report, for images that were built from one')),
  LOG_LEVEL: oneOf(LEVELS, 'least severe messages that are logged', { default: 'info' }),
  TLS_CERT_FILE: Type.Optional(text('file', 'certificate chain (PEM); with `TLS_KEY_FILE` the service speaks HTTPS')),
  TLS_KEY_FILE: Type.Optional(text('file', 'private key (PEM) of the certificate')),
  TRUST_PROXY: Type.Optional(
    text(
      'proxies',
      'proxies whose X-Forwarded-For is believed: addresses, networks, or `loopback`, separated by commas',
    ),
  ),
  DATABASE_URL: Type.Optional(
    text('postgres', `${DATABASE} writes records; \`privity serve\` needs it`, { secret: true }),
  ),
  DATABASE_OWNER_URL: Type.Optional(text('postgres', `${DATABASE} migrates (\`privity migrate\`)`, { secret: true })),
  DATABASE_READER_URL: Type.Optional(
    text('postgres', `${DATABASE} reads records; without it \`DATABASE_URL\` is used`, { secret: true }),
  ),
  DATABASE_SEALER_URL: Type.Optional(
    text('postgres', `${DATABASE} seals the log (\`privity seal\`)`, { secret: true }),
  ),
  AUDIT_ON_FAILURE: oneOf(['deny'], 'what happens while records cannot be committed: no decision leaves the service', {
    default: 'deny',
  }),
  WRITER_KEY_FILE: Type.Optional(text('file', 'private key (PEM, Ed25519) that certifies the keys of writers')),
  CHECKPOINT_KEY_FILE: Type.Optional(text('file', 'private key (PEM, Ed25519) that signs checkpoints of the log')),
  WEBHOOK_URL: Type.Optional(
    text('webhook', 'where duties of Privity (alerts, reviews) are posted, see docs/webhook.md', { secret: true }),
  ),
  WEBHOOK_SECRET: Type.Optional(
    text('passphrase', 'what posts to `WEBHOOK_URL` are signed with; without it they are not', { secret: true }),
  ),
  BODY_LIMIT: number('bytes', 'longest body of a request', { minimum: 1024, maximum: 64 * 2 ** 20, default: 2 ** 20 }),
  RATE_LIMIT: number('integer', 'requests a second from one caller; 0 is no limit', { minimum: 0, default: 0 }),
  REQUEST_TIMEOUT: number('duration', 'longest time for a request to arrive in full', {
    minimum: SECOND,
    default: 10 * SECOND,
  }),
  HEADERS_TIMEOUT: number('duration', 'longest time for the headers of a request', {
    minimum: SECOND,
    default: 5 * SECOND,
  }),
  CONNECTION_TIMEOUT: number('duration', 'a connection without any traffic is closed after this', {
    minimum: SECOND,
    default: 60 * SECOND,
  }),
  KEEP_ALIVE_TIMEOUT: number('duration', 'a connection between two requests is closed after this', {
    minimum: SECOND,
    default: 72 * SECOND,
  }),
  SHUTDOWN_DELAY: number('duration', 'how long the service says it is not ready before it stops listening', {
    minimum: 0,
    default: 0,
  }),
  SHUTDOWN_TIMEOUT: number('duration', 'longest time to answer and record what was accepted before a stop', {
    minimum: SECOND,
    default: 15 * SECOND,
  }),
});

export type Config = Readonly<Static<typeof Environment>>;
export type ConfigName = keyof Config;

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
  if (values['WEBHOOK_SECRET'] !== undefined && values['WEBHOOK_URL'] === undefined) {
    problems.push('WEBHOOK_SECRET signs what is posted to WEBHOOK_URL, which is not set');
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
/** The test suite's own, and names that are one slip away from ours but meant for others. */
const OTHERS = new Set(['PRIVITY_LONG', 'SSL_CERT_FILE', 'SSL_KEY_FILE']);

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
