// Reads request bodies: strict JSON or nothing. It must never repair, coerce or drop what a caller sent, nor let two readers
// see two different bodies: what JSON, the record or the database cannot hold faithfully is refused here.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { parseStrictJson, type JsonProblem } from '../io/identity/strict-json.ts';
import { PrivityError } from '../model/errors.ts';
import { joinPointer } from './pointer.ts';

/** Far deeper than any envelope, far too shallow to exhaust a stack. */
export const MAX_DEPTH = 32;

const WORDS: Readonly<Record<JsonProblem, string>> = {
  syntax: 'the body is not valid JSON',
  duplicate_member: 'this member is given twice',
  nul_character: 'the character U+0000 cannot be recorded',
  lone_surrogate: 'half a surrogate pair cannot be recorded',
  number_out_of_range: 'this number does not survive as a double',
  nested_too_deep: `nested deeper than ${MAX_DEPTH} levels`,
};

/** Scientific notation may hide a number that becomes infinite, or zero. */
const EXPONENT = /[0-9][eE][-+]?[0-9]/;

export interface StrictJsonOptions {
  /** Asked when a body has arrived in full and nothing was made of it yet: many may have been let in before any was decided. */
  readonly admit?: () => void;
}

export const strictJson = fp(
  (app: FastifyInstance, { admit }: StrictJsonOptions, done: (error?: Error) => void) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, payload, parsed) => {
      try {
        requireUtf8(request.headers['content-type'] ?? '');
        requirePlain(request.headers['content-encoding']);
        admit?.();
        parsed(null, readBody(payload as Buffer));
      } catch (error) {
        parsed(error as Error, undefined);
      }
    });
    done();
  },
  { name: 'strict-json' },
);

/** @throws PrivityError `malformed_request` */
export function readBody(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) throw malformed('the body is empty', '');
  if (!isUtf8(bytes)) throw malformed('the body is not UTF-8', '');
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(WORDS.syntax, '');
  }
  // Nothing but an escape can bring U+0000 or half a pair into text that was UTF-8 and JSON.
  const suspicious = text.includes('\\u') || EXPONENT.test(text);
  const seen: Survey = { members: 0, plain: true };
  surveyOne(value, 0, seen);
  if (suspicious || !seen.plain || seen.members !== countColons(text)) judgeSlowly(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the body must be an object', '');
  return value as Readonly<Record<string, unknown>>;
}

export function malformed(detail: string, pointer: string): PrivityError {
  return new PrivityError('malformed_request', { detail, pointer });
}

/** RFC 8259, 8.1: JSON between systems is UTF-8; another charset means another text. */
function requireUtf8(contentType: string): void {
  if (contentType === 'application/json') return;
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw malformed('the charset must be utf-8', '');
}

/** Nothing is decompressed here: whoever did so before us has read another body. */
function requirePlain(contentEncoding: string | undefined): void {
  if (contentEncoding === undefined || contentEncoding.toLowerCase() === 'identity') return;
  throw malformed('the body must not be encoded (Content-Encoding)', '');
}

interface Survey {
  members: number;
  /** False: something needs a closer look. */
  plain: boolean;
}

/** Counts members, and notices numbers and names that need a closer look. Ends at MAX_DEPTH: deeper is never plain. */
function survey(value: object, depth: number, seen: Survey): void {
  if (depth > MAX_DEPTH) {
    seen.plain = false;
  } else if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) surveyOne(item, depth, seen);
  } else {
    // JSON.parse makes plain objects: nothing is inherited that could be listed here.
    const object = value as Readonly<Record<string, unknown>>;
    for (const name in object) {
      seen.members += 1;
      if (name === '__proto__') seen.plain = false;
      surveyOne(object[name], depth, seen);
    }
  }
}

function surveyOne(value: unknown, depth: number, seen: Survey): void {
  if (typeof value === 'object') {
    if (value !== null) survey(value, depth + 1, seen);
  } else if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    if (Number.isInteger(value) || !Number.isFinite(value)) seen.plain = false;
  }
}

/** Every member has one colon outside strings: more of them than members, and some name was given twice. */
function countColons(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) count += 1;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return count;
}

const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
}

/** Finds what is wrong, and where; returns if nothing is. */
function judgeSlowly(text: string): void {
  const json = parseStrictJson(text, MAX_DEPTH);
  if (!json.ok) throw malformed(WORDS[json.problem], json.pointer);
  const pointer = findPrototype(json.value);
  if (pointer !== null) throw malformed('`__proto__` cannot be the name of a member', pointer);
}

/** The one name that objects take for something else than a member. */
function findPrototype(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const below = name === '__proto__' ? '' : findPrototype(member);
    if (below !== null) return joinPointer(name) + below;
  }
  return null;
}
