// Everything that can be set from outside, as one schema: names, kinds, meanings, defaults. It must never read the environment, nor
// hold a value of it.
import { Type, type Static } from 'typebox';
import type { SettingKind } from './config-values.ts';

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
  SHADOW_POLICIES_DIR: Type.Optional(
    text(
      'text',
      'folder of a second policy set for a dry run: it is asked after every answer, never answers, and the log says where it differs',
    ),
  ),
  LOG_LEVEL: oneOf(LEVELS, 'least severe messages that are logged', { default: 'info' }),
  TLS_CERT_FILE: Type.Optional(text('file', 'certificate chain (PEM); with `TLS_KEY_FILE` the service speaks HTTPS')),
  TLS_KEY_FILE: Type.Optional(text('file', 'private key (PEM) of the certificate')),
  TLS_CLIENT_CA_FILE: Type.Optional(
    text(
      'file',
      'authorities (PEM): but for health, only connections with a client certificate of theirs are answered',
    ),
  ),
  PUBLIC_URL: Type.Optional(
    text(
      'address',
      'address under which callers know this service; what /.well-known/authzen-configuration is made from',
    ),
  ),
  METADATA_KEY_FILE: Type.Optional(
    text('file', 'private key (PEM, Ed25519) that signs the AuthZEN metadata; goes with `PUBLIC_URL`'),
  ),
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
  AUDIT_ON_FAILURE: oneOf(
    ['deny', 'spool'],
    'what happens while records cannot be committed: no decision leaves the service (`deny`), or they wait in a journal in `SPOOL_DIR`',
    { default: 'deny' },
  ),
  SPOOL_DIR: Type.Optional(
    text(
      'text',
      'folder of the journal, for this process alone, on a volume that outlives it; losing the volume loses the records that wait in it',
    ),
  ),
  SPOOL_MAX: number('bytes', 'most that the journal holds; beyond it no decision leaves the service', {
    minimum: 2 ** 20,
    default: 1024 * 2 ** 20,
  }),
  WRITER_KEY_FILE: Type.Optional(text('file', 'private key (PEM, Ed25519) that certifies the keys of writers')),
  CHECKPOINT_KEY_FILE: Type.Optional(text('file', 'private key (PEM, Ed25519) that signs checkpoints of the log')),
  CHECKPOINT_OLD_KEY_FILE: Type.Optional(
    text('file', 'the key before, which signs as well until everybody trusts the one in `CHECKPOINT_KEY_FILE`'),
  ),
  LOG_NAME: text('name', 'name of the log, in the first line of every checkpoint; never change it', {
    default: 'privity',
  }),
  CHECKPOINT_DIR: Type.Optional(text('text', 'folder outside the database where checkpoints are published')),
  CHECKPOINT_FILE: Type.Optional(text('text', 'file to which checkpoints are appended; may be append-only')),
  CHECKPOINT_URL: Type.Optional(
    text('collector', 'address where checkpoints are published: PUT takes the next one, GET gives the last'),
  ),
  WEBHOOK_URL: Type.Optional(
    text('webhook', 'where duties of Privity (alerts, reviews) are posted, see docs/webhook.md', { secret: true }),
  ),
  WEBHOOK_SECRET: Type.Optional(
    text('passphrase', 'what posts to `WEBHOOK_URL` are signed with; without it they are not', { secret: true }),
  ),
  BODY_LIMIT: number('bytes', 'longest body of a request', { minimum: 1024, maximum: 64 * 2 ** 20, default: 2 ** 20 }),
  MAX_WAITING: number(
    'integer',
    'records that may wait for their commit before further requests are answered 503 `overloaded`',
    { minimum: 1, default: 8_000 },
  ),
  RATE_LIMIT: number('integer', 'requests a second from one caller; 0 is no limit', { minimum: 0, default: 0 }),
  MAX_CONNECTIONS: number(
    'integer',
    'most connections at once; keep it below the files that the process may open (`ulimit -n`), which database and policies share',
    { minimum: 10, default: 16_384 },
  ),
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
  METRICS_HOST: Type.Optional(text('text', 'address for `METRICS_PORT`; without it `HOST`')),
  METRICS_PORT: Type.Optional(
    number('integer', 'port of its own for /metrics, /livez and /readyz; /metrics is then not on `PORT`', {
      minimum: 0,
      maximum: 65_535,
    }),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    text('collector', 'OpenTelemetry collector (OTLP over HTTP) that gets traces; without it there are none'),
  ),
  OTEL_TRACES_SAMPLER_ARG: number(
    'ratio',
    'share of the traces begun here that are sent; a caller’s own say so themselves',
    {
      minimum: 0,
      maximum: 1,
      default: 1,
    },
  ),
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
