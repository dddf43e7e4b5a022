// Asks the service over HTTP with somebody's token: how verbs read the log. It must never send a token in clear over a network, follow a
// redirect with it, or print it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { processEnvironment } from '../../config.ts';
import type { Shell } from '../shell/shell.ts';
import { printable } from '../shell/text.ts';
import { type Arguments, type OptionSpec, UsageError } from '../shell/verb.ts';

export const API_OPTIONS: Readonly<Record<'url' | 'token-file', OptionSpec>> = {
  url: { value: 'URL', help: 'where the service is; otherwise PRIVITY_URL, or http://127.0.0.1:8080' },
  'token-file': {
    value: 'FILE',
    help: 'a file with your token, or - for standard input; otherwise PRIVITY_TOKEN_FILE, or PRIVITY_TOKEN',
  },
};

export const API_ABOUT =
  'Reads over the API, with your token: you see what policy lets you see, and the reading is recorded. With `privity start`, ' +
  '`privity token --person u-audley > token` makes one.';

export type Query = Readonly<Record<string, string | undefined>>;

export interface ApiClient {
  /** @throws ApiProblem @throws UsageError @throws Error when there is no answer */
  get(route: string, query: Query): Promise<Response>;
  /** @throws as `get` */
  post(route: string, body: Readonly<Record<string, unknown>>): Promise<Response>;
}

/** The service answered, and not with what was asked for. */
export class ApiProblem extends Error {
  readonly status: number;
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(status: number, message: string, hint: string | undefined) {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.hint = hint;
  }
}

const DEFAULT_URL = 'http://127.0.0.1:8080';
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const ANSWER_MS = 60_000;

/** @param answerMs how long the service may take before it begins to answer */
export async function openApi(shell: Shell, args: Arguments, answerMs = ANSWER_MS): Promise<ApiClient> {
  const base = baseOf(args.text('url') ?? processEnvironment()['PRIVITY_URL'] ?? DEFAULT_URL);
  const token = await readToken(shell, args);
  return {
    async get(route, query) {
      const url = new URL(base + route);
      for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
      const response = await ask(url, token, answerMs);
      if (response.status === 200) return response;
      throw await problemOf(response);
    },
    async post(route, body) {
      const response = await ask(new URL(base + route), token, answerMs, JSON.stringify(body));
      if (response.ok) return response;
      throw await problemOf(response);
    },
  };
}

function baseOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new UsageError(`\`${text}\` is no address of a service`, 'write `--url https://privity.firm.example`');
  }
  if (url.username !== '' || url.password !== '') throw new UsageError('an address holds no password', 'give a token');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw new UsageError(`\`${text}\`: your token would travel in clear`, 'write `https://`');
  }
  return text.replace(/\/+$/, '');
}

async function readToken(shell: Shell, args: Arguments): Promise<string> {
  const { PRIVITY_TOKEN_FILE, PRIVITY_TOKEN } = processEnvironment();
  const file = args.text('token-file') ?? (PRIVITY_TOKEN_FILE === '' ? undefined : PRIVITY_TOKEN_FILE);
  const text = file === undefined ? PRIVITY_TOKEN : await readTokenFile(shell, file);
  // What `privity token` prints ends with the token; a file that was written by hand may end with a line end.
  const token = text?.trim() ?? '';
  if (token === '')
    throw new UsageError('whose eyes? there is no token', 'give `--token-file FILE`, or set PRIVITY_TOKEN');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('what was given as a token is none', 'it is one word');
  return token;
}

async function readTokenFile(shell: Shell, file: string): Promise<string> {
  if (file === '-') return shell.readInput();
  return readFile(path.resolve(shell.folder, file), 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure';
    throw new UsageError(`the token file \`${file}\` cannot be read (${code})`);
  });
}

async function ask(url: URL, token: string, answerMs: number, body: string | null = null): Promise<Response> {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), answerMs);
  try {
    return await fetch(url, {
      method: body === null ? 'GET' : 'POST',
      body,
      headers: {
        authorization: `Bearer ${token}`,
        'user-agent': 'privity-cli',
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal: silent.signal,
    });
  } catch (error) {
    const reason = silent.signal.aborted ? `nothing in ${answerMs / 1_000} s` : reasonOf(error);
    throw new Error(`${url.origin} does not answer: ${reason}`, { cause: error });
  } finally {
    // Bounds the wait for the answer, not what is read of it.
    clearTimeout(timer);
  }
}

export function reasonOf(error: unknown): string {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
    if ('code' in one && typeof one.code === 'string') return one.code;
    if (one.cause === undefined) return one.message;
  }
  return String(error);
}

async function problemOf(response: Response): Promise<Error> {
  const problem: unknown = await response.json().catch(() => null);
  const text = (name: string): string | undefined => {
    const value: unknown = typeof problem === 'object' && problem !== null ? Reflect.get(problem, name) : undefined;
    return typeof value === 'string' ? printable(value) : undefined;
  };
  const { status } = response;
  const title = text('title') ?? `the service answered ${status}`;
  const detail = text('detail');
  const message = detail === undefined ? title : `${title}: ${detail}`;
  const request = text('request_id');
  const hint = [text('hint'), request === undefined ? undefined : `(request ${request})`].filter(Boolean).join(' ');
  if (status === 400 || status === 401 || status === 403)
    return new UsageError(message, hint === '' ? undefined : hint);
  return new ApiProblem(status, message, hint === '' ? undefined : hint);
}
