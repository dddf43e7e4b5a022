// Clients that hold connections: slowly sending, never reading, never asking, in thousands. Health and decisions are answered all the
// same, and each such connection is ended by the service (DESIGN 3, http/doors.ts).
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startAttackRig, type AttackRig } from '../helpers/attack-rig.ts';
import { dial, readAnswers } from './wire.ts';

t.setTimeout(900_000);

const isLong = process.env['PRIVITY_LONG'] === '1';
const DRIP_MS = 100;
const WAVE = 500;

/** Byte for byte until the service has had enough; resolves with what it said. */
async function drip(url: string, head: string, rest: string): Promise<Buffer> {
  const socket = dial(url);
  const chunks: Uint8Array[] = [];
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  let isOpen = true;
  const closed = once(socket, 'close').then(() => (isOpen = false));
  socket.write(head);
  for (let at = 0; isOpen; at = (at + 1) % rest.length) {
    socket.write(rest.charAt(at));
    await Promise.race([sleep(DRIP_MS), closed]);
  }
  return Buffer.concat(chunks);
}

async function mustAnswer(t: Test, rig: AttackRig, when: string): Promise<void> {
  // Over a connection of its own: those that are kept are ended soon.
  const alive = await fetch(`${rig.service.url}/livez`, { headers: { connection: 'close' } });
  t.equal(alive.status, 200, `alive ${when}`);
  t.equal((await rig.service.readiness())?.status, 200, `ready ${when}`);
  t.match(await rig.send('bearer', rig.personToken()), { status: 200, body: { decision: true } }, `decides ${when}`);
}

t.test('slow senders and those who never read', async (t) => {
  // Longer than a busy machine keeps those waiting who send at once.
  const environment = {
    REQUEST_TIMEOUT: '4s',
    HEADERS_TIMEOUT: '3s',
    KEEP_ALIVE_TIMEOUT: '3s',
    CONNECTION_TIMEOUT: '4s',
  };
  const rig = await startAttackRig(t, { environment });
  const { url } = rig.service;
  const post = `POST /v1/authorize HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.personToken()}\r\ncontent-type: application/json\r\n`;
  const slow: Readonly<Record<string, Promise<Buffer>>> = {
    'a target': drip(url, 'GET /', 'a'),
    headers: drip(url, post, 'x: y\r\n'),
    'one header': drip(url, `${post}x: `, 'y'),
    'a body': drip(url, `${post}content-length: 100000\r\n\r\n`, ' '),
    chunks: drip(url, `${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
    'an extension of a chunk': drip(url, `${post}transfer-encoding: chunked\r\n\r\n1;`, 'x'),
    'the body of a request that is refused': drip(
      url,
      'POST /v1/authorize HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n',
      ' ',
    ),
    'the body of a request that nobody serves': drip(
      url,
      'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n',
      ' ',
    ),
  };
  const silent = Array.from({ length: 100 }, () => once(dial(url).resume(), 'close'));
  const deaf = neverReads(url);
  await mustAnswer(t, rig, 'meanwhile');
  for (const [what, ending] of Object.entries(slow)) {
    const statuses = readAnswers(await ending).map(({ status }) => status);
    if (what.endsWith('refused')) t.equal(statuses[0], 401, what);
    else if (what.endsWith('serves')) t.equal(statuses[0], 404, what);
    else t.strictSame(statuses, [408], what);
  }
  await Promise.all(silent);
  t.pass('those who said nothing were sent away');
  await deaf;
  t.pass('so was the one who never read an answer');
  await mustAnswer(t, rig, 'afterwards');
});

/** Asks and asks, takes no answer, until the service ends it. */
async function neverReads(url: string): Promise<void> {
  const socket = dial(url);
  socket.pause();
  const asks = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000);
  while (!socket.destroyed) {
    if (!socket.write(asks)) await Promise.race([once(socket, 'drain'), sleep(500)]).catch(() => undefined);
    // A connection that was reset is noticed by whoever writes to it, or reads.
    if (socket.writableLength > 64 * 2 ** 20) socket.resume();
  }
}

/** Open files that this process, and the service it starts, may have. */
function openFiles(): number {
  const report: unknown = process.report.getReport();
  const limits: unknown = Reflect.get(report as object, 'userLimits');
  const files: unknown = Reflect.get(limits as object, 'open_files');
  const soft: unknown = Reflect.get(files as object, 'soft');
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

async function openMany(url: string, count: number, each: (socket: Socket) => Promise<unknown>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const wave = Array.from({ length: Math.min(WAVE, count - sockets.length) }, () => dial(url));
    await Promise.all(wave.map(each));
    sockets.push(...wave);
  }
  return sockets;
}

/** Few where files are few; the long run wants them all. */
const FILES = openFiles();
const SPARE = 500;
const MOST = 10_000;
const WANTED = isLong || FILES >= MOST + SPARE ? MOST : 2_000;

const tooFew =
  FILES < WANTED + SPARE && `${WANTED + SPARE} files must be open at once; the limit here is ${FILES} (ulimit -n)`;

t.test(`${WANTED} idle connections`, { skip: tooFew }, async (t) => {
  const patient = {
    REQUEST_TIMEOUT: '10m',
    HEADERS_TIMEOUT: '10m',
    KEEP_ALIVE_TIMEOUT: '10m',
    CONNECTION_TIMEOUT: '10m',
  };
  const rig = await startAttackRig(t, { environment: patient });
  const sockets = await openMany(rig.service.url, WANTED, (socket) => once(socket.resume(), 'connect'));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
  });
  for (let round = 0; round < 5; round++) await mustAnswer(t, rig, `with ${WANTED} connections that say nothing`);
  t.equal(sockets.filter((socket) => socket.closed).length, 0, 'nobody had to go');
  // Each is good for a request still.
  const [first] = sockets;
  first?.end('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  t.match(String(await once(first ?? rig.reader, 'data')), /^HTTP\/1\.1 200 /);
});

t.test('more connections than the setting allows: idle ones make room', async (t) => {
  const rig = await startAttackRig(t, {
    environment: { MAX_CONNECTIONS: '100', KEEP_ALIVE_TIMEOUT: '10m', CONNECTION_TIMEOUT: '10m' },
  });
  const asking = async (socket: Socket): Promise<void> => {
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    socket.resume();
  };
  const idle = await openMany(rig.service.url, 85, asking);
  const more = await openMany(rig.service.url, 50, asking);
  t.teardown(async () => {
    for (const socket of [...idle, ...more]) socket.destroy();
  });
  t.ok(
    idle.some((socket) => socket.closed),
    'those without a request were closed',
  );
  t.ok(
    more.every((socket) => socket.bytesRead > 0),
    'and everybody who came was answered',
  );
  await mustAnswer(t, rig, 'at the limit');
});
