// Reads JSON that means the same to every reader (I-JSON, RFC 7493): no duplicate members, no \u0000, no lone surrogates,
// no numbers a double cannot hold, no bottomless nesting. It must never repair what it reads.

export type JsonProblem =
  'syntax' | 'duplicate_member' | 'nul_character' | 'lone_surrogate' | 'number_out_of_range' | 'nested_too_deep';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  /** `pointer` (RFC 6901) leads to the value in question, or to the member whose name is. */
  | { readonly ok: false; readonly problem: JsonProblem; readonly pointer: string };

interface Frame {
  /** Names seen so far; null in an array. */
  readonly names: Set<string> | null;
  /** Name of the member, or index of the item, that is being read. */
  at: string | number;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

export function parseStrictJson(text: string, maxDepth = 32): StrictJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'syntax', pointer: '' };
  }
  const found = scan(text, maxDepth);
  return found === null ? { ok: true, value } : { ok: false, ...found };
}

/** Walks over text that JSON.parse accepted, so every token here is known to be well formed. */
function scan(text: string, maxDepth: number): { problem: JsonProblem; pointer: string } | null {
  const frames: Frame[] = [];
  let expectName = false;
  for (let i = 0; i < text.length; i += 1) {
    const top = frames.at(-1);
    switch (text[i]) {
      case '{':
      case '[':
        if (frames.length === maxDepth) return { problem: 'nested_too_deep', pointer: pointerTo(frames) };
        expectName = text[i] === '{';
        frames.push(expectName ? { names: new Set(), at: '' } : { names: null, at: 0 });
        break;
      case '}':
      case ']':
        frames.pop();
        expectName = false;
        break;
      case ',':
        expectName = top !== undefined && top.names !== null;
        if (top !== undefined && typeof top.at === 'number') top.at += 1;
        break;
      case ':':
        expectName = false;
        break;
      case '"': {
        const end = endOfString(text, i);
        const content = decodeString(text.slice(i, end + 1));
        if (expectName && top !== undefined) top.at = content;
        const problem =
          problemOfString(content) ?? (expectName && top?.names?.has(content) ? 'duplicate_member' : null);
        if (problem !== null) return { problem, pointer: pointerTo(frames) };
        if (expectName) top?.names?.add(content);
        i = end;
        break;
      }
      default: {
        NUMBER.lastIndex = i;
        const literal = NUMBER.exec(text)?.[0];
        if (literal === undefined) break; // white space, or a letter of true, false, null
        if (!survives(literal)) return { problem: 'number_out_of_range', pointer: pointerTo(frames) };
        i += literal.length - 1;
      }
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

function decodeString(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
}

function problemOfString(content: string): JsonProblem | null {
  if (content.includes('\u0000')) return 'nul_character';
  return content.isWellFormed() ? null : 'lone_surrogate';
}

/** RFC 7493 2.2: an integer beyond 2^53, or a number that becomes infinite or zero, would be recorded as another number. */
function survives(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  if (/^-?\d+$/.test(literal)) return Number.isSafeInteger(value);
  return value !== 0 || /^[-0.]*(?:[eE]|$)/.test(literal);
}

function pointerTo(frames: readonly Frame[]): string {
  const escape = (name: string): string => name.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
  return frames.map((frame) => `/${escape(String(frame.at))}`).join('');
}
