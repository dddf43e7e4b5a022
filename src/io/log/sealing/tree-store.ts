// Reads the hashes of the tree that roots and proofs need, a few tiles at a time. It must never compute a hash itself, nor say that
// a node is there which is not.
import type pg from 'pg';
import { type Hash, type Nodes, type Tile, TILE_WIDTH, tilesFor } from '../../../core/sealing/tree.ts';

type Queryable = Pick<pg.ClientBase, 'query'>;

export interface LoadedNodes extends Nodes {
  put(level: number, index: number, hash: Hash): void;
}

/** What roots and proofs about the leaves `indexes` in a tree of `size` read. */
export async function loadNodes(client: Queryable, size: number, indexes: readonly number[]): Promise<LoadedNodes> {
  const kept = new Map<string, Hash>();
  for (const tile of tilesFor(size, indexes)) {
    for (const [index, hash] of await readTile(client, tile)) kept.set(keyOf(tile.level, index), hash);
  }
  return {
    at(level, index) {
      const found = kept.get(keyOf(level, index));
      if (found === undefined) throw new Error(`the tree lacks node ${index} of level ${level}`);
      return found;
    },
    put: (level, index, hash) => void kept.set(keyOf(level, index), hash),
  };
}

async function readTile(client: Queryable, { level, tile }: Tile): Promise<readonly (readonly [number, Hash])[]> {
  const [from, until] = [String(tile * TILE_WIDTH), String((tile + 1) * TILE_WIDTH)];
  const { rows } =
    level === 0
      ? await client.query<{ index: number | string; hash: Buffer }>(
          'select leaf_index as index, hash from public.leaves where leaf_index >= $1 and leaf_index < $2',
          [from, until],
        )
      : await client.query<{ index: number | string; hash: Buffer }>(
          'select node_index as index, hash from public.tree_nodes where level = $3 and node_index >= $1 and node_index < $2',
          [from, until, level],
        );
  return rows.map(({ index, hash }) => [Number(index), hash] as const);
}

function keyOf(level: number, index: number): string {
  return `${level}/${index}`;
}
