import t from 'tap';
import { openRig } from './rig.ts';

t.test('a log as it was written verifies, from the database and from an export', async (t) => {
  const rig = await openRig(t);
  const report = await rig.verify();
  console.error(JSON.stringify(report, null, 1));
  t.equal(report.verdict, 'intact');
  const offline = await rig.verifyExport();
  console.error(JSON.stringify(offline, null, 1));
  t.equal(offline.verdict, 'intact');
  t.equal((await rig.verifyExport(await rig.exportTo('export.ndjson.gz', true))).verdict, 'intact');
});
