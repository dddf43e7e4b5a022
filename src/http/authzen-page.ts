// Pages of AuthZEN searches (AuthZEN 1.0, section 8.1.2): a token is the last result that was given, bound to the question. It needs no
// secret: whoever makes one up has only chosen where to begin. It must never hold what the asker was not given.
import { hash } from 'node:crypto';
import { canonicalize } from '../core/record/canonical.ts';
import { malformed } from './body.ts';

/** What must be the same on every page. */
export type PageOf = Readonly<Record<string, unknown>>;

const DIGEST_BYTES = 16;
const VERSION = 1;

export function writePageToken(last: string, of: PageOf): string {
  const id = Buffer.from(last, 'utf8');
  return Buffer.concat([Buffer.of(VERSION), digestOf(id, of), id]).toString('base64url');
}

/** @throws PrivityError `malformed_request` for what was not given for this question */
export function readPageToken(token: string, of: PageOf): string {
  const bytes = Buffer.from(token, 'base64url');
  const id = bytes.subarray(1 + DIGEST_BYTES);
  const isOurs =
    bytes.length >= 1 + DIGEST_BYTES &&
    bytes[0] === VERSION &&
    bytes.toString('base64url') === token &&
    digestOf(id, of).equals(bytes.subarray(1, 1 + DIGEST_BYTES));
  if (!isOurs) throw malformed('was not given for this search: begin without it', '/page/token');
  return id.toString('utf8');
}

function digestOf(id: Buffer, of: PageOf): Buffer {
  return hash('sha256', canonicalize({ v: VERSION, id: id.toString('hex'), of }), 'buffer').subarray(0, DIGEST_BYTES);
}
