// In charge of asking the database, while nothing is to be written or can be, whether it still has our head, agrees about the time,
// and takes records. It must never leave anything behind there.
import type pg from 'pg';
import { uuidv7 } from '../../core/record/uuid.ts';
import { NO_COLUMNS } from '../../model/record.ts';
import { batchQueries } from './batch-statement.ts';
import type { RecorderClock } from './clock.ts';
import { prepareEntry } from './unit.ts';
import type { Session } from './session.ts';
import type { WriterChain } from './writer-chain.ts';

interface Answer extends pg.QueryResultRow {
  readonly now: number;
  readonly hash: Buffer | null;
  readonly fsync: string;
}

const LOOK = {
  name: 'look_at_head',
  text: `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
    (select hash from public.heads where writer = $1::uuid and seq = $2::bigint) as hash, current_setting('fsync') as fsync`,
};

/** Compares clocks, and tells whether the writer's last delivered head is there, unchanged, and the server does fsync. Rejects as pg does. */
export async function lookAtHead(
  session: Session,
  chain: WriterChain | null,
  clock: RecorderClock,
  timeoutMs: number,
): Promise<'fine' | 'lost' | 'not_durable'> {
  const head = chain?.delivered() ?? null;
  const values = head === null ? [null, null] : [chain?.writer, String(head.seq)];
  const before = clock.wall();
  const answer = (await session.query<Answer>({ ...LOOK, values }, timeoutMs)).rows[0];
  if (answer === undefined) return 'lost';
  clock.compare(answer.now, before, clock.wall());
  if (head !== null && answer.hash?.equals(head.hash) !== true) return 'lost';
  return answer.fsync === 'on' ? 'fine' : 'not_durable';
}

/** Writes a record in a transaction that is rolled back. Rejects with what the database has against it. */
export async function tryToWrite(
  session: Session,
  chain: WriterChain,
  clock: RecorderClock,
  timeoutMs: number,
): Promise<void> {
  const at = clock.now();
  const entry = prepareEntry({ kind: 'writer_closed', id: uuidv7(at), at, body: {}, columns: NO_COLUMNS });
  const { write } = batchQueries(chain.seal([entry]));
  await session.query({ text: 'begin' }, timeoutMs);
  try {
    await session.query(write, timeoutMs);
  } finally {
    if (!session.isLost()) await session.query({ text: 'rollback' }, timeoutMs);
  }
}
