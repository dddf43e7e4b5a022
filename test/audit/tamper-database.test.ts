import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import { recordHash } from '../../src/core/record/hash.ts';
import { writeCheckpoint } from '../../src/core/sealing/checkpoint.ts';
import { certifyWriter, headText } from '../../src/io/log/writer-key.ts';
import type { VerifyReport } from '../../src/io/log/verify/report.ts';
import { recompute } from './recompute.ts';
import { openRig, ORIGIN, type SecondReport, signer } from './rig.ts';

const rig = await openRig(t);
const [writer = ''] = rig.writers[0]?.writers() ?? [];
await rig.closeWriters();
/** The beginning of ids of this month. */
const soon = uuidv7(Date.now()).slice(0, 34);
const RANDOM = Buffer.alloc(32, 0xab);

interface Wrong {
  readonly kind: string;
  readonly thing: string;
  readonly seq?: number | undefined;
  readonly leaf?: number | null | undefined;
}

/** What the report names first. */
function named({ first }: VerifyReport | SecondReport): Wrong | null {
  return first === null ? null : { kind: first.kind, thing: first.thing, seq: first.place?.seq, leaf: first.leaf };
}

async function leafOf(seq: number, of = writer): Promise<number> {
  const { rows } = await rig.tamper('select leaf_index::int as leaf from kept.leaves where writer = $1 and seq = $2', [
    of,
    seq,
  ]);
  return (rows[0] as { readonly leaf: number } | undefined)?.leaf ?? -1;
}

const leaf7 = await leafOf(7);
const { rows: ends } = await rig.tamper(
  'select max(seq)::int as last from commitments group by writer order by writer = $1 desc',
  [writer],
);
const [last = 0] = (ends as { readonly last: number }[]).map((end) => end.last);
const { rows: ofWriter } = await rig.tamper('select max(seq)::int as sealed from leaves where writer = $1', [writer]);
const lastSealed = (ofWriter[0] as { readonly sealed: number }).sealed;
const { rows: sizes } = await rig.tamper('select size::int from checkpoints order by size');
const [, secondSize = 0, thirdSize = 0] = (sizes as { readonly size: number }[]).map(({ size }) => size);
const firstAfter = async (size: number): Promise<number> => {
  const { rows } = await rig.tamper('select min(seq)::int as seq from leaves where writer = $1 and leaf_index >= $2', [
    writer,
    size,
  ]);
  return (rows[0] as { readonly seq: number }).seq;
};
const early = (await firstAfter(secondSize)) + 2;
// Heads are over the first record, and then over every tenth.
const lastHead = Math.floor((early - 1) / 10) * 10;
const leafHead = await leafOf(lastHead + 1);
const leafLast = await leafOf(lastSealed - 4);

/** Tampers, verifies from the database and from an export made after it, and puts everything back. */
async function scene(
  name: string,
  tamper: () => Promise<unknown>,
  expected: Wrong,
  offline: Wrong | null = expected,
): Promise<void> {
  await t.test(name, async (t) => {
    t.teardown(() => rig.restore());
    await tamper();
    const report = await rig.verify();
    t.match(named(report), expected, JSON.stringify(report.findings.slice(0, 4), null, 1));
    const file = await rig.exportTo('export.ndjson');
    const exported = await rig.verifyExport(file);
    const elsewhere = await rig.verifyElsewhere(file);
    t.match(named(elsewhere), offline ?? null, `elsewhere ${JSON.stringify(elsewhere.first)}`);
    if (offline === null) t.equal(exported.verdict, 'intact', JSON.stringify(exported.first));
    else t.match(named(exported), offline, `offline ${JSON.stringify(exported.findings.slice(0, 4), null, 1)}`);
  });
}

const at = (seq: number, of = writer) => `writer = '${of}' and seq = ${seq}`;
const sql = (text: string) => () => rig.tamper(text);
const toBob = (table = 'decisions') =>
  `update ${table} set bytes = convert_to(replace(convert_from(bytes, 'utf8'), 'u-lind', 'u-bobb'), 'utf8')`;
const deny = (record: Record<string, unknown>) => ({ ...record, outcome: 'deny' });

t.test('the log as it was written is intact', async (t) => {
  for (const report of [await rig.verify(), await rig.verifyExport()]) {
    t.equal(report.first, null);
    t.equal(report.counts.proven, rig.sealed);
    t.same(report.notes, []);
  }
});

const edited = { kind: 'edit', thing: 'record', seq: 7, leaf: leaf7 };

