import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { recordHash } from '../../../src/core/record/hash.ts';
import { createLineage } from '../../../src/io/log/lineage.ts';
import { prepareEntry } from '../../../src/io/log/unit.ts';
import {
  type ChainHead,
  type ChainInput,
  type ChainRow,
  previousHeadOf,
  verifyChain,
} from '../../../src/io/log/verify-chain.ts';
import { openWriterChain, type SealedBatch } from '../../../src/io/log/writer-chain.ts';
import { certifier, certifierPublicKey, columnsOf, entryAt } from '../../helpers/recorder.ts';

const NOW = Date.parse('2026-03-10T14:00:00.123Z');

interface Written {
  readonly writer: string;
  readonly rows: ChainRow[];
  readonly heads: ChainHead[];
}

/** A writer's opening and `batches` batches of three. */
function write(batches: number): Written {
  const clock = { now: () => NOW };
  const lineage = createLineage({ certifier, engine: '0.0.0-test', clock, report: () => undefined });
  const chain = lineage.open();
  const written: SealedBatch[] = [];
  for (let index = 0; index <= batches; index++) {
    const entries = [1, 2, 3].map(() => prepareEntry(entryAt(NOW + index, { walls: ['W-1'] })));
    const batch = chain.seal(index === 0 ? lineage.openingUnit(chain).entries : entries);
    chain.advance(batch);
    written.push(batch);
  }
  return {
    writer: chain.writer,
    rows: written.flatMap((batch) =>
      batch.records.map(({ seq, hash, at, bytes, entry: { id, kind, columns } }) => ({
        seq,
        hash,
        record: { ...columns, id, kind, at: new Date(at), bytes },
      })),
    ),
    heads: written.map(({ head, signature }) => ({ ...head, signature })),
  };
}

function problemsOf(written: Written, changes: Partial<ChainInput> = {}): readonly string[] {
  const report = verifyChain({ ...written, certifier: certifierPublicKey, columnsOf, ...changes });
  return report.problems.map(({ seq, problem, detail }) => `${seq} ${problem} ${detail}`.trim());
}

/** The rows with one of them changed. */
function edit(written: Written, seq: number, change: (row: ChainRow) => ChainRow): Written {
  return { ...written, rows: written.rows.map((row) => (row.seq === seq ? change(row) : row)) };
}

/** A record with other bytes, everything that a forger can compute put right. */
function rewrite(row: ChainRow, from: string, to: string): ChainRow {
  if (row.record === null) return row;
  const bytes = Buffer.from(Buffer.from(row.record.bytes).toString().replace(from, to));
  return { ...row, hash: recordHash(bytes), record: { ...row.record, bytes } };
}

t.test('what a writer wrote verifies, also where payloads were purged', async (t) => {
  const written = write(4);
  t.same(problemsOf(written), []);
  t.equal(verifyChain({ ...written, certifier: certifierPublicKey, columnsOf }).records, 13);
  const purged = { ...written, rows: written.rows.map((row) => (row.seq % 5 === 2 ? { ...row, record: null } : row)) };
  t.same(problemsOf(purged), []);
});

