import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import { NO_COLUMNS } from '../../src/model/record.ts';
import { openRig, type SecondReport } from './rig.ts';
import type { VerifyReport } from '../../src/io/log/verify/report.ts';

const rig = await openRig(t, 80);
const [writer = ''] = rig.writers[0]?.writers() ?? [];

/** Both verifiers and both sources, in one word each. */
async function verdicts(): Promise<readonly string[]> {
  const file = await rig.exportTo('export.ndjson');
  const reports = [await rig.verify(), await rig.verifyExport(file), await rig.verifyElsewhere(file)];
  return reports.map(({ first }: VerifyReport | SecondReport) =>
    first === null ? 'intact' : `${first.kind} ${first.thing} ${first.place?.seq}`,
  );
}

async function purgeRecord(purged: Readonly<Record<string, readonly (readonly [number, number])[]>>): Promise<void> {
  const by = rig.writers[1];
  if (by === undefined) throw new Error('no writer');
  const at = by.clock.now();
  await by.append([
    { kind: 'purge', id: uuidv7(at), at, body: { purged, reason: 'retention has ended' }, columns: NO_COLUMNS },
  ]);
}

const remove = (from: number, to: number) =>
  rig.tamper('delete from decisions where writer = $1 and seq between $2 and $3', [writer, from, to]);

t.test('what a sealed purge record names may be gone, and is counted', async (t) => {
  await remove(5, 9);
  await remove(12, 12);
  t.same(await verdicts(), Array(3).fill('deletion record 5'), 'without one it is a deletion');
  await purgeRecord({
    [writer]: [
      [5, 9],
      [12, 12],
    ],
  });
  t.same(
    await verdicts(),
    Array(3).fill('deletion record 5'),
    'one that is not sealed could have been written afterwards',
  );
  await rig.seal();
  t.same(await verdicts(), Array(3).fill('intact'));
  t.match(await rig.verify(), { counts: { purged: 6 } });
  await remove(13, 13);
  t.same(await verdicts(), Array(3).fill('deletion record 13'), 'nothing more may be gone');
  await purgeRecord({ [writer]: [[13, 13]] });
  await rig.seal();
  t.same(await verdicts(), Array(3).fill('intact'));
});

t.test('what follows a hole is still bound to what was there', async (t) => {
  const { rows } = await rig.tamper('select bytes from decisions where writer = $1 and seq = 10', [writer]);
  const [kept] = rows as { readonly bytes: Buffer }[];
  await rig.tamper(
    `update decisions set bytes = convert_to(regexp_replace(convert_from(bytes, 'utf8'), '"prev":"....', '"prev":"0000'), 'utf8')
      where writer = $1 and seq = 10`,
    [writer],
  );
  t.same(await verdicts(), Array(3).fill('edit record 10'));
  await rig.tamper('update decisions set bytes = $2 where writer = $1 and seq = 10', [writer, kept?.bytes]);
  t.same(await verdicts(), Array(3).fill('intact'));
});

t.test('the record that certifies a writer is never purged', async (t) => {
  await purgeRecord({ [writer]: [[0, 0]] });
  await rig.seal();
  await remove(0, 0);
  t.same(await verdicts(), Array(3).fill('deletion record 0'));
});

t.test('an export for one reader proves what it holds, and says what it does not', async (t) => {
  const lines = (await readFile(await rig.exportTo('whole.ndjson'), 'utf8')).split('\n');
  const shown = lines.filter((line, index) => !line.startsWith('{"record"') || index % 3 === 1);
  const records = shown.filter((line) => line.startsWith('{"record"')).length;
  const file = path.join(rig.folder, 'filtered.ndjson');
  const text = shown.join('\n').replace('"complete":true', '"complete":false');
  await writeFile(file, text.replace(/"end":\{"records":\d+/, `"end":{"records":${records}`));
  const report = await rig.verifyExport(file);
  t.match(report, { verdict: 'intact', counts: { records } }, JSON.stringify(report.first));
  t.match(report.notes.join('\n'), /the records that its reader may see/);
  t.match(await rig.verifyElsewhere(file), { verdict: 'intact' });
  const changed = path.join(rig.folder, 'changed.ndjson');
  await writeFile(changed, (await readFile(file, 'utf8')).replace('u-lind', 'u-bobb'));
  t.match(await rig.verifyExport(changed), { first: { kind: 'edit', thing: 'record' } });
  t.match(await rig.verifyElsewhere(changed), { first: { kind: 'edit', thing: 'record' } });
});
