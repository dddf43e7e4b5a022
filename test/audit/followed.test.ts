// What the first record of the next writer proves about the one before it: a tail that was cut together with its signed heads, as a
// failover or somebody who owns the database does.
import { randomUUID, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import t from 'tap';
import { canonicalize } from '../../src/core/record/canonical.ts';
import { recordHash } from '../../src/core/record/hash.ts';
import { uuidv7 } from '../../src/core/record/uuid.ts';
import type { VerifyReport } from '../../src/io/log/verify/report.ts';
import { certifyWriter, headText } from '../../src/io/log/writer-key.ts';
import { certifier } from '../helpers/recorder.ts';
import { openRig, type SecondReport } from './rig.ts';

const rig = await openRig(t, 80);
const [writer = ''] = rig.writers[0]?.writers() ?? [];
await rig.closeWriters();
const { rows } = await rig.tamper(
  'select max(seq)::int as last, max(seq) filter (where sealed)::int as sealed from (select seq, exists (select from leaves l where l.writer = c.writer and l.seq = c.seq) as sealed from commitments c where writer = $1) as places',
  [writer],
);
const { last, sealed } = rows[0] as { readonly last: number; readonly sealed: number };

async function hashOf(seq: number): Promise<string> {
  const found = await rig.tamper('select hash from commitments where writer = $1 and seq = $2', [writer, seq]);
  return (found.rows[0] as { readonly hash: Buffer }).hash.toString('hex');
}

const head = { seq: last, hash: await hashOf(last) };

/** A writer that begins after the first one, certified unless it is a stranger. */
async function begin(follows: Readonly<Record<string, unknown>>, by: KeyObject = certifier): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const at = Date.now();
  const [next, id] = [randomUUID(), uuidv7(at)];
  const key = certifyWriter(by, next, publicKey);
  const said = { v: 1, kind: 'writer_opened', id, writer: next, seq: 0, prev: null, nonce: '0'.repeat(32), key };
  const bytes = Buffer.from(canonicalize({ ...said, at: new Date(at).toISOString(), reason: 'head_lost', ...follows }));
  const hash = recordHash(bytes);
  await rig.tamper(
    `insert into decisions (id, writer, seq, at, kind, bytes, decided_by, walls, grants, obligations)
       values ($1, $2, 0, $3, 'writer_opened', $4, '{}', '{}', '{}', '{}')`,
    [id, next, new Date(at), bytes],
  );
  await rig.tamper('insert into commitments values ($1, 0, $2)', [next, hash]);
  const signature = sign(null, headText(next, 0, hash), privateKey);
  await rig.tamper('insert into heads values ($1, 0, $2, $3)', [next, hash, signature]);
  return next;
}

const cutFrom = (seq: number): Promise<unknown> =>
  rig.tamper(
    ['decisions', 'commitments', 'heads']
      .map((table) => `delete from ${table} where writer = '${writer}' and seq >= ${seq}`)
      .join('; '),
  );

function named({ verdict, first }: VerifyReport | SecondReport) {
  return first === null ? verdict : { kind: first.kind, thing: first.thing, place: first.place, leaf: first.leaf };
}

async function scene(name: string, make: () => Promise<unknown>, expected: unknown): Promise<void> {
  await t.test(name, async (t) => {
    await make();
    t.match(named(await rig.verify()), expected, 'from the database');
    const file = await rig.exportTo('followed.ndjson');
    t.match(named(await rig.verifyExport(file)), expected, 'from an export');
    t.match(named(await rig.verifyElsewhere(file)), expected, 'by the second verifier');
    await rig.restore();
  });
}

const cut = { kind: 'cut_tail', thing: 'record', place: { writer, seq: sealed + 1 }, leaf: null };
await scene('a writer that follows what is there', () => begin({ previous: writer, previous_head: head }), 'intact');
await scene(
  'without the next writer nothing tells that signed records at the end are gone',
  () => cutFrom(sealed + 1),
  'intact',
);
await scene(
  'the next writer tells',
  async () => {
    await begin({ previous: writer, previous_head: head });
    await cutFrom(sealed + 1);
  },
  cut,
);
await scene(
  'all of the writer before is gone',
  () => begin({ previous: '00000000-0000-7000-8000-000000000000', previous_head: head }),
  { ...cut, place: { writer: '00000000-0000-7000-8000-000000000000', seq: 0 } },
);
await scene(
  'another hash at the place where the next writer began',
  async () => {
    await begin({ previous: writer, previous_head: { ...head, hash: 'ab'.repeat(32) } });
  },
  { kind: 'full_recomputation', thing: 'commitment', place: { writer, seq: last }, leaf: null },
);
await scene(
  'a writer that nobody vouches for proves nothing',
  () =>
    begin({ previous: writer, previous_head: { ...head, seq: last + 5 } }, generateKeyPairSync('ed25519').privateKey),
  { kind: 'insertion', thing: 'writer', leaf: null },
);
for (const follows of [
  { previous: null, previous_head: null },
  { previous: writer, previous_head: null },
  { previous: 'nobody', previous_head: head },
  { previous: writer, previous_head: { seq: String(last + 1), hash: head.hash } },
  { previous: writer, previous_head: { seq: last + 1, hash: 'AB'.repeat(32) } },
]) {
  await scene(`says nothing: ${JSON.stringify(follows)}`, () => begin(follows), 'intact');
}
