// Recorded interactions: what was asked at each door, and what was answered. One file for each door; a new one is an entry without an
// answer, which `PRIVITY_RECORD=new` fills in. It must never write over an answer that nobody named.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LightMyRequestResponse } from 'fastify';
import { format } from 'prettier';
import type { TestApp } from '../helpers/app.ts';
import { normalised, type Json } from './shape.ts';

export interface Interaction {
  /** Unique; later ones name members of its answer as `{{name.path.to.member}}`. */
  readonly name: string;
  /** Of examples/authzen instead of policies. */
  readonly fixture?: boolean;
  /** Who asks: `caller dms`, `person u-okafor`, `auditor u-audley`; absent: nobody. */
  readonly as?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** How deep the body is recorded, where it is long. */
  readonly depth?: number;
  /** Asked again for as long as it is not answered with this status: what it is about takes its time. */
  readonly until?: number;
  readonly answer?: RecordedAnswer;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; of other answers the lines that callers rely on. */
  readonly body: Json;
}

export interface DoorFile {
  /** `METHOD /path` as in openapi.yaml. */
  readonly door: string;
  readonly interactions: readonly Interaction[];
}

const FOLDER = fileURLToPath(new URL('interactions', import.meta.url));

/** In the order in which they are asked. */
export function readDoors(): readonly (DoorFile & { readonly file: string })[] {
  return globSync('*.json', { cwd: FOLDER })
    .toSorted()
    .map((name) => ({
      ...(JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as DoorFile),
      file: path.join(FOLDER, name),
    }));
}

export async function writeDoor({ file, ...door }: DoorFile & { readonly file: string }): Promise<void> {
  writeFileSync(file, await format(JSON.stringify(door), { parser: 'json', printWidth: 120 }));
}

/** Bodies of answers so far, by name. */
export type Said = Map<string, Json>;

export async function ask(rig: TestApp, door: string, one: Interaction, said: Said): Promise<LightMyRequestResponse> {
  const method = door.startsWith('GET ') ? 'GET' : 'POST';
  const fill = (text: string): string =>
    text.replaceAll(/\{\{([^}]+)\}\}/g, (_, what: string) => filled(rig, what, said));
  const headers: Record<string, string> = { 'x-request-id': 'compatibility' };
  for (const [name, value] of Object.entries(one.headers ?? {})) headers[name] = fill(value);
  if (one.as !== undefined) headers['authorization'] = `Bearer ${tokenOf(rig, one.as)}`;
  if (one.body === undefined) return rig.inject({ method, url: fill(one.path), headers });
  headers['content-type'] ??= 'application/json';
  return rig.inject({ method, url: fill(one.path), headers, payload: fill(JSON.stringify(one.body)) });
}

function tokenOf(rig: TestApp, as: string): string {
  const [kind, id = ''] = as.split(' ');
  if (kind === 'caller') return rig.callerToken(id);
  if (kind === 'auditor') return rig.personToken(id, { azp: 'privity-log-review' });
  if (kind === 'person') return rig.personToken(id);
  throw new Error(`nobody asks as ${as}`);
}

/** `subject u-okafor` is that person’s token for dms, `weak u-okafor` one without a second factor, `in 3600` a time so many seconds from now. */
function filled(rig: TestApp, what: string, said: Said): string {
  const [kind, value = ''] = what.split(' ');
  if (kind === 'subject') return rig.subjectToken(value);
  if (kind === 'weak') return rig.subjectToken(value, { amr: ['pwd'] });
  if (kind === 'in') return new Date(Date.now() + Number(value) * 1_000).toISOString();
  const [name = '', ...members] = what.split('.');
  const found = members.reduce<unknown>(
    (from, member) => (typeof from === 'object' && from !== null ? Reflect.get(from, member) : undefined),
    said.get(name),
  );
  if (typeof found !== 'string' && typeof found !== 'number') throw new Error(`nothing was answered as ${what}`);
  return String(found);
}

/** Their values count; of the others that they are there. */
const WHOLE = ['content-type', 'cache-control', 'www-authenticate', 'allow'];
const THERE = ['location', 'retry-after', 'x-request-id', 'privity-evaluation-id', 'content-disposition'];

export function headersOf({ headers }: LightMyRequestResponse): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of WHOLE) if (headers[name] !== undefined) kept[name] = String(headers[name]);
  for (const name of THERE) if (headers[name] !== undefined) kept[name] = '<there>';
  return kept;
}

/** What is not JSON is told by its lines: names of metrics, the header of a table, the first line of a proof, each record of an export. */
export function bodyOf({ headers, body }: LightMyRequestResponse): Json {
  const type = String(headers['content-type'] ?? '');
  if (/^application\/(?:[\w.+-]+\+)?json\b/.test(type)) return JSON.parse(body) as Json;
  const lines = body.split('\n').filter((line) => line !== '');
  if (type.includes('ndjson')) return lines.map((line) => JSON.parse(line) as Json);
  const metrics = lines.flatMap((line) => /^# TYPE (\S+ \S+)/.exec(line)?.[1] ?? []);
  if (metrics.length > 0) return Object.fromEntries(metrics.map((name) => [name, 'a metric']));
  return { 'first line': lines[0] ?? '' };
}

export function recorded(response: LightMyRequestResponse, { depth }: Interaction): RecordedAnswer {
  const body = normalised(bodyOf(response), depth);
  return { status: response.statusCode, headers: headersOf(response), body };
}
