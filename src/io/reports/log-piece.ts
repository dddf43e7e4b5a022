// Holds some rows of the log as the bytes that PostgreSQL sent, for those who read very many of them. It must never make anything of a row
// before somebody looks at it.
import type pg from 'pg';
import { uuidText } from '../../core/record/uuid.ts';

/** How blocks of rows are read and taken apart: in PostgreSQL's binary COPY format. */
export interface CopyReader {
  copyOut(
    client: pg.ClientBase,
    select: string,
    pool: BlockPool,
    around: { readonly before: string; readonly after: string },
  ): AsyncIterable<Buffer<ArrayBuffer>>;
  readRows(block: Buffer): RowReader;
  /** @param most blocks that it keeps */
  createPool(most: number): BlockPool;
}

interface BlockPool {
  take(bytes: number): Buffer<ArrayBuffer>;
  giveBack(block: ArrayBuffer): void;
}

interface RowReader {
  nextRow(): boolean;
  nextField(): number;
  at: number;
}

/** The row that `next` went to. */
export interface PieceRow {
  readonly id: string;
  readonly kind: string;
  /** The record's bytes are `[from, to)` of it; from is -1 where the row does not match. */
  readonly block: Buffer;
  readonly from: number;
  readonly to: number;
}

export interface LogPiece {
  readonly count: number;
  /** Id of the last row; null where there is none. */
  readonly last: string | null;
  readonly row: PieceRow;
  next(): boolean;
  /** Nothing of it is looked at any more. */
  release(): void;
}

/** Rows of id, kind and bytes. */
export function pieceOf(blocks: readonly Buffer<ArrayBuffer>[], copy: CopyReader, pool: BlockPool): LogPiece {
  let count = 0;
  let last: string | null = null;
  for (const block of blocks) {
    let lastAt = -1;
    for (const rows = copy.readRows(block); rows.nextRow(); count++) {
      rows.nextField();
      const { at } = rows;
      rows.nextField();
      rows.nextField();
      lastAt = at;
    }
    if (lastAt >= 0) last = uuidText(block, lastAt);
  }
  let place = 0;
  let block = blocks[0] ?? Buffer.alloc(0);
  let rows = copy.readRows(block);
  const at = { id: 0, kind: 0, kindLength: 0 };
  const row = {
    get id() {
      return uuidText(row.block, at.id);
    },
    get kind() {
      return row.block.toString('utf8', at.kind, at.kind + at.kindLength);
    },
    block,
    from: -1,
    to: -1,
  };
  return {
    count,
    last,
    row,
    next() {
      while (!rows.nextRow()) {
        const following = blocks[++place];
        if (following === undefined) return false;
        block = following;
        rows = copy.readRows(block);
      }
      row.block = block;
      rows.nextField();
      at.id = rows.at;
      at.kindLength = rows.nextField();
      at.kind = rows.at;
      const length = rows.nextField();
      row.from = length < 0 ? -1 : rows.at;
      row.to = rows.at + length;
      return true;
    },
    release() {
      for (const one of blocks) pool.giveBack(one.buffer);
    },
  };
}
