// Reads bytes as PostgreSQL writes them in `escape` format: as they are, but for backslashes and what is no ASCII. It must never fail,
// whatever was done to the bytes.

type Json = Readonly<Record<string, unknown>>;

const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** The bytes as text; what is no UTF-8 is replaced. */
export function textOfEscaped(escaped: string): string {
  if (!escaped.includes('\\')) return escaped;
  const source = Buffer.from(escaped, 'latin1');
  const bytes = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    const byte = source[index] ?? 0;
    if (byte !== BACKSLASH) {
      bytes[length++] = byte;
    } else if (source[index + 1] === BACKSLASH) {
      bytes[length++] = BACKSLASH;
      index += 1;
    } else {
      const digit = (offset: number): number => (source[index + offset] ?? ZERO) - ZERO;
      bytes[length++] = digit(1) * 64 + digit(2) * 8 + digit(3);
      index += 3;
    }
  }
  return bytes.toString('utf8', 0, length);
}

/** An empty object for what is no JSON object. */
export function recordOfText(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
  } catch {
    return {};
  }
}
