// Finds out where secrets lie open: in files that others may read, on command lines. It must never say one.
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { isSecret, kindOf } from '../../config.ts';
import { Environment } from '../../environment.ts';
import { about, type Check, some } from './check.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const NAMES = Object.entries(Environment.properties).flatMap(([name, schema]) => (isSecret(schema) ? [name] : []));
/** A shorter text would be found everywhere. */
const SHORTEST = 4;

/** What must appear nowhere: passwords, secrets, and of the webhook also the path. */
export function secretTexts(environment: Variables): readonly string[] {
  const texts = NAMES.flatMap((name) => {
    const value = environment[name] ?? contentOf(environment[`${name}_FILE`]);
    if (value === undefined) return [];
    const kind = kindOf(Environment.properties[name as keyof typeof Environment.properties]);
    if (kind === 'passphrase') return [value];
    if (!URL.canParse(value)) return [value];
    const { password, pathname, search } = new URL(value);
    return kind === 'webhook' ? [value, `${pathname}${search}`, pathname] : [password, decoded(password)];
  });
  return [...new Set(texts)].filter((text) => text.length >= SHORTEST).toSorted((a, b) => b.length - a.length);
}

/** Puts stars in place of every secret: the last guard, whatever a check or a library says. */
export function masker(secrets: readonly string[]): (text: string) => string {
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}

export function checkSecrets(environment: Variables): readonly Check[] {
  return [checkFiles(environment), checkCommandLines(secretTexts(environment))];
}

function checkFiles(environment: Variables): Check {
  const check = about('secrets.files', 'who may open the files that `…_FILE` settings name');
  const named = NAMES.map((name) => `${name}_FILE`).filter((name) => statOf(environment[name]) !== null);
  const open = named.filter((name) => mayOthersOpen(environment[name] ?? ''));
  if (open.length === 0) return check.ok(named.length === 0 ? 'no secret comes from a file' : 'nobody but the service');
  return check.warning(
    `others may open the file of ${open.join(', ')}`,
    'give it to the account of the service and run `chmod 400` on it; in a container without other accounts, guard it outside',
  );
}

/** Kubernetes and systemd keep secrets as somebody else's files, which the service may read through a group of its own. */
function mayOthersOpen(file: string): boolean {
  const stats = statOf(file);
  if (stats === null || process.platform === 'win32') return false;
  const forbidden = stats.uid === process.getuid?.() ? 0o077 : 0o037;
  return (stats.mode & forbidden) !== 0 && !isClosedOff(path.resolve(file));
}

/** A folder on the way that only its owner may enter keeps others from what is in it. */
function isClosedOff(file: string): boolean {
  const folder = path.dirname(file);
  if (folder === file) return false;
  return ((statOf(folder)?.mode ?? 0o777) & 0o011) === 0 || isClosedOff(folder);
}

function checkCommandLines(secrets: readonly string[]): Check {
  const check = about(
    'secrets.command-lines',
    'command lines of the processes on this machine, which every account sees',
  );
  if (secrets.length === 0) return check.ok('there is no secret to look for');
  let processes: readonly string[];
  try {
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return check.couldNotCheck('there is no /proc here', 'look for passwords in the output of `ps -ef` yourself');
  }
  const telling = processes.flatMap((pid) => {
    const words = contentOf(`/proc/${pid}/cmdline`)?.split('\u0000') ?? [];
    const tells = words.some((word) => secrets.some((secret) => word.includes(secret)));
    return tells ? [`${pid} (${path.basename(words[0] ?? '')})`] : [];
  });
  if (telling.length === 0) return check.ok('no secret on any command line');
  return check.failure(
    `a secret stands on the command line of ${telling.length === 1 ? 'process' : 'processes'} ${some(telling)}`,
    'pass it in the environment or as a file (`…_FILE`), and change it: it has been seen',
  );
}

function statOf(file: string | undefined): Stats | null {
  if (file === undefined || file === '') return null;
  return statSync(file, { throwIfNoEntry: false }) ?? null;
}

function contentOf(file: string | undefined): string | undefined {
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
