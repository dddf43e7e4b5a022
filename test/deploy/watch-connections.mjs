// Preloaded into a service: writes every place it tries to connect to, one a line, on its standard error. It must never change what happens.
import { subscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { isMainThread } from 'node:worker_threads';

const say = (what) => writeSync(2, `WATCHED ${JSON.stringify({ ...what, isMainThread })}\n`);

subscribe('net.client.socket', ({ socket }) => {
  socket.on('connectionAttempt', (address, port) => say({ address, port }));
});
subscribe('udp.socket', () => say({ address: 'udp', port: 0 }));
const { lookup } = dns;
dns.lookup = (name, ...rest) => {
  if (isIP(name) === 0) say({ address: `lookup ${name}`, port: 0 });
  return lookup(name, ...rest);
};
say({ address: 'watching', port: 0 });