await scene('edit: the bytes', sql(`${toBob()} where ${at(7)}`), edited);
await scene(
  'edit: bytes that are no text any more',
  sql(`update decisions set bytes = '\\x7b0aff7d' where ${at(7)}`),
  edited,
);
await scene(
  'edit: bytes and their commitment',
  () => recompute(rig, { writer, from: 7, change: deny, tables: { leaves: false } }),
  edited,
);
await scene(
  'edit: bytes, commitment and leaf, but not what follows',
  async () => {
    await rig.tamper(`${toBob()} where ${at(7)}`);
    for (const table of ['commitments', 'leaves']) {
      await rig.tamper(
        `update ${table} set hash = (select sha256('\\x00'::bytea || bytes) from decisions where ${at(7)}) where ${at(7)}`,
      );
    }
  },
  edited,
);
await scene('edit: a commitment', () => rig.tamper(`update commitments set hash = $1 where ${at(7)}`, [RANDOM]), {
  ...edited,
  thing: 'commitment',
});
await scene('edit: a leaf', () => rig.tamper(`update leaves set hash = $1 where ${at(7)}`, [RANDOM]), {
  ...edited,
  thing: 'leaf',
});
await scene(
  'edit: a signature',
  () => rig.tamper(`update heads set signature = $1 where ${at(10)}`, [Buffer.alloc(64, 1)]),
  {
    kind: 'edit',
    thing: 'head',
    seq: 10,
  },
);
await scene(
  'edit: a node of the tree',
  () => rig.tamper('update tree_nodes set hash = $1 where level = 1 and node_index = 0', [RANDOM]),
  { kind: 'edit', thing: 'tree node' },
  null,
);
await scene('deletion: a record', sql(`delete from decisions where ${at(7)}`), { ...edited, kind: 'deletion' });
await scene('deletion: a commitment', sql(`delete from commitments where ${at(7)}`), {
  ...edited,
  kind: 'deletion',
  thing: 'commitment',
});
await scene(
  'deletion: record and commitment',
  sql(`delete from decisions where ${at(7)}; delete from commitments where ${at(7)}`),
  { ...edited, kind: 'deletion', thing: 'commitment' },
);
await scene('deletion: a leaf', sql(`delete from leaves where ${at(7)}`), {
  kind: 'deletion',
  thing: 'leaf',
  leaf: leaf7,
});
await scene('deletion: the last head of a writer', sql(`delete from heads where writer = '${writer}' and seq > 100`), {
  kind: 'deletion',
  thing: 'head',
  seq: 101,
});
const everywhere = ['decisions', 'commitments', 'leaves']
  .map((table) => `delete from ${table} where ${at(7)}`)
  .join('; ');
await scene(
  'sequence gap: a record is nowhere any more, and the leaves are numbered anew',
  sql(`${everywhere}; update leaves set leaf_index = leaf_index + 1000000 where leaf_index > ${leaf7};
    update leaves set leaf_index = leaf_index - 1000001 where leaf_index > 999999`),
  { kind: 'sequence_gap', thing: 'record', seq: 7, leaf: leaf7 },
);
const columns = `at, kind, outcome, subject_id, actor_id, caller, source_system, action, resource_type, resource_id, matter_id, client_id,
  decided_by, walls, grants, obligations, revision, request_id, bytes`;
await scene(
  'insertion: a row that was never committed',
  sql(`insert into decisions select '${soon}01'::uuid, writer, ${last + 1}, ${columns} from decisions where ${at(7)}`),
  { kind: 'insertion', thing: 'record', seq: last + 1, leaf: null },
);
await scene(
  'insertion: a second row at a place',
  sql(
    `insert into decisions select overlay(id::text placing 'ffff' from 33)::uuid, writer, seq, ${columns} from decisions where ${at(7)}`,
  ),
  { ...edited, kind: 'insertion' },
);

