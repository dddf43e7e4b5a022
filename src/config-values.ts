// How the values of settings are written in the environment. It must never accept two readings of one text.
import type { TSchema } from 'typebox';
import { isKeyName } from './core/sealing/signed-note.ts';

export type SettingKind =
  | 'text'
  | 'name'
  | 'integer'
  | 'duration'
  | 'bytes'
  | 'postgres'
  | 'webhook'
  | 'collector'
  | 'address'
  | 'ratio'
  | 'passphrase'
  | 'file'
  | 'proxies'
  | 'commit';

interface Syntax {
  /** Undefined: not of this kind. */
  read(text: string): string | number | undefined;
  write(value: unknown): string;
  /** Completes "must be …". */
  words(schema: TSchema): string;
}

const UNITS = {
  duration: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  bytes: { B: 1, KiB: 2 ** 10, MiB: 2 ** 20 },
} as const;

export const SYNTAX: Readonly<Record<SettingKind, Syntax>> = {
  text: { read: (text) => text, write: String, words: (schema) => choices(schema) ?? 'a text' },
  name: {
    read: (text) => (isKeyName(text) ? text : undefined),
    write: String,
    words: () => 'a name without spaces and plus signs, such as log.firm.example/privity',
  },
  file: { read: (text) => text, write: String, words: () => 'a file that can be read' },
  integer: {
    read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
    write: String,
    words: (schema) => `a whole number${range(schema, String)}`,
  },
  duration: measured(UNITS.duration, 'a duration such as 500ms, 10s, 2m or 1h'),
  bytes: measured(UNITS.bytes, 'a size such as 65536B, 512KiB or 1MiB'),
  postgres: {
    read: (text) => (isPostgresUrl(text) ? text : undefined),
    write: String,
    words: () => 'a URL such as postgres://user:password@host:5432/database',
  },
  webhook: {
    read: (text) => (isWebhookUrl(text) ? text : undefined),
    write: String,
    words: () => 'a URL that begins with https://, or with http:// on this machine, without user and password',
  },
  collector: {
    read: (text) => (isPlainUrl(text) ? text : undefined),
    write: String,
    words: () => 'a URL that begins with http:// or https://, without user and password',
  },
  address: {
    read: (text) => (isWebhookUrl(text) && !/[?#]/.test(text) ? text : undefined),
    write: String,
    words: () =>
      'a URL that begins with https://, or with http:// on this machine, without user, password, query and fragment',
  },
  ratio: {
    read: (text) => (/^\d(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined),
    write: String,
    words: (schema) => `a number${range(schema, String)}`,
  },
  passphrase: {
    read: (text) => (text.length >= SHORTEST_PASSPHRASE ? text : undefined),
    write: String,
    words: () => `a text of at least ${SHORTEST_PASSPHRASE} characters`,
  },
  commit: {
    read: (text) => (/^[0-9a-f]{40,64}$/.test(text) ? text : undefined),
    write: String,
    words: () => 'the full id of a git commit, in lower-case hex',
  },
  proxies: {
    read: (text) => (text.split(',').every((one) => PROXY.test(one.trim())) ? text : undefined),
    write: String,
    words: () => 'addresses, networks (10.0.0.0/8) or `loopback`, separated by commas',
  },
};

const SHORTEST_PASSPHRASE = 16;
const PROXY = /^(?:loopback|linklocal|uniquelocal|[0-9a-fA-F:.]+(?:\/\d{1,3})?)$/;

function measured(units: Readonly<Record<string, number>>, words: string): Syntax {
  const form = new RegExp(`^(\\d{1,9})(${Object.keys(units).join('|')})$`);
  const write = (value: unknown): string => {
    const amount = Number(value);
    const [unit, size] = Object.entries(units).findLast(([, each]) => amount % each === 0 && amount >= each) ?? ['', 1];
    return amount === 0 ? `0${Object.keys(units)[0]}` : `${amount / size}${unit}`;
  };
  return {
    read: (text) => {
      const [, amount = '', unit = ''] = form.exec(text) ?? [];
      const size = units[unit];
      return size === undefined ? undefined : Number(amount) * size;
    },
    write,
    words: (schema) => `${words}${range(schema, write)}`,
  };
}

function range(schema: TSchema, write: (value: unknown) => string): string {
  const least: unknown = Reflect.get(schema, 'minimum');
  const most: unknown = Reflect.get(schema, 'maximum');
  if (least !== undefined && most !== undefined) return `, from ${write(least)} to ${write(most)}`;
  return least === undefined || least === 0 ? '' : `, at least ${write(least)}`;
}

function choices(schema: TSchema): string | undefined {
  const options: unknown = Reflect.get(schema, 'anyOf');
  if (!Array.isArray(options)) return undefined;
  const values = options.map((one: { const?: unknown }) => String(one.const));
  return values.length === 1 ? `\`${values[0]}\`` : `one of ${values.join(', ')}`;
}

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && /^postgres(?:ql)?:$/.test(new URL(text).protocol);
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Events name people and matters: they leave the machine encrypted or not at all. */
function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

const LOOPBACK = /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/;

/** Keeps of a URL what helps to find it; of a webhook even the path may be a secret. */
export function maskSecret(text: string): string {
  if (!URL.canParse(text)) return '***';
  const { protocol, username, host, pathname } = new URL(text);
  if (protocol === 'http:' || protocol === 'https:') return `${protocol}//${host}/***`;
  return `${protocol}//${username === '' ? '' : `${username}:***@`}${host}${pathname}`;
}
