// The Merkle tree over all records (RFC 9162, 2.1): roots, proofs, and their verification. It must never read a hash that it was not
// given, nor accept a proof with a hash too many.
import { hash } from 'node:crypto';

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

/** Complete subtrees of 256 ** level leaves, by their place from the left; level 0 are the leaves (C2SP tlog-tiles). */
export interface Nodes {
  /** @throws Error for a node that is not there */
  at(level: number, index: number): Hash;
}

/** 256 nodes of one level side by side: `[tile * 256, tile * 256 + 256)`. */
export interface Tile {
  readonly level: number;
  readonly tile: number;
}

export const TILE_WIDTH = 256;
const TILE_BITS = 8;
const NODE_PREFIX = 0x01;
const HASH_BYTES = 32;
const HASH_WORDS = 8;

/** Of no leaves. */
export const EMPTY_ROOT: Hash = hash('sha256', '', 'buffer');

/** The prefix in the fourth byte, so that both hashes stand where they can be copied as words. */
const pair = Buffer.alloc(68);
pair[3] = NODE_PREFIX;
const hashed = pair.subarray(3);
const pairWords = new Int32Array(pair.buffer, pair.byteOffset, 17);
const LEFT = 4;
const RIGHT = 36;

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Hash, right: Hash): Buffer {
  pair.set(left, LEFT);
  pair.set(right, RIGHT);
  return Buffer.from(hashOfPair(), 'latin1');
}

/** As a string: asking for a buffer takes three times as long. */
function hashOfPair(): string {
  return hash('sha256', hashed, 'latin1');
}

/** MTH of a whole number of hashes side by side. */
export function rootOf(hashes: readonly Hash[]): Hash {
  const range = createCompactRange();
  for (const one of hashes) range.append(one);
  return range.root();
}

/** The root of a tree that grows to the right, in a few hashes: one for each bit of its size. */
export interface CompactRange {
  /** @param at the hash is the 32 bytes there */
  append(leaf: Uint8Array, at?: number): void;
  size(): number;
  root(): Hash;
}

/** @param onNode told of every node of the levels above the leaves (`Nodes`) that becomes complete */
export function createCompactRange(onNode?: (level: number, index: number, hash: Hash) => void): CompactRange {
  // A tree of 2 ** 53 leaves has no more peaks than this.
  const peaks = new Int32Array(HASH_WORDS * 54);
  const heights: number[] = [];
  let size = 0;
  const toLeft = (peak: number): void => {
    for (let word = 0; word < HASH_WORDS; word++) pairWords[1 + word] = peaks[peak * HASH_WORDS + word] ?? 0;
  };
  const toRight = (peak: number): void => {
    for (let word = 0; word < HASH_WORDS; word++) pairWords[9 + word] = peaks[peak * HASH_WORDS + word] ?? 0;
  };
  return {
    append(leaf, at = 0) {
      // What is being added stands on the right; what it is joined with comes to its left.
      for (let index = 0; index < HASH_BYTES; index++) pair[RIGHT + index] = leaf[at + index] ?? 0;
      let height = 0;
      while (heights.at(-1) === height) {
        heights.pop();
        toLeft(heights.length);
        pair.write(hashOfPair(), RIGHT, HASH_BYTES, 'latin1');
        height++;
        if (onNode !== undefined && height % TILE_BITS === 0) {
          onNode(height / TILE_BITS, Math.floor(size / 2 ** height), Buffer.from(pair.subarray(RIGHT)));
        }
      }
      const peak = heights.push(height) - 1;
      for (let word = 0; word < HASH_WORDS; word++) peaks[peak * HASH_WORDS + word] = pairWords[9 + word] ?? 0;
      size++;
    },
    size: () => size,
    root() {
      if (size === 0) return EMPTY_ROOT;
      toRight(heights.length - 1);
      for (let peak = heights.length - 2; peak >= 0; peak--) {
        toLeft(peak);
        pair.write(hashOfPair(), RIGHT, HASH_BYTES, 'latin1');
      }
      return Buffer.from(pair.subarray(RIGHT));
    },
  };
}

/** The root of the first `size` leaves. */
export function rootAt(nodes: Nodes, size: number): Hash {
  return size === 0 ? EMPTY_ROOT : rangeHash(nodes, 0, size);
}

/** Hashes that lead from leaf `index` to the root of the first `size` leaves (RFC 9162, 2.1.3.1). */
export function inclusionProof(nodes: Nodes, index: number, size: number): readonly Hash[] {
  if (!isWithin(index, size)) throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  const path: Hash[] = [];
  for (let [low, high] = [0, size]; high - low > 1;) {
    const middle = low + split(high - low);
    if (index < middle) {
      path.push(rangeHash(nodes, middle, high));
      high = middle;
    } else {
      path.push(rangeHash(nodes, low, middle));
      low = middle;
    }
  }
  return path.reverse();
}