/** A record that fits its chain in everything but a signature. */
async function appendRecord(count: number): Promise<void> {
  for (let seq = last + 1; seq <= last + count; seq++) {
    const { rows } = await rig.tamper(
      `select bytes, hash from decisions join commitments using (writer, seq) where ${at(seq - 1)}`,
    );
    const [before] = rows as { readonly bytes: Buffer; readonly hash: Buffer }[];
    const said = JSON.parse(String(before?.bytes)) as Record<string, unknown>;
    const id = String(said['id']).replace(/....$/, `f${String(seq).padStart(3, '0')}`);
    const bytes = Buffer.from(canonicalize({ ...said, id, seq, prev: before?.hash.toString('hex') }));
    await rig.tamper(`insert into decisions select $1, writer, $2, ${columns} from decisions where ${at(seq - 1)}`, [
      id,
      seq,
    ]);
    await rig.tamper('update decisions set bytes = $3 where writer = $1 and seq = $2', [writer, seq, bytes]);
    await rig.tamper('insert into commitments values ($1, $2, $3)', [writer, seq, recordHash(bytes)]);
  }
}
await scene('insertion: records at the end that nobody signed', () => appendRecord(2), {
  kind: 'insertion',
  thing: 'record',
  seq: last + 1,
});
const forger = generateKeyPairSync('ed25519');
await scene(
  'insertion: a writer that nobody certified',
  async () => {
    const stranger = `${soon}0a`;
    const key = certifyWriter(forger.privateKey, stranger, forger.publicKey);
    const { rows } = await rig.tamper(`select bytes from decisions where ${at(0)}`);
    const said = JSON.parse(String((rows[0] as { readonly bytes: Buffer }).bytes)) as Record<string, unknown>;
    const id = `${soon}0b`;
    const bytes = Buffer.from(canonicalize({ ...said, id, key, writer: stranger }));
    const hash = recordHash(bytes);
    await rig.tamper(`insert into decisions select $1, $2, seq, ${columns} from decisions where ${at(0)}`, [
      id,
      stranger,
    ]);
    await rig.tamper('update decisions set bytes = $1 where id = $2', [bytes, id]);
    await rig.tamper('insert into commitments values ($1, 0, $2)', [stranger, hash]);
    const signature = sign(null, headText(stranger, 0, hash), forger.privateKey);
    await rig.tamper('insert into heads values ($1, 0, $2, $3)', [stranger, hash, signature]);
  },
  { kind: 'insertion', thing: 'writer', seq: 0, leaf: null },
);

const swapped = (table: string, column: string) => `update ${table} t set ${column} = o.${column}
  from ${table} o where t.writer = '${writer}' and o.writer = t.writer and t.seq in (7, 8) and o.seq = 15 - t.seq`;
await scene('reordering: two records have changed places', sql(swapped('decisions', 'bytes')), {
  ...edited,
  kind: 'reordering',
});
await scene(
  'reordering: two rows have changed their sequence numbers',
  sql(`update decisions set seq = 15 - seq where writer = '${writer}' and seq in (7, 8)`),
  { ...edited, kind: 'reordering' },
);
await scene('reordering: two commitments', sql(swapped('commitments', 'hash')), {
  ...edited,
  kind: 'reordering',
  thing: 'commitment',
});
await scene('reordering: two leaves', sql(swapped('leaves', 'hash')), { ...edited, kind: 'reordering', thing: 'leaf' });
await scene(
  'reordering: two leaves of one writer have changed their numbers',
  sql(`update leaves set leaf_index = leaf_index + 1000000 where writer = '${writer}' and seq in (7, 8);
    update leaves set leaf_index = ${leaf7} where ${at(8)}; update leaves set leaf_index = ${leaf7 + 1} where ${at(7)}`),
  { kind: 'reordering', thing: 'leaf', seq: 8, leaf: leaf7 },
);

await scene(
  'cut tail: records that are signed, and not sealed yet',
  sql(
    `delete from decisions where writer = '${writer}' and seq > ${last - 3}; delete from commitments where writer = '${writer}' and seq > ${last - 3}`,
  ),
  { kind: 'cut_tail', thing: 'record', seq: last - 2, leaf: null },
);
await scene(
  'cut tail: records that are sealed, with their heads',
  sql(
    ['decisions', 'commitments', 'heads']
      .map((table) => `delete from ${table} where writer = '${writer}' and seq >= ${lastSealed - 4}`)
      .join('; '),
  ),
  { kind: 'cut_tail', thing: 'record', seq: lastSealed - 4, leaf: leafLast },
);
await scene(
  'cut tail: leaves, while the records are there',
  sql(`delete from leaves where leaf_index >= ${rig.sealed - 5}`),
  {
    kind: 'cut_tail',
    thing: 'leaf',
    leaf: rig.sealed - 5,
  },
);
await scene(
  'rewound database: everything is as it was two checkpoints ago',
  async () => {
    const { rows } = await rig.tamper('select size::int from checkpoints order by size desc offset 2 limit 1');
    const { size } = rows[0] as { readonly size: number };
    await rig.tamper('delete from leaves where leaf_index >= $1', [size]);
    await rig.tamper('delete from checkpoints where size > $1', [size]);
    for (const table of ['commitments', 'decisions', 'heads']) {
      await rig.tamper(
        `delete from ${table} t where not exists (select from leaves l where l.writer = t.writer and l.seq = t.seq)`,
      );
    }
  },
  { kind: 'rewound_database', thing: 'checkpoint' },
);

