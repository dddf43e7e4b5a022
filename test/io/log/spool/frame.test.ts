// Entries of the journal: what comes out is what went in, and no changed or missing byte goes unnoticed.
import fc from 'fast-check';
import t from 'tap';
import { decodeFrame, encodeFrame, findFrame, hasFrameAfter } from '../../../../src/io/log/spool/frame.ts';
import { mergeBatches } from '../../../../src/io/log/spool/merge.ts';
import { runs } from '../../../helpers/runs.ts';
import { batchMaker, essence } from './batches.ts';

t.test('what comes out is what went in, whatever the texts', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.string({ unit: 'binary' }).map(clean)), {
        minLength: 1,
        maxLength: 6,
      }),
      (sizes) => {
        const make = batchMaker();
        const batches = sizes.map(([records, note]) => make(records, note));
        const file = Buffer.concat(batches.map((batch, serial) => encodeFrame(batch, serial)));
        let offset = 0;
        for (const [serial, batch] of batches.entries()) {
          const result = findFrame(file, offset);
          if (result.found !== 'frame') throw new Error(result.found);
          const { frame } = result;
          const { writer, records } = batch;
          t.match(frame, { serial, writer, entries: records.length, at: records[0]?.at });
          t.strictSame(essence(decodeFrame(file.subarray(offset, offset + frame.length))), essence(batch));
          offset += frame.length;
        }
        return findFrame(file, offset).found === 'ends';
      },
    ),
    runs(20),
  );
});

t.test('a byte that is changed or missing is noticed, wherever it is', async (t) => {
  const make = batchMaker();
  const frame = encodeFrame(make(2), 7);
  const behind = encodeFrame(make(), 8);
  for (let at = 0; at < frame.length; at++) {
    const changed = Buffer.from(frame);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    if (findFrame(changed, 0).found !== 'bad') t.fail(`byte ${at} changed: ${findFrame(changed, 0).found}`);
    if (at > 0 && findFrame(frame.subarray(0, at), 0).found !== 'short') t.fail(`cut at ${at}`);
    if (!hasFrameAfter(Buffer.concat([changed, behind]), 0)) t.fail(`byte ${at}: what lies behind is not found`);
  }
  t.notOk(hasFrameAfter(frame, 0));
  t.throws(() => decodeFrame(frame.subarray(0, -1)), /not there any more/);
});

t.test('batches are put together with all their heads, or not at all', async (t) => {
  const make = batchMaker();
  const [first, second, third] = [make(2), make(1), make(3)];
  const merged = mergeBatches([first, second, third]);
  t.same(
    merged.records.map(({ seq }) => seq),
    [0, 1, 2, 3, 4, 5],
  );
  t.strictSame([merged.previous, merged.head, merged.signature], [null, third.head, third.signature]);
  t.strictSame(
    merged.earlierHeads,
    [first, second].map(({ head, signature }) => ({ ...head, signature })),
  );
  t.equal(mergeBatches([first]), first);
  t.throws(() => mergeBatches([first, third]), /does not follow/);
  t.throws(() => mergeBatches([first, batchMaker()()]), /does not follow/);
});

/** What bodies may hold. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '');
}
