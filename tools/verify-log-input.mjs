// Reads what a verification needs: public keys, published checkpoints, and an export. Written from docs/audit.md alone; numbers in
// comments are those of "How to verify" there. It must never pass over a line that is not as that page describes it.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';

const KINDS = 'decision refused read search filter approval purge policy_loaded writer_opened writer_closed'.split(' ');
export const HASH = /^[0-9a-f]{64}$/;
export const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export const sha256 = (...parts) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();

/** Bytes of base64 written in its one way; null for anything else. */
export function base64(text) {
  const bytes = Buffer.from(String(text), 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

export function publicKey(raw) {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
}

// ---- keys and checkpoints (1)

/** One on each line: `name+id+key`. */
export function readKey(line) {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line) ?? [];
  const bytes = base64(encoded);
  const isKey = bytes?.length === 33 && bytes[0] === 1;
  if (!isKey || sha256(`${name}\n`, bytes).toString('hex', 0, 4) !== id) throw new Error(`no verifier key: ${line}`);
  return { name, id, key: publicKey(bytes.subarray(1)) };
}

/** What a signed note says, if it counts; otherwise null. */
export function readCheckpoint(note, keys) {
  const border = note.lastIndexOf('\n\n');
  if (border < 0 || !note.endsWith('\n') || /[^\P{Cc}\n]/u.test(note)) return null;
  const text = note.slice(0, border + 1);
  let isSigned = false;
  for (const line of note.slice(border + 2, -1).split('\n')) {
    const [, name, encoded] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = base64(encoded);
    if (bytes === null || bytes.length < 5) return null;
    const known = keys.find((one) => one.name === name && one.id === bytes.toString('hex', 0, 4));
    if (known === undefined) continue;
    if (!verify(null, Buffer.from(text), known.key, bytes.subarray(4))) return null;
    isSigned = true;
  }
  const [origin, size, root] = text.split('\n');
  const isWhole = /^(0|[1-9]\d{0,15})$/.test(size) && base64(root)?.length === 32;
  return isSigned && isWhole && keys.some(({ name }) => name === origin) ? { size: Number(size), root } : null;
}

/** Every note that was published: a folder, lines that were appended to a file, or one note. */
export function publishedNotes(place) {
  if (statSync(place).isDirectory()) {
    const names = readdirSync(place, { recursive: true }).map(String);
    const files = names.filter((name) => name === 'checkpoint' || /^\d{4}-\d\d-\d\d.\d{16}$/.test(name));
    return files.map((name) => readFileSync(path.join(place, name), 'utf8'));
  }
  const text = readFileSync(place, 'utf8');
  if (!text.startsWith('{')) return [text];
  const lines = text.split('\n').filter((line) => line.endsWith('}') || line.includes('\\n"')); // others were cut off
  return lines.map((line) => {
    try {
      return String(JSON.parse(line).note);
    } catch {
      return '';
    }
  });
}

// ---- the export (2)

/** What is not as docs/audit.md describes it. */
export class Broken extends Error {}

function demand(isGood, line) {
  if (!isGood) throw new Broken(`this line is not as it must be: ${line.slice(0, 120)}`);
}

/** Every line, each byte as one character. */
async function* linesOf(file) {
  const raw = createReadStream(file);
  const chunks = (file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw).setEncoding('latin1');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** The canonical form of RFC 8785. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

/** What the bytes of a record say (5.9). */
function readRecord(bytes, writer, seq) {
  const record = { hash: sha256(Uint8Array.of(0), bytes).toString('hex'), problem: 'its bytes are not canonical' };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const said = JSON.parse(text);
    if (canonical(said) !== text || !text.startsWith('{') || /\\u(0000|d[89a-f])/.test(text)) return record;
    const { v, kind, id, prev, at, key, purged, previous, previous_head: followed } = said;
    const isTime = typeof at === 'string' && new Date(at).toISOString() === at;
    const isPlaced = v === 1 && KINDS.includes(kind) && said.writer === writer && said.seq === seq;
    const isLinked = seq === 0 ? prev === null : HASH.test(prev);
    const problem = isTime && isPlaced && isLinked ? null : 'v, kind, writer, seq, prev or at are not as they must be';
    return { ...record, problem, kind, id, prev, at: Date.parse(at), key, purged, previous, followed };
  } catch {
    return record;
  }
}

export async function readExport(file, keys) {
  const log = { writers: new Map(), leaves: [], findings: [] };
  const count = { records: 0, leaves: 0, commitments: 0, heads: 0 };
  const order = ['records', 'leaves', 'commitments', 'heads', 'end'];
  let [header, section] = [null, 0];
  const writerOf = (id) => log.writers.get(id) ?? log.writers.set(id, { places: new Map(), C: 0, L: 0 }).get(id);
  const placeOf = ({ places }, seq) => places.get(seq) ?? places.set(seq, { seq, records: [], leaves: [] }).get(seq);
  const enter = (name, line) => {
    demand(order.indexOf(name) >= section && section < 4, line);
    section = order.indexOf(name);
    if (name !== 'end') count[name]++;
  };
  for await (const line of linesOf(file)) {
    if (header === null) {
      header = JSON.parse(line);
      const { origin, size, complete } = header;
      const expected = { privity: 'verification export', version: 1, origin, size, complete };
      demand(JSON.stringify(expected) === line && keys.some(({ name }) => name === origin), line);
      continue;
    }
    const [prefix, id, number, how] = /^\{"record":\["([^"]{36})",(\d{1,15})\],"(bytes|base64)":/.exec(line) ?? [];
    if (prefix !== undefined) {
      enter('records', line);
      const seq = Number(number);
      demand(line.endsWith('}') && String(seq) === number && UUID.test(id), line);
      const text = line.slice(prefix.length, -1);
      const bytes = how === 'bytes' ? Buffer.from(text, 'latin1') : base64(text.slice(1, -1));
      demand(how === 'bytes' || (/^".*"$/.test(text) && bytes?.includes('\n')), line);
      placeOf(writerOf(id), seq).records.push(readRecord(bytes, id, seq));
      continue;
    }
    const [, name] = /^\{"(leaf|commitment|head|end)":/.exec(line) ?? [];
    demand(name !== undefined, line);
    if (name === 'end') {
      enter('end', line);
      demand(line === JSON.stringify({ end: count }) && header.size === count.leaves, line);
      continue;
    }
    const { about, hash, head, signature } = parseLine(line, name);
    const [writer, seq] = about.slice(-2);
    const known = writerOf(writer);
    const place = placeOf(known, seq);
    if (name === 'leaf') {
      enter('leaves', line);
      takeLeaf(log, about, hash, known, place);
      continue;
    }
    enter(name === 'head' ? 'heads' : 'commitments', line);
    if (name === 'commitment') [place.commitment, known.C] = [hash, Math.max(known.C, seq + 1)];
    if (signature !== undefined) place.head = { hash: head ?? hash, signature: base64(signature) };
    if (name === 'commitment' && signature !== undefined) count.heads++;
  }
  if (section < 4) throw Object.assign(new Broken('the last line is missing'), { isCut: true });
  return { ...log, ...header, count };
}

/** A leaf, commitment or head whose members are written in their one way. */
function parseLine(line, name) {
  const value = JSON.parse(line);
  const { [name]: about, hash, signature } = value;
  const head = name === 'commitment' ? value.head : undefined;
  const written = JSON.stringify({ [name]: about, hash, ...(head === undefined ? {} : { head }), signature });
  const isPlace = Array.isArray(about) && about.length === (name === 'leaf' ? 3 : 2) && UUID.test(about.at(-2));
  const isNumber = (value) => Number.isSafeInteger(value) && value >= 0 && value < 1e15;
  const areNumbers = isPlace && isNumber(about.at(-1)) && (name !== 'leaf' || isNumber(about[0]));
  demand(written === line && areNumbers && HASH.test(hash), line);
  demand(head === undefined || (HASH.test(head) && head !== hash), line);
  demand(signature === undefined || base64(signature)?.length === 64, line);
  return { about, hash, head, signature };
}

/** Leaf indexes (4). */
function takeLeaf({ leaves, findings }, [index, writer, seq], hash, known, place) {
  const expected = leaves.length === 0 ? 0 : leaves.at(-1).index + 1;
  if (index !== expected)
    findings.push({ kind: 'deletion', thing: 'leaf', leaf: expected, detail: 'leaves are missing' });
  if (seq > known.L) known.left ??= { seq, index };
  if (seq < known.L) {
    const { seq: first, index: leaf } = known.left ?? { seq, index };
    findings.push({
      kind: 'reordering',
      thing: 'leaf',
      leaf,
      place: { writer, seq: first },
      detail: 'it comes too early',
    });
  }
  known.L = Math.max(known.L, seq + 1);
  leaves.push({ index, hash });
  place.leaves.push({ index, hash });
}
