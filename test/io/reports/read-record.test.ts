import t from 'tap';
import { createDatabase as openDatabase } from '../../../src/io/db/database.ts';
import { createRecordReader } from '../../../src/io/reports/read-record.ts';
import { recordHash } from '../../../src/core/record/hash.ts';
import { uuidv7 } from '../../../src/core/record/uuid.ts';
import { refusalOf } from '../../helpers/tokens.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';

t.test('gives a record as its bytes say it, and says whether they are the committed ones', async (t) => {
  const { urls } = await createDatabase(t);
  const database = openDatabase({ url: urls.reader, applicationName: 'tests', max: 1, onError: () => undefined });
  t.teardown(() => database.close());
  const { read } = createRecordReader(database.queries);
  const writer = uuidv7(Date.now());
  const session = await connect(t, urls.writer);

  async function store(seq: number, bytes: Buffer, hash: Buffer, id = uuidv7(Date.now())): Promise<string> {
    const columns = 'id, writer, seq, at, kind, decided_by, walls, grants, obligations, bytes';
    await session.query(
      `insert into decisions (${columns}) values ($1, $2, $3, now(), 'decision', '{}', '{}', '{}', '{}', $4)`,
      [id, writer, seq, bytes],
    );
    await session.query('insert into commitments (writer, seq, hash) values ($1, $2, $3)', [writer, seq, hash]);
    return id;
  }

  const id = uuidv7(Date.now());
  const bytes = Buffer.from(JSON.stringify({ id, writer, seq: 0, matter: 'M-1', text: 'é' }));
  await store(0, bytes, recordHash(bytes), id);
  t.match(await read(id), {
    id,
    kind: 'decision',
    writer,
    seq: 0,
    hash: recordHash(bytes).toString('hex'),
    record: { matter: 'M-1', text: 'é' },
    intact: true,
  });

  const other = Buffer.from(JSON.stringify({ id, writer, seq: 1 }));
  t.match(await read(await store(1, other, recordHash(other))), { intact: false }, 'bytes of another row');
  const changed = await store(2, Buffer.from('{"a":1}'), recordHash(bytes));
  t.match(await read(changed), { intact: false, record: { a: 1 } }, 'other bytes than were committed');
  t.match(
    await read(await store(3, Buffer.from('[1'), recordHash(bytes))),
    { intact: false, record: {} },
    'no JSON any more',
  );
});

t.test('what is no id of a record gives nothing, and a database that is away no guess', async (t) => {
  const { urls } = await createDatabase(t);
  const database = openDatabase({ url: urls.reader, applicationName: 'tests', max: 1, onError: () => undefined });
  const { read } = createRecordReader(database.queries);
  for (const id of ['', 'x', '0195F3A0-7C1E-7B2A-9D4E-3F5A6B7C8D9E', "' or true --", '\u0000', uuidv7(Date.now())]) {
    t.equal(await read(id), null, JSON.stringify(id));
  }
  await database.close();
  t.match(await refusalOf(read(uuidv7(Date.now()))), { code: 'overloaded' });
});
