#!/usr/bin/env node
// Verifies a verification export of Privity's log offline: a second opinion, written from docs/audit.md alone, which shares no code with
// Privity and needs nothing but Node. Numbers in comments are those of "How to verify" there. It must never need the database.
//   node verify-log.mjs --export FILE --checkpoints FOLDER|FILE --key FILE [--certifier FILE] [--json]
// Exit code 0: intact, 1: something was found, 2: nothing was checked.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  base64,
  Broken,
  HASH,
  publicKey,
  publishedNotes,
  readCheckpoint,
  readExport,
  readKey,
  sha256,
  UUID,
} from './verify-log-input.mjs';

// ---- judging (3 to 9)

/** The root at each of the sizes (3). */
function rootsAt(leaves, sizes) {
  const roots = new Map();
  const peaks = []; // complete subtrees from the left, each smaller than the one before
  const join = (left, right) => sha256(Uint8Array.of(1), left, right);
  leaves.forEach(({ hash }, index) => {
    let node = { width: 1, hash: Buffer.from(hash, 'hex') };
    while (peaks.at(-1)?.width === node.width)
      node = { width: node.width * 2, hash: join(peaks.pop().hash, node.hash) };
    peaks.push(node);
    const hashes = peaks.map((peak) => peak.hash);
    if (sizes.has(index + 1))
      roots.set(index + 1, hashes.reduceRight((right, left) => join(left, right)).toString('base64'));
  });
  return roots;
}

/** Finds what is wrong with one place (5): kind, thing, detail, and the place if it is another one. */
function* judgePlace(seq, { places, C, L }, { trusted, isPurged, elsewhere, settled }) {
  const { records, leaves, commitment, leaf } = standing(places, seq);
  const record = records.find((one) => one.hash === commitment) ?? records[0];
  if (!record && !commitment && !leaf) return yield ['sequence_gap', 'record', 'it is nowhere'];
  if (leaves.length > 1) return yield ['insertion', 'leaf', 'there are two leaves'];
  if (records.length > 1) return yield ['insertion', 'record', 'there are two records'];
  if (!commitment && seq < C) return yield ['deletion', 'commitment', 'there is no commitment'];
  if (!commitment)
    return yield leaf
      ? ['cut_tail', 'record', 'the commitments end before it']
      : ['insertion', 'record', 'it was never committed'];
  if (!leaf && seq < L) return yield ['deletion', 'leaf', 'there is no leaf'];
  if (!record && !isPurged(seq)) return yield ['deletion', 'record', 'there is no record'];
  if (record && record.hash !== commitment) {
    const [thing, hash] = record.hash === leaf?.hash ? ['commitment', commitment] : ['record', record.hash];
    yield [elsewhere(hash, seq) ? 'reordering' : 'edit', thing, 'record and commitment differ'];
  } else if (leaf && leaf.hash !== commitment) {
    const isGenuine = leaf.index < trusted;
    if (elsewhere(leaf.hash, seq))
      yield ['reordering', isGenuine ? 'record' : 'leaf', 'its leaf is that of another place'];
    else
      yield [
        'edit',
        isGenuine ? (record ? 'record' : 'commitment') : record ? 'leaf' : 'commitment',
        'its leaf differs',
      ];
  }
  if (!record) return;
  const before = standing(places, seq - 1);
  const expected = seq === 0 ? null : before.commitment;
  if (record.prev !== undefined && expected !== undefined && record.prev !== expected && !settled(seq - 1)) {
    const next = standing(places, seq + 1).records[0];
    const isProven = before.leaf && before.leaf.index < trusted && before.leaf.hash === expected;
    const isBefore = seq > 0 && (!next || next.prev === commitment) && !isProven;
    yield ['edit', 'record', 'the link between it and its neighbour does not hold', isBefore ? seq - 1 : seq];
  }
  if (record.problem) yield ['edit', 'record', record.problem];
}

function standing(places, seq) {
  const { records = [], leaves = [], commitment } = places.get(seq) ?? {};
  return { records, leaves, commitment, leaf: leaves[0] };
}

