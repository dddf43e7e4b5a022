// Writes and reads cursors: a position in the log, bound to one question of one reader. It must never hold anything that the reader has
// not seen. It needs no secret, so that any process takes it: whoever makes one up has only chosen where to begin, and every row from
// there is permitted anew.
import { hash } from 'node:crypto';
import { canonicalize } from '../record/canonical.ts';
import { uuidBytes } from '../record/uuid.ts';
import type { Search } from './search.ts';
import { wrong } from './search.ts';

export interface CursorOwner {
  readonly reader: string;
  readonly caller: string;
}

const VERSION = 1;
const ID_BYTES = 16;
const DIGEST_BYTES = 16;
const LENGTH = 1 + ID_BYTES + DIGEST_BYTES;

/** @param position an id; rows after it, in the order of the question, come next */
export function writeCursor(position: string, search: Search, owner: CursorOwner): string {
  const id = uuidBytes(position);
  return Buffer.concat([Buffer.of(VERSION), id, digestOf(id, search, owner)]).toString('base64url');
}

/** @throws PrivityError `malformed_request` for what was not written for this question and reader */
export function readCursor(text: string, search: Search, owner: CursorOwner): string {
  const bytes = Buffer.from(text, 'base64url');
  const id = bytes.subarray(1, 1 + ID_BYTES);
  const isOurs =
    bytes.length === LENGTH &&
    bytes.toString('base64url') === text &&
    bytes[0] === VERSION &&
    digestOf(id, search, owner).equals(bytes.subarray(1 + ID_BYTES));
  if (!isOurs) {
    throw wrong(
      'cursor',
      'was not given for this query and this reader: begin without it, or send the query it came from',
    );
  }
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function digestOf(id: Buffer, search: Search, { reader, caller }: CursorOwner): Buffer {
  const { view, order, filter, from, to } = search;
  const bound = canonicalize({ v: VERSION, id: id.toString('hex'), view, order, filter, from, to, reader, caller });
  return hash('sha256', bound, 'buffer').subarray(0, DIGEST_BYTES);
}
