// Threads only share the work of a verification: what they say has to be what one thread says, in the same order, and a thread that
// fails must fail the verification.
import t from 'tap';
import { createCompactRange } from '../../../../src/core/sealing/tree.ts';
import { writeCheckpoint } from '../../../../src/core/sealing/checkpoint.ts';
import { generateKeyPairSync } from 'node:crypto';
import { createVerifyThreads, inOrder } from '../../../../src/io/log/verify/verify-threads.ts';
import { openRig, ORIGIN, signer, verifierLine } from '../../../audit/rig.ts';

const rig = await openRig(t);
await rig.closeWriters();
const { rows } = await rig.tamper('select size::int from checkpoints order by size');
const sizes = (rows as { readonly size: number }[]).map(({ size }) => size);
const [first = 0, second = 0, third = 0] = sizes;
const forger = { name: ORIGIN, key: generateKeyPairSync('ed25519').privateKey };
const root = Buffer.alloc(32, 0xab);

t.afterEach(() => rig.restore());

t.test(
  'checkpoints of the database: a foreign signature, a changed column, a signed root of another log',
  async (t) => {
    await rig.tamper('update checkpoints set note = $1 where size = $2', [
      writeCheckpoint({ origin: ORIGIN, size: first, root }, [forger]),
      first,
    ]);
    await rig.tamper('update checkpoints set root = $1 where size = $2', [root, second]);
    await rig.tamper('update checkpoints set root = $1, note = $2 where size = $3', [
      root,
      writeCheckpoint({ origin: ORIGIN, size: third, root }, [signer]),
      third,
    ]);
    const alone = await rig.verify({ threads: 0 });
    t.equal(alone.findings.filter(({ kind }) => kind === 'forged_checkpoint').length, 3);
    t.match(
      alone.findings.map(({ detail }) => detail),
      [/is not signed by the keys given/, /says otherwise in its note/, /is signed, and is none of this log/],
    );
    t.same(await rig.verify({ threads: 2 }), alone);
  },
);

t.test('records and leaves that are wrong at the same time', async (t) => {
  await rig.tamper(`update decisions set bytes = set_byte(bytes, 9, 65) where seq = 5`);
  await rig.tamper(`update tree_nodes set hash = $1`, [root]);
  await rig.tamper('delete from leaves where leaf_index = 3');
  const alone = await rig.verify({ threads: 0 });
  t.ok(alone.findings.length > 3);
  t.same(await rig.verify({ threads: 2 }), alone);
});

t.test('without keys only what the rows say is compared', async (t) => {
  await rig.tamper(`update checkpoints set note = 'nothing'`);
  const given = { published: null, verifiers: null };
  t.equal((await rig.verify({ ...given, threads: 0 })).first, null);
  t.equal((await rig.verify({ ...given, threads: 1 })).first, null);
  await rig.tamper('update checkpoints set root = $1 where size = $2', [root, first]);
  t.match((await rig.verify({ ...given, threads: 1 })).first, { kind: 'forged_checkpoint', thing: 'checkpoint' });
});

t.test('a thread that fails fails what was asked of it, and what is asked later', async (t) => {
  const threads = createVerifyThreads(1);
  t.teardown(() => threads.close());
  const note = writeCheckpoint({ origin: ORIGIN, size: 1, root }, [signer]);
  const good = await threads.notes({ notes: [note, 'no note'], keys: [verifierLine] });
  t.same(good.sizes, [1, -1]);
  t.ok(root.equals(good.roots.subarray(0, 32)));
  // A block that is shorter than it says makes the thread throw.
  const broken = { format: 'copy', block: new ArrayBuffer(3), length: 3, only: null } as const;
  await t.rejects(threads.records(broken));
  await t.rejects(threads.notes({ notes: [note], keys: [verifierLine] }));
});

t.test('answers come in the order of the questions, and no more are open than are allowed', async (t) => {
  let [open, most] = [0, 0];
  const ask = async (one: number): Promise<number> => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, one % 3));
    open--;
    return one;
  };
  async function* numbers(): AsyncGenerator<number> {
    for (let one = 0; one < 20; one++) yield one;
  }
  const given: number[] = [];
  for await (const one of inOrder(numbers(), ask, 4)) given.push(one);
  t.same(given, [...Array(20).keys()]);
  t.ok(most <= 4);
  const failing = inOrder(numbers(), async (one) => (one === 2 ? Promise.reject(new Error('gone')) : one), 4);
  await t.rejects(async () => {
    for await (const one of failing) t.ok(one < 2);
  }, /gone/);
});

t.test('nodes of the levels above the leaves are told as they become complete', async (t) => {
  const told: string[] = [];
  const tree = createCompactRange((level, index) => told.push(`${level}/${index}`));
  for (let leaf = 0; leaf < 700; leaf++) tree.append(root);
  t.same(told, ['1/0', '1/1']);
});