/** One writer's chain: places (5), key (6), heads (7). */
function judgeWriter(writer, known, log, trusted, certifiers) {
  const { places, C, L } = known;
  const found = new Map(); // of each place the first
  const at = (seq, kind, thing, detail) => {
    const { records, leaf } = standing(places, seq);
    let next = seq;
    while (next < L && !standing(places, next).leaf) next++;
    const index = leaf?.index ?? (next < L ? standing(places, next).leaf.index : null);
    const finding = { kind, thing, leaf: index, place: { writer, seq }, id: records[0]?.id ?? null, detail };
    if (!found.has(seq)) found.set(seq, finding);
  };
  const where = new Map(); // of each hash the places where it stands
  for (const [seq, { records, leaves, commitment }] of places) {
    for (const hash of [...records.map((one) => one.hash), ...leaves.map((one) => one.hash), commitment]) {
      where.set(hash, (where.get(hash) ?? new Set()).add(seq));
    }
  }
  const tools = {
    trusted,
    elsewhere: (hash, seq) => [...where.get(hash)].some((other) => other !== seq),
    isPurged: (seq) =>
      !log.complete || (seq > 0 && log.purged.some((one) => one.writer === writer && seq >= one.from && seq <= one.to)),
    settled: (seq) => found.has(seq),
  };
  let latest = -Infinity;
  const seqs = new Set([...Array(Math.max(C, L)).keys(), ...places.keys()]);
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    for (const [kind, thing, detail, place = seq] of judgePlace(seq, known, tools)) at(place, kind, thing, detail);
    const { at: time } = standing(places, seq).records[0] ?? {};
    if (time < latest) at(seq, 'reordering', 'record', 'it is older than the record before it');
    latest = Math.max(latest, time ?? latest);
  }
  judgeHeads(writer, known, trusted, certifiers, found, at);
  return [...found.values()];
}

/** The key of a writer (6): undefined if its first record is not here, null if nobody vouches for it. */
function writerKey(writer, first, certifiers) {
  if (first === undefined) return undefined;
  const { public_key: own, certified_by: by, signature } = first.kind === 'writer_opened' ? (first.key ?? {}) : {};
  if (base64(own)?.length !== 32 || base64(signature) === null) return null;
  const certifier = certifiers.find(
    (key) => sha256(key.export({ type: 'spki', format: 'der' })).toString('hex') === by,
  );
  const text = Buffer.from(`privity writer v1\n${writer}\n${own}\n`);
  const holds = certifiers.length === 0 || (certifier && verify(null, text, certifier, base64(signature)));
  return holds ? publicKey(base64(own)) : null;
}

function judgeHeads(writer, { places, C }, trusted, certifiers, found, at) {
  const key = writerKey(writer, places.get(0)?.records[0], certifiers);
  if (C > 0 && key === null) at(0, 'insertion', 'writer', 'the certifying key does not vouch for it');
  if (key === undefined && C === 0) at(0, 'cut_tail', 'record', 'there are only heads of this writer');
  if (!key) return;
  const broken = Math.min(Infinity, ...found.keys());
  let [agreed, signed, isJudged] = [-1, -1, false];
  for (const { seq, head, commitment } of [...places.values()]
    .filter((one) => one.head)
    .sort((a, b) => a.seq - b.seq)) {
    const holds = verify(null, Buffer.from(`privity head v1\n${writer}\n${seq}\n${head.hash}\n`), key, head.signature);
    const isSame = head.hash === commitment;
    if (!holds) at(seq, 'edit', 'head', 'its signature does not hold');
    else if (commitment === undefined) at(Math.min(seq, C), 'cut_tail', 'record', `${seq} is signed`);
    else if (!isSame && broken > seq && !isJudged)
      at(agreed + 1, 'full_recomputation', 'commitment', `another hash is signed for ${seq}`);
    if (isSame) agreed = seq;
    if (isSame && holds) signed = seq;
    if (commitment !== undefined && (!isSame || !holds)) isJudged = true;
  }
  if (signed >= C - 1 || isJudged || broken <= C) return;
  const leaf = standing(places, signed + 1).leaf;
  if (leaf && leaf.index < trusted) at(signed + 1, 'deletion', 'head', 'no head is signed over it or a later one');
  else at(signed + 1, 'insertion', 'record', 'no head is signed over it or a later one');
}

/** What the first record of the next writer says of one (7.5). */
function judgeFollowed(log, findings) {
  const isFound = (writer, seq) => findings.some(({ place }) => place?.writer === writer && place.seq === seq);
  for (const [by, { places }] of log.writers) {
    const { kind, previous, followed } = standing(places, 0).records[0] ?? {};
    const { seq, hash } = followed ?? {};
    const isHead = UUID.test(previous) && Number.isSafeInteger(seq) && seq >= 0 && HASH.test(hash);
    if (kind !== 'writer_opened' || !isHead || isFound(by, 0)) continue;
    const of = log.writers.get(previous) ?? { places: new Map(), C: 0 };
    const isCut = seq >= of.C;
    const { commitment, leaf } = standing(of.places, seq);
    if (!isCut && (commitment === undefined || commitment === hash)) continue;
    const isConsequence = findings.some(({ place }) => place?.writer === previous && place.seq <= seq);
    if (isCut ? isFound(previous, of.C) : isConsequence) continue;
    const [what, thing] = isCut ? ['cut_tail', 'record'] : ['full_recomputation', 'commitment'];
    const place = { writer: previous, seq: isCut ? of.C : seq };
    const detail = `the next writer (${by}) began after ${seq}, ${hash}`;
    findings.push({ kind: what, thing, leaf: isCut ? null : (leaf?.index ?? null), place, id: null, detail });
  }
}

