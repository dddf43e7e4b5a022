// Bounds how many connections are open at once, so that they never use up the files that database, keys and policies need. It must
// never turn a new connection away while one that has had its answer could go instead.
import type http from 'node:http';
import type { Socket } from 'node:net';
import { MAX_HEADERS } from './framing.ts';

/** When this part of the most is open, connections without a request are closed to make room. */
const CROWDED = 0.9;
const ROOM = 0.1;

export function boundConnections(server: http.Server, max: number): void {
  server.maxHeadersCount = MAX_HEADERS + 1;
  server.maxConnections = max;
  const crowded = Math.max(1, Math.floor(max * CROWDED));
  const room = Math.max(1, Math.floor(max * ROOM));
  /** Requests without an answer on each; oldest connections first. */
  const pending = new Map<Socket, number>();

  // With TLS the connection of a request is the one inside.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (pending.size >= crowded) closeIdle(pending, room);
    pending.set(socket, 0);
    socket.once('close', () => pending.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    change(pending, socket, 1);
    response.once('close', () => change(pending, socket, -1));
  });
}

function change(pending: Map<Socket, number>, socket: Socket, by: number): void {
  const count = pending.get(socket);
  if (count !== undefined) pending.set(socket, count + by);
}

/** One that has not asked anything yet is about to, or will be sent away by HEADERS_TIMEOUT. */
function closeIdle(pending: ReadonlyMap<Socket, number>, most: number): void {
  let closed = 0;
  for (const [socket, requests] of pending) {
    if (requests > 0 || socket.bytesRead === 0) continue;
    socket.destroy();
    closed += 1;
    if (closed === most) return;
  }
}

/** How many are open, from now on. */
export function countConnections(server: http.Server): () => number {
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  return () => open;
}
