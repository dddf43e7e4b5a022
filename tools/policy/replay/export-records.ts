// Reads what a replay judges from a file, or from standard input: an NDJSON export of the log, or a verification export, gzipped or not. It
// must never take lines that hold no requests for such as changed nothing.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../../../src/cli/shell/verb.ts';
import type { RecordBlock, RecordQuery, RecordSource } from './record-source.ts';

const NEWLINE = 0x0a;
const CLOSE = 0x7d;
const CHUNK_BYTES = 256 * 1024;
const LONGEST_LINE = 16 * 2 ** 20;
const GZIP = Buffer.from([0x1f, 0x8b]);
const HEADER = Buffer.from('{"privity":"verification export"');
/** Lines of a verification export begin so; those that do not hold a record are passed. */
const RECORD = Buffer.from('{"record":["');
const BYTES = Buffer.from('],"bytes":');
const SUFFICIENT = 'make one with `privity audit export --out log.ndjson`, or `privity audit verification-export`';

/** @param file `-` is standard input */
export async function openExportRecords(
  file: string,
  place: string,
  query: RecordQuery,
  input: NodeJS.ReadableStream,
): Promise<RecordSource> {
  const isInput = file === '-';
  const size = isInput ? null : await sizeOf(place, file);
  const opened = isInput ? null : createReadStream(place, { highWaterMark: CHUNK_BYTES });
  const raw = opened ?? input;
  let bytesRead = 0;
  return {
    name: isInput ? 'standard input' : file,
    expected: null,
    share: () => (size === null || size === 0 ? null : bytesRead / size),
    purged: 0,
    filter: query,
    blocks: () => blocksOf(raw, file, (bytes) => (bytesRead += bytes)),
    close: () => Promise.resolve(void opened?.destroy()),
  };
}

/** Null: of a pipe. */
async function sizeOf(place: string, file: string): Promise<number | null> {
  const found = await stat(place).catch(() => null);
  if (found === null || found.isDirectory()) throw new UsageError(`there is no file \`${file}\``, SUFFICIENT);
  return found.isFile() ? found.size : null;
}

async function* blocksOf(
  raw: NodeJS.ReadableStream,
  file: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<RecordBlock> {
  let rest: Buffer = Buffer.alloc(0);
  let isVerification: boolean | null = null;
  for await (const chunk of unpacked(raw, file, onRead)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && bytes.length > LONGEST_LINE) throw insufficient(file, 'is no export: a line does not end');
    rest = bytes.subarray(end);
    if (end === 0) continue;
    isVerification ??= judgeHead(bytes, end, file);
    yield linesOf(bytes, end, isVerification);
  }
  if (rest.length === 0) return;
  isVerification ??= judgeHead(rest, rest.length, file);
  yield linesOf(rest, rest.length, isVerification);
}

async function* unpacked(
  raw: NodeJS.ReadableStream,
  file: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const chunk of raw) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
  const chunks = bytes();
  const first = await chunks.next();
  if (first.done === true) return;
  async function* all(): AsyncGenerator<Buffer> {
    for (let chunk = first; chunk.done !== true; chunk = await chunks.next()) {
      onRead(chunk.value.length);
      yield chunk.value;
    }
  }
  if (first.value.indexOf(GZIP) !== 0) return yield* all();
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const feeding = (async () => {
    for await (const chunk of all()) if (!gunzip.write(chunk)) await once(gunzip, 'drain');
    gunzip.end();
  })();
  feeding.catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch {
    throw insufficient(file, 'cannot be unpacked: it is cut off or damaged');
  }
  await feeding;
}

/** Whether it is a verification export. @throws UsageError for what holds no requests */
function judgeHead(bytes: Buffer, end: number, file: string): boolean {
  if (bytes.subarray(0, HEADER.length).equals(HEADER)) return true;
  const newline = bytes.indexOf(NEWLINE);
  const line = bytes.toString('utf8', 0, newline < 0 ? end : Math.min(newline, end));
  let first: unknown;
  try {
    first = JSON.parse(line);
  } catch {
    throw insufficient(file, line.startsWith('at,id,') ? 'is a CSV export, which holds no requests' : 'is no export');
  }
  if (typeof first !== 'object' || first === null) throw insufficient(file, 'is no export');
  if ('class_uid' in first) throw insufficient(file, 'is an export of OCSF events, which hold no requests');
  if (!('v' in first && 'kind' in first)) throw insufficient(file, 'is no NDJSON export of the log');
  return false;
}

function insufficient(file: string, why: string): UsageError {
  return new UsageError(`\`${file}\` ${why}`, SUFFICIENT);
}

function linesOf(block: Buffer, end: number, isVerification: boolean): RecordBlock {
  let next = 0;
  const at = {
    block,
    from: 0,
    to: 0,
    next() {
      while (next < end) {
        const newline = block.indexOf(NEWLINE, next);
        const [from, to] = [next, newline < 0 || newline > end ? end : newline];
        next = to + 1;
        if (to === from) continue;
        [at.from, at.to] = [from, to];
        if (!isVerification || findRecord(at)) return true;
      }
      return false;
    },
    release: () => undefined,
  };
  return at;
}

/** Goes from the line to the record in it; false: there is none. */
function findRecord(at: { readonly block: Buffer; from: number; to: number }): boolean {
  const { block, from, to } = at;
  if (block.compare(RECORD, 0, RECORD.length, from, from + RECORD.length) !== 0) return false;
  const bytes = block.indexOf(BYTES, from);
  if (bytes < 0 || bytes > to || block[to - 1] !== CLOSE) return true; // as it stands: it cannot be read
  [at.from, at.to] = [bytes + BYTES.length, to - 1];
  return true;
}