await scene(
  'full recomputation by the owner of the database: the signed heads tell',
  () => recompute(rig, { writer, from: early, change: deny }),
  { kind: 'full_recomputation', thing: 'commitment', seq: lastHead + 1, leaf: leafHead },
);
await scene(
  'full recomputation by one who has both keys as well',
  () => recompute(rig, { writer, from: early, change: deny, keys: { certifier: true, checkpoint: true } }),
  { kind: 'full_recomputation', thing: 'leaf', leaf: 0 },
);
await scene(
  'full recomputation of what is not sealed yet: the signed heads tell',
  () => recompute(rig, { writer, from: last - 1, change: deny, tables: { leaves: false } }),
  { kind: 'full_recomputation', thing: 'commitment', seq: lastSealed + 1, leaf: null },
);
const latest = path.join(rig.checkpoints, 'checkpoint');
await scene(
  'forged checkpoint: one that was published was changed',
  async () => writeFile(latest, (await readFile(latest, 'utf8')).replace(/\n\d+\n/, '\n9\n')),
  {
    kind: 'forged_checkpoint',
    thing: 'checkpoint',
    leaf: null,
  },
);
await scene(
  'forged checkpoint: signed with another key',
  () =>
    writeFile(
      latest,
      writeCheckpoint({ origin: ORIGIN, size: 400, root: RANDOM }, [{ name: ORIGIN, key: forger.privateKey }]),
    ),
  { kind: 'forged_checkpoint', thing: 'checkpoint' },
);
await scene(
  'forged checkpoint: signed with the key, and none of this log',
  async () => {
    const day = path.join(rig.checkpoints, new Date().toISOString().slice(0, 10));
    await writeFile(
      path.join(day, String(thirdSize - 1).padStart(16, '0')),
      writeCheckpoint({ origin: ORIGIN, size: thirdSize - 1, root: RANDOM }, [signer]),
    );
  },
  { kind: 'forged_checkpoint', thing: 'checkpoint' },
);
await scene(
  'forged checkpoint: in the database',
  () => rig.tamper('update checkpoints set note = replace(note, $1, $2)', [`\n${thirdSize}\n`, `\n${thirdSize + 1}\n`]),
  { kind: 'forged_checkpoint', thing: 'checkpoint' },
  null,
);
await scene(
  'a checkpoint of the database is gone',
  sql('delete from checkpoints where size = (select max(size) from checkpoints)'),
  {
    kind: 'deletion',
    thing: 'checkpoint',
  },
  null,
);

const disagree = { ...edited, kind: 'columns_disagree' };
for (const change of [
  `matter_id = 'M-9'`,
  'matter_id = null',
  `outcome = 'deny'`,
  `actor_id = 'svc-ai'`,
  `kind = 'read'`,
  `at = at + interval '1 microsecond'`,
  `walls = walls || '{W-9}'`,
  `decided_by = '{}'`,
  `decided_by = '[0:0]={team-lawyers}'::text[]`,
  `request_id = request_id || ' '`,
  `id = overlay(id::text placing 'ffff' from 33)::uuid`,
]) {
  await scene(`columns disagree: ${change}`, sql(`update decisions set ${change} where ${at(7)}`), disagree, null);
}
await scene(
  'columns disagree: the owner hides a wall',
  sql(`update decisions set walls = '{}' where walls <> '{}'`),
  { kind: 'columns_disagree', thing: 'record' },
  null,
);

const policy = { kind: 'edit', thing: 'policy file' };
await scene(
  'policy: the content of a file',
  sql('update policy_blobs set content = set_byte(content, 5, 255 - get_byte(content, 5))'),
  policy,
  null,
);
await scene(
  'policy: something after the content',
  sql(`update policy_blobs set content = content || '\\x00'`),
  policy,
  null,
);
await scene('policy: a file is gone', sql('delete from policy_blobs'), { ...policy, kind: 'deletion' }, null);
await scene('policy: a set is gone', sql('delete from policy_sets'), { kind: 'deletion', thing: 'policy set' }, null);
await scene(
  'policy: a set names another file',
  sql(`update policy_sets set manifest = jsonb_set(manifest, '{more.yaml}', manifest -> 'firm.yaml')`),
  {
    kind: 'edit',
    thing: 'policy set',
  },
  null,
);
