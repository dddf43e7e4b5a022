// In charge of one writer's chain: its id, key, gapless sequence and links. It must never give the same sequence number to two
// records that could both be committed: it goes on only from what is known to be committed.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { CanonicalMember } from '../../core/record/canonical.ts';
import { recordText } from '../../core/record/envelope.ts';
import { recordHash } from '../../core/record/hash.ts';
import { randomNonce, uuidv7 } from '../../core/record/uuid.ts';
import type { RecordEntry } from '../../model/record.ts';
import { certifyWriter, headText, type WriterCertificate } from './writer-key.ts';

/** An entry whose body has proven to be recordable. */
export interface PreparedEntry {
  readonly entry: RecordEntry;
  readonly members: readonly CanonicalMember[];
}

export interface SealedRecord {
  readonly entry: RecordEntry;
  readonly seq: number;
  readonly at: number;
  readonly bytes: Buffer;
  readonly hash: Buffer;
}

export interface Head {
  readonly seq: number;
  readonly hash: Buffer;
}

/** Records with their places in the chain, ready to be committed together. Immutable once sent. */
export interface SealedBatch {
  readonly writer: string;
  readonly records: readonly SealedRecord[];
  /** What this batch follows; null for a writer's first. */
  readonly previous: Head | null;
  readonly head: Head;
  readonly signature: Buffer;
  /** Where batches were put together: the heads of those before the last. */
  readonly earlierHeads?: readonly SignedHead[];
}

export interface SignedHead extends Head {
  readonly signature: Buffer;
}

export interface WriterChain {
  readonly writer: string;
  readonly certificate: WriterCertificate;
  /** The last record that is known to be durable: committed, or in the journal. */
  acknowledged(): Head | null;
  /** The last record that is known to be committed. */
  delivered(): Head | null;
  /** Gives the entries the next places. The same places again, until `advance`. */
  seal(entries: readonly PreparedEntry[]): SealedBatch;
  /** The batch is durable: what comes next follows it. */
  advance(batch: SealedBatch): void;
  /** The database has everything up to there. */
  deliver(head: Head): void;
}

export function openWriterChain(certifier: KeyObject, now: number): WriterChain {
  const writer = uuidv7(now);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  let committed: Head | null = null;
  let committedAt = now;
  let delivered: Head | null = null;

  function seal(entries: readonly PreparedEntry[]): SealedBatch {
    const previous = committed;
    let seq = (previous?.seq ?? -1) + 1;
    let prev = previous?.hash ?? null;
    let latest = committedAt;
    const records: SealedRecord[] = [];
    for (const { entry, members } of entries) {
      // Time within a writer never goes back, also where entries were not appended in the order of their times.
      latest = Math.max(latest, entry.at);
      const { kind, id } = entry;
      const link = prev === null ? null : prev.toString('hex');
      const text = recordText({ kind, id, writer, seq, prev: link, nonce: randomNonce(), at: latest }, members);
      const bytes = Buffer.from(text, 'utf8');
      const hash = recordHash(bytes);
      records.push({ entry, seq, at: latest, bytes, hash });
      prev = hash;
      seq++;
    }
    if (prev === null || records.length === 0) throw new RangeError('a batch holds at least one record');
    const head: Head = { seq: seq - 1, hash: prev };
    return {
      writer,
      records,
      previous,
      head,
      signature: sign(null, headText(writer, head.seq, head.hash), privateKey),
    };
  }

  function advance(batch: SealedBatch): void {
    if (batch.previous !== committed) throw new Error('the batch does not follow the last durable one');
    committed = batch.head;
    committedAt = batch.records.at(-1)?.at ?? committedAt;
  }

  const certificate = certifyWriter(certifier, writer, publicKey);
  return {
    writer,
    certificate,
    acknowledged: () => committed,
    delivered: () => delivered,
    seal,
    advance,
    deliver: (head) => void (delivered = head),
  };
}
