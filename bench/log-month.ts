// A thread that writes months of a log into their partitions, each in one transaction, and hands back what proves them. It must never
// write into a partition that holds anything already, for it empties it.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { bodyMembers } from '../src/core/record/envelope.ts';
import { uuidBytes, uuidv7 } from '../src/core/record/uuid.ts';
import { openClient } from '../src/io/db/database.ts';
import { openCopyIn } from '../src/io/log/backup/copy-in.ts';
import { certifyWriter, headText } from '../src/io/log/writer-key.ts';
import { NO_COLUMNS, type RecordEntry } from '../src/model/record.ts';
import type { Prototypes } from './log-prototypes.ts';
import { createRows, type Request, ROW_COLUMNS, type RowWriter } from './log-rows.ts';
import { momentsOf } from './log-times.ts';
import { createDice, type Dice } from './random.ts';

/** What all months of a log share. */
export interface MonthsOf {
  readonly superuserUrl: string;
  readonly prototypes: Prototypes;
  /** Of the policy set. */
  readonly revision: string;
  /** PEM. */
  readonly certifier: string;
}

export interface MonthJob {
  readonly partition: string;
  readonly from: number;
  readonly until: number;
  readonly records: number;
  readonly seed: number;
}

/** Batches in the order of their commits; their records' hashes one after the other. */
export interface MonthProofs {
  readonly records: number;
  readonly writers: readonly string[];
  readonly times: Float64Array;
  readonly writerOf: Uint16Array;
  readonly firstSeq: Float64Array;
  readonly sizes: Uint8Array;
  readonly signatures: Uint8Array;
  readonly hashes: Uint8Array;
}

/** Instances that run at the same time, and how long each goes on before it is restarted. */
const LANES = 3;
const LIFE_MS = { least: 3 * 86_400_000, most: 8 * 86_400_000 };
/** Of the writers, and of a request. */
const KILLED = 0.1;
const REFUSED = 0.004;
const BLOCK = 2 ** 20;
const HASH = 32;
const SIGNATURE = 64;
const DECK = 2 ** 20;

interface Lane extends RowWriter {
  readonly index: number;
  readonly key: KeyObject;
  readonly endsAt: number;
}

const shared = workerData as MonthsOf;
const certifier = createPrivateKey(shared.certifier);

async function writeMonth(job: MonthJob): Promise<MonthProofs> {
  const client = await openClient({
    url: shared.superuserUrl,
    applicationName: 'privity bench',
    onError: () => undefined,
  });
  try {
    await client.query('begin; set local session_replication_role = replica');
    // Emptied in this transaction: its rows are frozen from the start, and not written to the write-ahead log as well.
    await client.query(`truncate only public.${job.partition}`);
    const copy = await openCopyIn(client, `public.${job.partition} (${ROW_COLUMNS})`, ['freeze']);
    const proofs = await writeRows(job, (block) => copy.write(block));
    const taken = await copy.end();
    if (taken !== proofs.records) throw new Error(`${taken} of ${proofs.records} records were taken`);
    await client.query('commit');
    return proofs;
  } finally {
    await client.end();
  }
}

async function writeRows(job: MonthJob, write: (block: Buffer) => Promise<void>): Promise<MonthProofs> {
  const dice = createDice(job.seed);
  const { times, sizes } = momentsOf(dice, job.from, job.until, job.records);
  const deck = deckOf(shared.prototypes.weights, dice);
  const rows = createRows(shared.prototypes);
  const proofs = createProofs(times.length, job.records);
  const open = (at: number): Lane => openLane(rows, proofs, at, dice);
  const lanes: Lane[] = Array.from({ length: LANES }, (_, lane) => open(job.from + lane));
  for (let index = 0; index < times.length; index++) {
    const at = Math.max(times[index] ?? 0, job.from + LANES);
    const place = dice.below(LANES);
    let lane = lanes[place] ?? open(at);
    if (at >= lane.endsAt) {
      if (!dice.chance(KILLED)) closeLane(rows, proofs, lane, at);
      lane = open(at);
      lanes[place] = lane;
    }
    proofs.begin(lane, at);
    const prototype = deck[dice.below(DECK)] ?? 0;
    const request: Request = {
      at,
      time: new Date(at).toISOString(),
      id: uuidv7(at),
      trace: randomUUID().replaceAll('-', ''),
    };
    for (let left = sizes[index] ?? 0; left > 0; left--) proofs.add(rows.add(prototype, lane, request));
    if (dice.chance(REFUSED)) {
      const refused = refusedEntry(at);
      proofs.add(rows.addEntry(refused, bodyMembers(refused.body), lane));
    }
    proofs.end(lane);
    if (rows.length() > BLOCK) await write(rows.take());
  }
  for (const lane of lanes) closeLane(rows, proofs, lane, job.until - 1);
  await write(rows.take());
  return proofs.close();
}

