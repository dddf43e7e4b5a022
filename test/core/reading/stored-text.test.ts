import fc from 'fast-check';
import t from 'tap';
import { recordOfText, textOfEscaped } from '../../../src/core/reading/stored-text.ts';
import { connect, createDatabase } from '../../helpers/postgres.ts';
import { runs } from '../../helpers/runs.ts';

const database = await createDatabase(t);
const client = await connect(t, database.urls.reader);

t.test('what PostgreSQL escapes is read as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
      const { rows } = await client.query<{ escaped: string }>(`select encode($1::bytea, 'escape') as escaped`, [
        Buffer.from(text),
      ]);
      return textOfEscaped(rows[0]?.escaped ?? '') === text.toWellFormed();
    }),
    runs(100),
  );
});

t.test('bytes that are no text, and text that is no object, fail nothing', async (t) => {
  const { rows } = await client.query<{ escaped: string }>(
    `select encode('\\xff00fe5c22'::bytea, 'escape') as escaped`,
  );
  t.equal(textOfEscaped(rows[0]?.escaped ?? ''), '\ufffd\u0000\ufffd\\"');
  for (const text of ['', 'null', '[1]', '"x"', '{', textOfEscaped('\\')]) t.strictSame(recordOfText(text), {});
});