/** The tree as a whole (8, 9). */
function judgeTree(log, checkpoints, roots, trusted, findings) {
  const sizes = [...checkpoints.keys()].sort((a, b) => a - b);
  const differing = sizes.filter((size) => roots.has(size) && roots.get(size) !== checkpoints.get(size));
  const add = (kind, thing, leaf, detail) => findings.push({ kind, thing, leaf, place: null, id: null, detail });
  for (const size of differing)
    if (size <= trusted) add('forged_checkpoint', 'checkpoint', null, `that over ${size} is not of this log`);
  const first = differing.find((size) => size > trusted);
  const isExplained = findings.some(({ leaf, thing }) => leaf !== null && leaf < first && thing !== 'head');
  if (first !== undefined && !isExplained)
    add('full_recomputation', 'leaf', trusted, `the checkpoint over ${first} has another root`);
  const [claimed, size] = [sizes.at(-1) ?? 0, log.leaves.length];
  if (claimed <= size || findings.some(({ kind, thing }) => kind === 'deletion' && thing === 'leaf')) return;
  const isWhole = log.count.commitments < claimed && !findings.some(({ kind }) => kind === 'cut_tail');
  if (isWhole) add('rewound_database', 'checkpoint', size, `${claimed} leaves were published`);
  else add('cut_tail', 'leaf', size, `${claimed} leaves were published`);
}

/** @returns {Promise<{ verdict: string, first: object | null, findings: object[], count?: object }>} */
export async function verifyLog({ export: file, checkpoints: place, key, certifier }) {
  const keys = readFileSync(key, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readKey);
  const pem = certifier === undefined ? '' : readFileSync(certifier, 'utf8');
  const certifiers = (pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []).map((one) =>
    createPublicKey(one),
  );
  const findings = [];
  const checkpoints = new Map();
  for (const note of publishedNotes(place)) {
    const one = readCheckpoint(note, keys);
    if (one !== null && (checkpoints.get(one.size) ?? one.root) === one.root) checkpoints.set(one.size, one.root);
    else
      findings.push({
        kind: 'forged_checkpoint',
        thing: 'checkpoint',
        leaf: null,
        place: null,
        id: null,
        detail: JSON.stringify(note),
      });
  }
  const log = await readExport(file, keys).catch((error) => {
    if (!(error instanceof Broken) && !(error instanceof SyntaxError)) throw error;
    const kind = error.isCut ? 'cut_tail' : 'edit';
    return { broken: { kind, thing: 'export', leaf: null, place: null, id: null, detail: error.message } };
  });
  if (log.broken) return { verdict: 'broken', first: log.broken, findings: [log.broken] };
  const roots = rootsAt(log.leaves, checkpoints);
  const trusted = Math.max(
    0,
    ...[...checkpoints].filter(([size, root]) => roots.get(size) === root).map(([size]) => size),
  );
  const purges = [...log.writers.values()]
    .flatMap(({ places }) => [...places.values()])
    .filter(({ leaves }) => leaves.length > 0);
  log.purged = purges
    .flatMap(({ records }) => records)
    .filter(({ kind }) => kind === 'purge')
    .flatMap(rangesOf);
  for (const [writer, known] of log.writers) findings.push(...judgeWriter(writer, known, log, trusted, certifiers));
  findings.push(...log.findings);
  judgeFollowed(log, findings);
  judgeTree(log, checkpoints, roots, trusted, findings);
  findings.sort(inOrder);
  return {
    verdict: findings.length === 0 ? 'intact' : 'broken',
    first: findings[0] ?? null,
    findings,
    trusted,
    count: log.count,
  };
}

/** By leaf, then by writer and number, then what is about no record. */
function inOrder(a, b) {
  if (a.leaf !== b.leaf) return (a.leaf ?? Infinity) < (b.leaf ?? Infinity) ? -1 : 1;
  if (!a.place || !b.place) return Number(!a.place) - Number(!b.place);
  return a.place.writer === b.place.writer ? a.place.seq - b.place.seq : a.place.writer < b.place.writer ? -1 : 1;
}

function rangesOf({ purged }) {
  return Object.entries(purged ?? {}).flatMap(([writer, list]) => list.map(([from, to]) => ({ writer, from, to })));
}

async function main() {
  const names = ['export', 'checkpoints', 'key', 'certifier'];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options: { ...options, json: { type: 'boolean' } } });
  const { verdict, first, findings, count } = await verifyLog(values);
  if (values.json) console.log(JSON.stringify({ verdict, first, findings, count }, null, 2));
  else console.log(verdict, JSON.stringify(first ?? count));
  process.exitCode = verdict === 'intact' ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(`nothing was checked: ${error.message}`);
    process.exitCode = 2;
  });
}