type Rows = ReturnType<typeof createRows>;
type Proofs = ReturnType<typeof createProofs>;

function openLane(rows: Rows, proofs: Proofs, at: number, dice: Dice): Lane {
  const writer = uuidv7(at);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const endsAt = at + LIFE_MS.least + dice.below(LIFE_MS.most - LIFE_MS.least);
  const index = proofs.writer(writer);
  const lane: Lane = {
    writer,
    writerBytes: uuidBytes(writer),
    seq: 0,
    last: new Uint8Array(HASH),
    index,
    key: privateKey,
    endsAt,
  };
  const key = certifyWriter(certifier, writer, publicKey);
  const { revision } = shared;
  const loaded = { files: 40, findings: 0, policy: { commit: null, engine: '1', revision } };
  own(rows, proofs, lane, at, 'writer_opened', {
    engine: '0.1.0',
    key,
    previous: null,
    previous_head: null,
    reason: 'start',
  });
  own(rows, proofs, lane, at, 'policy_loaded', loaded, revision);
  return lane;
}

function closeLane(rows: Rows, proofs: Proofs, lane: Lane, at: number): void {
  own(rows, proofs, lane, at, 'writer_closed', {});
}

/** A record of the service itself is a batch of its own. */
function own(
  rows: Rows,
  proofs: Proofs,
  lane: Lane,
  at: number,
  kind: RecordEntry['kind'],
  body: RecordEntry['body'],
  revision: string | null = null,
): void {
  proofs.begin(lane, at);
  const entry: RecordEntry = { kind, id: uuidv7(at), at, body, columns: { ...NO_COLUMNS, revision } };
  proofs.add(rows.addEntry(entry, bodyMembers(body), lane));
  proofs.end(lane);
}

function refusedEntry(at: number): RecordEntry {
  const request_id = uuidv7(at);
  const { revision } = shared;
  const policy = { commit: null, revision };
  const said = { code: 'token_refused', reason: 'expired', detail: null, issuer: 'https://login.firm.example/' };
  const body = { ...said, caller: null, policy, remote_address: '10.1.2.3', request_id, trace_id: null };
  return { kind: 'refused', id: uuidv7(at), at, body, columns: { ...NO_COLUMNS, revision, request_id } };
}

/** Prototypes, each as often as its weight says. */
function deckOf(weights: Float64Array, dice: Dice): Uint32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const deck = new Uint32Array(DECK);
  let from = 0;
  let sum = 0;
  for (const [prototype, weight] of weights.entries()) {
    sum += weight;
    const until = Math.round((sum / total) * DECK);
    deck.fill(prototype, from, until);
    from = until;
  }
  // What is too rare for a place of its own takes that of another now and then.
  for (let index = 0; index < weights.length; index++) deck[dice.below(DECK)] = index;
  return deck;
}

function createProofs(requests: number, records: number) {
  // The service's own records and refused tokens come on top.
  const most = requests + 1_000;
  const writers: string[] = [];
  const times = new Float64Array(most);
  const writerOf = new Uint16Array(most);
  const firstSeq = new Float64Array(most);
  const sizes = new Uint8Array(most);
  const signatures = new Uint8Array(most * SIGNATURE);
  let hashes = new Uint8Array((records + Math.ceil(requests * REFUSED * 2) + 1_000) * HASH);
  let batches = 0;
  let count = 0;
  return {
    writer: (id: string): number => writers.push(id) - 1,
    begin({ index, seq }: Lane, at: number): void {
      times[batches] = at;
      writerOf[batches] = index;
      firstSeq[batches] = seq;
    },
    add(own: Uint8Array): void {
      hashes.set(own, count * HASH);
      count++;
    },
    end({ writer, seq, last, key }: Lane): void {
      sizes[batches] = seq - (firstSeq[batches] ?? 0);
      signatures.set(sign(null, headText(writer, seq - 1, last), key), batches * SIGNATURE);
      batches++;
    },
    close(): MonthProofs {
      hashes = hashes.slice(0, count * HASH);
      const part = { times: times.slice(0, batches), writerOf: writerOf.slice(0, batches) };
      const rest = { firstSeq: firstSeq.slice(0, batches), sizes: sizes.slice(0, batches) };
      return {
        ...part,
        ...rest,
        records: count,
        writers,
        signatures: signatures.slice(0, batches * SIGNATURE),
        hashes,
      };
    },
  };
}

parentPort?.on('message', (job: MonthJob) => {
  writeMonth(job).then(
    (proofs) => parentPort?.postMessage({ proofs }),
    (error: unknown) =>
      parentPort?.postMessage({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
