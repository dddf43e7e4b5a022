import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { COLUMNS } from '../../src/core/record/columns.ts';
import { runs } from '../helpers/runs.ts';
import { openRig } from './rig.ts';

const rig = await openRig(t, 270);
await rig.closeWriters();

/** Columns of every table, and how one bit of a value of each is changed. */
const BYTES: readonly (readonly [table: string, column: string])[] = [
  ['decisions', 'bytes'],
  ['commitments', 'hash'],
  ['leaves', 'hash'],
  ['heads', 'hash'],
  ['heads', 'signature'],
  ['checkpoints', 'root'],
  ['tree_nodes', 'hash'],
];
const NUMBERS: readonly (readonly [table: string, column: string])[] = [
  ['decisions', 'seq'],
  ['commitments', 'seq'],
  ['leaves', 'seq'],
  ['leaves', 'leaf_index'],
  ['heads', 'seq'],
  ['checkpoints', 'size'],
  ['tree_nodes', 'node_index'],
];
const UUIDS: readonly (readonly [table: string, column: string])[] = [
  ['decisions', 'id'],
  ['decisions', 'writer'],
  ['commitments', 'writer'],
  ['leaves', 'writer'],
  ['heads', 'writer'],
];
const TEXTS: readonly (readonly [table: string, column: string])[] = [
  ['checkpoints', 'note'],
  ...COLUMNS.map((column) => ['decisions', column] as const),
];
const flips = [
  ...BYTES.map(
    (one) => [...one, 'set_bit(X, bit % (8 * length(X))::int, 1 - get_bit(X, bit % (8 * length(X))::int))'] as const,
  ),
  ...NUMBERS.map((one) => [...one, 'X # (1::bigint << (bit % 20)::int)'] as const),
  // Not of the first digits: they are the time, and the partition.
  ...UUIDS.map(
    (one) =>
      [
        ...one,
        `overlay(X::text placing to_hex(15 - ('x' || substr(X::text, 36, 1))::bit(4)::int) from 36)::uuid`,
      ] as const,
  ),
  ...TEXTS.map(
    (one) =>
      [
        ...one,
        `overlay(X::text placing chr(ascii(substr(X::text, 2 + (bit % greatest(1, length(X::text) - 2))::int, 1)) # 1)
    from 2 + (bit % greatest(1, length(X::text) - 2))::int)`,
      ] as const,
  ),
];

t.test('a change of a single bit anywhere in the database is noticed', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...flips), fc.nat(), fc.nat(), async ([table, column, change], row, bit) => {
      const expression = change.replaceAll('X', column).replaceAll('bit ', `${bit} `).replaceAll('bit)', `${bit})`);
      const isList = ['decided_by', 'walls', 'grants', 'obligations'].includes(column);
      const value = isList ? `array_append(${column}, 'x')` : expression;
      const count = await rig.tamper(
        `select count(*)::int as n from ${table} where ${column} is not null and ${column}::text <> ''`,
      );
      const rows = (count.rows[0] as { readonly n: number }).n;
      if (rows === 0) return;
      const tampered = await rig
        .tamper(
          `update ${table} set ${column} = ${value} where ctid = (select ctid from ${table}
             where ${column} is not null and ${column}::text <> '' order by ctid offset ${row % rows} limit 1) and tableoid = tableoid`,
        )
        .catch((error: Error) => error.message);
      // What the database itself refuses, such as an outcome that there is not.
      if (typeof tampered === 'string') {
        t.match(tampered, /constraint|partition|invalid|unique/);
        return;
      }
      const report = await rig.verify();
      await rig.restore();
      t.equal(report.verdict, 'broken', `${table}.${column} row ${row % rows} bit ${bit}`);
    }),
    runs(40, 500),
  );
});

t.test('a change of a single bit anywhere in an export is noticed by both verifiers', async (t) => {
  const whole = await readFile(await rig.exportTo('whole.ndjson'));
  const file = path.join(rig.folder, 'changed.ndjson');
  const starts = [
    0,
    ...[...whole.keys()].filter((at) => whole[at] === 0x0a && at < whole.length - 90).map((at) => at + 1),
  ];
  const places = fc.oneof(
    fc.nat({ max: whole.length - 2 }),
    // What stands around the bytes of records is a small part of the file.
    fc.tuple(fc.constantFrom(...starts), fc.nat({ max: 80 })).map(([start, more]) => start + more),
  );
  await fc.assert(
    fc.asyncProperty(places, fc.nat({ max: 7 }), async (place, bit) => {
      const changed = Buffer.from(whole);
      changed[place] = (changed[place] ?? 0) ^ (1 << bit);
      await writeFile(file, changed);
      const where = `byte ${place} bit ${bit}: ${JSON.stringify(whole.toString('latin1', place - 40, place + 10))}`;
      const [report, elsewhere] = [await rig.verifyExport(file), await rig.verifyElsewhere(file)];
      t.equal(report.verdict, 'broken', where);
      t.equal(elsewhere.verdict, 'broken', where);
      const { kind, thing, leaf, place: at } = report.first ?? {};
      t.match(elsewhere.first, { kind, thing, leaf, place: at }, where);
    }),
    runs(30, 400),
  );
});

t.test('an export that was cut off anywhere is noticed', async (t) => {
  const whole = await readFile(await rig.exportTo('whole.ndjson'));
  const file = path.join(rig.folder, 'changed.ndjson');
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: whole.length - 2 }), async (length) => {
      await writeFile(file, whole.subarray(0, length));
      t.match(await rig.verifyExport(file).catch((error: Error) => ({ verdict: 'broken', error })), {
        verdict: 'broken',
      });
      t.match(await rig.verifyElsewhere(file), { verdict: 'broken' });
    }),
    runs(15, 100),
  );
});

t.test('a change of a single bit in what was published is noticed', async (t) => {
  const appended = await readFile(rig.appended);
  const notes = appended.toString('latin1').split('\n').slice(0, -1);
  const { readPublished } = await import('../../src/io/log/verify/published.ts');
  const { verifier } = await import('./rig.ts');
  const file = path.join(rig.folder, 'changed.log');
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat({ max: 7 }), async (random, bit) => {
      const line = notes[random % notes.length] ?? '';
      const start = line.indexOf('"note":"') + 8;
      // The time beside a note is not signed, and does not count.
      const place = start + (Math.floor(random / notes.length) % (line.length - 2 - start));
      const changed = Buffer.from(line, 'latin1');
      changed[place] = (changed[place] ?? 0) ^ (1 << bit);
      await writeFile(file, Buffer.concat([changed, Buffer.from('\n')]));
      const { findings, notes: told, roots } = await readPublished(file, [verifier]);
      t.ok(findings.length + told.length > 0 && roots.length === 0, changed.toString('latin1'));
    }),
    runs(200),
  );
});