t.test('every kind of tampering is named, with the first record that shows it', async (t) => {
  const written = write(3);
  const payload = (row: ChainRow, changes: object): ChainRow => ({
    ...row,
    record: row.record === null ? null : { ...row.record, ...changes },
  });
  t.same(
    problemsOf(edit(written, 5, (row) => payload(row, { bytes: Buffer.from('{}') }))).slice(0, 2),
    ['5 hash_differs', '5 link_broken'],
    'an edit of the bytes',
  );
  t.same(
    problemsOf(edit(written, 5, (row) => rewrite(row, '"allow"', '"deny"'))),
    ['5 column_differs outcome', '6 link_broken'],
    'an edit with its hash',
  );
  t.same(problemsOf(edit(written, 5, (row) => payload(row, { outcome: 'deny' }))), ['5 column_differs outcome']);
  t.same(problemsOf(edit(written, 5, (row) => payload(row, { walls: [] }))), ['5 column_differs walls']);
  t.same(problemsOf(edit(written, 5, (row) => payload(row, { at: new Date(0) }))), ['5 column_differs at']);
  t.same(problemsOf(edit(written, 5, (row) => payload(row, { kind: 'read' }))), ['5 column_differs kind']);
  t.same(
    problemsOf(edit(written, 5, (row) => rewrite(row, '{', '{ '))),
    ['5 bytes_not_canonical', '6 link_broken'],
    'other bytes of the same value',
  );
  const cut = { ...written, rows: written.rows.filter((row) => row.seq !== 5) };
  t.same(problemsOf(cut), ['6 sequence_gap 5 is missing', '6 link_broken'], 'a deletion');
  const tail = { ...written, rows: written.rows.slice(0, -1), heads: written.heads.slice(0, -1) };
  t.same(problemsOf(tail), ['8 tail_not_signed'], 'a tail cut within a batch');
  t.same(problemsOf({ ...written, rows: written.rows.slice(0, -3) }), ['9 head_differs']);
  const forged = edit(written, 9, (row) => rewrite(row, '"allow"', '"deny"'));
  t.same(problemsOf(forged), ['9 column_differs outcome', '9 head_differs'], 'the last record');
  const heads = forged.heads.map((head) =>
    head.seq === 9 ? { ...head, hash: forged.rows[9]?.hash ?? head.hash } : head,
  );
  t.same(problemsOf({ ...forged, heads }), ['9 column_differs outcome', '9 head_signature_invalid'], 'with its head');
});

t.test('a tail that the next writer knew to be committed is named when it is missing', async (t) => {
  const written = write(3);
  const followed = { seq: 9, hash: written.heads.at(-1)?.hash ?? Buffer.alloc(0) };
  t.same(problemsOf(written, { followed }), [], 'all there');
  const cut = { ...written, rows: written.rows.slice(0, -3), heads: written.heads.slice(0, -1) };
  t.same(problemsOf(cut), [], 'of itself, a chain that ends sooner is in order');
  t.same(problemsOf(cut, { followed }), ['7 tail_missing 7 to 9 are missing']);
  t.same(problemsOf({ ...written, rows: [], heads: [] }, { followed }), ['0 tail_missing 0 to 9 are missing']);
  const other = { seq: 9, hash: Buffer.alloc(32) };
  t.same(problemsOf(written, { followed: other }), ['9 head_differs not what the next writer followed']);

  const head = { seq: 9, hash: 'ab' };
  const opening = { kind: 'writer_opened', previous: written.writer, previous_head: head };
  t.same(previousHeadOf(opening), { writer: written.writer, seq: 9, hash: Buffer.from('ab', 'hex') });
  for (const nothing of [
    { ...opening, previous: null, previous_head: null },
    { ...opening, previous_head: { seq: '9', hash: 'ab' } },
    { ...opening, kind: 'decision' },
  ]) {
    t.equal(previousHeadOf(nothing), null);
  }
});

t.test('a whole chain made up by somebody else does not verify', async (t) => {
  const forger = generateKeyPairSync('ed25519').privateKey;
  t.match(problemsOf(write(1), { certifier: generateKeyPairSync('ed25519').publicKey }), [
    '0 certificate_invalid',
    '0 head_signature_invalid',
    '3 head_signature_invalid',
  ]);
  const chain = openWriterChain(forger, NOW);
  const batch = chain.seal([prepareEntry(entryAt(NOW))]);
  const { seq, hash } = batch.head;
  const rows = [{ seq, hash, record: null }];
  t.same(problemsOf({ writer: chain.writer, rows, heads: [{ seq, hash, signature: batch.signature }] }), [
    '0 certificate_invalid',
    '0 head_signature_invalid',
  ]);
  t.same(problemsOf({ writer: chain.writer, rows: [], heads: [] }), []);
});

t.test('a chain goes on only from what was committed', async (t) => {
  const chain = openWriterChain(certifier, NOW);
  const entries = [prepareEntry(entryAt(NOW))];
  const first = chain.seal(entries);
  const again = chain.seal(entries);
  t.equal(first.head.seq, again.head.seq, 'a batch that was rolled back gave its numbers back');
  chain.advance(again);
  t.throws(() => chain.advance(first), /does not follow/);
  t.equal(chain.seal(entries).head.seq, 1);
  t.throws(() => chain.seal([]), { name: 'RangeError' });
});