/** Hashes that show that the tree of `size` leaves begins with the tree of `first` leaves (RFC 9162, 2.1.4.1). */
export function consistencyProof(nodes: Nodes, first: number, size: number): readonly Hash[] {
  if (!isWithin(first, size + 1)) throw new RangeError(`a tree of ${size} does not begin with one of ${first}`);
  if (first === 0 || first === size) return [];
  const path: Hash[] = [];
  let [low, high] = [0, size];
  while (high !== first) {
    const middle = low + split(high - low);
    if (first <= middle) {
      path.push(rangeHash(nodes, middle, high));
      high = middle;
    } else {
      path.push(rangeHash(nodes, low, middle));
      low = middle;
    }
  }
  // What is left is a subtree of the older tree: known already where that is the whole of it.
  if (low > 0) path.push(rangeHash(nodes, low, high));
  return path.reverse();
}

/** Whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isWithin(index, size)) return false;
  let [fn, sn] = [BigInt(index), BigInt(size - 1)];
  let result = leaf;
  for (const part of proof) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      result = nodeHash(part, result);
      while ((fn & 1n) === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      result = nodeHash(result, part);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && isSame(result, root);
}

/** Whether the proof shows that the second tree begins with the first (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Hash },
  second: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && isSame(first.root, second.root);
  if (first.size === 0) return proof.length === 0 && isSame(first.root, EMPTY_ROOT);
  let [fn, sn] = [BigInt(first.size - 1), BigInt(second.size - 1)];
  while ((fn & 1n) === 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  const path = fn === 0n ? [first.root, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let [older, newer] = [start, start];
  for (const part of rest) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      older = nodeHash(part, older);
      newer = nodeHash(part, newer);
      while ((fn & 1n) === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      newer = nodeHash(newer, part);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && isSame(older, first.root) && isSame(newer, second.root);
}

/** Tiles that roots and proofs about the leaves `indexes` of a tree of `size` read, each once. */
export function tilesFor(size: number, indexes: readonly number[]): readonly Tile[] {
  const tiles = new Map<string, Tile>();
  for (let level = 0, width = size; width > 0; level++, width = Math.floor(width / TILE_WIDTH)) {
    // The last tile of a level has what no higher level covers yet.
    for (const place of [width - 1, ...indexes.map((index) => Math.floor(index / TILE_WIDTH ** level))]) {
      if (place >= width) continue;
      const tile = Math.floor(place / TILE_WIDTH);
      tiles.set(`${level}/${tile}`, { level, tile });
    }
  }
  return [...tiles.values()];
}

/** Nodes above the leaves that become complete when leaves are added: 256 of a level make one of the next. */
export function completedNodes(
  nodes: Nodes,
  size: number,
  added: number,
): readonly { readonly level: number; readonly index: number; readonly hash: Hash }[] {
  const completed: { readonly level: number; readonly index: number; readonly hash: Hash }[] = [];
  const fresh = new Map<string, Hash>();
  const both: Nodes = { at: (level, index) => fresh.get(`${level}/${index}`) ?? nodes.at(level, index) };
  let [before, after] = [size, size + added];
  for (let level = 1; ; level++) {
    [before, after] = [Math.floor(before / TILE_WIDTH), Math.floor(after / TILE_WIDTH)];
    if (after === before) return completed;
    for (let index = before; index < after; index++) {
      const from = index * TILE_WIDTH;
      const node = balanced(both, level - 1, from, from + TILE_WIDTH);
      fresh.set(`${level}/${index}`, node);
      completed.push({ level, index, hash: node });
    }
  }
}

/** MTH of the leaves `[low, high)`, where `low` is a multiple of the largest power of two that is not above their number. */
function rangeHash(nodes: Nodes, low: number, high: number): Hash {
  const width = high - low;
  const left = split(width + 1); // the largest power of two within
  if (left < width) return nodeHash(rangeHash(nodes, low, low + left), rangeHash(nodes, low + left, high));
  const level = Math.floor(Math.log2(width) / TILE_BITS);
  const unit = TILE_WIDTH ** level;
  return balanced(nodes, level, low / unit, high / unit);
}

/** Of a power of two of nodes. */
function balanced(nodes: Nodes, level: number, from: number, to: number): Hash {
  if (to - from === 1) return nodes.at(level, from);
  const middle = (from + to) / 2;
  return nodeHash(balanced(nodes, level, from, middle), balanced(nodes, level, middle, to));
}

/** The largest power of two below `width`, which is at least 2. */
function split(width: number): number {
  let power = 1;
  while (power * 2 < width) power *= 2;
  return power;
}

function isWithin(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}

function isSame(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}
