import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  completedNodes,
  consistencyProof,
  createCompactRange,
  inclusionProof,
  rootAt,
  rootOf,
  tilesFor,
  TILE_WIDTH,
  verifyConsistency,
  verifyInclusion,
  type Hash,
  type Nodes,
} from '../../../src/core/sealing/tree.ts';

const sha = (...parts: readonly Uint8Array[]) =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
const leafOf = (entry: Uint8Array) => sha(Uint8Array.of(0), entry);

/** The words of RFC 9162, 2.1.1, taken as they stand. */
function mth(leaves: readonly Hash[]): Hash {
  const [only] = leaves;
  if (only === undefined) return sha();
  if (leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

/** Leaves, and the nodes above them as they are kept: only those that were complete when leaves were added. */
function grow(leaves: readonly Hash[], steps: readonly number[]): Nodes {
  const kept = new Map<string, Hash>();
  const nodes: Nodes = {
    at(level, index) {
      const found = kept.get(`${level}/${index}`);
      if (found === undefined) throw new Error(`node ${level}/${index} is not kept`);
      return found;
    },
  };
  let size = 0;
  for (const step of [...steps, leaves.length]) {
    const added = leaves.slice(size, size + step);
    added.forEach((leaf, offset) => kept.set(`0/${size + offset}`, leaf));
    for (const { level, index, hash } of completedNodes(nodes, size, added.length)) kept.set(`${level}/${index}`, hash);
    size += added.length;
  }
  return nodes;
}

const many = (count: number, salt = '') =>
  Array.from({ length: count }, (_, index) => leafOf(Buffer.from(`${salt}${index}`)));

t.test('roots of known trees', async (t) => {
  // The eight inputs of the test suite of certificate-transparency (merkletree tests), and their roots.
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const leaves = inputs.map((hex) => leafOf(Buffer.from(hex, 'hex')));
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  for (const [size, expected] of roots.entries()) {
    t.equal(Buffer.from(rootOf(leaves.slice(0, size))).toString('hex'), expected, `${size} leaves`);
    t.equal(Buffer.from(mth(leaves.slice(0, size))).toString('hex'), expected);
  }
});

t.test('roots and proofs agree with the words of RFC 9162, however the tree grew', async (t) => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256, 257, 511, 513, 700));
  fc.assert(
    fc.property(
      sizes,
      fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }),
      fc.nat(),
      fc.nat(),
      (size, steps, a, b) => {
        const leaves = many(size);
        const nodes = grow(leaves, steps);
        const [index, first] = [a % size, b % (size + 1)];
        const root = rootAt(nodes, size);
        const older = rootAt(nodes, first);
        t.equal(Buffer.compare(root, mth(leaves)), 0);
        t.equal(Buffer.compare(older, mth(leaves.slice(0, first))), 0);
        t.ok(verifyInclusion(leaves[index] ?? root, index, size, inclusionProof(nodes, index, size), root));
        const proof = consistencyProof(nodes, first, size);
        t.ok(verifyConsistency({ size: first, root: older }, { size, root }, proof), `${first} of ${size}`);
      },
    ),
    { numRuns: 120 },
  );
});

t.test('nothing but the right proof is accepted', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, c) => {
      const leaves = many(size);
      const nodes = grow(leaves, []);
      const [index, first] = [a % size, 1 + (b % (size - 1))];
      const [root, older] = [rootAt(nodes, size), rootAt(nodes, first)];
      const leaf = leaves[index] ?? root;
      const [inclusion, consistency] = [inclusionProof(nodes, index, size), consistencyProof(nodes, first, size)];
      const damaged = (proof: readonly Hash[]): (readonly Hash[])[] => [
        [...proof, leaf],
        proof.slice(0, -1),
        proof.map((one, place) => (place === c % proof.length ? leafOf(one) : one)),
        proof.length > 1 ? proof.toReversed() : [leafOf(root)],
      ];
      for (const wrong of damaged(inclusion)) t.notOk(verifyInclusion(leaf, index, size, wrong, root));
      t.notOk(verifyInclusion(leafOf(leaf), index, size, inclusion, root));
      t.notOk(verifyInclusion(leaf, (index + 1) % size, size, inclusion, root));
      t.notOk(verifyInclusion(leaf, size, size, inclusion, root));
      for (const wrong of damaged(consistency))
        t.notOk(verifyConsistency({ size: first, root: older }, { size, root }, wrong));
      t.notOk(verifyConsistency({ size: first, root: leafOf(older) }, { size, root }, consistency));
      t.notOk(verifyConsistency({ size: first, root: older }, { size, root: leafOf(root) }, consistency));
      t.notOk(verifyConsistency({ size, root }, { size: first, root: older }, consistency));
    }),
    { numRuns: 120 },
  );
  const odd = rootOf(many(3));
  t.notOk(
    verifyConsistency({ size: 3, root: odd }, { size: 3, root: rootOf(many(3, 'x')) }, []),
    'another tree of the same size',
  );
  t.throws(() => inclusionProof(grow(many(3), []), 3, 3), RangeError);
  t.throws(() => consistencyProof(grow(many(3), []), 4, 3), RangeError);
});

t.test('a root or proof reads only the tiles that are named for it', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70_000 }), fc.nat(), fc.nat(), (size, a, b) => {
      const [index, first] = [a % size, 1 + (b % size)];
      const named = new Set(tilesFor(size, [index, first - 1]).map(({ level, tile }) => `${level}/${tile}`));
      const one = leafOf(Buffer.from('any'));
      const nodes: Nodes = {
        at(level, place) {
          if (place >= Math.floor(size / TILE_WIDTH ** level)) throw new Error(`${level}/${place} is not complete`);
          if (!named.has(`${level}/${Math.floor(place / TILE_WIDTH)}`))
            throw new Error(`${level}/${place} is not named`);
          return one;
        },
      };
      rootAt(nodes, size);
      inclusionProof(nodes, index, size);
      consistencyProof(nodes, first, size);
      t.ok(named.size <= 9, 'at most three tiles of each level');
    }),
    { numRuns: 300 },
  );
});

t.test('a compact range grows leaf by leaf', async (t) => {
  const leaves = many(300);
  const range = createCompactRange();
  for (const [index, leaf] of leaves.entries()) {
    if (index % 37 === 0) t.equal(Buffer.compare(range.root(), mth(leaves.slice(0, index))), 0, `${index} leaves`);
    range.append(leaf);
  }
  t.equal(range.size(), 300);
});
