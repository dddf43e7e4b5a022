// The format of a backup before it is compressed and encrypted (docs/audit.md): a line that names the format, a header, and for each
// table its rows in blocks. It must never be read past what it says of itself.

export const MAGIC = 'privity-backup/1';

export interface BackupHeader {
  /** When the snapshot was taken, RFC 3339. */
  readonly at: string;
  /** Of Privity. */
  readonly version: string;
  /** The newest migration of the database. */
  readonly schema: number;
  /** Months for which `decisions` had partitions, such as 2026-03. */
  readonly months: readonly string[];
  /** In the order in which they follow, with the names of their columns. */
  readonly tables: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

/** A table's rows in PostgreSQL's binary COPY format, without its header and trailer. */
export type Piece =
  | { readonly is: 'header'; readonly header: BackupHeader }
  | { readonly is: 'rows'; readonly table: string; readonly block: Buffer }
  | { readonly is: 'end'; readonly table: string };

const MOST_HEADER = 1_000_000;
const MOST_BLOCK = 256 * 2 ** 20;

export function headerFrame(header: BackupHeader): Buffer {
  return Buffer.from(`${MAGIC}\n${JSON.stringify(header)}\n`);
}

/** Length in four bytes, then so many; a length of 0 ends the table. */
export function lengthFrame(length: number): Buffer {
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(length);
  return frame;
}

/** @throws Error for anything else than a whole backup */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (what: string): Promise<void> => {
    const { value, done } = await chunks.next();
    if (done === true) throw new Error(`the backup ends in ${what}`);
    rest = rest.length === 0 ? value : Buffer.concat([rest, value]);
  };
  const line = async (): Promise<string> => {
    for (;;) {
      const end = rest.indexOf(10);
      if (end >= 0) {
        const text = rest.toString('utf8', 0, end);
        rest = rest.subarray(end + 1);
        return text;
      }
      if (rest.length > MOST_HEADER) throw new Error('this is no backup of Privity');
      await more('its header');
    }
  };
  const take = async (length: number, what: string): Promise<Buffer> => {
    // Blocks come in many small chunks: joined once.
    const parts = [rest];
    let size = rest.length;
    while (size < length) {
      rest = Buffer.alloc(0);
      await more(what);
      parts.push(rest);
      size += rest.length;
    }
    const all = parts.length === 1 ? rest : Buffer.concat(parts);
    rest = all.subarray(length);
    return all.subarray(0, length);
  };

  if ((await line()) !== MAGIC) throw new Error(`this is no backup of Privity, or of another format than ${MAGIC}`);
  const header = parseHeader(await line());
  yield { is: 'header', header };
  for (const { name } of header.tables) {
    for (;;) {
      const length = (await take(4, name)).readUInt32BE();
      if (length > MOST_BLOCK) throw new Error(`a block of ${name} is longer than any can be`);
      if (length === 0) break;
      yield { is: 'rows', table: name, block: await take(length, name) };
    }
    yield { is: 'end', table: name };
  }
  if (rest.length > 0 || (await chunks.next()).done !== true)
    throw new Error('something follows the end of the backup');
}

function parseHeader(text: string): BackupHeader {
  const header: unknown = JSON.parse(text);
  if (isHeader(header)) return header;
  throw new Error('the header of the backup is not as it must be');
}

function isHeader(value: unknown): value is BackupHeader {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, months, tables } = value as Partial<Record<keyof BackupHeader, unknown>>;
  const isTable = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'name' in one && 'columns' in one && isTexts(one.columns);
  return Number.isSafeInteger(schema) && isTexts(months) && Array.isArray(tables) && tables.every(isTable);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
