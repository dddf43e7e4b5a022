// Sealed batches of one writer for tests of the journal, which looks at nothing but their bytes and places.
import { openWriterChain, type SealedBatch } from '../../../../src/io/log/writer-chain.ts';
import { prepareEntry } from '../../../../src/io/log/unit.ts';
import { certifier, entryAt } from '../../../helpers/recorder.ts';

/** Each follows the one before. */
export function batchMaker(): (records?: number, note?: string) => SealedBatch {
  const chain = openWriterChain(certifier, Date.now());
  return (records = 1, note = '') => {
    const entries = Array.from({ length: records }, () => prepareEntry(entryAt(Date.now(), {}, { note })));
    const batch = chain.seal(entries);
    chain.advance(batch);
    return batch;
  };
}

/** What Postgres would get. */
export function essence(batch: SealedBatch) {
  const { writer, previous, head, signature, records } = batch;
  return {
    writer,
    previous,
    head,
    signature,
    records: records.map(({ entry, seq, at, bytes, hash }) => ({
      id: entry.id,
      kind: entry.kind,
      columns: entry.columns,
      seq,
      at,
      bytes: bytes.toString(),
      hash,
    })),
  };
}
