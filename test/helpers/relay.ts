// Stands between two ends of a TCP connection and can go silent, as a network does that loses everything and tells nobody. It must
// never change a byte of what it lets through.
import net from 'node:net';
import type { TearsDown } from './postgres.ts';

export interface Relay {
  /** The same address by way of the relay. */
  url(url: string): string;
  /** Nothing passes any more, on connections of before and new ones, and nobody is told. */
  freeze(): void;
  /** New connections pass; those that were frozen stay so. */
  restore(): void;
}

export async function startRelay(t: TearsDown, target: string): Promise<Relay> {
  const { hostname, port } = new URL(target);
  const open = new Set<net.Socket>();
  let isFrozen = false;
  const frozen = new WeakSet<net.Socket>();
  const listener = net.createServer((client) => {
    open.add(client);
    client.on('error', () => undefined);
    if (isFrozen) return;
    const server = net.connect(Number(port), hostname);
    open.add(server);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => undefined);
      from.on('data', (chunk) => void (frozen.has(client) || to.write(chunk)));
      from.on('close', () => void (frozen.has(client) || to.destroy()));
      server.once('close', () => open.delete(server));
    }
  });
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening));
  t.teardown(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((closed) => listener.close(closed));
  });
  const { port: own } = listener.address() as net.AddressInfo;
  return {
    url: (url) => Object.assign(new URL(url), { host: `127.0.0.1:${own}` }).href,
    freeze() {
      isFrozen = true;
      for (const socket of open) frozen.add(socket);
    },
    restore: () => void (isFrozen = false),
  };
}
